from . import payment_reissue
from . import cycle_distribute
