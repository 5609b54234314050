import logging

from markupsafe import escape
from psycopg2 import OperationalError

from odoo import _, models

from .roles import FINANCE

_logger = logging.getLogger(__name__)

APPROVE = "g2p_payment_hub.activity_approve"
MEND = "g2p_payment_hub.activity_mend"
FIND = "g2p_payment_hub.activity_find"
CONFIRM = "g2p_payment_hub.activity_confirm"


class PaymentBatch(models.Model):
    """Whoever has to act next finds that among their activities, until somebody has acted."""

    _inherit = "g2p.payment.batch"

    def _advance(self, state, why, **values):
        result = super()._advance(state, why, **values)
        for batch in self.filtered("gateway_id").sudo():
            batch._call_who_is_next(state, why)
        return result

    def _call_who_is_next(self, state, why):
        called = self._called(APPROVE)
        self.activity_unlink([APPROVE, MEND, FIND, CONFIRM])
        if called or state == "to_approve":
            self._call_for_approval(called)
        if state in ("rejected", "refused"):
            self._call(MEND, self.prepared_by_id, _("Correct %s", self.name), escape(why))

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

    def _called(self, task):
        kind = self.env.ref(task, raise_if_not_found=False)
        return self.activity_ids.filtered(lambda activity: activity.activity_type_id == kind).user_id

    def _call(self, task, users, summary, note):
        """A message that cannot be sent does not keep what happened from being written down. Nobody is called
        with a kind of activity that an administrator has deleted: it would not be found again to end it."""
        for batch in self.sudo() if self.env.ref(task, raise_if_not_found=False) else ():
            for user in users.filtered("active"):
                try:
                    with self.env.cr.savepoint():
                        batch.activity_schedule(task, summary=summary, note=note, user_id=user.id)
                except OperationalError:
                    raise  # another transaction was in the way: the caller comes back
                except Exception:  # pylint: disable=broad-except
                    _logger.exception("batch %s: user %s could not be called", batch.id, user.id)

    def _owners(self):
        """Who sees to what comes up after the approval: the approver, or all of finance when that one left."""
        return self.approved_by_id.filtered("active") or self._finance_users()

    def _finance_users(self):
        users = self.env["res.users"].search(
            [("share", "=", False), ("company_ids", "in", self.company_id.ids)]
        )
        return users.filtered(lambda user: user.has_group(FINANCE))
