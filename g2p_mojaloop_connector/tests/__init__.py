from . import test_paying
from . import test_payment_gateway
from . import test_rights
