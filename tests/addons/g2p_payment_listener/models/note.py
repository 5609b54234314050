from odoo import fields, models


class Note(models.Model):
    """Holds one set of payments whose results the hook has told."""

    _name = "g2p.payment.listener.note"
    _description = "Note of the Listener"

    payment_ids = fields.Many2many("g2p.payment", string="Payments")
