from unittest.mock import patch

from odoo.tests import tagged

from ..client import paying
from ..models import payment_submission
from .common_paying import FIRST, PayingCase


@tagged("post_install", "-at_install")
class TestDeadWorker(PayingCase):
    """A worker dies, and leaves behind what it had committed. Tests/integration does so with real
    processes."""

    def test_while_it_looks_up_and_quotes(self):
        batch = self._approved(2)
        self._send(batch)
        with self._worker_dies_at("begin"):
            self._pay(batch)
        self._pay(batch)
        self.assertEqual(self.scheme.posts, [], "another worker has them for a while")
        self._lease_ends(batch)
        self._pay(batch)
        self.assertEqual(len(self.scheme.paid()), 2)

    def test_after_the_money_has_left(self):
        batch = self._approved(2)
        self._send(batch)
        with self._worker_dies_at("transfer"):
            self._pay(batch)
        self.assertEqual(self._transfers(batch).mapped("state"), ["transferring"] * 2)
        self._lease_ends(batch)
        self._pay(batch)
        self.assertEqual(self._transfers(batch).mapped("state"), ["committed"] * 2)
        self.assertEqual((len(self.scheme.posts), len(self.scheme.ledger)), (2, 2))

    def test_before_the_money_has_left(self):
        batch = self._approved(2)
        self._send(batch)
        with self._worker_dies_at("transfer", before=True):
            self._pay(batch)
        self.assertEqual(self.scheme.posts, [])
        self._lease_ends(batch)
        self._pay(batch)
        self.assertEqual(self._transfers(batch).mapped("state"), ["committed"] * 2)
        self.assertEqual(len(self.scheme.ledger), 2)

    def test_the_scheduled_action_finds_what_it_left(self):
        batch = self._approved()
        self._send(batch)
        Submission = self.env["g2p.payment.submission"]
        self.assertEqual(Submission._due_submissions(), batch.submission_ids)
        with self._worker_dies_at("transfer"):
            self._pay(batch)
        self.assertFalse(Submission._due_submissions())
        self._lease_ends(batch)
        self.assertEqual(Submission._due_submissions(), batch.submission_ids)
        self._pay(batch)
        self.assertFalse(Submission._due_submissions())

    def test_a_clock_that_is_set_back_keeps_nobody_waiting(self):
        Submission = self.env["g2p.payment.submission"]
        for column in ("next_at", "lease_until"):
            self.scheme.ledger.clear()
            self.cycle = self._cycle(self.program, f"Cycle {column}")
            batch = self._approved(cycle=self.cycle)
            self._send(batch)
            for minutes, paid in ((9, 0), (525600, 1)):
                self._sql(
                    f"UPDATE g2p_mojaloop_transfer"
                    f" SET {column} = now() at time zone 'UTC' + interval '{minutes} minutes'"
                    f" WHERE batch_id = %s",
                    batch.id,
                )
                self.assertEqual(len(Submission._due_submissions()), paid)
                batch.submission_ids.sudo()._pay()
                self.assertEqual(len(self.scheme.ledger), paid)

    def test_a_worker_that_comes_back_late_sends_and_writes_nothing(self):
        batch = self._approved()
        self._send(batch)

        def late(connector, task):
            result = original(connector, task)
            if not self.scheme.posts:
                self._lease_ends(batch)
                with patch.object(payment_submission.paying, "begin", original):
                    batch.submission_ids.sudo()._pay()
            return result

        original = paying.begin
        self.gateway.mojaloop_parallel = 1
        with patch.object(payment_submission.paying, "begin", late):
            self._pay(batch)
        self.assertEqual(len(self.scheme.posts), 1)
        self.assertEqual(self._transfers(batch).state, "committed")

    def test_a_worker_that_died_before_the_batch_was_accepted(self):
        batch = self._approved()
        batch.with_user(self.finance_user)._queue_sending()
        submission = self.env["g2p.payment.submission"]._open(batch)
        self._sql("UPDATE g2p_payment_submission SET lease_until = now() - interval '1 day'")
        Submission = self.env["g2p.payment.submission"].with_context(queue_job__no_delay=True)
        Submission._find_dead_workers()
        self.assertEqual((batch.batch_state, submission.state), ("unknown", "unknown"))
        submission.with_context(queue_job__no_delay=True)._look_up()
        self.assertEqual((batch.batch_state, submission.state), ("sent", "accepted"))
        self._pay(batch)
        self.assertEqual(self.scheme.paid(), [(FIRST, "100")])

    def test_a_restored_backup_pays_nobody_twice(self):
        """The database has forgotten that the batch was sent; the scheme knows the ids."""
        batch = self._paid(2)
        self._forget_sending(batch)
        self._send(batch)
        self._pay(batch)
        self.assertEqual((len(self.scheme.posts), len(self.scheme.ledger)), (2, 2))
        self.assertEqual(self._transfers(batch).mapped("state"), ["suspect"] * 2)

    def test_payments_given_up_that_the_scheme_knows(self):
        """They were cancelled in a database that had forgotten that they were paid."""
        batch = self._paid()
        self._forget_sending(batch, "to_approve")
        batch.with_user(self.manager_user).action_cancel()
        again = self._prepare()
        self._approve(again)
        self._send(again)
        self.assertEqual(again.batch_state, "approved")
        self.assertIn("has payments that were given up here", again.last_answer)
        self.assertTrue(batch.payment_ids.attention)
        self.assertEqual(len(self.scheme.ledger), 1)
