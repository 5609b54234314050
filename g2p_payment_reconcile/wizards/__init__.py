from . import payment_exception_decide
from . import payment_evidence_upload
