from decimal import Decimal
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.g2p_payment_hub.client.errors import OutcomeUnknown, Reason
from odoo.addons.g2p_payment_hub.client.outcomes import FailureType, Outcome

from .common import FAILED, PAID, SUSPECT, WAITING
from .common_evidence import EvidenceCase


@tagged("post_install", "-at_install")
class TestBehindADoubt(EvidenceCase):
    """What has paid, or may yet, is in front of the people who decide that something else did not."""

    def test_one_that_may_have_paid_beside_one_that_did(self):
        batch = self._sent()
        payment = batch.payment_ids
        self.hub.tell(payment, SUSPECT, remote_reference="r0", reason_code="TransactionExists")
        self.hub.tell(payment, PAID, remote_reference="r1")
        self._pull(batch)
        one = self._exceptions(batch)
        self.assertEqual((one.type, one.their_status, one.their_reference), ("twice", "paid", "r1"))
        self.assertIn("more than one payment", payment.attention)
        self._decide(one, "declare_paid")
        self._pull(batch)
        self.assertEqual((self._exceptions(batch), payment.status), (one, "paid"))

    def test_one_that_came_back_beside_one_that_paid_or_may_yet(self):
        for status in (PAID, WAITING):
            self.hub.told.clear()
            batch = self._sent()
            payment = batch.payment_ids
            self.hub.tell(payment, FAILED, remote_reference="r0", failure_type=FailureType.RETURNED)
            self.hub.tell(payment, status, remote_reference="r1")
            self._pull(batch)
            one = self._exceptions(batch)
            self.assertEqual((one.type, one.their_reference), ("twice", "r1"))
            with self.assertRaisesRegex(UserError, "Only a payment that is paid"):
                self._propose(one, "reverse")

    def test_the_same_one_is_a_doubt_that_ends_by_itself(self):
        batch = self._sent()
        self.hub.tell(batch.payment_ids, SUSPECT, remote_reference="r1")
        self.hub.tell(batch.payment_ids, PAID, remote_reference="r1")
        self._pull(batch)
        self.assertEqual(self._exceptions(batch).type, "suspect")
        self._say(batch.payment_ids, PAID, remote_reference="r1")
        self.assertEqual((batch.payment_ids.status, batch.batch_state), ("paid", "done"))


@tagged("post_install", "-at_install")
class TestWhatIsWrittenDown(EvidenceCase):
    def test_what_came_back_is_what_the_bank_says(self):
        batch = self._sent()
        self._say(batch.payment_ids, PAID, remote_reference="r1")
        values = {"amount": Decimal("97.50"), "failure_type": FailureType.RETURNED}
        self._say(batch.payment_ids, FAILED, remote_reference="r1", **values)
        self._decide(self._exceptions(batch), "reverse")
        payment = batch.payment_ids
        self.assertEqual((payment.status, payment.amount_paid), ("failed", 0))
        self.assertEqual(payment.returned_amount, 97.5, "the bank kept its fee")

    def test_what_came_back_in_another_currency(self):
        batch = self._sent()
        self._say(batch.payment_ids, PAID, remote_reference="r1")
        values = {"amount": Decimal(90), "currency": "EUR", "failure_type": FailureType.RETURNED}
        self._say(batch.payment_ids, FAILED, remote_reference="r1", **values)
        self._decide(self._exceptions(batch), "reverse")
        self.assertEqual(batch.payment_ids.returned_amount, 100)

    def test_what_was_taken_out_and_was_paid_all_the_same_stands_in_the_statement(self):
        """In no other, and it adds nothing to what was approved."""
        other = self._sent()
        batch, aside = self._aside()
        told = {"amount": Decimal(100), "currency": "USD", "remote_reference": "r1"}
        self.hub.told = [Outcome(reference=aside.name, status=PAID, **told)]
        self._pull(other)
        self._decide(aside.exception_ids, "declare_paid")
        _facts, totals, *_others, payments = batch.with_user(self.first)._statement()
        approved = {row[0]: row[1:4] for row in totals.rows}
        self.assertEqual(approved["All"], [1, Decimal("100.00"), Decimal("0.00")])
        self.assertEqual(
            approved["Taken out of the batch before it was sent"], [1, Decimal("100.00"), Decimal("100.00")]
        )
        self.assertIn(aside.name, [row[0] for row in payments.rows])
        _facts, totals, *_others = other.with_user(self.first)._statement()
        self.assertEqual(totals.rows[-1][0], "All")

    def test_a_link_is_no_evidence(self):
        """What it leads to can change, and the audit trail has no fingerprint of it."""
        _batch, one = self._doubtful()
        link = {"name": "Letter", "type": "url", "url": "https://bank.example/letter"}
        for values in (link, {"name": "Letter", "raw": b""}):
            letter = self.env["ir.attachment"].with_user(self.first).create(values)
            with self.assertRaisesRegex(UserError, "nothing in one of these files"):
                self._propose(one, "declare_paid", files=letter)
        self.assertEqual(one.state, "open")

    def test_what_turns_out_not_to_be_paid_can_be_corrected(self):
        batch = self._sent()
        self._say(batch.payment_ids, PAID, remote_reference="r1")
        self._say(batch.payment_ids, SUSPECT, remote_reference="r1", reason_code="transactionFailed")
        self._decide(self._exceptions(batch), "reverse")
        self.assertEqual((batch.payment_ids.status, batch.payment_ids.attention), ("failed", False))
        self.assertTrue(self._prepare())

    def test_what_was_never_sent_and_is_declared_failed_counts_as_sent_nowhere(self):
        batch = self._prepared(1)
        self._apply(self._read(self._row(batch.payment_ids)))
        self._decide(batch.payment_ids.exception_ids, "declare_failed")
        self.assertEqual((batch.payment_ids.state, batch.payment_ids.status), ("issued", "failed"))
        self.assertEqual((batch.stats_sent_transactions, batch.stats_failed_transactions), (0, 1))

    def test_only_what_is_paid_is_reversed(self):
        batch, one = self._doubtful()
        with self.assertRaisesRegex(UserError, "Only a payment that is paid"):
            self._propose(one, "reverse")


