from . import group_membership
from . import res_partner
