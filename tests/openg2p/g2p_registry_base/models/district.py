from odoo import fields, models


class G2PDistrict(models.Model):
    _name = "g2p.district"
    _description = "District"
    _order = "name ASC"

    name = fields.Char()
    state_id = fields.Many2one("res.country.state")
