import logging
import time
from datetime import timedelta

from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.g2p_payment_hub.models.payment_batch import APPROVERS
from odoo.addons.queue_job.exception import RetryableJobError

from .mojaloop_transfer import FINAL
from .payment_gateway import MOJALOOP

_logger = logging.getLogger(__name__)

# A job works for so long, then makes room for those of other batches; well below a worker's time limit.
RUN_SECONDS = 120
# Payments taken at a time. What a worker leaves behind when it dies is no more than this.
CHUNK = 50
UNSETTLED = ("transferring", "unknown")


class PaymentSubmission(models.Model):
    """Pays the payments of an accepted submission one by one, many at a time.

    The transfers are written in the transaction that accepts the submission. From then on a job carries them
    on, and a scheduled action finds what waits or was left behind by a worker that died. Each chunk of
    payments is claimed, looked up and quoted; what may leave is written down and committed; it leaves; what
    came of it is written down. HTTP happens between these transactions, in threads that touch no record.
    """

    _inherit = "g2p.payment.submission"

    transfer_ids = fields.One2many("g2p.mojaloop.transfer", "submission_id", "Transfers", readonly=True)
    paused_reason = fields.Char(
        "Paused", readonly=True, help="Why no payment of it is begun any more until a finance user resumes it."
    )
    run_answer = fields.Char("Last Run", readonly=True, help="What kept the last run from paying, if anything.")

    def _accept(self, receipt):
        result = super()._accept(receipt)
        if self.gateway_id.provider == MOJALOOP:
            self.env["g2p.mojaloop.transfer"]._begin(self)
            self._queue_paying()
        return result

    def _queue_paying(self):
        for submission in self.sudo():
            submission.with_delay(
                channel="root.g2p_payment_mojaloop",
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
        now = fields.Datetime.now()
        self.env["g2p.mojaloop.transfer"].flush_model()
        self.env.cr.execute(
            """
            SELECT DISTINCT submission.id
              FROM g2p_payment_submission AS submission
              JOIN g2p_mojaloop_transfer AS transfer ON transfer.submission_id = submission.id
              JOIN g2p_payment_gateway AS gateway ON gateway.id = submission.gateway_id
             WHERE gateway.state <> 'disabled'
               AND (transfer.state IN ('transferring', 'unknown')
                    OR transfer.state = 'waiting' AND submission.paused_reason IS NULL)
               AND (transfer.next_at IS NULL OR transfer.next_at <= %s)
               AND (transfer.lease_until IS NULL OR transfer.lease_until < %s)
            """,
            [now, now],
        )
        return self.browse(sorted(row[0] for row in self.env.cr.fetchall()))

    def _pay(self):
        """The job. It may run any number of times, also at once: whoever claims a transfer works on it."""
        self.ensure_one()
        gateway = self.sudo().gateway_id
        problems = gateway._check_ready()
        if problems:
            return self._say_of_run(" ".join(problems))
        self._claim_gateway()
        until = time.monotonic() + RUN_SECONDS
        with gateway._mojaloop_workers() as workers:
            while self._ask_some(workers) + self._begin_some(workers) and time.monotonic() < until:
                pass
        return self._end_run()

    def _claim_gateway(self):
        """Where the payments per second are limited, one job at a time pays through the gateway. The lock goes
        with the job's own transaction, also when its worker dies."""
        if not self.gateway_id.mojaloop_per_second:
            return
        self.env.cr.execute(
            "SELECT pg_try_advisory_xact_lock(hashtext('g2p_mojaloop_connector'), %s)", [self.gateway_id.id]
        )
        if not self.env.cr.fetchone()[0]:
            raise RetryableJobError(
                "Another batch is being paid through this gateway.", seconds=10, ignore_retry=True
            )

    # One chunk of payments

    def _begin_some(self, workers):
        """Looks up, quotes and pays some of those that wait; how many."""
        tasks, lease = self._claim(("waiting",), unless_paused=True)
        leaving = self._settle(lease, workers.run(paying.begin, tasks))
        self._settle(lease, workers.run(paying.transfer, leaving))
        return len(tasks)

    def _ask_some(self, workers):
        """Asks what became of some of which nobody knows; how many."""
        tasks, lease = self._claim(UNSETTLED)
        self._settle(lease, workers.run(paying.ask, tasks))
        return len(tasks)

    def _claim(self, states, unless_paused=False):
        def claim(batch):
            submission = self.with_env(batch.env)
            if unless_paused and submission.paused_reason:
                return [], ""
            claimed, lease = batch.env["g2p.mojaloop.transfer"]._claim(submission, states, CHUNK)
            return [transfer._task() for transfer in claimed], lease

        return self._write_down(claim)

    def _settle(self, lease, results):
        """Writes what came of the claimed transfers; the tasks of those that may leave now, and no others."""

        def settle(batch):
            submission, transfers = self.with_env(batch.env), batch.env["g2p.mojaloop.transfer"]
            written = transfers._write_down(lease, [result.row for result in results])
            mine = [result for result in results if result.row["id"] in written]
            transfers._begin_again([result for result in mine if result.again])
            pauses = [result.pause for result in mine if result.pause]
            if pauses and not submission.paused_reason:
                submission._pause(pauses[0])
            return mine

        mine = self._write_down(settle) if results else []
        if any(result.row["state"] in FINAL for result in mine):
            self._write_down(lambda batch: self.with_env(batch.env)._have_news())
        return [result.task for result in mine if result.row["state"] == "transferring"]

    def _write_down(self, write):
        return self.sudo().batch_id._write_down(write)
