from odoo import fields, models

from odoo.addons.g2p_payment_hub.models.payment import GUARDED

GUARDED.add("mojaloop_transfer_ids")


class Payment(models.Model):
    _inherit = "g2p.payment"

    mojaloop_transfer_ids = fields.One2many("g2p.mojaloop.transfer", "payment_id", "Transfers", readonly=True)
