from . import res_partner
from . import reg_id
from . import phone_number
from . import tags
from . import district
