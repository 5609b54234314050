from . import payment_exception
from . import payment_reconciliation
from . import payment
from . import payment_batch
from . import payment_gateway
from . import payment_callback
from . import payment_callback_seen
from . import payment_submission
