from . import payment_exception_decide
