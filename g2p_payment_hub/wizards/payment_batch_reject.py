from odoo import fields, models


class PaymentBatchReject(models.TransientModel):
    _name = "g2p.payment.batch.reject.wizard"
    _description = "Reject Payment Batches"

    batch_ids = fields.Many2many("g2p.payment.batch", required=True)
    reason = fields.Char(required=True, help="What has to change. Who prepared the batch reads this.")

    def action_reject(self):
        for batch in self.batch_ids:
            batch._reject(self.reason)
        return {"type": "ir.actions.act_window_close"}
