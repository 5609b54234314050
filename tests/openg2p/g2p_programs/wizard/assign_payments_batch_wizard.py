from uuid import uuid4

from odoo import Command, _, api, fields, models
from odoo.exceptions import UserError


class G2PAssignPaymentsBatchWizard(models.TransientModel):
    _name = "g2p.assign.payments.batch.wizard"
    _description = "Add Payments to Batch Wizard"

    cycle_id = fields.Many2one("g2p.cycle", readonly=True)
    # One value for all batches made this way, until the server restarts.
    internal_batch_ref = fields.Char("Internal Batch Reference #", default=str(uuid4()), readonly=True)

    @api.model
    def _active_payments(self):
        return self.env["g2p.payment"].browse(self.env.context.get("active_ids", []))

    @api.model
    def default_get(self, fields_list):
        payments = self._active_payments()
        if not payments:
            raise UserError(_("There are no selected payments!"))
        return {**super().default_get(fields_list), "cycle_id": payments[0].cycle_id.id}

    def assign_payment(self):
        """Takes payments of any cycle and any number of them."""
        payments = self._active_payments().filtered(lambda payment: not payment.batch_id)
        if not payments:
            raise UserError(_("All selected payments are already assigned to another batch."))
        payments.batch_id = self.env["g2p.payment.batch"].create(
            {
                "name": self.internal_batch_ref,
                "cycle_id": self.cycle_id.id,
                "payment_ids": [Command.set(payments.ids)],
                "stats_datetime": fields.Datetime.now(),
            }
        )

    @api.model
    def open_wizard(self):
        return {
            "name": "Add to Payment Batch",
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "view_mode": "form",
            "view_id": self.env.ref("g2p_programs.assign_payments_batch_wizard_form_view").id,
            "target": "new",
            "context": self.env.context,
        }
