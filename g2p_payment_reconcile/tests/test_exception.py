from datetime import datetime, timezone
from decimal import Decimal
from unittest.mock import patch

from psycopg2.errors import CheckViolation

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.g2p_payment_hub.client.outcomes import FailureType, Outcome
from odoo.addons.queue_job.tests.common import trap_jobs

from ..models.payment_batch_task import CONFIRM, DECIDE
from .common import EXCEPTION, FAILED, PAID, SUSPECT, WAITING, DecisionCase


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

    def test_several_about_one_payment_are_decided_alike_at_once(self):
        for decision in ("declare_failed", "declare_paid"):
            with self.subTest(decision):
                batch, one = self._doubtful()
                payment = batch.payment_ids
                self._say(payment, SUSPECT, remote_reference="r2")
                both = self._exceptions(batch)
                self._decide(both, decision)
                self.assertEqual(set(both.mapped("state")), {"closed"})
                status = decision.removeprefix("declare_")
                self.assertEqual((payment.status, payment.attention, batch.batch_state), (status, False, "done"))
                moved, noted = both.sorted(lambda one: not one.payment_before)
                self.assertFalse(noted.payment_before, "the result moved once")
                self._undo(moved, "take_back", self.first)
                self.assertEqual((payment.status, batch.batch_state), (False, "sent"))
                self.assertEqual(payment.attention, moved.summary)

    def test_several_about_one_payment_are_not_decided_against_each_other(self):
        batch, one = self._doubtful()
        payment = batch.payment_ids
        self._say(payment, SUSPECT, remote_reference="r2")
        other = self._exceptions(batch) - one
        self._propose(one, "declare_paid", files=self._letter())
        with self.assertRaisesRegex(UserError, "waits for a second person: Declare Paid"):
            self._propose(other, "declare_failed")
        one.with_user(self.second).action_confirm()
        # Whoever has it in front as it is by now may correct it.
        self._decide(other, "declare_failed")
        self.assertEqual(payment.status, "failed")

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

    def test_the_programs_journal_is_in_another_currency_by_now(self):
        """What was prepared and paid stays in its own, to the cent."""
        batch, one = self._other_money()
        payment = batch.payment_ids
        yen = self.env.ref("base.JPY")
        self.assertEqual(yen.decimal_places, 0)
        self.program.journal_id.currency_id = yen
        self._decide(one, "accept_difference")
        self.assertEqual((payment.amount_paid, payment.currency_id.name), (99.5, "USD"))
        self.assertEqual(batch.stats_paid_amount, 99.5)
        other = self._payment_of_another_manager(self._entitle()[0])
        self.assertEqual(other.currency_id.name, "JPY")

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
