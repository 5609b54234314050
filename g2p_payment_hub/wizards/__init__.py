from . import payment_batch_reject
from . import payment_submission_declare
