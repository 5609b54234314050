from markupsafe import escape

from odoo import _, models

from .payment_task import APPROVE, CONFIRM, FIND, MEND
from .roles import APPROVERS, MAKERS, PROGRAM


class PaymentBatch(models.Model):
    """Whoever has to act next on a batch is called."""

    _inherit = "g2p.payment.batch"

    def _call_who_is_next(self, state, why):
        """After the batch has become `state`; nobody is called for what is over."""
        self.ensure_one()
        called = self._called(APPROVE)
        self._call_off([APPROVE, MEND, FIND, CONFIRM])
        if called or state == "to_approve":
            self._call_for_approval(called)
        if state in ("rejected", "refused"):
            menders = self._who_still(self.prepared_by_id, MAKERS) or self._users_who(PROGRAM)
            self._call(MEND, menders, _("Correct %s", self.name), escape(why))

    def _call_for_approval(self, called):
        """One activity for each person and cycle, however many batches wait. Those `called` before have had
        their message."""
        domain = [
            ("cycle_id", "=", self.cycle_id.id),
            ("gateway_id", "!=", False),
            ("batch_state", "=", "to_approve"),
        ]
        waiting = self.search(domain, order="id")
        for user in self._finance_users() - waiting._called(APPROVE):
            batch = waiting.filtered(lambda one, user=user: user not in one.maker_ids)[:1]
            quietly = batch.with_context(mail_activity_quick_update=user in called)
            quietly._call(
                APPROVE,
                user,
                _("Approve the batches of %s", self.cycle_id.name),
                _("Payment batches wait for a second person: approve or reject them."),
            )

    def _owners(self):
        """Who sees to what comes up after approval: the approver, or all of finance when that one is gone."""
        return self._who_still(self.approved_by_id, APPROVERS) or self._finance_users()
