from . import test_payment_gateway
from . import test_paying
