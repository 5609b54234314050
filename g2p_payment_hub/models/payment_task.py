import logging

from psycopg2 import OperationalError

from odoo import models

from .roles import FINANCE, may

_logger = logging.getLogger(__name__)

# What there is to do: XML ids of types of activities.
APPROVE = "g2p_payment_hub.activity_approve"
MEND = "g2p_payment_hub.activity_mend"
FIND = "g2p_payment_hub.activity_find"
CONFIRM = "g2p_payment_hub.activity_confirm"
CONFIRM_GONE = "g2p_payment_hub.activity_confirm_gone"
_NAMED = 10


def listed(names):
    """Join names, the first few of many."""
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" (+{more})" if more > 0 else "")


class PaymentTask(models.AbstractModel):
    """Whoever has to act next finds that among their activities, until somebody has acted.

    For models with a `company_id`. A task is the XML id of an activity type.
    """

    _name = "g2p.payment.task.mixin"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _description = "Payment Task"

    def _called(self, task):
        """The users who have the task."""
        kind = self.env.ref(task, raise_if_not_found=False)
        return self.sudo().activity_ids.filtered(lambda activity: activity.activity_type_id == kind).user_id

    def _call(self, task, users, summary, note):
        """A message that cannot be sent keeps neither what happened from being written down nor the task from
        its user. Nobody is called with a kind of activity that an administrator has deleted: it would not be
        found again to end it."""
        for record in self.sudo() if self.env.ref(task, raise_if_not_found=False) else ():
            silently = record.with_context(mail_activity_quick_update=True)
            for user in users.filtered("active"):
                values = {"summary": summary, "note": note, "user_id": user.id}
                if not record._schedule(task, values):
                    silently._schedule(task, values)

    def _schedule(self, task, values):
        """Whether that could be done."""
        try:
            with self.env.cr.savepoint():
                self.activity_schedule(task, **values)
            return True
        except OperationalError:
            raise  # another transaction was in the way: the caller comes back
        except Exception:  # pylint: disable=broad-except
            _logger.exception("%s %s: user %s could not be called", self._name, self.id, values["user_id"])
            return False

    def _keep_called(self, task, users, summary, note):
        """From now on these users have the task, and nobody else; who has it already is not told again."""
        self.ensure_one()
        called = self._called(task)
        for user in called - users:
            self._call_off(task, user)
        self._call(task, users - called, summary, note)

    def _call_off(self, tasks, user=None):
        """There is nothing left to do, for one user or for all."""
        tasks = [tasks] if isinstance(tasks, str) else tasks
        self.sudo().activity_unlink(tasks, user_id=user and user.id)

    def _finance_users(self):
        """Those of its company who validate payments."""
        return self._users_who(FINANCE)

    def _users_who(self, role):
        """Those of its company who may."""
        users = self.env["res.users"].sudo()
        users = users.search([("share", "=", False), ("company_ids", "in", self.company_id.ids)])
        return users.filtered(lambda user: may(user, role))

    def _who_still(self, users, role):
        """Those of `users` who have not left it meanwhile, and may."""
        here = users.sudo().filtered(lambda user: user.active and self.company_id in user.company_ids)
        return here.filtered(lambda user: may(user, role))
