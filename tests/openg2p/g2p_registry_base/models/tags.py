from odoo import fields, models


class G2PRegistrantTags(models.Model):
    _name = "g2p.registrant.tags"
    _description = "Registrant Tags"

    name = fields.Char("Tags", required=True)
    color = fields.Integer()
    active = fields.Boolean(default=True)
