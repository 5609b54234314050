import logging
import os
import random
import resource
import time
from decimal import Decimal
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged

from odoo.addons.g2p_payment_hub.client.errors import NotSent, OutcomeUnknown, Reason
from odoo.addons.g2p_payment_hub.client.outcomes import FailureType, Outcome
from odoo.addons.queue_job.exception import RetryableJobError

from ..hooks import post_init_hook
from ..models import payment_submission
from ..models.payment_submission import PAGE
from .common import EXCEPTION, FAILED, PAID, SUSPECT, WAITING, DecisionCase

RUN = "g2p.payment.reconciliation"
_logger = logging.getLogger(__name__)


@tagged("post_install", "-at_install")
class TestReconciliation(DecisionCase):
    """Each look that learnt something leaves a document whose figures are right to the cent."""

    def _runs(self, batch):
        return self.env[RUN].search([("batch_id", "=", batch.id)], order="id")

    def test_figures_of_both_sides(self):
        batch = self._sent(6, amount=100)
        paid, other, failed, doubtful, waiting, _silent = batch.payment_ids.sorted("id")
        self.hub.tell(paid, PAID, remote_reference="r1", fee=Decimal("1.50"), commission=Decimal("0.25"))
        self.hub.tell(other, PAID, remote_reference="r2", amount=Decimal("99.99"))
        self.hub.tell(failed, FAILED, reason="no", failure_type=FailureType.LIMIT)
        self.hub.tell(doubtful, SUSPECT, remote_reference="r3")
        self.hub.tell(waiting, WAITING)
        self.hub.told.append(Outcome(reference="x", status=PAID, amount=Decimal("0.01"), currency="USD"))
        self.hub.told.append(self.hub.told[0])
        self._pull(batch)
        run = self._runs(batch)
        self.assertEqual((run.approved_count, run.approved_amount), (6, 600))
        self.assertEqual((run.accepted_count, run.accepted_amount), (6, 600))
        self.assertEqual((run.paid_count, run.paid_amount), (1, 100))
        self.assertEqual((run.failed_count, run.failed_amount), (1, 100))
        self.assertEqual((run.unresolved_count, run.unresolved_amount), (2, 200))
        self.assertEqual((run.waiting_count, run.waiting_amount), (2, 200))
        self.assertEqual((run.their_row_count, run.their_paid_count), (7, 3), "a row that came twice is one")
        self.assertEqual((run.their_paid_amount, run.their_failed_count), (200, 1))
        self.assertEqual((run.difference_count, run.difference_amount), (2, 100))
        self.assertEqual((run.stranger_count, float(run.stranger_amount)), (1, 0.01))
        self.assertEqual((run.became_final_count, run.exception_count), (2, 3))
        self.assertEqual(run.exception_ids, self._exceptions(batch))
        self.assertEqual((run.origin, run.whole, run.program_id), ("pull", True, self.program))
        self.assertEqual((paid.remote_fee, paid.remote_commission), (1.5, 0.25))
        self.assertEqual((failed.failure_type, paid.failure_type), ("limit", False))

    def test_a_look_that_learnt_of_strangers_only(self):
        """They stand in the lines and the figures of the document, beside a batch that has nothing new."""
        batch = self._sent()
        for reference, status in (("theirs-1", PAID), ("theirs-2", FAILED)):
            self.hub.told.append(
                Outcome(reference=reference, status=status, amount=Decimal(7), currency="USD")
            )
        self._pull(batch)
        run = self._runs(batch)
        self.assertEqual((run.stranger_count, run.stranger_amount), (2, 7))
        self.assertEqual(run.exception_ids.mapped("type"), ["stranger"] * 2)
        self.assertEqual(set(run.exception_ids.mapped("reference")), {"theirs-1", "theirs-2"})
        self.assertEqual((run.exception_count, run.their_row_count, run.difference_amount), (2, 2, 7))
        self._pull(batch)
        self.assertEqual(self._runs(batch), run, "told again it is no news")

    def test_sums_are_exact(self):
        """Forty times 0.1 is not 4 in floats."""
        batch = self._sent(40)
        self.env.cr.execute("UPDATE g2p_payment SET amount_issued = 0.10 WHERE batch_id = %s", [batch.id])
        self.env.invalidate_all()
        for number, payment in enumerate(batch.payment_ids):
            self.hub.told.append(
                Outcome(
                    reference=payment.name,
                    status=PAID,
                    amount=Decimal("0.10"),
                    currency="USD",
                    remote_reference=f"r{number}",
                )
            )
        self._pull(batch)
        self.env.cr.execute(
            """
            SELECT run.paid_amount::text, run.their_paid_amount::text, run.difference_amount::text,
                   (SELECT sum(amount_paid)::text FROM g2p_payment WHERE batch_id = run.batch_id)
              FROM g2p_payment_reconciliation AS run WHERE batch_id = %s
            """,
            [batch.id],
        )
        paid, theirs, difference, by_sql = map(Decimal, self.env.cr.fetchone())
        self.assertEqual((paid, theirs, difference, by_sql), (Decimal(4), Decimal(4), 0, Decimal(4)))

    def test_nothing_learnt_leaves_none(self):
        batch = self._sent()
        self.hub.tell(batch.payment_ids, WAITING, remote_status="IN_PROGRESS")
        for _time in range(2):
            self._pull(batch)
        self.assertFalse(self._runs(batch))
        self._say(batch.payment_ids, PAID, remote_reference="r1")
        self._pull(batch)
        self.assertEqual(len(self._runs(batch)), 1)

    def test_half_an_answer_says_so(self):
        batch = self._sent(2)
        self.hub.tell(batch.payment_ids[0], PAID, remote_reference="r1")
        self.hub.breaks_off = OutcomeUnknown(Reason.TIMEOUT)
        self._pull(batch)
        self.assertFalse(self._runs(batch).whole)

    def test_it_is_a_record(self):
        batch, _one = self._doubtful()
        run = self._runs(batch)
        for user in (self.first, self.manager_user, self.env.ref("base.user_admin")):
            mine = run.with_user(user).with_context(su=True)
            mine.read()
            for act in (
                lambda mine=mine: mine.write({"paid_amount": 1}),
                lambda mine=mine: mine.create({"name": "forged", "batch_id": batch.id}),
                lambda mine=mine: mine.unlink(),
            ):
                with self.assertRaises(AccessError), self.env.cr.savepoint():
                    act()

    def test_statistics_are_true_after_each_look_and_decision(self):
        batch, exceptions = self._doubtful(2)

        def true():
            self.env.flush_all()
            self.env.cr.execute(
                """
                SELECT count(*) FILTER (WHERE status = 'paid'),
                       coalesce(sum(amount_paid) FILTER (WHERE status = 'paid'), 0),
                       count(*) FILTER (WHERE status = 'failed')
                  FROM g2p_payment WHERE batch_id = %s
                """,
                [batch.id],
            )
            by_sql = self.env.cr.fetchone()
            names = ("stats_paid_transactions", "stats_paid_amount", "stats_failed_transactions")
            self.assertEqual(tuple(batch[name] for name in names), by_sql)

        true()
        self._decide(exceptions[0], "declare_paid")
        true()
        self._undo(exceptions[0], "take_back", self.third)
        true()
        self._decide(exceptions, "declare_failed")
        true()
        self.assertEqual((batch.batch_state, batch.stats_failed_transactions), ("done", 2))

    def test_a_batch_that_is_done_is_watched(self):
        batch = self._sent()
        self._say(batch.payment_ids, PAID, remote_reference="r1")
        submission = batch.submission_ids
        turn = submission.next_poll_at - fields.Datetime.now()
        self.assertAlmostEqual(turn.total_seconds() / 3600, 24, delta=2.5)
        self.gateway.watch_days = 0
        self.assertFalse(submission._next_turn())

    def test_the_payment_system_is_given_the_time_it_asks_for(self):
        batch = self._sent()
        self.hub.told = NotSent(Reason.BUSY, "HTTP 429", retry_after=420)
        self._pull(batch)
        wait = batch.submission_ids.next_poll_at - fields.Datetime.now()
        self.assertAlmostEqual(wait.total_seconds(), 420, delta=5)

    def test_when_it_was_queued(self):
        batch = self._sent()
        self.assertFalse(batch.poll_queued_at)
        batch.with_user(self.finance_user).action_check_now()
        batch.invalidate_recordset()
        self.assertTrue(batch.poll_queued_at)

    def test_two_workers_do_not_ask_at_the_same_time(self):
        batch = self._sent()
        submission = batch.submission_ids
        submission.with_context(job_uuid="first")._begin_pull()
        with self.assertRaises(RetryableJobError):
            submission.with_context(job_uuid="second")._pull()
        again = submission.with_context(job_uuid="first")._begin_pull()
        self.assertIsNotNone(again, "the same job came back")
        submission.polling_until = fields.Datetime.now()
        self._sql("UPDATE g2p_payment_submission SET polling_until = now() - interval '1 minute'")
        submission.with_context(job_uuid="second")._pull()
        self.assertFalse(submission.polling_until)
        self.assertEqual(submission.poll_count, 1)

    def test_what_was_accepted_before_anybody_asked_for_results(self):
        """This add-on may be installed after the first batches have been sent."""
        batch = self._sent()
        self._sql("UPDATE g2p_payment_submission SET next_poll_at = NULL")
        post_init_hook(self.env)
        self.assertTrue(batch.submission_ids.next_poll_at)

    def test_payments_that_needed_attention_before_there_were_exceptions(self):
        batch = self._sent(3)
        final, still_open, fine = batch.payment_ids
        self._say(final + fine, PAID, remote_reference="r1")
        (final + still_open).sudo().attention = "From before"
        post_init_hook(self.env)
        post_init_hook(self.env)
        found = self._exceptions(batch)
        self.assertEqual(
            {(one.payment_id, one.type, one.summary) for one in found},
            {(final, "late", "From before"), (still_open, "suspect", "From before")},
        )
        self.assertEqual((final.attention, fine.attention), ("From before", False))
        self._propose(found, "keep_as_is")
        found.filtered(lambda one: one.state == "proposed").with_user(self.second).action_confirm()
        self.assertFalse((final + still_open).filtered("attention"))


