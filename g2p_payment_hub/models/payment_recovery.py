import logging
import random
from datetime import timedelta

from markupsafe import escape
from psycopg2 import OperationalError

from odoo import _, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_datetime

from odoo.addons.queue_job.exception import RetryableJobError

from ..client.errors import GatewayError, NotSent, OutcomeUnknown, Reason
from .payment_submission import LEASE
from .payment_task import CONFIRM
from .roles import APPROVERS, check_role, has_role

_logger = logging.getLogger(__name__)

FIRST_LOOK_UP = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)
# Who confirms that a batch never arrived does so on a look-up of the same hour.
FRESH = timedelta(hours=1)


class Payment(models.Model):
    _inherit = "g2p.payment"

    def _check_never_arrived(self):
        """Of these payments, given up and now to be paid through another gateway: whether an attempt to send
        them that two people declared missing has arrived after all. OutcomeUnknown when it has, NotSent while
        that gateway's payment system cannot tell."""
        # One that was set aside stands in no batch any more, but in the audit trail of that which it left.
        batches = self.sudo().event_ids.batch_id
        for attempt in batches.submission_ids.filtered(lambda one: one.state == "not_received"):
            gateway = attempt.gateway_id
            names = self.filtered(lambda one, gateway=gateway: one.gateway_id == gateway).mapped("name")
            try:
                receipt = names and gateway._ask_unless_gone(gateway._find_submission, attempt, names)
            except GatewayError as error:
                raise NotSent(error.reason, f"{gateway.name} {error.detail}") from error
            if receipt:
                raise OutcomeUnknown(Reason.AMBIGUOUS, f"{gateway.name} {receipt.reference}")


