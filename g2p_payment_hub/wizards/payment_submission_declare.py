from odoo import fields, models


class PaymentSubmissionDeclare(models.TransientModel):
    _name = "g2p.payment.submission.declare.wizard"
    _description = "Declare that a Batch never arrived"

    submission_id = fields.Many2one("g2p.payment.submission", required=True)
    reason = fields.Char(
        required=True, help="How you know, for example: Hub operator, call of 3 March, no trace of the file."
    )

    def action_declare(self):
        self.submission_id._declare(self.reason)
        return {"type": "ir.actions.act_window_close"}
