from datetime import datetime, timezone
from decimal import Decimal
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.g2p_payment_hub.client.outcomes import FailureType, Outcome
from odoo.addons.queue_job.tests.common import trap_jobs

from ..models.payment_batch_task import CONFIRM, DECIDE
from .common import FAILED, PAID, SUSPECT, WAITING, DecisionCase


@tagged("post_install", "-at_install")
class TestExceptions(DecisionCase):
    """One exception for each thing that does not fit, and for nothing else."""

    def test_the_facts_of_both_sides(self):
        batch = self._sent(amount=100)
        payment = batch.payment_ids
        moment = datetime(2026, 3, 1, 8, 0, tzinfo=timezone.utc)
        self._say(
            payment,
            PAID,
            amount=Decimal("99.50"),
            remote_reference="r1",
            remote_status="COMPLETED",
            reason_code="17",
            completed_at=moment,
        )
        one = self._exceptions(batch)
        self.assertEqual(
            (one.type, one.state, one.payment_id, one.batch_id), ("money", "open", payment, batch)
        )
        self.assertEqual((one.our_status, one.our_amount, one.our_currency_id.name), ("sent", 100, "USD"))
        self.assertEqual((one.their_status, one.their_word), ("paid", "COMPLETED"))
        self.assertEqual((one.their_amount, one.their_currency), (99.5, "USD"))
        self.assertEqual((one.their_reference, one.their_code), ("r1", "17"))
        self.assertEqual(one.their_at, datetime(2026, 3, 1, 8))
        self.assertEqual((one.reference, one.program_id), (payment.name, self.program))
        self.assertEqual((one.gateway_id, one.company_id), (self.gateway, self.gateway.company_id))
        self.assertEqual(one.user_id, self.finance_user, "who approved the batch sees to it")
        self.assertTrue(one.next_step)
        self.assertEqual(one.summary, payment.attention)
        self.assertIn(one.summary, batch.event_ids.mapped("why"))

    def test_told_again_it_is_the_same(self):
        batch, one = self._doubtful()
        for _time in range(3):
            self._pull(batch)
        self.assertEqual(self._exceptions(batch), one)
        self.assertEqual(one.times_seen, 4)
        self._say(batch.payment_ids, SUSPECT, remote_reference="r2")
        self.assertEqual(len(self._exceptions(batch)), 2, "another payment of the other side is another fact")

    def test_what_fits_makes_none(self):
        batch = self._sent(3)
        paid, failed, waiting = batch.payment_ids
        self.hub.tell(paid, PAID, remote_reference="r1")
        self.hub.tell(failed, FAILED, remote_reference="r2", reason="no")
        self.hub.tell(waiting, WAITING)
        for _time in range(2):
            self._pull(batch)
        self.assertFalse(self._exceptions(batch))

    def test_strangers(self):
        batch = self._sent()
        stranger = Outcome(reference="not-ours", status=PAID, amount=Decimal(7), currency="USD")
        self.hub.told += [stranger, stranger]
        self._pull(batch)
        self._pull(batch)
        one = self._exceptions(batch)
        self.assertEqual((one.type, one.reference, one.their_amount), ("stranger", "not-ours", 7))
        self.assertFalse(one.payment_id)
        self._say(batch.payment_ids, PAID, remote_reference="r1")
        self.assertEqual(batch.batch_state, "sent", "somebody has to look at the stranger first")
        self._propose(one, "keep_as_is", "The hub's own test row")
        self.assertEqual((one.state, batch.batch_state), ("closed", "done"))

    def test_a_payment_that_was_given_up_and_shows_up_is_not_paid_again(self):
        batch = self._prepared(2)
        aside, stays = batch.payment_ids
        aside.sudo().account_number = False
        batch.with_user(self.manager_user).action_back_to_draft()
        batch.with_user(self.manager_user).action_set_problems_aside()
        self._approve(batch)
        self._send(batch)
        self.hub.tell(stays, PAID, remote_reference="r1")
        paid = Outcome(
            reference=aside.name, status=PAID, amount=Decimal(100), currency="USD", remote_reference="r2"
        )
        self.hub.told.append(paid)
        for _time in range(2):
            self._pull(batch)
        one = self._exceptions(batch)
        self.assertEqual((one.type, one.payment_id, one.state), ("late", aside, "open"))
        self.assertTrue(aside.attention)
        self.assertFalse(self._prepare())
        self._decide(one, "declare_paid")
        self.assertEqual((aside.status, batch.batch_state), ("paid", "done"))
        self.assertEqual(self.env["g2p.payment.event"]._first_broken(batch), 0)

    def test_a_payment_that_shows_up_in_another_batch_needs_attention(self):
        first, second = self._sent(), self._sent()
        row = Outcome(reference=first.payment_ids.name, status=WAITING, remote_reference="r1")
        self.hub.told.append(row)
        self._pull(second)
        one = self._exceptions(first)
        self.assertEqual((one.type, one.payment_id), ("stranger", first.payment_ids))
        self.assertEqual(one.reconciliation_id.batch_id, second, "where it came up")
        self.hub.told.clear()
        self._say(first.payment_ids, PAID, remote_reference="r1")
        self._propose(one, "keep_as_is", "The hub had moved it")
        self.hub.told = [row.model_copy(update={"status": PAID, "amount": Decimal(100), "currency": "USD"})]
        self._pull(second)
        self.assertEqual(first.payment_ids.exception_ids, one, "as the other batch says")

    def test_what_comes_up_in_the_answer_about_another_batch_opens_its_own(self):
        first, second = self._sent(), self._sent()
        self._say(first.payment_ids, FAILED, remote_reference="r1")
        self.assertEqual(first.batch_state, "done")
        self.hub.told.clear()
        self.hub.tell(first.payment_ids, PAID, remote_reference="r1")
        with trap_jobs() as jobs:
            self._pull(second)
            jobs.assert_enqueued_job(first._settle_in_job)
            jobs.perform_enqueued_jobs()
        self.assertEqual(self._exceptions(first).type, "late")
        self.assertEqual((first.batch_state, second.batch_state), ("sent", "sent"))
        decide = self.env.ref("g2p_payment_reconcile.activity_decide")
        called = first.activity_ids.filtered(lambda one: one.activity_type_id == decide)
        self.assertEqual(called.user_id, self.first)
        self.assertFalse(second.activity_ids)

    def test_a_doubt_ends_with_the_final_result_and_a_contradiction_does_not(self):
        doubtful, other_money = self._sent(), None
        self._say(doubtful.payment_ids, SUSPECT, remote_reference="r1")
        self._say(doubtful.payment_ids, PAID, remote_reference="r1")
        one = self._exceptions(doubtful)
        self.assertEqual((one.state, one.decision), ("closed", "settled"))
        self.assertEqual((doubtful.payment_ids.attention, doubtful.batch_state), (False, "done"))
        other_money, one = self._other_money()
        self._say(other_money.payment_ids, PAID, remote_reference="r1")
        self.assertEqual(other_money.payment_ids.status, "paid")
        self.assertEqual((one.state, other_money.batch_state), ("open", "sent"))
        self.assertTrue(other_money.payment_ids.attention)

    def test_a_doubt_that_comes_back_is_open_again(self):
        batch = self._sent()
        self._say(batch.payment_ids, SUSPECT, remote_reference="r1")
        self._say(batch.payment_ids, PAID, remote_reference="r1")
        self.assertEqual(batch.batch_state, "done")
        self._say(batch.payment_ids, SUSPECT, remote_reference="r1")
        one = self._exceptions(batch)
        self.assertEqual((one.state, one.decision, one.times_seen), ("open", False, 2))
        self.assertTrue(batch.payment_ids.attention)
        self.assertEqual((batch.batch_state, batch.batch_has_completed), ("sent", False))

    def test_returned_money_waits_for_a_decision(self):
        batch, one = self._returned()
        self.assertEqual((one.type, batch.payment_ids.status), ("returned", "paid"))
        self.assertFalse(self._prepare(), "it is paid again only after somebody decided so")
        never_seen_paid = self._sent()
        self._say(
            never_seen_paid.payment_ids, FAILED, remote_reference="r1", failure_type=FailureType.RETURNED
        )
        self.assertEqual(self._exceptions(never_seen_paid).type, "returned")
        self.assertFalse(never_seen_paid.payment_ids.status)
        self.assertFalse(self._prepare())

    def test_silence_after_the_deadline(self):
        batch = self._sent(3)
        paid, doubtful, silent = batch.payment_ids
        self.hub.tell(paid, PAID, remote_reference="r1")
        self.hub.tell(doubtful, SUSPECT, remote_reference="r2")
        self._pull(batch)
        self.assertEqual(len(self._exceptions(batch)), 1)
        self._deadline_passes(batch)
        for _time in range(2):
            self._pull(batch)
        self.assertEqual(
            [(one.type, one.payment_id) for one in self._exceptions(batch)],
            [("suspect", doubtful), ("silent", silent)],
        )
        self.hub.tell(silent, FAILED, reason="no")
        self._pull(batch)
        self.assertEqual((silent.status, silent.attention), ("failed", False), "the answer came after all")
        self.assertEqual(self._exceptions(batch)[1].decision, "settled")

    def test_word_that_ends_nothing_is_shown_after_the_deadline(self):
        batch = self._sent()
        self.hub.tell(batch.payment_ids, WAITING, remote_reference="r1", remote_status="DISPATCHED")
        self._pull(batch)
        self.assertFalse(self._exceptions(batch))
        self._deadline_passes(batch)
        self._pull(batch)
        one = self._exceptions(batch)
        self.assertEqual((one.type, one.their_word), ("silent", "DISPATCHED"))

    def test_silence_of_a_gateway_that_cannot_even_be_asked(self):
        """A key that was taken out, for example: the client is not made then."""
        batch = self._sent()
        self._deadline_passes(batch)
        lacks = UserError("The settings of the gateway cannot be used.")
        with patch.object(type(self.gateway), "_client", side_effect=lacks):
            self._pull(batch)
            self.assertEqual(self._exceptions(batch).type, "silent")
            self._pull(batch)
        self.assertIn("cannot be used", batch.submission_ids.poll_answer)

    def test_no_deadline(self):
        self.gateway.result_hours = 0
        batch = self._sent()
        self._deadline_passes(batch)
        self._pull(batch)
        self.assertFalse(self._exceptions(batch))

    @mute_logger("odoo.addons.g2p_payment_hub.models.payment_task")
    def test_a_message_that_cannot_be_sent_keeps_no_result_from_being_written_down(self):
        batch = self._sent(2)
        paid, doubtful = batch.payment_ids
        self.hub.tell(paid, PAID, remote_reference="r1")
        self.hub.tell(doubtful, SUSPECT, remote_reference="r2")
        with patch.object(type(batch), "activity_schedule", side_effect=ValueError):
            self._pull(batch)
        self.assertEqual((paid.status, self._exceptions(batch).payment_id), ("paid", doubtful))

    def test_nor_does_a_kind_of_activity_that_an_administrator_has_deleted(self):
        self.env.ref("g2p_payment_reconcile.activity_decide").unlink()
        batch, exceptions = self._doubtful()
        self._pull(batch)
        self._decide(exceptions, "declare_failed")
        self.assertEqual((batch.batch_state, batch.payment_ids.status), ("done", "failed"))
        self.assertFalse(batch.activity_ids, "or they would come up again and again, and never end")

    def test_one_activity_for_the_owner_until_all_is_decided(self):
        batch, exceptions = self._doubtful(2)
        for _time in range(2):
            self._pull(batch)
        activity = batch.activity_ids
        self.assertEqual((len(activity), activity.user_id), (1, self.finance_user))
        self._decide(exceptions[0], "declare_paid")
        self.assertEqual(batch.activity_ids, activity)
        self._decide(exceptions[1], "declare_failed")
        self.assertFalse(batch.activity_ids)
        self.assertEqual(batch.batch_state, "done")

    def test_the_page_offers_what_fits_all_of_them(self):
        _batch, exceptions = self._doubtful(2)
        wizard = self.env["g2p.payment.exception.decide.wizard"].with_user(self.first)
        wizard = wizard.new({"exception_ids": exceptions})
        self.assertEqual(wizard.possible, "Declare Paid, Declare Failed, Keep as It Is")
        self.assertEqual(wizard.next_step, exceptions[0].next_step)
        wizard.exception_ids |= self._late()[1]
        self.assertEqual(wizard.possible, "Declare Paid, Keep as It Is")

    def test_who_can_confirm_is_called_until_nothing_waits_for_them(self):
        batch, exceptions = self._doubtful(2)
        mine, theirs = exceptions
        people = self.first + self.second
        self._propose(mine, "declare_failed", user=self.first)
        self.assertEqual(batch._called(CONFIRM) & people, self.second, "nobody confirms what they decided")
        self._propose(theirs, "declare_failed", user=self.second)
        self.assertEqual(batch._called(CONFIRM) & people, people)
        self._undo(mine, "send_back", self.first)
        self.assertEqual(batch._called(CONFIRM) & people, self.first)
        theirs.with_user(self.first).action_confirm()
        self.assertFalse(batch._called(CONFIRM))
        self.assertTrue(batch._called(DECIDE))
