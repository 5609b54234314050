from . import payment_audit_verify
from . import payment_batch_reject
from . import payment_gateway_gone
from . import payment_submission_declare