# Payments of the batch of many pages; without it a few, on small pages.
ROWS = os.environ.get("G2P_ROWS")


@tagged("post_install", "-at_install")
class TestScale(DecisionCase):
    """What it costs to write down a page does not grow with the page."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["g2p.program.payment.manager.hub"].search([]).batch_size = 100_000

    def _many(self, count):
        """A sent batch of so many payments, without the hub's limits on a file."""
        self.cycle = self._cycle(self.program, f"Cycle of {count}")
        batch = self._sent(cycle=self.cycle)
        payment = batch.payment_ids
        self.env.flush_all()
        self.env.cr.execute(
            """
            INSERT INTO g2p_entitlement (code, partner_id, cycle_id, initial_amount, state, company_id)
            SELECT entitlement.code || '-' || number, partner_id, cycle_id, initial_amount, state, company_id
              FROM g2p_entitlement AS entitlement, generate_series(2, %(count)s) AS number
             WHERE id = %(entitlement)s;
            INSERT INTO g2p_payment (name, entitlement_id, cycle_id, batch_id, gateway_id, company_id, state,
                                     amount_issued, payment_currency_id, account_number)
            SELECT 'P-' || entitlement.id, entitlement.id, payment.cycle_id, payment.batch_id,
                   payment.gateway_id, payment.company_id, payment.state, payment.amount_issued,
                   payment.payment_currency_id, payment.account_number
              FROM g2p_payment AS payment, g2p_entitlement AS entitlement
             WHERE payment.id = %(payment)s AND entitlement.code LIKE %(code)s;
            """,
            {
                "count": count,
                "entitlement": payment.entitlement_id.id,
                "payment": payment.id,
                "code": payment.entitlement_id.code + "-%",
            },
        )
        self.env.invalidate_all()
        self.assertEqual(self.env["g2p.payment"].search_count([("batch_id", "=", batch.id)]), count)
        return batch

    def _answer(self, batch):
        """Of ten payments eight are paid, one failed, one is doubtful; in no order."""
        self.env.cr.execute("SELECT name FROM g2p_payment WHERE batch_id = %s ORDER BY id", [batch.id])
        names = [name for (name,) in self.env.cr.fetchall()]
        told = [
            Outcome(
                reference=name,
                status=(PAID, FAILED, SUSPECT)[max(0, number % 10 - 7)],
                amount=Decimal(100),
                currency="USD",
                remote_reference=f"r{number}",
            )
            for number, name in enumerate(names)
        ]
        random.Random(7).shuffle(told)
        return told

    def _statements(self, batch):
        """What a question about the batch costs in statements."""
        self.hub.told = self._answer(batch)
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        batch.submission_ids._pull()
        self.env.flush_all()
        return self.env.cr.sql_log_count - before

    def test_as_many_statements_for_5000_payments_as_for_500(self):
        self._statements(self._many(10))  # fills the caches
        few = self._statements(self._many(500))
        many = self._many(PAGE)
        self.assertEqual(self._statements(many), few)
        self.env.invalidate_all()
        self.assertEqual(many.stats_paid_transactions, PAGE * 8 // 10)
        self.assertEqual(many.stats_failed_transactions, PAGE // 10)
        self.assertEqual(many.open_exception_count, PAGE // 10)
        self.assertEqual(self.env["g2p.payment.event"]._first_broken(many), 0)
        self.assertEqual(self.env[EXCEPTION].search_count([("batch_id", "=", many.id)]), PAGE // 10)

    def test_pages_cost_the_same_each_and_leave_nothing_behind(self):
        """With G2P_ROWS=100000 it also says what that takes."""
        rows, page = (int(ROWS), PAGE) if ROWS else (400, 40)
        self._statements(self._many(10))
        batch = self._many(rows)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with patch.object(payment_submission, "PAGE", page):
            begun = time.monotonic()
            statements = self._statements(batch)
            seconds = time.monotonic() - begun
        more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        if ROWS:
            _logger.info(
                "%s payments: %s statements, %.0f s, %.0f MiB more", rows, statements, seconds, more / 2**10
            )
        self.assertLessEqual(statements, 40 * rows // page + 80)
        self.env.invalidate_all()
        self.assertEqual(batch.stats_paid_transactions, rows * 8 // 10)
        self.assertEqual(batch.open_exception_count, rows // 10)
        self.assertEqual(self.env["g2p.payment.event"]._first_broken(batch), 0)
