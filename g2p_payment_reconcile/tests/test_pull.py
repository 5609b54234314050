from datetime import datetime, timedelta, timezone
from decimal import Decimal
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged

from odoo.addons.g2p_payment_hub.client.errors import OutcomeUnknown, Reason, Refused
from odoo.addons.g2p_payment_hub.client.outcomes import Outcome, OutcomeStatus
from odoo.addons.g2p_payment_hub.tests.common import PaymentHubCase
from odoo.addons.queue_job.tests.common import trap_jobs

from ..models import payment_submission as pulling

PAID, FAILED, WAITING, SUSPECT = (
    OutcomeStatus.PAID,
    OutcomeStatus.FAILED,
    OutcomeStatus.WAITING,
    OutcomeStatus.SUSPECT,
)


@tagged("post_install", "-at_install")
class TestPull(PaymentHubCase):
    def setUp(self):
        super().setUp()
        self.cron = self.env.ref("g2p_payment_reconcile.cron_pull_outcomes")

    def _pull(self, batch):
        """The scheduled action, when the submission is due, with the jobs it queues run at once."""
        batch.submission_ids.next_poll_at = fields.Datetime.now() - timedelta(seconds=1)
        with trap_jobs() as jobs:
            self.cron.ir_actions_server_id.run()
            jobs.perform_enqueued_jobs()
        batch.invalidate_recordset()

    def _facts(self, batch):
        names = ("name", "state", "status", "status_is_final", "amount_paid", "failure_reason", "attention")
        return batch.payment_ids.read(names) + batch.read(["batch_state", "stats_paid_amount"])

    def test_paid_and_failed(self):
        batch = self._sent(3, amount=120)
        first, second, third = batch.payment_ids.sorted("name")
        moment = datetime(2026, 3, 1, 8, 0, tzinfo=timezone.utc)
        self.hub.tell(first, PAID, completed_at=moment, remote_reference="r1", remote_status="COMPLETED")
        self.hub.tell(second, PAID, completed_at=moment, remote_reference="r2")
        self.hub.tell(third, FAILED, reason_code="PayeeNotFound", reason="No such payee")
        self._pull(batch)
        self.assertEqual((first.state, first.status, first.status_is_final), ("reconciled", "paid", True))
        self.assertEqual((first.amount_paid, first.payment_datetime), (120, datetime(2026, 3, 1, 8)))
        self.assertEqual((first.remote_reference, first.remote_status), ("r1", "COMPLETED"))
        self.assertEqual((third.state, third.status, third.amount_paid), ("reconciled", "failed", 0))
        self.assertEqual((third.failure_code, third.failure_reason), ("PayeeNotFound", "No such payee"))
        self.assertEqual(batch.batch_state, "done")
        self.assertEqual((batch.stats_paid_transactions, batch.stats_paid_amount), (2, 240))
        self.assertEqual((batch.stats_failed_transactions, batch.stats_failed_amount), (1, 120))
        self.assertTrue(batch.batch_has_completed)
        self.assertIn("2 payments paid", self.cycle.message_ids[0].body)

    def test_twice_changes_nothing(self):
        batch = self._sent(2)
        self.hub.tell(batch.payment_ids[0], PAID, remote_reference="r1")
        self._pull(batch)
        before = self._facts(batch)
        self._pull(batch)
        self.assertEqual(self._facts(batch), before)
        self.assertEqual(batch.batch_state, "sent", "one payment is still open")

    def test_waiting_words_change_nothing_final(self):
        batch = self._sent()
        self.hub.tell(batch.payment_ids, WAITING, remote_status="IN_PROGRESS")
        self._pull(batch)
        self.assertEqual((batch.payment_ids.state, batch.payment_ids.status), ("sent", False))
        self.assertEqual(batch.payment_ids.remote_status, "IN_PROGRESS")
        self.assertEqual(batch.batch_state, "sent")

    def test_other_money_is_not_paid(self):
        batch = self._sent(2, amount=100)
        self.hub.tell(batch.payment_ids[0], PAID, amount=Decimal(99), remote_reference="r1")
        self.hub.tell(batch.payment_ids[1], PAID, currency="EUR", remote_reference="r2")
        self._pull(batch)
        for payment in batch.payment_ids:
            self.assertEqual(
                (payment.status, payment.amount_paid, payment.status_is_final), (False, 0, False)
            )
            self.assertIn("another amount or currency", payment.attention)
        self.assertEqual(batch.batch_state, "sent")

    def test_doubtful_rows_are_left_to_a_person(self):
        batch = self._sent(3)
        suspect, both, twice = batch.payment_ids
        self.hub.tell(suspect, SUSPECT, reason_code="transactionFailed")
        self.hub.tell(both, PAID, remote_reference="r1")
        self.hub.tell(both, FAILED, remote_reference="r2")
        self.hub.tell(twice, PAID, remote_reference="r3")
        self.hub.tell(twice, PAID, remote_reference="r4")
        self._pull(batch)
        for payment in batch.payment_ids:
            self.assertFalse(payment.status)
            self.assertTrue(payment.attention)

    def test_a_row_told_twice_is_paid_once(self):
        batch = self._sent()
        self.hub.tell(batch.payment_ids, PAID, remote_reference="r1")
        self.hub.tell(batch.payment_ids, PAID, remote_reference="r1")
        self._pull(batch)
        self.assertEqual(batch.payment_ids.status, "paid")

    def test_final_never_moves_and_the_contradiction_blocks_paying_again(self):
        batch = self._sent(2)
        failed, _open = batch.payment_ids
        self.hub.tell(failed, FAILED, reason="no")
        self._pull(batch)
        self.hub.told.clear()
        self.hub.tell(failed, PAID, remote_reference="r1")
        self._pull(batch)
        self.assertEqual((failed.status, failed.amount_paid), ("failed", 0))
        self.assertIn("opposite", failed.attention)
        self.assertFalse(self._prepare(), "the payee may have been paid after all")

    def test_a_doubt_keeps_it_from_failing(self):
        """Said to be paid, then said to have failed: nobody is paid again before somebody has looked."""
        batch = self._sent()
        payment = batch.payment_ids
        self.hub.tell(payment, SUSPECT, remote_reference="r1")
        self._pull(batch)
        for status in (WAITING, FAILED):
            self.hub.told.clear()
            self.hub.tell(payment, status, remote_reference="r1", reason="no")
            self._pull(batch)
            self.assertEqual((payment.status, payment.status_is_final), (False, False))
            self.assertIn("doubtful", payment.attention)
        self.assertEqual(batch.batch_state, "sent")
        self.assertFalse(self._prepare())
        self.hub.told.clear()
        self.hub.tell(payment, PAID, remote_reference="r1")
        self._pull(batch)
        self.assertEqual((payment.status, payment.attention, batch.batch_state), ("paid", False, "done"))

    def test_what_comes_after_the_end(self):
        """Paid once more, paid in another way, and perhaps paid although it failed."""
        batch = self._sent(4)
        again, other, failed, _open = batch.payment_ids
        self.hub.tell(again, PAID, remote_reference="r1")
        self.hub.tell(other, PAID, remote_reference="r2")
        self.hub.tell(failed, FAILED, reason="no")
        self._pull(batch)
        self.hub.tell(again, PAID, remote_reference="r3")
        self.hub.tell(other, PAID, remote_reference="r2", amount=Decimal(99))
        self.hub.tell(failed, SUSPECT, remote_reference="r4")
        self._pull(batch)
        self.assertEqual((again + other + failed).mapped("status"), ["paid", "paid", "failed"])
        for payment, word in ((again, "more than one"), (other, "another amount"), (failed, "doubtful")):
            self.assertIn(word, payment.attention)
        self.assertFalse(self._prepare())

    def test_final_never_moves_even_for_who_sees_it_open(self):
        batch = self._sent()
        payment = batch.payment_ids
        (fact,) = payment._facts([payment.name])
        row, _doubts = payment._outcome_row(fact, [Outcome(reference=payment.name, status=FAILED)])
        self._result(payment, "paid")
        payment._write_outcomes([row])
        self.assertEqual((payment.status, payment.failure_reason), ("paid", False))

    def test_a_failure_waits_for_the_pages_that_did_not_come(self):
        """On one of them it may be paid."""
        batch = self._sent(3)
        paid, failed, both = batch.payment_ids
        self.hub.tell(paid, PAID, remote_reference="r1")
        self.hub.tell(failed, FAILED, remote_reference="r2", reason="no")
        self.hub.tell(both, PAID, remote_reference="r3")
        self.hub.tell(both, FAILED, remote_reference="r3")
        self.hub.breaks_off = OutcomeUnknown(Reason.TIMEOUT)
        self._pull(batch)
        self.assertEqual((paid.status, failed.status, both.status), ("paid", False, False))
        self.assertIn("both paid and failed", both.attention)
        self.hub.breaks_off = None
        self._pull(batch)
        self.assertEqual((failed.status, both.status, batch.batch_state), ("failed", False, "sent"))

    def test_strangers_change_nothing(self):
        batch = self._sent()
        self.hub.told.append(
            Outcome(reference="somebody-else", status=PAID, amount=Decimal(100), currency="USD")
        )
        before = self._facts(batch)
        self._pull(batch)
        self.assertEqual(self._facts(batch), before)

    def test_an_error_is_said_and_asked_again_later(self):
        batch = self._sent()
        self.hub.told = OutcomeUnknown(Reason.TIMEOUT)
        before = self._facts(batch)
        self._pull(batch)
        self.assertEqual(self._facts(batch), before)
        submission = batch.submission_ids
        self.assertIn("did not answer in time", submission.poll_answer)
        self.assertGreater(submission.next_poll_at, fields.Datetime.now())

    def test_only_what_is_due_is_asked_for_and_only_once(self):
        batch = self._sent()
        with trap_jobs() as jobs:
            self.cron.ir_actions_server_id.run()
            jobs.assert_jobs_count(0)
        batch.submission_ids.next_poll_at = fields.Datetime.now() - timedelta(seconds=1)
        with trap_jobs() as jobs:
            self.cron.ir_actions_server_id.run()
            self.cron.ir_actions_server_id.run()
            jobs.assert_jobs_count(1)

    def test_it_is_asked_for_also_after_the_clock_was_set_back(self):
        batch = self._sent()
        submission = batch.submission_ids
        ahead = fields.Datetime.now() + timedelta(days=90)
        submission.write({"next_poll_at": ahead, "polling_until": ahead, "polling_by": "another"})
        self.hub.tell(batch.payment_ids, PAID, remote_reference="r1")
        with trap_jobs() as jobs:
            self.cron.ir_actions_server_id.run()
            jobs.perform_enqueued_jobs()
        self.assertEqual(batch.batch_state, "done")

    def test_check_now_is_for_those_who_pay(self):
        batch = self._sent()
        with trap_jobs() as jobs:
            batch.with_user(self.finance_user).action_check_now()
            jobs.assert_jobs_count(1)

    def test_check_now_where_nothing_is_asked(self):
        self.hub.reply = Refused(Reason.FILE)
        refused = self._sent()
        self.hub.reply = None
        approved, sent = self._approved(), self._sent()
        with trap_jobs() as jobs:
            said = refused.with_user(self.finance_user).action_check_now()
            jobs.assert_jobs_count(0)
        self.assertEqual(said["params"]["type"], "warning")
        self.assertIn("Nothing is asked about what the payment system has not accepted", self._message(said))
        with trap_jobs() as jobs:
            said = (refused + approved + sent).with_user(self.finance_user).action_check_now()
            jobs.assert_jobs_count(1)
        for words in ("is being asked", "Refused 1", "Approved 1"):
            self.assertIn(words, self._message(said))

    def test_a_row_that_another_transaction_holds_is_left_out(self):
        batch = self._sent()
        submission = batch.submission_ids
        submission.next_poll_at = fields.Datetime.now() - timedelta(seconds=1)
        busy = patch.object(pulling, "take_turns", lambda records, _name, _turns: records.browse())
        with trap_jobs() as jobs, busy:
            self.cron.ir_actions_server_id.run()
            jobs.assert_jobs_count(0)

    def _find_tasks(self, batch):
        kind = self.env.ref("g2p_payment_hub.activity_find")
        return batch.sudo().activity_ids.filtered(lambda activity: activity.activity_type_id == kind)

    def test_a_batch_of_which_nothing_is_listed_is_told_at_once(self):
        """The hub's authorization said no, and all that it shows is a batch without payments."""
        batch = self._sent()
        self._pull(batch)
        self.assertIn("was rejected there", batch.poll_answer)
        self.assertIn("remote-1", batch.poll_answer)
        self.assertFalse(self._find_tasks(batch), "it may have only just arrived")
        batch.submission_ids.ended_at -= timedelta(minutes=6)
        for _look in range(3):
            self._pull(batch)
        tasks = self._find_tasks(batch)
        self.assertEqual(tasks.user_id, self.finance_user)
        self.assertIn("was rejected there", tasks.note)
        self.hub.tell(batch.payment_ids, WAITING)
        self._pull(batch)
        self.assertEqual((batch.poll_answer, self._find_tasks(batch).ids), ("Nothing new.", []))

    def test_a_batch_that_the_payment_system_does_not_show(self):
        batch = self._sent()
        self.hub.hidden = True
        self._pull(batch)
        self.assertIn("does not show it yet", batch.poll_answer)

    def test_pressing_check_now_touches_nothing_that_a_running_job_writes(self):
        batch = self._sent()
        before = batch.submission_ids.read()
        with trap_jobs() as jobs:
            for _press in range(3):
                batch.with_user(self.finance_user).action_check_now()
            jobs.assert_jobs_count(1)
        self.assertEqual(batch.submission_ids.read(), before)

    def test_reconciling_takes_as_many_statements_for_many_as_for_few(self):
        counts = []
        for size in (5, 50):
            batch = self._sent(size)
            for number, payment in enumerate(batch.payment_ids):
                self.hub.tell(payment, PAID, remote_reference=f"{size}-{number}")
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            batch.submission_ids._pull()
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
            self.assertEqual(batch.batch_state, "done")
            self.hub.told.clear()
        self.assertLessEqual(counts[1], counts[0] + 2, counts)
