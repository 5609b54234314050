from odoo import api, fields, models

from odoo.addons.g2p_payment_hub.models.payment_guard import GUARDED

GUARDED.update({"mojaloop_verification_ids", "mojaloop_unknown_at"})


class Payment(models.Model):
    """What the scheme says of a payment and of its payee."""

    _inherit = "g2p.payment"

    mojaloop_unknown_at = fields.Datetime(
        "Unknown to the Scheme",
        readonly=True,
        copy=False,
        help="When the scheme said that it has no transfer of this payment, which was given up. It is asked "
        "before another payment of the same entitlement is sent.",
    )
    mojaloop_verification_ids = fields.One2many(
        "g2p.payee.verification", "payment_id", "Payee Verifications", readonly=True
    )
    mojaloop_verification_id = fields.Many2one(
        "g2p.payee.verification",
        "Payee Verification",
        compute="_compute_mojaloop_verification",
        help="What the scheme said last about who the payee is, as the payment names it now.",
    )

    def _heed_decision(self):
        super()._heed_decision()
        self.env["g2p.mojaloop.transfer"]._heed_decisions(self)

    @api.depends("mojaloop_verification_ids", "account_number", "payee_identifier_type")
    def _compute_mojaloop_verification(self):
        latest = self.env["g2p.payee.verification"]._latest_of(self)
        for payment in self:
            payment.mojaloop_verification_id = latest.get(payment.id)

    def _mojaloop_unknown(self):
        self.sudo().mojaloop_unknown_at = fields.Datetime.now()
