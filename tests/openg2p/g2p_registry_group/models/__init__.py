from . import group_kind
from . import res_partner
