from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.g2p_payment_hub.client.errors import OutcomeUnknown, Reason
from odoo.addons.g2p_payment_hub.client.outcomes import OutcomeStatus

from ..client import paying
from ..client.connector import Connector
from ..client.ids import transfer_ids
from ..models import payment_submission
from .common import TIMEOUT
from .common_paying import FIRST, PayingCase
from .flows import TwoPhaseScheme


class DecisionCase(PayingCase):
    def _declare(self, payments, status):
        """What two people do where reconciliation is installed; without a status they take it back."""
        self._result(payments, status, state="reconciled" if status else "sent")
        payments._heed_decision()

    def _waiting(self):
        """The payee could not be looked up so far."""
        self.scheme.faults[FIRST, "lookup"] = TIMEOUT
        batch = self._paid()
        del self.scheme.faults[FIRST, "lookup"]
        return batch

    def _unknown(self):
        """The transfer has left, and never arrived."""
        self.scheme.faults[FIRST, "transfer"] = OutcomeUnknown(Reason.TIMEOUT)
        batch = self._paid()
        del self.scheme.faults[FIRST, "transfer"]
        return batch

    def _suspect(self):
        self.scheme.wrong_fulfilment.add(FIRST)
        return self._paid()

    def _decided_during(self, work, status):
        """A batch that is paid, and decided when a worker has done `work` (a step of paying) and has not yet
        written it down."""
        batch = self._approved()
        self._send(batch)
        original = getattr(paying, work)

        def step(connector, task):
            result = original(connector, task)
            self._declare(batch.payment_ids, status)
            return result

        with patch.object(payment_submission.paying, work, step):
            self._pay(batch)
        return batch

    def _told_again(self, batch):
        """What whoever reconciles is told of a batch that has no open payments."""
        pages = self.gateway._outcomes(batch.submission_ids, [])
        return [one.status for page in pages for one in page]


@tagged("post_install", "-at_install")
class TestDecision(DecisionCase):
    def _assert_left_alone(self, batch):
        """Neither asked, begun nor sent, whatever people decided."""
        transfer = self._transfers(batch)
        for status in ("failed", "paid"):
            self._declare(batch.payment_ids, status)
            said = len(self.scheme.requests)
            self._hurry(batch)
            self.assertFalse(self.env["g2p.payment.submission"]._due_submissions())
            self._pay(batch)
            self.assertEqual(self.scheme.requests[said:], [])
            self.assertEqual(transfer.decided, status)
            self.assertEqual(self._told_again(batch), [])

    def test_waiting(self):
        self._assert_left_alone(self._waiting())

    def test_unknown(self):
        self._assert_left_alone(self._unknown())

    def test_suspect(self):
        self._assert_left_alone(self._suspect())

    def test_the_others_go_on(self):
        for number in range(2):
            self.scheme.faults[f"2771380000{number}", "lookup"] = TIMEOUT
        batch = self._paid(2)
        self.scheme.faults.clear()
        first = batch.payment_ids.filtered(lambda one: one.account_number == FIRST)
        self._declare(first, "failed")
        self._pay(batch)
        self.assertEqual(self.scheme.paid(), [("27713800001", "100")])

    def _assert_goes_on(self, batch):
        """When the decision is taken back."""
        transfer = self._transfers(batch)
        self._declare(batch.payment_ids, "failed")
        self._declare(batch.payment_ids, False)
        self.assertFalse(transfer.decided)
        self._pay(batch)
        self.assertEqual(transfer.state, "committed")

    def test_waiting_and_taken_back(self):
        self._assert_goes_on(self._waiting())

    def test_unknown_and_taken_back(self):
        self._assert_goes_on(self._unknown())

    def test_decided_while_it_is_looked_up_nothing_leaves(self):
        batch = self._decided_during("begin", "failed")
        self.assertEqual(self.scheme.posts, [])
        self.assertEqual(self._transfers(batch).state, "waiting")

    def test_decided_while_the_batch_is_on_its_way_it_is_not_begun(self):
        batch = self._approved()
        original = Connector.reach

        def reach(connector):
            self._declare(batch.payment_ids, "paid")
            return original(connector)

        with patch.object(Connector, "reach", reach):
            self._send(batch)
        self.assertEqual(batch.batch_state, "sent")
        self._pay(batch)
        self.assertEqual((self._transfers(batch).decided, self.scheme.posts), ("paid", []))

    def test_decided_while_it_leaves_the_truth_is_written_down_and_told(self):
        batch = self._decided_during("transfer", "failed")
        self.assertEqual(self._transfers(batch).state, "committed")
        self.assertEqual(self._told_again(batch), [OutcomeStatus.PAID])

    def test_what_agrees_with_the_decision_is_not_told_again(self):
        batch = self._decided_during("transfer", "paid")
        self.assertEqual(self._transfers(batch).state, "committed")
        self.assertEqual(self._told_again(batch), [])

    def test_decided_while_it_is_asked_for_it_is_not_tried_under_another_id(self):
        self.scheme.faults[FIRST, "transfer"] = "5001"
        batch = self._decided_during("ask", "paid")
        self.scheme.faults.clear()
        self._pay(batch)
        transfer = self._transfers(batch)
        self.assertEqual((transfer.attempt, transfer.state), (1, "unknown"))
        self.assertFalse(self.scheme.ledger)

    def test_the_address_may_change_again(self):
        self._declare(self._suspect().payment_ids, "paid")
        self.gateway.mojaloop_url = "http://127.0.0.1:4002"

    def test_the_batch_counts_it_no_more(self):
        batch = self._unknown()
        self.assertEqual(batch.mojaloop_unsettled_count, 1)
        self._declare(batch.payment_ids, "failed")
        batch.invalidate_recordset()
        self.assertEqual((batch.mojaloop_unsettled_count, batch.mojaloop_transfer_count), (0, 1))


