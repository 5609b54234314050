from . import payment
from . import payment_batch
from . import payment_submission
