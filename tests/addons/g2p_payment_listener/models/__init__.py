from . import entitlement
from . import note
from . import payment
