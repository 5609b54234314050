from odoo import fields, models


class PaymentQuestion(models.TransientModel):
    _name = "g2p.payment.question.wizard"
    _description = "Question the Results of Payments"

    payment_ids = fields.Many2many("g2p.payment", required=True)
    reason = fields.Char(
        required=True, help="How you know, for example: The payee called on 3 March and has not been paid."
    )

    def action_question(self):
        self.payment_ids._question(self.reason)
        return {"type": "ir.actions.act_window_close"}
