from . import res_partner_bank