class PaidAgainCase(DecisionCase):
    def _again(self, batch):
        """Declared failed, prepared and sent again; the new batch."""
        self._declare(batch.payment_ids, "failed")
        again = self._prepare()
        self._approve(again)
        self._send(again)
        return again

    def _reserved(self):
        self.scheme.faults[FIRST, "state"] = "RESERVED"
        batch = self._paid()
        del self.scheme.faults[FIRST, "state"]
        self._is_over(batch)
        return batch

    def _is_over(self, batch):
        self._sql(
            "UPDATE g2p_mojaloop_transfer SET expires_at = now() at time zone 'utc' - interval '1 hour'"
            " WHERE batch_id = %s",
            batch.id,
        )

    def _assert_not_sent(self, again, why):
        self.assertEqual(again.batch_state, "approved")
        self.assertIn(why, again.last_answer)
        self.assertFalse(self._transfers(again))


@tagged("post_install", "-at_install")
class TestPaidAgain(PaidAgainCase):
    """An entitlement whose payment was declared failed is paid again when the scheme has ended that."""

    def test_the_scheme_has_paid_it_meanwhile(self):
        batch = self._reserved()
        self.scheme.commit(self._transfers(batch).transfer_id)
        self._assert_not_sent(self._again(batch), "take that decision back")
        self.assertEqual(self.scheme.paid(), [(FIRST, "100")])

    def test_the_scheme_may_still_pay_it(self):
        self._assert_not_sent(self._again(self._reserved()), "is not over at the scheme")

    def test_the_scheme_has_aborted_it(self):
        batch = self._reserved()
        self.scheme.states[self._transfers(batch).transfer_id] = "ABORTED"
        again = self._again(batch)
        self._pay(again)
        self.assertEqual((again.batch_state, self._transfers(again).state), ("sent", "committed"))
        self.assertEqual(self.scheme.paid(), [(FIRST, "100")])

    def _assert_paid_again_after(self, code):
        """The scheme, asked for what was declared failed, says why it has ended it."""
        batch = self._reserved()
        self.scheme.faults[FIRST, "ask"] = code
        again = self._again(batch)
        self.assertEqual(again.batch_state, "sent", again.last_answer)
        self._pay(again)
        self.assertEqual(self.scheme.paid(), [(FIRST, "100")])

    def test_the_scheme_has_refused_it_for_good(self):
        self._assert_paid_again_after("5104")

    def test_the_scheme_has_refused_it_because_we_lacked_money(self):
        self._assert_paid_again_after("4001")

    def test_the_scheme_has_refused_it_because_the_payees_institution_lacked_money(self):
        self._assert_paid_again_after("5001")

    def test_a_later_attempt_that_a_restored_backup_has_forgotten_may_still_pay_it(self):
        batch = self._reserved()
        first = self._transfers(batch)
        self.scheme.states[first.transfer_id] = "ABORTED"
        second = transfer_ids(first.payment_id.name, 2).transfer_id
        self.scheme.states[second] = "RESERVED"
        self._assert_not_sent(self._again(batch), f"its transfer {second} may have paid")

    def test_also_where_the_scheme_refused_the_first_one_without_keeping_it(self):
        batch = self._reserved()
        first = self._transfers(batch)
        del self.scheme.states[first.transfer_id]
        second = transfer_ids(first.payment_id.name, 2).transfer_id
        self.scheme.states[second] = "RESERVED"
        self._assert_not_sent(self._again(batch), f"its transfer {second} may have paid")

    def test_through_another_gateway(self):
        batch = self._reserved()
        self.scheme.commit(self._transfers(batch).transfer_id)
        self.manager.gateway_id = self._mojaloop(name="Another Switch")
        self._assert_not_sent(self._again(batch), "take that decision back")

    def test_through_another_gateway_while_the_first_cannot_be_asked(self):
        batch = self._reserved()
        self.manager.gateway_id = self._mojaloop(name="Another Switch")
        self._sql("UPDATE g2p_payment_gateway SET mojaloop_dfsp_id = NULL WHERE id = %s", self.gateway.id)
        self._assert_not_sent(self._again(batch), "lacks: DFSP ID")

    def test_the_first_one_is_asked_also_when_it_sends_nothing_any_more(self):
        batch = self._reserved()
        self.manager.gateway_id = self._mojaloop(name="Another Switch")
        self.gateway.state = "disabled"
        again = self._again(batch)
        self._assert_not_sent(again, "is not over at the scheme")
        self.scheme.states[self._transfers(batch).transfer_id] = "ABORTED"
        self._send(again)
        self.assertEqual(again.batch_state, "sent")

    def _gone(self):
        """What two people decide about the first gateway."""
        self.manager.gateway_id = self._mojaloop(name="Another Switch")
        self.gateway.state = "disabled"
        people = {"gone_declared_by_id": self.finance_user.id, "gone_confirmed_by_id": self.manager_user.id}
        self.gateway.sudo().write(people)

    def test_through_another_gateway_when_the_first_is_gone_for_good(self):
        batch = self._reserved()
        self._gone()
        self.scheme.faults[FIRST, "ask"] = TIMEOUT
        again = self._again(batch)
        self.assertEqual(again.batch_state, "sent", again.last_answer)

    def test_what_the_first_says_counts_though_it_was_declared_gone(self):
        batch = self._reserved()
        self.scheme.commit(self._transfers(batch).transfer_id)
        self._gone()
        self._assert_not_sent(self._again(batch), "take that decision back")

    def test_through_another_gateway_what_never_left(self):
        batch = self._waiting()
        self.manager.gateway_id = self._mojaloop(name="Another Switch")
        self.gateway.state = "disabled"
        self.assertEqual(self._again(batch).batch_state, "sent")

    def test_the_address_stays_until_it_is_paid_again(self):
        batch = self._unknown()
        self._declare(batch.payment_ids, "failed")
        with self.assertRaisesRegex(UserError, "Nobody knows yet"):
            self.gateway.mojaloop_url = "http://127.0.0.1:4002"
        self._is_over(batch)
        self._pay(self._again(batch))
        self.gateway.mojaloop_url = "http://127.0.0.1:4002"

    def test_the_scheme_gives_no_answer(self):
        batch = self._reserved()
        self.scheme.faults[FIRST, "ask"] = TIMEOUT
        self._assert_not_sent(self._again(batch), "could not say")

    def test_the_scheme_does_not_know_it_and_its_time_is_not_over(self):
        self._assert_not_sent(self._again(self._unknown()), "is not over at the scheme")

    def test_it_never_left(self):
        again = self._again(self._waiting())
        self._pay(again)
        self.assertEqual(self.scheme.paid(), [(FIRST, "100")])

    def test_what_was_taken_back_is_asked_for_anew(self):
        """Unknown to the scheme when it was asked, sent after all, and declared failed once more."""
        batch = self._waiting()
        self._declare(batch.payment_ids, "failed")
        self.env["g2p.mojaloop.transfer"]._check_declared_failed(self.gateway, batch.payment_ids)
        self._declare(batch.payment_ids, False)
        self.scheme.faults[FIRST, "state"] = "RESERVED"
        self._hurry(batch)
        self._pay(batch)
        del self.scheme.faults[FIRST, "state"]
        self._is_over(batch)
        self.scheme.commit(self._transfers(batch).transfer_id)
        self._assert_not_sent(self._again(batch), "take that decision back")
        self.assertEqual(self.scheme.paid(), [(FIRST, "100")])

    def test_what_people_knew_is_not_asked_again(self):
        """The scheme goes on saying that a suspect transfer was paid."""
        batch = self._suspect()
        self.scheme.wrong_fulfilment.clear()
        self.assertEqual(self._again(batch).batch_state, "sent")


@tagged("post_install", "-at_install")
class TestProofAfterDecision(PaidAgainCase):
    """A proof that does not fit, and people had decided before it was told."""

    scheme_class = TwoPhaseScheme

    def test_it_is_not_paid_again(self):
        self.gateway.mojaloop_flow = "two_phases"
        self.scheme.wrong_fulfilment.add(FIRST)
        batch = self._decided_during("transfer", "failed")
        self._is_over(batch)
        self._assert_not_sent(self._again(batch), "take that decision back")
        self.assertEqual(self.scheme.paid(), [(FIRST, "100")])
