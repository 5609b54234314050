from . import cycle
from . import payment
from . import payment_batch
from . import payment_callback
from . import payment_gateway
from . import payment_reissue
from . import payment_report
from . import payment_submission
