import re

from odoo import _, api, fields, models
from odoo.exceptions import ValidationError


class G2PRegistrantID(models.Model):
    _name = "g2p.reg.id"
    _description = "Registrant ID"
    _order = "id desc"

    partner_id = fields.Many2one(
        "res.partner", "Registrant", required=True, domain=[("is_registrant", "=", True)]
    )
    id_type = fields.Many2one("g2p.id.type", "ID Type", required=True)
    id_type_as_str = fields.Char(related="id_type.name")
    value = fields.Char(size=100)
    expiry_date = fields.Date()
    status = fields.Selection([("invalid", "Invalid"), ("valid", "Valid")])
    description = fields.Char()

    def _compute_display_name(self):
        for reg_id in self:
            reg_id.display_name = reg_id.partner_id.name or ""

    @api.constrains("value")
    @api.onchange("value")
    def _onchange_id_validation(self):
        for reg_id in self:
            pattern = reg_id.id_type.id_validation
            if reg_id.value and pattern and not re.match(pattern, reg_id.value):
                raise ValidationError(_("This is not a valid ID of its type."))

    @api.constrains("partner_id", "id_type")
    def _check_unique_id_type(self):
        for reg_id in self:
            same = [("partner_id", "=", reg_id.partner_id.id), ("id_type", "=", reg_id.id_type.id)]
            if self.search_count(same) > 1:
                raise ValidationError(_("A registrant has one ID of each type."))


class G2PIDType(models.Model):
    _name = "g2p.id.type"
    _description = "ID Type"
    _order = "name ASC"

    name = fields.Char()
    id_validation = fields.Char()

    @api.constrains("name")
    def _check_name(self):
        """Reads self.name, so creating two types in one call fails, as it does in OpenG2P."""
        for id_type in self:
            if not id_type.name:
                raise ValidationError(_("An ID type needs a name."))
        for other in self.search([]):
            if self.name.lower() == other.name.lower() and self.id != other.id:
                raise ValidationError(_("There is an ID type of this name."))
