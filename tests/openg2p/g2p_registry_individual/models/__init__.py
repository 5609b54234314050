from . import gender
from . import res_partner
