from odoo import fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    kind = fields.Many2one("g2p.group.kind")
    kind_as_str = fields.Char(related="kind.name")
    is_partial_group = fields.Boolean("Partial Group")
