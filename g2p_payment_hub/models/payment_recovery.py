import logging
import random
from datetime import timedelta

from markupsafe import escape
from psycopg2 import OperationalError

from odoo import _, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_datetime

from odoo.addons.queue_job.exception import RetryableJobError

from ..client.errors import GatewayError, Reason
from ..client.outcomes import FoundTwice
from .payment_submission import LEASE
from .payment_task import CONFIRM, listed
from .roles import APPROVERS, check_role, has_role
from .turns import take_turns

_logger = logging.getLogger(__name__)

FIRST_LOOK_UP = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)
# Whether it arrived all the same is asked of an attempt that was refused, or declared missing, this often,
# after waits that grow threefold: the last a week and a half later.
AFTER_A_NO = timedelta(minutes=5)
LOOKS_AFTER_A_NO = 8
SAID_NO = ("refused", "not_received")
# Who confirms that a batch never arrived does so on a look-up of the same hour.
FRESH = timedelta(hours=1)


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
        # invariant: waiting-before-missing
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
        # invariant: two-declare-missing
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
        if state in SAID_NO:
            later = {"next_look_up_at": fields.Datetime.now() + AFTER_A_NO, "look_up_count": 0}
            self.sudo().write(later)
        return result

    @api.model
    def _cron_look_up(self):
        """Finds what is due and queues a job for each."""
        self._find_dead_workers()
        due = [("state", "=", "unknown"), *is_due("next_look_up_at", LONGEST_WAIT)]
        no = [("state", "in", SAID_NO), *is_due("next_look_up_at", AFTER_A_NO * 3**LOOKS_AFTER_A_NO)]
        submissions = self.sudo()
        (submissions.search(due) | submissions.search(no))._queue_look_up()

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
        """Ask now whether the payment system has it; say so where there is nothing to ask."""
        check_role(self.env, APPROVERS, _("Only a finance validator may look a batch up."))
        asked = self._queue_look_up()
        if not asked:
            return self.gateway_id[:1]._notification("warning", self._why_not_looked_up())
        return self.gateway_id[:1]._notification(
            "success", _("The payment system is being asked. Reload the page in a moment.")
        )

    def _why_not_looked_up(self):
        if self[:1].state == "accepted":
            return _(
                "Nothing is asked: it was accepted. Press Check Now on its batch to ask for the results."
            )
        if self[:1].state == "in_flight":
            return _("Nothing is asked: it is being sent right now. Reload the page in a minute.")
        return _("Nothing is asked: it never left.")

    def _queue_look_up(self):
        """Queue a job for each of which it can be asked whether it arrived; return those."""
        asked = self.sudo().filtered(lambda submission: submission.state in ("unknown", *SAID_NO))
        take_turns(asked, "next_look_up_at", {one.id: one._next_look_up() for one in asked})
        for submission in asked:
            submission.with_delay(
                identity_key=f"g2p_payment_hub.look_up.{submission.id}",
                description=_("Look up %s", submission.filename),
            )._look_up()
        return asked

    def _next_look_up(self):
        """Return when to ask again; False when it was asked often enough after a no."""
        jitter = random.uniform(0.9, 1.1)
        if self.state == "unknown":
            wait = min(FIRST_LOOK_UP * 2 ** min(self.look_up_count, 10), LONGEST_WAIT)
        elif self.look_up_count + 1 < LOOKS_AFTER_A_NO:
            wait = AFTER_A_NO * 3 ** (self.look_up_count + 1)
        else:
            return False
        return fields.Datetime.now() + wait * jitter

    def _look_up(self):
        """The job: asks first, without holding anything, then writes down what was learnt. Each has a
        transaction of its own, so that who writes the same rows meanwhile is in nobody's way."""
        self.ensure_one()
        if self.state not in ("unknown", *SAID_NO):
            return _("Nothing to do: the outcome is known.")
        with self.batch_id._own_transaction() as batch:
            asked = self.with_env(batch.env)._ask_for_trace()
        return self.batch_id._write_down(lambda batch: self.with_env(batch.env)._take_trace(*asked))

    def _take_trace(self, receipt, answer, arrived):
        """Write down what `_ask_for_trace` learnt."""
        self.batch_id._lock_in_job()
        self.invalidate_recordset(["state"])
        self.sudo().write(
            {
                "last_look_up_at": fields.Datetime.now(),
                "look_up_count": self.look_up_count + 1,
                "look_up_answer": answer,
                "no_trace": receipt is None,
            }
        )
        if receipt and self._is_to_be_accepted():
            self._accept(receipt)
        elif arrived:
            self.batch_id._note_arrived(arrived)
        elif self.state == "unknown":
            self._call_for_a_person()
        return answer

    def _is_to_be_accepted(self):
        """Tell whether its batch is still what was sent, and sent by no other attempt: after a no that was
        not true it goes on as if it had been accepted at once."""
        if self.state not in SAID_NO:
            return self.state == "unknown"
        batch = self.sudo().batch_id
        return (
            batch.batch_state in ("refused", "approved")
            and batch.frozen_digest == self.digest
            and not batch._live_submission()
        )

    def _ask_for_trace(self):
        """Return (receipt, sentence, list of Arrived): the receipt is None when there is no trace, and False
        when nothing was learnt."""
        try:
            receipt, arrived = self._trace()
        except (GatewayError, UserError) as error:
            known = isinstance(error, GatewayError)
            return False, self._explain_look_up(error) if known else str(error), []
        except (OperationalError, RetryableJobError):
            raise  # asked again by queue_job
        except Exception as error:  # pylint: disable=broad-except  # or nobody would learn why it says nothing
            _logger.exception("submission %s: looking it up ended in an error", self.id)
            why = _("It could not be looked up, because of an error of this server: %s", type(error).__name__)
            return False, why, []
        if arrived:
            where = listed([one.reference for one in arrived])
            return receipt, _("The payment system has this batch as %s.", where), arrived
        if receipt:
            return receipt, _("The payment system has this batch as %s.", receipt.reference), []
        if receipt is None:
            return None, _("The payment system shows no trace of this batch."), []
        return False, _("Another attempt at this batch is under way."), []

    def _trace(self):
        """Return (receipt, list of Arrived where payments of it may have been paid although it counts as not
        accepted), or raise GatewayError.

        A later attempt carries the same payments, and is no trace of this one.
        """
        if self.state not in SAID_NO:
            return self.gateway_id._find_submission(self), []
        batch = self.sudo().batch_id
        later = batch._live_submission()
        if later.filtered(lambda submission: submission.state != "accepted"):
            return False, []  # it cannot be told yet which of them is found
        own = later.mapped("remote_reference")
        receipts = [receipt for receipt in self._find_all() if receipt.reference not in own]
        if not receipts:
            return None, []
        if self._is_to_be_accepted() and not receipts[1:]:
            return receipts[0], []
        payments = batch.payment_ids or batch.event_ids.payment_id
        arrived = [self._arrived(receipt, payments) for receipt in receipts]
        told = [one for one in arrived if one.told]
        if receipts[1:] and not told:
            raise FoundTwice(receipts)
        return (False if receipts[1:] else receipts[0]), told

    def _explain_look_up(self, error):
        """Say what came of the look-up; where a person has to look, who, where and at which payments."""
        if error.reason is not Reason.AMBIGUOUS:
            return self.gateway_id._explain(error)
        return _(
            "What %(gateway)s shows does not tell whether it has this batch: %(where)s. %(owners)s: ask its "
            "operator which of these carry the file %(file)s, or these payments: %(payments)s.",
            gateway=self.gateway_id.name,
            where=error.detail,
            owners=listed(self.sudo().batch_id._owners().mapped("name")),
            file=self.filename,
            payments=listed(self.sudo().batch_id.payment_ids.mapped("name")),
        )

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
