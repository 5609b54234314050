import logging
import random
from datetime import timedelta

from markupsafe import escape
from psycopg2 import OperationalError

from odoo import _, api, fields, models
from odoo.exceptions import UserError

from odoo.addons.g2p_payment_hub.client.errors import GatewayError
from odoo.addons.g2p_payment_hub.models.columns import tell_written
from odoo.addons.g2p_payment_hub.models.payment_recovery import is_due
from odoo.addons.g2p_payment_hub.models.payment_task import FIND
from odoo.addons.g2p_payment_hub.models.turns import take_turns
from odoo.addons.queue_job.exception import RetryableJobError

from .payment import Learnt

_logger = logging.getLogger(__name__)

USUAL_WAIT = 30  # seconds, where the payment system suggests none
SHORTEST_WAIT, LONGEST_WAIT = 5, 600
GROWTH = 1.5
ONE_DAY = timedelta(days=1)
# A worker that has asked and not come back by then is taken for dead.
POLL_LEASE = timedelta(minutes=15)
# A payment system that lists no payment of a batch by then keeps it from being paid: its people are told.
BEGINS_WITHIN = timedelta(minutes=5)
# So many payments are written down with one round of statements.
PAGE = 5_000


class PaymentSubmission(models.Model):
    """The payment system is asked what became of an accepted submission, by one worker at a time."""

    _inherit = "g2p.payment.submission"

    next_poll_at = fields.Datetime("Next Check", readonly=True, index=True)
    last_polled_at = fields.Datetime("Last Checked", readonly=True)
    poll_count = fields.Integer("Checks", readonly=True)
    poll_answer = fields.Char("Last Check", readonly=True, help="What the last check brought, in a sentence.")
    polling_until = fields.Datetime(
        readonly=True, help="Until then a worker is taken to be busy asking about this submission."
    )
    polling_by = fields.Char(readonly=True, help="The job that is asking.")
    lists_nothing = fields.Boolean(
        readonly=True, help="The payment system accepted it, and listed none of its payments when last asked."
    )
    result_deadline = fields.Datetime(
        "Deadline",
        compute="_compute_result_deadline",
        help="Payments without a result by then are put in front of a person.",
    )

    @api.depends("ended_at", "state", "gateway_id.result_hours")
    def _compute_result_deadline(self):
        for submission in self:
            hours = submission.gateway_id.sudo().result_hours
            accepted = submission.state == "accepted" and submission.ended_at
            submission.result_deadline = bool(accepted and hours) and accepted + timedelta(hours=hours)

    def _accept(self, receipt):
        """The first question comes after the time that the payment system suggests."""
        result = super()._accept(receipt)
        self.sudo().next_poll_at = self._next_turn()
        return result

    @api.model
    def _adopt(self):
        """The first question about what was accepted while this add-on was not installed."""
        never_due = [
            ("state", "=", "accepted"),
            ("next_poll_at", "=", False),
            ("batch_id.batch_state", "=", "sent"),
        ]
        for submission in self.sudo().search(never_due):
            submission.next_poll_at = submission._next_turn()

    @api.model
    def _cron_pull_outcomes(self):
        """Finds what is due and queues a job for each; does nothing that can fail by itself."""
        due = self.sudo().search(
            [
                ("state", "=", "accepted"),
                ("batch_id.batch_state", "in", ("sent", "done")),
                *is_due("next_poll_at", ONE_DAY),
            ]
        )
        due._queue_pull()

    def _queue_pull(self):
        """Queue a question about each that nobody is busy with; `_next_turn` is written before the job and
        not in it: a job that fails must not make the next turn of the clock try again."""
        due = self.sudo()
        free = take_turns(due, "next_poll_at", {submission.id: submission._next_turn() for submission in due})
        free._queue_questions()

    def _queue_questions(self):
        """Write nothing but the jobs, so that people who press Check Now get into nobody's way."""
        for submission in self.sudo():
            submission.with_delay(
                identity_key=submission._pull_key(),
                description=_("Ask what became of %s", submission.batch_id.name),
            )._pull()

    def _pull_key(self):
        return f"g2p_payment_reconcile.pull.{self.id}"

    def _queued_at(self):
        """When the job that is to ask was queued; False when none is there."""
        waiting = [
            ("identity_key", "=", self._pull_key()),
            ("state", "in", ("wait_dependencies", "pending", "enqueued", "started")),
        ]
        return self.env["queue.job"].sudo().search(waiting, order="id", limit=1).date_created

    def _next_turn(self):
        """Waits that grow from the one suggested, with some chance in them: not all ask at the same time. A
        batch that is done is asked for once a day, as long as the gateway says; False after that."""
        jitter = random.uniform(0.9, 1.1)
        if self.batch_id.batch_state == "done":
            turn = fields.Datetime.now() + ONE_DAY * jitter
            watched_until = self.ended_at + timedelta(days=self.gateway_id.sudo().watch_days)
            return turn if turn <= watched_until else False
        first = min(max(self.poll_after or USUAL_WAIT, SHORTEST_WAIT), LONGEST_WAIT)
        wait = min(first * GROWTH ** min(self.poll_count, 20), LONGEST_WAIT)
        return fields.Datetime.now() + timedelta(seconds=wait * jitter)

    def _pull(self):
        """The job: says that it asks, asks without holding anything, and then writes down what was learnt.

        Each has a transaction of its own, so that nothing waits for the network with locks in its hands, and
        two workers never ask at the same time. A worker that dies is followed by another after its lease; a
        job that comes back goes on with its own.
        """
        self.ensure_one()
        with self.batch_id._own_transaction() as batch:
            references = self.with_env(batch.env)._begin_pull()
        if references is None:
            return _("Nothing to do: the batch waits for no result.")
        with self.batch_id._own_transaction() as batch:
            submission = self.with_env(batch.env)
            asked = submission._ask_why_silent(references, *submission._ask(references))
        return self.batch_id._write_down(lambda batch: self.with_env(batch.env)._take_answer(*asked))

    def _begin_pull(self):
        """Claims the submission; the references still open, or None when there is nothing to ask."""
        # Before anything is read: what another transaction writes after that would make the lock fail.
        self._lock_row(_("Another worker is asking about this batch."))
        self.invalidate_recordset()
        self.batch_id.invalidate_recordset(["batch_state"])
        if self.state != "accepted" or self.batch_id.batch_state not in ("sent", "done"):
            return None
        now = fields.Datetime.now()
        job = self.env.context.get("job_uuid") or ""
        self.env.cr.execute(
            """
            UPDATE g2p_payment_submission SET polling_until = %s, polling_by = %s
             WHERE id = %s
               AND (polling_until IS NULL OR polling_until NOT BETWEEN %s AND %s OR polling_by = %s)
            """,
            # Further ahead than it is ever set: the clock was set back since.
            [now + POLL_LEASE, job, self.id, now, now + 2 * POLL_LEASE, job],
        )
        if not self.env.cr.rowcount:
            raise RetryableJobError(
                _("Another worker is asking about this batch."), seconds=30, ignore_retry=True
            )
        tell_written(self, ["polling_until", "polling_by"])
        self.env.cr.execute(
            "SELECT name FROM g2p_payment WHERE batch_id = %s AND status_is_final IS NOT TRUE",
            [self.batch_id.id],
        )
        return [name for (name,) in self.env.cr.fetchall()]

    def _lock_row(self, why):
        """Claim the row, or have the job come back: it is written by others, for moments."""
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT id FROM g2p_payment_submission WHERE id = %s FOR UPDATE SKIP LOCKED", [self.id]
        )
        if not self.env.cr.rowcount:
            raise RetryableJobError(why, seconds=10, ignore_retry=True)

    def _ask(self, references):
        """(sentence, outcomes, whether that is the whole answer, seconds it asks us to wait). What was learnt
        before an error counts; the rest is asked for later."""
        outcomes = []
        try:
            for page in self.gateway_id._outcomes(self, references):
                outcomes += page
        except GatewayError as error:
            return self.gateway_id._explain(error), outcomes, False, error.retry_after
        except UserError as error:  # settings that cannot be used: the deadline comes all the same
            return str(error), outcomes, False, 0
        except (OperationalError, RetryableJobError):
            raise  # asked again by queue_job
        except Exception as error:  # pylint: disable=broad-except  # or the deadline would never come
            _logger.exception("submission %s: asking what became of it ended in an error", self.id)
            why = _("Nothing was learnt, because of an error of this server: %s", type(error).__name__)
            return why, outcomes, False, 0
        return _("Nothing new."), outcomes, True, 0

    def _ask_why_silent(self, references, answer, outcomes, whole, retry_after):
        """Put in the place of "nothing new" why the payment system lists no payment at all."""
        silent = False
        if whole and references and not outcomes:
            try:
                silent = self.gateway_id._why_no_rows(self)
            except (GatewayError, UserError):
                silent = False  # said at the next question
        return silent or answer, outcomes, whole, retry_after, bool(silent)

    def _take_answer(self, answer, outcomes, whole, retry_after, silent=False):
        """Applies an answer, page by page, and writes the document of it when it brought something."""
        batch = self.batch_id
        batch._lock_in_job()
        self._lock_row(_("Somebody else is working on this batch right now. Try again in a minute."))
        learnt = Learnt(0, self.env["g2p.payment.exception"], 0)
        source = {"gateway_id": self.gateway_id.id, "batch_id": batch.id, "submission_id": self.id}
        for page in _pages(outcomes):
            references = [reference for reference, _told in page]
            payments = self.env["g2p.payment"].search(
                [("batch_id", "=", batch.id), ("name", "in", references)]
            )
            told = [one for _reference, said in page for one in said]
            learnt = learnt.plus(payments._apply_outcomes(told, whole, source))
        learnt = learnt.plus(Learnt(0, self._raise_silent(), 0))
        if learnt:
            self.env["g2p.payment.reconciliation"]._write_down(
                batch, outcomes, learnt, origin="pull", whole=whole, submission_id=self.id
            )
            answer = _(
                "%(final)s payments have their final result, %(exceptions)s exceptions are new.",
                final=learnt.final,
                exceptions=len(learnt.raised),
            )
        now = fields.Datetime.now()
        values = {
            "last_polled_at": now,
            "poll_count": self.poll_count + 1,
            "poll_answer": answer,
            "polling_until": False,
            "polling_by": False,
        }
        if retry_after:
            values["next_poll_at"] = now + timedelta(seconds=min(retry_after, LONGEST_WAIT))
        self.sudo().write(values)
        self._call_about_silence(silent, answer)
        batch._settle()
        (learnt.raised.batch_id - batch)._settle_later()
        return answer

    def _call_about_silence(self, silent, why):
        """Call the batch's owners while the payment system lists none of its payments: they hear of it days
        before the deadline."""
        batch = self.batch_id
        if silent and self.ended_at + BEGINS_WITHIN <= fields.Datetime.now():
            batch._keep_called(
                FIND, batch._owners(), _("Ask why nothing of %s is paid", batch.name), escape(why)
            )
        elif self.lists_nothing and not silent:
            batch._call_off(FIND)
        if self.lists_nothing != silent:
            self.sudo().lists_nothing = silent

    def _raise_silent(self):
        """After the deadline, or when the payment system is gone for good, a person has to find out what
        became of the payments without a result; who goes on waiting is called once more after as long."""
        gateway, now = self.gateway_id.sudo(), fields.Datetime.now()
        late = self.result_deadline and self.result_deadline <= now
        if not late and not gateway.gone_confirmed_by_id:
            return self.env["g2p.payment.exception"]
        self.env.cr.execute(
            """
            SELECT payment.id, payment.name, payment.remote_status, before.decided
              FROM g2p_payment AS payment
             CROSS JOIN LATERAL (SELECT count(*) AS decided, max(decided_at) AS decided_at
                                   FROM g2p_payment_exception
                                  WHERE payment_id = payment.id AND type = 'silent') AS before
             WHERE payment.batch_id = %s AND payment.status_is_final IS NOT TRUE
               AND payment.attention IS NULL
               AND (before.decided = 0 OR before.decided_at < %s)
            """,
            [self.batch_id.id, now - (timedelta(hours=gateway.result_hours) or ONE_DAY)],
        )
        summary = _("The payment system has said nothing final by the deadline. Ask its operator.")
        if gateway.gone_confirmed_by_id:
            summary = _(
                "The payment system is gone for good, and has said nothing final. Ask the payees' banks."
            )
        return self.env["g2p.payment.exception"]._raise(
            [
                {
                    "type": "silent",
                    "summary": summary,
                    "gateway_id": self.gateway_id.id,
                    "payment_id": payment,
                    "batch_id": self.batch_id.id,
                    "submission_id": self.id,
                    "reference": name,
                    "their_word": word,
                    "again": decided,
                }
                for payment, name, word, decided in self.env.cr.fetchall()
            ]
        )


def _pages(outcomes):
    """Lists of (reference, what was said of it), so that all that was said of one is on one page."""
    told = {}
    for outcome in outcomes:
        told.setdefault(outcome.reference, []).append(outcome)
    items = sorted(told.items())
    return [items[start : start + PAGE] for start in range(0, len(items), PAGE)]
