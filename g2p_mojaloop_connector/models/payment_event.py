from odoo import _, models

from .payment_submission import PAUSED


class PaymentEvent(models.Model):
    _inherit = "g2p.payment.event"

    def _labels(self):
        return {**super()._labels(), PAUSED: _("Paused")}
