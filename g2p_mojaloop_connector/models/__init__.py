from . import payment_gateway
from . import payment_gateway_hooks
from . import mojaloop_transfer
from . import payment_submission
from . import payee_verification
from . import payment
from . import payment_batch