@tagged("post_install", "-at_install")
class TestTakenBackLater(EvidenceCase):
    """A decision is taken back when the batch has gone on."""

    def _shown_as_paid(self, batch):
        """A statement names a payment that was not sent, as far as is known; two people believe it."""
        self._apply(self._read(self._row(batch.payment_ids)))
        one = batch.payment_ids.exception_ids
        self._decide(one, "declare_paid")
        self.assertEqual(batch.payment_ids.status, "paid")
        return one

    def test_after_its_batch_was_cancelled(self):
        batch = self._prepared(1)
        payment = batch.payment_ids
        one = self._shown_as_paid(batch)
        batch.with_user(self.manager_user).action_cancel()
        self._undo(one, "take_back", self.third)
        self.assertEqual((payment.status, payment.failure_type), ("failed", "not_sent"))
        self.assertFalse(self._prepare(), "the exception is open again")
        self._decide(one, "keep_as_is")
        self.assertEqual(self._prepare().payment_ids.entitlement_id, payment.entitlement_id)
        self.assertEqual(self.env["g2p.payment.event"]._first_broken(batch), 0)

    def test_after_it_was_set_aside(self):
        batch = self._prepared(1)
        payment = batch.payment_ids
        one = self._shown_as_paid(batch)
        batch.with_user(self.manager_user).action_back_to_draft()
        batch.with_user(self.manager_user).action_set_problems_aside()
        self.assertEqual((payment.batch_id.id, payment.status), (False, "paid"))
        self._undo(one, "take_back", self.third)
        self.assertEqual((payment.status, payment.failure_type), ("failed", "not_sent"))
        self.assertEqual(payment.event_ids.sorted("id")[-1].to_state, "failed")

    def test_after_its_batch_turned_out_to_have_arrived(self):
        self.hub.lose_reply = OutcomeUnknown(Reason.TIMEOUT)
        batch = self._sent()
        self.hub.lose_reply = None
        self.assertEqual(batch.batch_state, "unknown")
        payment = batch.payment_ids
        one = self._shown_as_paid(batch)
        batch.submission_ids._look_up()
        self.assertEqual(batch.batch_state, "sent")
        self._undo(one, "take_back", self.third)
        self.assertEqual((payment.state, payment.status), ("sent", False))

    def test_the_later_decision_first_whatever_trail_it_stands_in(self):
        """One that was set aside stands in no batch: its decisions stand where it stood."""
        first = self._sent()
        second, aside = self._aside()
        for _time in range(15):
            first._record([{"from_state": "sent", "to_state": "sent", "why": "a long story"}])
        row = {"reference": aside.name, "amount": Decimal(100), "currency": "USD", "remote_reference": "r1"}
        self.hub.told = [Outcome(status=PAID, **row)]
        self._pull(first)
        paid = aside.exception_ids
        self._decide(paid, "declare_paid")
        self._apply(self._read(self._row(aside, "Returned", tx="b1")))
        back = aside.exception_ids - paid
        self.assertEqual((paid.batch_id, back.batch_id, back.type), (second, second, "returned"))
        self._decide(back, "reverse")
        self.assertEqual(back.event_id.to_state, "failed")
        with self.assertRaisesRegex(UserError, "Take that decision back first"):
            self._undo(paid, "take_back", self.third)


