from odoo import _, models

from .payment_submission import PAUSED


class PaymentEvent(models.Model):
    """A pause stands beside the states of a submission, and has its word here."""

    _inherit = "g2p.payment.event"

    def _labels(self):
        return {**super()._labels(), PAUSED: _("Paused")}
