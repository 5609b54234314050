from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged

from odoo.addons.g2p_payment_hub.client.errors import Reason, Refused
from odoo.addons.g2p_payment_hub.client.outcomes import FoundTwice, Receipt
from odoo.addons.queue_job.tests.common import trap_jobs

from .common import FAILED, HELD, PAID, WAITING, DecisionCase

FIND = "g2p_payment_hub.activity_find"


@tagged("post_install", "-at_install")
class TestArrived(DecisionCase):
    """Something between us and the payment system says no after that has said yes and paid."""

    def _refused(self, count=2):
        """A batch that a proxy turned away with 413 after the hub had taken it."""
        self.hub.lose_reply = Refused(Reason.FILE, "HTTP 413")
        batch = self._sent(count)
        self.hub.lose_reply = None
        self.assertEqual((batch.batch_state, self.hub.uploads), ("refused", 1))
        return batch

    def _cancelled(self, batch):
        batch.with_user(self.manager_user).action_cancel()
        again = self._prepare()
        self._approve(again)
        return again

    def _tell(self, payments, status, **values):
        for payment in payments:
            self.hub.tell(payment, status, remote_reference=f"r-{payment.name}", **values)

    def _look(self, batch):
        """The scheduled action that asks for attempts, when it is due."""
        batch.submission_ids.sorted("attempt")[0].next_look_up_at = fields.Datetime.now() - timedelta(
            seconds=1
        )
        with trap_jobs() as jobs:
            self.env.ref("g2p_payment_hub.cron_look_up").ir_actions_server_id.run()
            jobs.perform_enqueued_jobs()
        self.env.invalidate_all()

    def _called(self, batch):
        return batch.sudo().activity_ids.filtered(
            lambda activity: activity.activity_type_id == self.env.ref(FIND)
        )

    def _assert_in_front_of_people(self, batch, payments, said):
        exceptions = payments.exception_ids
        self.assertEqual(exceptions.payment_id, payments)
        self.assertEqual(len(exceptions), len(payments))
        self.assertEqual(set(exceptions.mapped("state")), {"open"})
        self.assertTrue(all(payments.mapped("attention")))
        called = self._called(batch)
        self.assertTrue(called.user_id)
        for payment in payments:
            self.assertIn(payment.name, said)
            self.assertIn(payment.name, called[0].note)
        for user in called.user_id:
            self.assertIn(user.name, said)
        self.assertIn("remote-1", said)

    def test_cancelled_and_prepared_again(self):
        batch = self._refused()
        again = self._cancelled(batch)
        self._tell(batch.payment_ids, PAID)
        self._send(again)
        self.assertEqual((again.batch_state, self.hub.uploads), ("approved", 1), "nobody is paid twice")
        self._assert_in_front_of_people(batch, batch.payment_ids, again.last_answer)
        summary = batch.payment_ids[0].exception_ids.summary
        self.assertIn("The batch was cancelled before it was sent", summary)
        self.assertIn(self.manager_user.name, summary)

    def test_what_was_paid_is_declared_and_the_others_go(self):
        """The new batch can be sent in the end, to those whose payment failed."""
        batch = self._refused()
        again = self._cancelled(batch)
        paid, failed = batch.payment_ids
        self._tell(paid, PAID)
        self._tell(failed, FAILED, reason="No such account")
        self._send(again)
        self.assertEqual((paid.exception_ids.mapped("state"), failed.exception_ids.ids), (["open"], []))
        again.with_user(self.first)._reject("One has the money")
        again.with_user(self.manager_user).action_back_to_draft()
        again.with_user(self.manager_user).action_set_problems_aside()
        self._decide(paid.exception_ids, "declare_paid")
        self.assertEqual(paid.status, "paid")
        self.assertEqual(again.payment_ids.entitlement_id, failed.entitlement_id)
        self._approve(again)
        self._send(again)
        self.assertEqual((again.batch_state, self.hub.uploads), ("sent", 2))
        totals = {row[0]: row[1:4] for row in batch.with_user(self.first)._statement()[1].rows}
        self.assertEqual(totals["Paid"][0], 1)

    def test_people_found_out_that_it_was_not_paid(self):
        """What they have decided in view of the payment system's word does not hold the batch for ever."""
        batch = self._refused()
        again = self._cancelled(batch)
        self._tell(batch.payment_ids, PAID)
        self._send(again)
        self._decide(batch.payment_ids.exception_ids, "keep_as_is")
        self._send(again)
        self.assertEqual((again.batch_state, self.hub.uploads), ("sent", 2))

    def test_what_is_under_way_holds_it_whatever_people_say(self):
        batch = self._refused()
        again = self._cancelled(batch)
        self._tell(batch.payment_ids, WAITING)
        self._send(again)
        self._decide(batch.payment_ids.exception_ids, "keep_as_is")
        self._send(again)
        self.assertEqual((again.batch_state, self.hub.uploads), ("approved", 1))

    def test_held_open_there_holds_it_until_people_decided(self):
        """A closed loop calls it done, which proves no payment, and may be one."""
        batch = self._refused()
        again = self._cancelled(batch)
        self._tell(batch.payment_ids, HELD)
        self._send(again)
        self.assertEqual((again.batch_state, self.hub.uploads), ("approved", 1), "nobody is paid twice")
        self._assert_in_front_of_people(batch, batch.payment_ids, again.last_answer)
        self._send(again)
        self.assertEqual((again.batch_state, self.hub.uploads), ("approved", 1))
        self._decide(batch.payment_ids.exception_ids, "keep_as_is")
        self._send(again)
        self.assertEqual((again.batch_state, self.hub.uploads), ("sent", 2))

    def test_one_payee_taken_out(self):
        batch = self._refused()
        aside, kept = batch.payment_ids
        batch.with_user(self.manager_user).action_back_to_draft()
        aside.sudo().account_number = False
        batch.with_user(self.manager_user).action_set_problems_aside()
        self.assertEqual(batch.payment_ids, kept)
        self._tell(aside + kept, PAID)
        self._approve(batch)
        self._send(batch)
        self.assertEqual((batch.batch_state, self.hub.uploads), ("approved", 1), "nobody is paid twice")
        self._assert_in_front_of_people(batch, aside + kept, batch.last_answer)

    def test_an_attempt_that_shows_no_rows_yet(self):
        batch = self._refused()
        batch.with_user(self.manager_user).action_back_to_draft()
        aside = batch.payment_ids[0]
        aside.sudo().account_number = False
        batch.with_user(self.manager_user).action_set_problems_aside()
        self._approve(batch)
        self._send(batch)
        self.assertEqual((batch.batch_state, self.hub.uploads), ("approved", 1))
        self.assertIn("does not show yet", batch.last_answer)
        self.assertIn(batch.payment_ids.name, batch.last_answer)
        self.assertTrue(self._called(batch))

    def test_left_behind_as_it_was_refused(self):
        """Nobody touches it: it goes on as if it had been accepted at once."""
        batch = self._refused()
        self.assertTrue(batch.submission_ids.next_look_up_at)
        self._look(batch)
        self.assertEqual((batch.batch_state, batch.external_batch_ref), ("sent", "remote-1"))
        self.assertEqual(batch.submission_ids.state, "accepted")
        self._say(batch.payment_ids, PAID, remote_reference="r1")
        self.assertEqual(set(batch.payment_ids.mapped("status")), {"paid"})
        self.assertEqual(self.hub.uploads, 1)

    def test_left_behind_in_a_batch_that_was_cancelled(self):
        batch = self._refused()
        batch.with_user(self.manager_user).action_cancel()
        self._tell(batch.payment_ids, PAID)
        self._look(batch)
        self.assertEqual(batch.batch_state, "cancelled")
        payments = batch.payment_ids
        self.assertEqual(payments.exception_ids.payment_id, payments)
        self.assertFalse(self._prepare(), "nobody is paid again before somebody has looked")
        self.assertTrue(self._called(batch).user_id)

    def test_left_behind_in_a_draft(self):
        batch = self._refused()
        batch.with_user(self.manager_user).action_back_to_draft()
        self._tell(batch.payment_ids, PAID)
        self._look(batch)
        self.assertEqual(batch.payment_ids.exception_ids.payment_id, batch.payment_ids)
        self._decide(batch.payment_ids.exception_ids, "declare_paid")
        self.assertEqual(set(batch.payment_ids.mapped("status")), {"paid"})
        batch.with_user(self.manager_user).action_request_approval()
        self.assertEqual(batch.batch_state, "draft")
        self.assertIn("has its result already", batch.check_result)

    def test_declared_missing_and_there_later(self):
        batch = self._refused(1)
        two = {"declared_by_id": self.first.id, "confirmed_by_id": self.second.id}
        batch.submission_ids.write({"state": "not_received", **two})
        batch.sudo().batch_state = "approved"
        self._look(batch)
        self.assertEqual((batch.batch_state, self.hub.uploads), ("sent", 1))

    def test_sent_again_before_the_first_attempt_showed(self):
        """Two uploads, two payments each: each is in front of a person."""
        batch = self._refused(1)
        self.hub.hidden = True
        batch.with_user(self.manager_user).action_back_to_draft()
        batch.with_user(self.manager_user).action_request_approval()
        self._approve(batch)
        self._send(batch)
        self.assertEqual((batch.batch_state, self.hub.uploads), ("sent", 2))
        self.hub.tell(batch.payment_ids, PAID, remote_reference="second")
        batch._accepted_submission()._pull()
        self.assertEqual(batch.payment_ids.status, "paid")
        self.hub.hidden = False
        self.hub.told.clear()
        self.hub.tell(batch.payment_ids, PAID, remote_reference="first")
        self._look(batch)
        self.assertEqual(batch.payment_ids.exception_ids.type, "twice")

    def test_a_later_attempt_is_no_trace_of_a_true_no(self):
        """Both carry the same payments: what is paid by the second has not arrived by the first."""
        self.hub.reply = Refused(Reason.FILE, "HTTP 413")
        batch = self._sent()
        self.hub.reply = None
        batch.with_user(self.manager_user).action_back_to_draft()
        batch.with_user(self.manager_user).action_request_approval()
        self._approve(batch)
        self._send(batch)
        self.assertEqual((batch.batch_state, self.hub.uploads), ("sent", 2))
        for status in (WAITING, PAID):
            self.hub.told.clear()
            self._tell(batch.payment_ids, status)
            self._look(batch)
            self.assertFalse(batch.payment_ids.exception_ids or self._called(batch))
        self.assertTrue(batch.submission_ids.sorted("attempt")[0].no_trace)

    def test_both_attempts_refused_and_both_there(self):
        batch = self._refused(1)
        self.hub.hidden = True
        batch.with_user(self.manager_user).action_back_to_draft()
        batch.with_user(self.manager_user).action_request_approval()
        self._approve(batch)
        self.hub.lose_reply = Refused(Reason.FILE, "HTTP 413")
        self._send(batch)
        self.assertEqual((batch.batch_state, self.hub.uploads), ("refused", 2))
        self.hub.hidden = False
        self._tell(batch.payment_ids, PAID)
        twice = FoundTwice([Receipt(reference="remote-1"), Receipt(reference="remote-2")])
        self._start(patch.object(self.hub, "find", side_effect=twice))
        self._look(batch)
        self.assertEqual(batch.batch_state, "refused")
        self.assertTrue(batch.payment_ids.exception_ids)
        self.assertTrue(batch.payment_ids.attention)
        self.assertTrue(self._called(batch).user_id)

    def test_a_true_no_is_asked_for_a_few_times(self):
        self.hub.reply = Refused(Reason.FILE, "HTTP 400 File too big")
        batch = self._sent()
        self.hub.reply = None
        submission, looks = batch.submission_ids, 0
        while submission.next_look_up_at:
            self._look(batch)
            looks += 1
            self.assertLess(looks, 20)
        self.assertEqual((looks, batch.batch_state, submission.state), (8, "refused", "refused"))
        self.assertFalse(batch.exception_ids or self._called(batch))
