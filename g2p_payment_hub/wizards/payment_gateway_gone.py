from odoo import fields, models


class PaymentGatewayGone(models.TransientModel):
    _name = "g2p.payment.gateway.gone.wizard"
    _description = "Declare that a Payment System is Gone"

    gateway_id = fields.Many2one("g2p.payment.gateway", required=True)
    reason = fields.Char(
        required=True,
        help="How you know that it will never answer again, and that it paid none of what is unclear, for "
        "example: Contract ended on 1 March, server dismantled; no such payment on the account's statements.",
    )

    def action_declare(self):
        self.gateway_id._declare_gone(self.reason)
        return {"type": "ir.actions.act_window_close"}
