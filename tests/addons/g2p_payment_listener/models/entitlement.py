from odoo import api, fields, models


class Entitlement(models.Model):
    """Keeps the sum of what was paid, as another add-on would."""

    _inherit = "g2p.entitlement"

    listener_paid_amount = fields.Float(
        digits=(16, 2), compute="_compute_listener_paid_amount", store=True, help="What has been paid."
    )

    @api.depends("payment_ids.status", "payment_ids.amount_paid")
    def _compute_listener_paid_amount(self):
        for entitlement in self:
            paid = entitlement.payment_ids.filtered(lambda payment: payment.status == "paid")
            entitlement.listener_paid_amount = sum(paid.mapped("amount_paid"))
