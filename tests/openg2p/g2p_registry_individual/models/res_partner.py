from dateutil.relativedelta import relativedelta

from odoo import api, fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    family_name = fields.Char()
    given_name = fields.Char()
    addl_name = fields.Char("Additional Name")
    birth_place = fields.Char()
    birthdate_not_exact = fields.Boolean("Approximate Birthdate")
    birthdate = fields.Date("Date of Birth")
    age = fields.Char(compute="_compute_calc_age", size=50)
    gender = fields.Selection(selection="_get_dynamic_selection")

    def _get_dynamic_selection(self):
        return [(gender.value, gender.code) for gender in self.env["gender.type"].search([])]

    @api.onchange("is_group", "family_name", "given_name", "addl_name")
    def name_change(self):
        if self.is_group:
            return
        family = f"{self.family_name}, " if self.family_name else ""
        others = "".join(f"{name} " for name in (self.given_name, self.addl_name) if name)
        self.name = (family + others).upper()

    @api.depends("birthdate")
    def _compute_calc_age(self):
        today = fields.Date.today()
        for partner in self:
            if partner.birthdate:
                partner.age = str(relativedelta(today, partner.birthdate).years)
            else:
                partner.age = "No Birthdate!"
