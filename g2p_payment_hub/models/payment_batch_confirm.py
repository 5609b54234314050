from odoo import _, api, fields, models
from odoo.exceptions import UserError

from .roles import APPROVERS, check_role


class PaymentBatch(models.Model):
    """Where the payment system's word does not say that money moved, a person says so."""

    _inherit = "g2p.payment.batch"

    closed_loop_confirmed_by_id = fields.Many2one(
        "res.users",
        "Money Confirmed by",
        readonly=True,
        copy=False,
        help="Who said that the money moved, where the payment system's word is not enough.",
    )
    needs_confirmation = fields.Boolean(compute="_compute_needs_confirmation")

    @api.depends("batch_state", "closed_loop_confirmed_by_id", "gateway_id", "approved_settings")
    def _compute_needs_confirmation(self):
        for batch in self:
            batch.needs_confirmation = (
                batch.batch_state == "sent"
                and not batch.closed_loop_confirmed_by_id
                and batch.gateway_id._confirms_payments(batch)
            )

    def action_confirm_money(self):
        """A finance user other than the approver says that the money of this batch moved."""
        self.ensure_one()
        check_role(self.env, APPROVERS, _("Only a finance validator may confirm that the money moved."))
        self.env.user._check_somebody()
        self._lock()
        if not self.needs_confirmation:
            raise UserError(_("This batch needs no confirmation."))
        if self.env.user in self.maker_ids + self.approved_by_id:
            raise UserError(_("You prepared or approved this batch, so another finance user must confirm."))
        self.sudo().closed_loop_confirmed_by_id = self.env.uid
        why = _("Confirmed that the money moved.")
        self._message_log(body=why)
        self._record([{"from_state": self.batch_state, "to_state": self.batch_state, "why": why}])
