import time

from markupsafe import escape

from odoo import _, api, fields, models

from odoo.addons.g2p_payment_hub.client.errors import GatewayError

from ..client import orders, paying, paying_bulk
from ..client.bulk import MAX_ITEMS
from ..client.transfer_state import KNOWN_WORDS
from .mojaloop_transfer import FINAL, UNSETTLED
from .mojaloop_transfer_run import IS_DUE, STILL_WANTED, due_times
from .payment_gateway import MOJALOOP

# A job begins nothing after so long, and makes room for others; well below a worker's time limit.
RUN_SECONDS = 30
# Payments taken at a time. What a worker leaves behind when it dies is no more than this, or than one bulk.
CHUNK = 32
PAUSED = "paused"  # in the audit trail; beside the submission's own state, which stays
RESUME = "g2p_mojaloop_connector.activity_resume"


class PaymentSubmission(models.Model):
    """Pays the payments of an accepted submission, many at a time, in the way that was approved.

    The transfers are written in the transaction that accepts the submission. From then on a job carries them
    on, and a scheduled action finds what waits or was left behind by a worker that died. Each chunk of
    payments is claimed, looked up and quoted; what may leave is written down and committed; it leaves; what
    came of it is written down. HTTP happens between these transactions, in threads that touch no record.
    """

    _inherit = "g2p.payment.submission"

    transfer_ids = fields.One2many("g2p.mojaloop.transfer", "submission_id", "Transfers", readonly=True)
    paused_reason = fields.Char(
        "Paused",
        readonly=True,
        help="Why no payment of it is begun any more until a finance user resumes it.",
    )
    run_answer = fields.Char(
        "Last Run", readonly=True, help="What kept the last run from paying, if anything."
    )

    def _accept(self, receipt):
        result = super()._accept(receipt)
        if self.gateway_id.provider == MOJALOOP:
            self.env["g2p.mojaloop.transfer"]._begin(self)
            self._queue_paying()
        return result

    def _queue_paying(self):
        for submission in self.sudo():
            submission.with_delay(
                identity_key=f"g2p_mojaloop_connector.pay.{submission.id}",
                description=_("Pay %s through Mojaloop", submission.batch_id.name),
            )._pay()

    @api.model
    def _cron_carry_on(self):
        """Queues a job for each submission that has something due: waiting transfers, unknown ones that are
        to be asked for, and those that a dead worker left behind."""
        self._due_submissions()._queue_paying()

    @api.model
    def _due_submissions(self):
        self.env.flush_all()
        self.env.cr.execute(
            f"""
            SELECT DISTINCT submission.id
              FROM g2p_payment_submission AS submission
              JOIN g2p_mojaloop_transfer AS transfer ON transfer.submission_id = submission.id
              JOIN g2p_payment_gateway AS gateway ON gateway.id = submission.gateway_id
             WHERE transfer.decided IS NULL
               AND (transfer.state IN ('transferring', 'unknown')
                    OR transfer.state = 'waiting' AND submission.paused_reason IS NULL
                       AND gateway.state <> 'disabled' AND gateway.active AND {STILL_WANTED})
               AND {IS_DUE}
            """,  # pylint: disable=sql-injection  # a text of ours
            due_times(),
        )
        return self.browse(sorted(row[0] for row in self.env.cr.fetchall()))

    def _pay(self):
        """The job. It may run any number of times, also at once: whoever claims a transfer works on it."""
        self.ensure_one()
        gateway = self.sudo().gateway_id
        problems = gateway._check_settings()
        if problems:
            return self._end_run(" ".join(problems))
        gateway._mojaloop_claim()
        terms, _lines = orders.parse(self._frozen_content())
        with gateway._mojaloop_workers(terms) as workers:
            run = _Run(workers, terms)
            while self._ask_some(run) + self._begin_some(run) and not run.trouble and not run.is_unheard():
                pass
        if run.is_over() and not run.is_unheard():
            self._queue_paying()
        return self._end_run(self._why_not(run))

    def _why_not(self, run):
        """What kept the run from paying. One that nobody answers makes room until the scheduled action comes
        round: so there is a moment to test the connection in."""
        if run.trouble:
            return self.sudo().gateway_id._explain(run.trouble)
        if run.stopped or not run.is_unheard():
            return run.stopped
        return _(
            "The scheme answered nothing in the last run (questions about payments: %(count)s; the last was "
            "answered with: %(said)s). It is asked again in a minute or two. If this goes on, test the "
            "connection of the gateway: a connector that does not hear the scheme any more has to be started "
            "anew, by whoever keeps it.",
            count=run.unanswered,
            said=run.said_instead or "-",
        )

    def _end_run(self, why_not=False):
        """Says what kept it from paying, and wakes the scheduled action when the next transfer is due."""

        def end(batch):
            submission = self.with_env(batch.env).sudo()
            answer = why_not or submission._taken_back_sentence() or submission._strange_words_sentence()
            if submission.run_answer != answer:
                submission.run_answer = answer
            next_at = submission._next_turn_at()
            if next_at and not why_not:
                batch.env.ref("g2p_mojaloop_connector.cron_carry_on").sudo()._trigger(at=next_at)
            return answer or submission._run_sentence()

        return self._write_down(end)

    def _taken_back_sentence(self):
        counts = self.env["g2p.mojaloop.transfer"]._count_taken_back(self)
        if not counts:
            return False
        stops = self._stop_labels()
        return _(
            "%(count)s payments are not begun: %(stops)s. At the deadline they come up as exceptions, for "
            "people to decide.",
            count=sum(counts.values()),
            stops=", ".join([f"{stops.get(stop, stop)}: {count}" for stop, count in counts.items()]),
        )

    def _strange_words_sentence(self):
        """Tell of words of the scheme's that mean nothing to us: their payments wait, and people can ask."""
        transfers = self.env["g2p.mojaloop.transfer"].search(
            [
                ("submission_id", "=", self.id),
                ("state", "=", "unknown"),
                ("decided", "=", False),
                ("transfer_state", "!=", False),
                ("transfer_state", "not in", list(KNOWN_WORDS)),
            ]
        )
        if not transfers:
            return False
        return _(
            "%(count)s payments wait, because the scheme says of them: %(words)s. Nobody knows here what "
            "that means for the money. Ask the scheme's operator; at the deadline they become exceptions.",
            count=len(transfers),
            words=", ".join(sorted(set(transfers.mapped("transfer_state")))),
        )

    @api.model
    def _stop_labels(self):
        return {
            "program_archived": _("the program is archived"),
            "program_ended": _("the program has ended"),
            "disabled": _("the beneficiary was disabled"),
            "archived": _("the beneficiary was archived"),
            "merged": _("the beneficiary was merged with another of the cycle, and would get both payments"),
            "changed": _(
                "the entitlement or its cycle was taken back, or its amount or beneficiary was changed"
            ),
        }

    def _next_turn_at(self):
        states = list(UNSETTLED) if self.paused_reason else ["waiting", *UNSETTLED]
        transfers = self.env["g2p.mojaloop.transfer"].search(
            [
                ("submission_id", "=", self.id),
                ("state", "in", states),
                ("decided", "=", False),
                ("next_at", "!=", False),
            ],
            order="next_at",
            limit=1,
        )
        return transfers.next_at

    def _run_sentence(self):
        labels = dict(self.env["g2p.mojaloop.transfer"]._fields["state"]._description_selection(self.env))
        counts = self.env["g2p.mojaloop.transfer"]._read_group(
            [("submission_id", "=", self.id)], ["state"], ["__count"]
        )
        sentences = []
        for state, count in counts:
            sentences.append(_("%(state)s: %(count)s.", state=labels[state], count=count))
        return " ".join(sentences)

    # A batch that cannot go on

    def _pause(self, error):
        """No further payment of it is begun: it would fare the same. Those under way are still asked for."""
        # Waits for whoever adds to the audit trail, and begins again with what they wrote: see `_write_down`.
        self.env.cr.execute("SELECT id FROM g2p_payment_batch WHERE id = %s FOR UPDATE", [self.batch_id.id])
        if self.sudo().paused_reason:
            return
        if isinstance(error, GatewayError):
            said = self.gateway_id._explain(error)
        else:
            said = " ".join(filter(None, (error.code, error.description)))
        self.sudo().paused_reason = said
        batch = self.batch_id
        batch._keep_called(
            RESUME,
            batch._owners(),
            _("%s is paused", batch.name),
            _(
                "Payments of this batch cannot go on: %s. Mend the cause with the scheme's operator or the "
                "gateway's administrator, then press Resume on the batch.",
                escape(said),
            ),
        )
        self._note_pause(self.state, PAUSED, _("Paused: %s", said))

    def _resume(self):
        self._note_pause(PAUSED, self.state, _("Resumed after: %s", self.paused_reason))
        self.sudo().paused_reason = False
        self.batch_id._call_off(RESUME)
        self._queue_paying()

    def _note_pause(self, before, after, why):
        self._record(before, after, why)
        self.batch_id._message_log(body=why)

    # One chunk of payments

    def _begin_some(self, run):
        """Looks up, quotes and pays some of those that wait; how many."""
        return sum(self._begin(run, alone) for alone in (False, True))

    def _begin(self, run, alone):
        tasks, lease = self._claim(run, ("waiting",), alone, run.limit, begins=True)
        leaving = self._settle(run, lease, run.way.begin_all(run.workers, tasks, alone))
        self._settle(run, lease, run.way.transfer_all(run.workers, leaving, alone))
        if leaving:
            run.limit = max(run.limit, CHUNK)
        return len(tasks)

    def _ask_some(self, run):
        """Asks what became of some of which nobody knows; how many."""
        return sum(self._ask_scheme(run, alone) for alone in (False, True))

    def _ask_scheme(self, run, alone):
        tasks, lease = self._claim(run, UNSETTLED, alone, CHUNK)
        self._settle(run, lease, paying.ask_all(run.workers, tasks, alone))
        return len(tasks)

    def _claim(self, run, states, heard, limit, begins=False):
        """Those to whom the scheme has said no once are `heard`, and are worked on alone. While the gateway
        is disabled, or the batch paused, none `begins`; what has left is asked for."""

        def claim(batch):
            submission = self.with_env(batch.env).sudo()
            run.stopped = " ".join(submission.gateway_id._check_ready())
            if run.is_over() or (begins and (run.stopped or submission.paused_reason)):
                return [], ""
            transfers = batch.env["g2p.mojaloop.transfer"].sudo()
            claimed, lease = transfers._claim(submission, states, heard, limit)
            return claimed._tasks(run.terms, may_send=not run.stopped), lease

        return self._write_down(claim)

    def _settle(self, run, lease, results):
        """Writes what came of the claimed transfers; the tasks of those that may leave now, and no others."""

        def settle(batch):
            transfers = batch.env["g2p.mojaloop.transfer"].sudo()
            written = transfers._write_down(lease, [result.row for result in results])
            mine = [result for result in results if result.row["id"] in written]
            transfers._begin_again(transfers.browse(one.row["id"] for one in mine if one.again))
            return mine

        mine = self._write_down(settle) if results else []
        self._tell(run, mine)
        return [result.task for result in mine if result.row["state"] == "transferring"]

    def _tell(self, run, results):
        """What others have to know of it, once it is written down."""
        run.hear(results)
        pause = next((result.pause for result in results if result.pause), None)
        if pause:
            self._write_down(lambda batch: self.with_env(batch.env)._pause(pause))
        if any(result.row["state"] in FINAL for result in results):
            self._write_down(lambda batch: self.with_env(batch.env)._have_news())

    def _write_down(self, write):
        return self.sudo().batch_id._write_down(write)


