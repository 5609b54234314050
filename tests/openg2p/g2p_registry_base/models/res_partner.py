import re

from odoo import _, api, fields, models
from odoo.exceptions import ValidationError


class ResPartner(models.Model):
    _inherit = "res.partner"

    is_registrant = fields.Boolean("Registrant")
    is_group = fields.Boolean("Group")
    name = fields.Char(index=True)
    # Required for every partner, registrant or not.
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company)

    reg_ids = fields.One2many("g2p.reg.id", "partner_id", "Registrant IDs")
    phone_number_ids = fields.One2many("g2p.phone.number", "partner_id", "Phone Numbers")
    tags_ids = fields.Many2many("g2p.registrant.tags")

    address = fields.Text()
    registration_date = fields.Date(default=lambda self: fields.Date.today())
    civil_status = fields.Char()
    occupation = fields.Char()
    income = fields.Float()
    district = fields.Many2one("g2p.district")

    disabled = fields.Datetime("Date Disabled")
    disabled_reason = fields.Text("Reason for Disabling")
    disabled_by = fields.Many2one("res.users")

    @api.onchange("phone_number_ids")
    def phone_number_ids_change(self):
        """Only an onchange: records made by code keep an empty phone."""
        in_use = self.phone_number_ids.filtered(lambda number: not number.disabled)
        self.phone = ",".join(in_use.mapped("phone_no"))

    @api.constrains("registration_date")
    def _check_registration_date(self):
        for partner in self:
            if partner.registration_date and partner.registration_date > fields.Date.today():
                raise ValidationError(_("A registration cannot lie in the future."))

    @api.constrains("phone")
    def _onchange_phone_validation(self):
        pattern = self.env["ir.config_parameter"].get_param("g2p_registry.phone_regex")
        for partner in self:
            if pattern and partner.phone and not re.match(pattern, partner.phone):
                raise ValidationError(_("This is not a phone number."))

    def enable_registrant(self):
        self.write({"disabled": False, "disabled_by": False, "disabled_reason": False})