class PaymentSubmission(models.Model):
    """What happens to a submission of which nobody knows whether it arrived.

    The payment system is asked again and again. What it shows is adopted. When it shows no trace for the
    gateway's waiting time, two people may declare that it never arrived; nothing else sends it again.
    """

    _inherit = "g2p.payment.submission"

    next_look_up_at = fields.Datetime("Next Look-up", readonly=True, index=True)
    last_look_up_at = fields.Datetime("Last Look-up", readonly=True)
    look_up_count = fields.Integer("Look-ups", readonly=True)
    look_up_answer = fields.Char("What the Look-up brought", readonly=True)
    no_trace = fields.Boolean(readonly=True, help="The last look-up found no trace of this submission.")
    declared_by_id = fields.Many2one("res.users", "Declared Missing by", readonly=True)
    declare_reason = fields.Char("Declared because", readonly=True)
    confirmed_by_id = fields.Many2one("res.users", "Confirmed by", readonly=True)
    may_declare_at = fields.Datetime(compute="_compute_may_declare_at")
    declare_blocked_reason = fields.Char(compute="_compute_declare_blocked_reason")
    confirm_blocked_reason = fields.Char(compute="_compute_declare_blocked_reason")

    _sql_constraints = [
        (
            "two_people_declare",
            "check(state <> 'not_received' or coalesce(confirmed_by_id <> declared_by_id, false))",
            "Two people decide that a batch never arrived.",
        ),
    ]

    @api.depends("started_at", "gateway_id.recovery_minutes")
    def _compute_may_declare_at(self):
        for submission in self:
            wait = timedelta(minutes=submission.gateway_id.recovery_minutes)
            submission.may_declare_at = submission.started_at and submission.started_at + wait

    @api.depends("state", "no_trace", "last_look_up_at", "declared_by_id", "gateway_id.gone_confirmed_by_id")
    @api.depends_context("uid")
    def _compute_declare_blocked_reason(self):
        for submission in self:
            submission.declare_blocked_reason = submission._why_not_declare()
            submission.confirm_blocked_reason = submission._why_not_confirm()

    def _why_not_declare(self):
        """Why this user cannot declare that it never arrived; False when nothing is in the way."""
        if self.state != "unknown":
            return _("Only a submission of unknown outcome can be declared missing.")
        if not has_role(self.env, APPROVERS):
            return _("Two finance validators decide whether this batch never arrived.")
        nobody = self.env.user._why_nobody()
        if nobody:
            return nobody
        if self.gateway_id.sudo().gone_confirmed_by_id:
            return False  # it shows nothing any more
        if not self.no_trace or self.last_look_up_at < self.may_declare_at:
            return _(
                "The payment system may still show this batch. It can be declared missing when a look-up "
                "after "
                "%s has found no trace.",
                format_datetime(self.env, self.may_declare_at),
            )
        return False

    def _why_not_confirm(self):
        reason = self._why_not_declare()
        if reason:
            return reason
        if not self.declared_by_id:
            return _("Nobody has declared this batch missing yet.")
        if self.declared_by_id == self.env.user:
            return _("You declared it missing yourself, so another finance validator must confirm.")
        gone = self.gateway_id.sudo().gone_confirmed_by_id
        if not gone and self.last_look_up_at < fields.Datetime.now() - FRESH:
            return _("The last look-up is too old. Press Look Up Now, then confirm.")
        return False

    def _close(self, state, answer):
        result = super()._close(state, answer)
        if state == "unknown":
            self.sudo().next_look_up_at = fields.Datetime.now() + FIRST_LOOK_UP
        return result

    @api.model
    def _cron_look_up(self):
        """Finds what is due and queues a job for each."""
        self._find_dead_workers()
        due = [("state", "=", "unknown"), *is_due("next_look_up_at", LONGEST_WAIT)]
        self.sudo().search(due)._queue_look_up()

    @api.model
    def _find_dead_workers(self):
        """Nobody knows what a worker that died while sending has done: its submissions become unknown."""
        orphans = [("state", "=", "in_flight"), *is_due("lease_until", LEASE)]
        for submission in self.sudo().search(orphans):
            try:
                submission.batch_id._lock()
            except UserError:
                continue  # whoever works on it knows better; the next turn looks again
            submission._close(
                "unknown", _("The worker that was sending this batch died. It may or may not have arrived.")
            )

    def action_look_up(self):
        check_role(self.env, APPROVERS, _("Only a finance validator may look a batch up."))
        self._queue_look_up()
        return self.gateway_id[:1]._notification(
            "success", _("The payment system is being asked. Reload the page in a moment.")
        )

    def _queue_look_up(self):
        for submission in self.sudo().filtered(lambda one: one.state == "unknown"):
            wait = min(FIRST_LOOK_UP * 2 ** min(submission.look_up_count, 10), LONGEST_WAIT)
            submission.next_look_up_at = fields.Datetime.now() + wait * random.uniform(0.9, 1.1)
            submission.with_delay(
                identity_key=f"g2p_payment_hub.look_up.{submission.id}",
                description=_("Look up %s", submission.filename),
            )._look_up()

    def _look_up(self):
        """The job: asks first, without holding anything, then writes down what was learnt."""
        self.ensure_one()
        if self.state != "unknown":
            return _("Nothing to do: the outcome is known.")
        receipt, answer = self._ask_for_trace()
        self.batch_id._lock_in_job()
        self.sudo().write(
            {
                "last_look_up_at": fields.Datetime.now(),
                "look_up_count": self.look_up_count + 1,
                "look_up_answer": answer,
                "no_trace": receipt is None,
            }
        )
        if receipt:
            self._accept(receipt)
        else:
            self._call_for_a_person()
        return answer

    def _ask_for_trace(self):
        """(receipt, sentence): the receipt, None when there is no trace, False when nothing was learnt."""
        try:
            receipt = self.gateway_id._find_submission(self)
        except (GatewayError, UserError) as error:
            known = isinstance(error, GatewayError)
            return False, self.gateway_id._explain(error) if known else str(error)
        except (OperationalError, RetryableJobError):
            raise  # asked again by queue_job
        except Exception as error:  # pylint: disable=broad-except  # or nobody would learn why it says nothing
            _logger.exception("submission %s: looking it up ended in an error", self.id)
            why = _("It could not be looked up, because of an error of this server: %s", type(error).__name__)
            return False, why
        if receipt:
            return receipt, _("The payment system has this batch as %s.", receipt.reference)
        return None, _("The payment system shows no trace of this batch.")

    def _declare(self, reason):
        """The first of two people says that the batch never arrived."""
        self.ensure_one()
        self.batch_id._lock()
        blocked = self._why_not_declare()
        if blocked:
            raise UserError(blocked)
        if not (reason or "").strip():
            raise UserError(_("Give a reason: the second person and the auditor have to know how you know."))
        self.sudo().write({"declared_by_id": self.env.uid, "declare_reason": reason})
        self._note(_("Declared as never arrived, to be confirmed by a second person: %s", reason))
        self.batch_id._call(
            CONFIRM,
            self.batch_id._finance_users() - self.env.user,
            _("Confirm that %s never arrived", self.batch_id.name),
            escape(reason),
        )

    def action_withdraw_declaration(self):
        check_role(self.env, APPROVERS, _("Only a finance validator may take the declaration back."))
        self.batch_id._lock()
        self.invalidate_recordset()
        if self.state != "unknown":
            raise UserError(_("What became of this submission is decided. Reload the page to see how."))
        if self.declared_by_id:
            self.sudo().write({"declared_by_id": False, "declare_reason": False})
            self.batch_id._call_off(CONFIRM)
            self._note(_("The declaration that it never arrived is taken back."))

    def action_confirm_not_received(self):
        """The second of two people: from here on the batch can be sent again, as a new attempt."""
        self.ensure_one()
        self.batch_id._lock()
        self.invalidate_recordset()
        blocked = self._why_not_confirm()
        if blocked:
            raise UserError(blocked)
        self.sudo().confirmed_by_id = self.env.uid
        self._close(
            "not_received",
            _(
                "%(first)s and %(second)s decided that it never arrived: %(reason)s",
                first=self.declared_by_id.name,
                second=self.env.user.name,
                reason=self.declare_reason,
            ),
        )


def is_due(name, longest):
    """Domain: the moment has come, or lies so much further ahead than it is ever set that the clock was set
    back since."""
    now = fields.Datetime.now()
    return ["|", (name, "<=", now), (name, ">", now + 2 * longest)]