class _Run:
    """One run of the job: its threads, the terms that were approved and the way that they name, how many are
    begun at a time, what keeps it from going on, why nothing may be sent, and to how many of its questions
    the scheme said nothing.

    In two phases one is begun at a time until one has waited for its acceptance: a connector that accepts by
    itself has then paid no more than one without anybody having seen its fee.
    """

    def __init__(self, workers, terms):
        self.workers, self.terms, self.trouble, self.stopped = workers, terms, None, ""
        self.answered, self.unanswered, self.said_instead = False, 0, ""
        self.way = paying_bulk if terms.flow == orders.BULK else paying
        self.limit = {orders.TWO_PHASES: 1, orders.BULK: MAX_ITEMS}.get(terms.flow, CHUNK)
        self._until = time.monotonic() + RUN_SECONDS

    def is_over(self):
        """Whether nothing is begun any more in this run."""
        return time.monotonic() > self._until

    def hear(self, results):
        self.trouble = next((result.trouble for result in results if result.trouble), self.trouble)
        self.answered = self.answered or any(result.answered for result in results)
        silent = [result for result in results if result.answered is False]
        self.unanswered += len(silent)
        if silent:
            self.said_instead = silent[-1].row.get("error_description") or self.said_instead

    def is_unheard(self):
        """Whether the scheme has answered nothing, and was asked."""
        return bool(self.unanswered) and not self.answered
