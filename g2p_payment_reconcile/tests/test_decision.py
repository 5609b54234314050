from decimal import Decimal

from psycopg2.errors import CheckViolation

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.g2p_payment_hub.client.outcomes import FailureType, Outcome

from .common import EXCEPTION, FAILED, PAID, DecisionCase


@tagged("post_install", "-at_install")
class TestDecisions(DecisionCase):
    """Only people move what is final, two of them, and it can be taken back."""

    def test_declared_paid_with_evidence(self):
        batch, one = self._doubtful()
        payment = batch.payment_ids
        with self.assertRaisesRegex(UserError, "Attach the evidence"):
            self._propose(one, "declare_paid")
        self._propose(one, "declare_paid", files=self._letter())
        self.assertEqual(
            (one.state, payment.status, one.payment_id.attention), ("proposed", False, one.summary)
        )
        one.with_user(self.second).action_confirm()
        self.assertEqual(
            (payment.state, payment.status, payment.status_is_final), ("reconciled", "paid", True)
        )
        self.assertEqual((payment.amount_paid, payment.attention), (100, False))
        self.assertEqual(
            (one.state, one.proposed_by_id, one.confirmed_by_id), ("closed", self.first, self.second)
        )
        event = payment.event_ids.sorted("number")[-1]
        self.assertEqual((event.from_state, event.to_state, event.user_id), ("sent", "paid", self.second))
        self.assertIn("Letter of the bank of 3 March", event.why)
        self.assertTrue(event.digest, "of the evidence")
        self.assertEqual(batch.batch_state, "done")
        self.assertEqual((batch.stats_paid_transactions, batch.stats_paid_amount), (1, 100))

    def test_a_reason_is_needed(self):
        _batch, one = self._doubtful()
        with self.assertRaisesRegex(UserError, "Give a reason"):
            self._propose(one, "declare_failed", "  ")

    def test_nobody_confirms_what_they_decided(self):
        batch, one = self._doubtful()
        self._propose(one, "declare_failed")
        with self.assertRaisesRegex(UserError, "another finance validator"):
            one.with_user(self.first).action_confirm()
        self.assertIn("another finance validator", one.with_user(self.first).confirm_blocked_reason)
        self.assertFalse(one.with_user(self.second).confirm_blocked_reason)
        self.assertFalse(batch.payment_ids.status)

    @mute_logger("odoo.sql_db")
    def test_postgresql_asks_for_two_people_as_well(self):
        _batch, one = self._doubtful()
        self._propose(one, "declare_failed")
        for confirmed in (self.first.id, None):
            with self.assertRaises(CheckViolation), self.env.cr.savepoint():
                self._sql(
                    "UPDATE g2p_payment_exception SET state = 'closed', confirmed_by_id = %s WHERE id = %s",
                    confirmed,
                    one.id,
                )

    def test_the_superuser_is_nobody(self):
        _batch, one = self._doubtful()
        with self.assertRaisesRegex(AccessError, "superuser"):
            one._propose("keep_as_is", "because")

    def test_sent_back_changes_nothing(self):
        batch, one = self._doubtful()
        before = batch.payment_ids.read()
        self._propose(one, "declare_failed")
        with self.assertRaisesRegex(UserError, "Give a reason"):
            self._undo(one, "send_back", self.second, reason=" ")
        self._undo(one, "send_back", self.second, reason="The letter is of March")
        self.assertIn("The letter is of March", batch.event_ids[0].why)
        self.assertEqual((one.state, one.decision, one.proposed_by_id.id), ("open", False, False))
        self.assertEqual(
            [{**row, "event_ids": 0, "write_date": 0} for row in batch.payment_ids.read()],
            [{**row, "event_ids": 0, "write_date": 0} for row in before],
        )

    def test_declared_failed_it_is_paid_again_and_a_late_paid_stops_that(self):
        batch, one = self._doubtful()
        payment = batch.payment_ids
        self._decide(one, "declare_failed")
        self.assertEqual(
            (payment.status, payment.failure_type, payment.attention), ("failed", "declared", False)
        )
        again = self._prepare()
        self.assertEqual(again.payment_ids.entitlement_id, payment.entitlement_id)
        self._approve(again)
        self._say(payment, PAID, remote_reference="r1")
        late = self._exceptions(batch) - one
        self.assertEqual((late.type, late.state, payment.status), ("late", "open", "failed"))
        uploads = self.hub.uploads
        self._send(again)
        self.assertEqual((self.hub.uploads, again.batch_state), (uploads, "approved"))
        self.assertIn("may have been paid already", again.check_result)
        with self.assertRaisesRegex(UserError, "prepared again"), self.env.cr.savepoint():
            self._decide(late, "declare_paid")
        again.with_user(self.manager_user).action_back_to_draft()
        again.with_user(self.manager_user).action_cancel()
        self._decide(late, "declare_paid")
        self.assertEqual((payment.status, payment.amount_paid, payment.attention), ("paid", 100, False))
        self.assertFalse(self._prepare())

    def test_what_people_decided_with_both_words_in_front_is_no_news(self):
        """First failed, then paid by another transfer; the payment system goes on listing both."""
        batch = self._sent()
        payment = batch.payment_ids
        self._say(payment, FAILED, remote_reference="r1", reason="no")
        self.hub.tell(payment, PAID, remote_reference="r2")
        self._pull(batch)
        one = self._exceptions(batch)
        self.assertEqual(one.type, "late")
        self._decide(one, "declare_paid")
        self._pull(batch)
        self.assertEqual(self._exceptions(batch), one)
        self.assertEqual((payment.status, payment.attention, batch.batch_state), ("paid", False, "done"))

    def test_a_reversal_that_the_payment_system_takes_back_is_news(self):
        batch, one = self._returned()
        self._decide(one, "reverse")
        self._say(batch.payment_ids, PAID, remote_reference="r1")
        self.assertEqual(self._exceptions(batch).mapped("type"), ["returned", "late"])
        self.assertFalse(self._prepare())

    def test_accepted_difference(self):
        batch, one = self._other_money()
        self._decide(one, "accept_difference")
        payment = batch.payment_ids
        self.assertEqual((payment.status, payment.amount_paid, payment.attention), ("paid", 99.5, False))
        self.assertEqual(batch.stats_paid_amount, 99.5)
        batch = self._sent()
        self._say(batch.payment_ids, PAID, remote_reference="r1", currency="EUR")
        with self.assertRaisesRegex(UserError, "no amount in the approved currency"):
            self._decide(self._exceptions(batch), "accept_difference")

    def test_reversed(self):
        batch, one = self._returned()
        payment = batch.payment_ids
        self._decide(one, "reverse")
        self.assertEqual((payment.status, payment.failure_type), ("failed", "returned"))
        self.assertEqual((payment.amount_paid, payment.returned_amount), (0, 100))
        self.assertTrue(payment.returned_at)
        self.assertEqual((batch.stats_paid_transactions, batch.stats_failed_transactions), (0, 1))
        self.assertEqual(self._prepare().payment_ids.entitlement_id, payment.entitlement_id)

    def test_to_keep_a_failure_against_a_paid_takes_two(self):
        """Because it can be paid again from then on."""
        batch, one = self._late()
        self._propose(one, "keep_as_is")
        self.assertEqual((one.state, bool(batch.payment_ids.attention)), ("proposed", True))
        self.assertFalse(self._prepare())
        one.with_user(self.second).action_confirm()
        self.assertEqual((batch.payment_ids.status, batch.payment_ids.attention), ("failed", False))
        self.assertTrue(self._prepare())

    def test_to_keep_what_is_paid_takes_one(self):
        batch, one = self._returned()
        self._propose(one, "keep_as_is", "It came back by mistake, and was paid in cash")
        self.assertEqual((one.state, batch.payment_ids.status, batch.batch_state), ("closed", "paid", "done"))

    def test_what_does_not_fit_the_payment_is_refused(self):
        _batch, late = self._late()
        for decision, why in (
            ("declare_failed", "cannot be decided"),
            ("reverse", "Only a payment that is paid"),
        ):
            with self.assertRaisesRegex(UserError, why):
                self._propose(late, decision)
        batch = self._sent()
        self.hub.told.append(Outcome(reference="x", status=PAID, amount=Decimal(1), currency="USD"))
        self._pull(batch)
        with self.assertRaisesRegex(UserError, "no payment of ours"):
            self._propose(self._exceptions(batch), "declare_failed")

    def test_taken_back_by_another(self):
        batch, one = self._doubtful()
        payment = batch.payment_ids
        names = ["state", "status", "status_is_final", "amount_paid", "payment_datetime", "failure_type"]
        before = payment.read(names)
        self._decide(one, "declare_paid")
        with self.assertRaisesRegex(UserError, "another finance validator must take it back"):
            self._undo(one, "take_back", self.second)
        self._undo(one, "take_back", self.third)
        self.assertEqual(payment.read(names), before)
        self.assertEqual((one.state, one.taken_back_by_id), ("open", self.third))
        self.assertEqual(payment.attention, one.summary)
        self.assertEqual((batch.batch_state, batch.stats_paid_transactions), ("sent", 0))
        event = payment.event_ids.sorted("number")[-1]
        self.assertEqual((event.from_state, event.to_state, event.user_id), ("paid", "sent", self.third))
        self.assertIn("Taken back: It was another batch's letter (Declare Paid", event.why)
        self._decide(one, "declare_failed")
        self.assertEqual(payment.status, "failed")
        verdict = batch.with_user(self.first).action_verify_events()
        self.assertEqual(verdict["params"]["type"], "success")

    def test_not_taken_back_when_it_was_prepared_again(self):
        _batch, one = self._doubtful()
        self._decide(one, "declare_failed")
        self._prepare()
        with self.assertRaisesRegex(UserError, "prepared again"):
            self._undo(one, "take_back", self.third)

    def test_the_later_decision_is_taken_back_first(self):
        batch, late = self._late()
        self._decide(late, "declare_paid")
        self._say(batch.payment_ids, FAILED, remote_reference="r9", failure_type=FailureType.RETURNED)
        returned = self._exceptions(batch) - late
        self._decide(returned, "reverse")
        with self.assertRaisesRegex(UserError, "Take that decision back first"):
            self._undo(late, "take_back", self.third)
        self._undo(returned, "take_back", self.third)
        self.assertEqual(batch.payment_ids.status, "paid")
        self._undo(late, "take_back", self.third)
        self.assertEqual(batch.payment_ids.status, "failed")

    def test_nobody_takes_files_of_others_for_evidence(self):
        _batch, one = self._doubtful()
        private = self._letter(self.second)
        with self.assertRaises(AccessError):
            self._propose(one, "declare_paid", files=private)

    def test_evidence_stays_as_it_was_seen(self):
        _batch, one = self._doubtful()
        letter = self._letter()
        self._propose(one, "declare_paid", files=letter)
        letter.with_user(self.first).raw = b"Another letter"
        self.assertEqual(one.with_user(self.second).attachment_ids.raw, b"The bank's letter")
        for act in (
            lambda kept: kept.write({"raw": b"Another letter"}),
            lambda kept: kept.unlink(),
        ):
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                act(one.with_user(self.first).attachment_ids)

    def test_exceptions_are_written_by_nobody(self):
        _batch, one = self._doubtful()
        for user in (self.first, self.manager_user, self.env.ref("base.user_admin")):
            forged = one.with_user(user).with_context(su=True)
            for act in (
                lambda forged=forged: forged.write({"state": "closed", "decision": "keep_as_is"}),
                lambda forged=forged: forged.create({"type": "silent", "summary": "forged"}),
                lambda forged=forged: forged.copy(),
            ):
                with self.assertRaises(AccessError), self.env.cr.savepoint():
                    act()
            with self.assertRaises(UserError), self.env.cr.savepoint():
                forged.unlink()
        with self.assertRaises(UserError):
            self.env[EXCEPTION].browse(one.id).unlink()


@tagged("post_install", "-at_install")
class TestSetAside(DecisionCase):
    def test_one_that_stands_in_no_batch_any_more_is_decided_as_well(self):
        """It was set aside before it was sent, as far as is known here, and a bank says that it was paid."""
        batch, aside = self._aside()
        row = {"type": "stranger", "summary": "paid", "gateway_id": self.gateway.id, "payment_id": aside.id}
        one = self.env[EXCEPTION].sudo()._raise([row])
        self._decide(one, "declare_paid")
        self.assertEqual((aside.status, one.state), ("paid", "closed"))
        self.assertEqual(aside.event_ids[0].batch_id, batch)
        self.assertFalse(self.env["g2p.payment.event"]._first_broken(batch))
        self._undo(one, "take_back", self.first)
        self.assertEqual((aside.status, one.state), ("failed", "open"))