@tagged("post_install", "-at_install")
class TestNotForgotten(EvidenceCase):
    def test_the_deadline_comes_also_when_nobody_can_be_asked(self):
        """As when the gateway's keys are gone after a backup was restored."""
        batch = self._sent()
        self._deadline_passes(batch)
        why = UserError("The settings of the gateway cannot be used.")
        with patch.object(type(self.gateway), "_client", side_effect=why):
            for _time in range(2):
                self._pull(batch)
        self.assertEqual(self._exceptions(batch).type, "silent")
        self.assertIn("cannot be used", batch.poll_answer)

    def test_the_deadline_comes_also_when_asking_fails_here(self):
        batch = self._sent()
        self._deadline_passes(batch)
        fault = patch.object(type(self.gateway), "_outcomes", side_effect=KeyError("x"))
        with fault, mute_logger("odoo.addons.g2p_payment_reconcile.models.payment_submission"):
            for _time in range(2):
                self._pull(batch)
        self.assertEqual(self._exceptions(batch).type, "silent")
        self.assertIn("an error of this server: KeyError", batch.poll_answer)

    def test_where_the_payment_system_is_gone_people_decide_at_once(self):
        batch = self._sent()
        self.gateway.sudo().result_hours = 0
        self._say(batch.payment_ids, WAITING)
        self.assertFalse(self._exceptions(batch))
        self.gateway.sudo().state = "disabled"
        self.gateway.with_user(self.first)._declare_gone("Switched off on 3 March")
        self.gateway.with_user(self.second).action_confirm_gone()
        for _time in range(2):
            self._say(batch.payment_ids, WAITING)
        one = self._exceptions(batch)
        self.assertEqual(one.type, "silent")
        self.assertIn("gone for good", batch.payment_ids.attention)
        self._decide(one, "declare_failed")
        self.assertEqual(batch.batch_state, "done")

    def test_who_goes_on_waiting_is_called_once_more_after_as_long_a_time(self):
        batch = self._sent()
        self._deadline_passes(batch)
        self._say(batch.payment_ids, WAITING)
        first = self._exceptions(batch)
        self._propose(first, "keep_as_is", "The operator is looking into it")
        self._say(batch.payment_ids, WAITING)
        self.assertEqual((self._exceptions(batch), batch.payment_ids.attention), (first, False))
        self._sql(
            "UPDATE g2p_payment_exception SET decided_at = decided_at - interval '73 hours' WHERE id = %s",
            first.id,
        )
        for _time in range(2):
            self._say(batch.payment_ids, WAITING)
        second = self._exceptions(batch) - first
        self.assertEqual((second.type, second.state, first.state), ("silent", "open", "closed"))
        self.assertTrue(batch.payment_ids.attention)


@tagged("post_install", "-at_install")
class TestSaidAgain(EvidenceCase):
    """One transaction that is paid, comes back and is paid once more, under one number."""

    def _paid_and_reversed(self):
        """A payment that failed, was paid after all, and came back, with a decision of people each time."""
        batch, late = self._late()
        self._decide(late, "declare_paid")
        self._returns(batch.payment_ids)
        self._decide(self._exceptions(batch) - late, "reverse")
        self.assertEqual((batch.payment_ids.status, batch.batch_state), ("failed", "done"))
        return batch, self._exceptions(batch)

    def _returns(self, payment):
        self._say(payment, FAILED, remote_reference="r1", failure_type=FailureType.RETURNED)

    def test_paid_once_more_is_decided_before_it_is_issued_again(self):
        batch, before = self._paid_and_reversed()
        for _time in range(2):
            self._say(batch.payment_ids, PAID, remote_reference="r1")
        again = self._exceptions(batch) - before
        self.assertEqual((again.type, again.state, batch.batch_state), ("late", "open", "sent"))
        self.assertFalse(self._prepare())
        self._decide(again, "declare_paid")
        self.assertEqual((batch.payment_ids.status, batch.batch_state), ("paid", "done"))
        self._returns(batch.payment_ids)
        self.assertEqual((self._exceptions(batch) - before - again).type, "returned")

    def test_who_only_repeats_its_word_is_not_decided_about_again(self):
        """The bank says that it came back; the payment system never learns of it."""
        batch = self._sent()
        payment = batch.payment_ids
        self._say(payment, FAILED, remote_reference="r1", reason="No such payee")
        self._say(payment, PAID, remote_reference="r1")
        self._decide(self._exceptions(batch), "declare_paid")
        self._apply(self._read(self._row(payment, "Returned", tx="b1")))
        self._decide(self._exceptions(batch).filtered(lambda one: one.state == "open"), "reverse")
        before = self._exceptions(batch)
        for _time in range(2):
            self._say(payment, PAID, remote_reference="r1")
        self.assertEqual((self._exceptions(batch), payment.attention), (before, False))

    def test_an_answer_that_broke_off_takes_nothing_back(self):
        batch, before = self._paid_and_reversed()
        self.hub.breaks_off = OutcomeUnknown(Reason.TIMEOUT)
        self._say(batch.payment_ids, PAID, remote_reference="r1")
        self.hub.breaks_off = None
        self._returns(batch.payment_ids)
        self.assertEqual(self._exceptions(batch), before)
