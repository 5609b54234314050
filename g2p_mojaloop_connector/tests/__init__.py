from . import test_payment_gateway
