from odoo import fields, models


class PaymentExceptionUndo(models.TransientModel):
    _name = "g2p.payment.exception.undo.wizard"
    _description = "Undo Decisions about Payment Exceptions"

    exception_ids = fields.Many2many("g2p.payment.exception", required=True)
    step = fields.Selection([("send_back", "Send Back"), ("take_back", "Take Back")], required=True)
    reason = fields.Char(required=True, help="Who decided reads this, and so does the auditor.")

    def action_undo(self):
        if self.step == "send_back":
            self.exception_ids._send_back(self.reason)
        else:
            self.exception_ids._take_back(self.reason)
        return {"type": "ir.actions.act_window_close"}
