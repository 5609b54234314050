from . import payment_gateway_secret
from . import payment_gateway
from . import payment_gateway_phee
from . import payment_manager
from . import payment
from . import payment_batch
from . import payment_submission
from . import cycle
