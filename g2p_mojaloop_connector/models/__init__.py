from . import payment_gateway
