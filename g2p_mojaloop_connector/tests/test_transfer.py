import json

from psycopg2 import IntegrityError

from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.g2p_payment_hub.client.errors import NotSent, OutcomeUnknown, Reason
from odoo.addons.g2p_payment_hub.client.outcomes import OutcomeStatus

from ..client import results
from .common import TIMEOUT
from .common_paying import FIRST, PayingCase


@tagged("post_install", "-at_install")
class TestTransfer(PayingCase):
    """What the scheme says at the step with which money moves, and afterwards."""

    def test_committed_without_proof_is_not_paid(self):
        self.scheme.wrong_fulfilment.add(FIRST)
        transfer, outcome = self._only(self._paid())
        self.assertEqual((transfer.state, outcome.status), ("suspect", OutcomeStatus.SUSPECT))

    def test_aborted_is_failed(self):
        self.scheme.faults[FIRST, "state"] = "ABORTED"
        transfer, outcome = self._only(self._paid())
        self.assertEqual((transfer.state, outcome.status), ("failed", OutcomeStatus.FAILED))
        self.assertEqual((outcome.remote_status, outcome.failure_type), ("ABORTED", "rejected"))

    def test_reserved_waits_until_it_is_committed(self):
        self.scheme.faults[FIRST, "state"] = "RESERVED"
        batch = self._paid(runs=2)
        transfer, outcome = self._only(batch)
        self.assertEqual((transfer.state, transfer.transfer_state), ("unknown", "RESERVED"))
        self.assertEqual(outcome.status, OutcomeStatus.WAITING)
        self.scheme.commit(transfer.transfer_id)
        self._pay(batch)
        self.assertEqual(transfer.state, "committed")
        self.assertEqual(len(self.scheme.posts), 1)

    def test_the_payee_refuses_the_transfer(self):
        self.scheme.faults[FIRST, "transfer"] = "5104"
        transfer, outcome = self._only(self._paid())
        self.assertEqual((transfer.state, outcome.reason_code), ("failed", "5104"))
        self.assertEqual(outcome.status, OutcomeStatus.FAILED)

    def test_the_code_of_a_refusal_is_kept_when_the_scheme_then_only_says_that_it_is_over(self):
        self.scheme.faults[FIRST, "state"] = "ABORTED"
        self.scheme.mixed_up[FIRST, "transfer"] = "5104"
        transfer, outcome = self._only(self._paid())
        self.assertEqual((transfer.state, transfer.transfer_state), ("failed", "ABORTED"))
        self.assertEqual((outcome.reason_code, outcome.reason), ("5104", "Transfer: Error 5104"))

    def test_a_no_that_belongs_to_another_payment_is_not_believed(self):
        """npm's connector mixes answers up when several payments are under way."""
        for step in ("lookup", "transfer"):
            self.scheme.mixed_up[FIRST, step] = "5104"
        transfer, outcome = self._only(self._paid())
        self.assertEqual((transfer.state, outcome.status), ("committed", OutcomeStatus.PAID))
        self.assertEqual((len(self.scheme.posts), self.scheme.paid()), (1, [(FIRST, "100")]))

    def test_a_proof_that_belongs_to_another_payment_is_asked_for_again(self):
        self.scheme.mixed_up[FIRST, "fulfilment"] = True
        transfer, outcome = self._only(self._paid())
        self.assertEqual((transfer.state, outcome.status), ("committed", OutcomeStatus.PAID))

    def test_a_lost_answer_is_asked_for_and_nothing_is_sent_again(self):
        self.scheme.lose_replies.add(FIRST)
        batch = self._paid()
        transfer, outcome = self._only(batch)
        self.assertEqual((transfer.state, outcome.status), ("unknown", OutcomeStatus.WAITING))
        self._pay(batch)
        self.assertEqual(transfer.state, "committed")
        self.assertEqual((len(self.scheme.posts), self.scheme.paid()), (1, [(FIRST, "100")]))

    def test_no_answer_to_the_question_either(self):
        self.scheme.lose_replies.add(FIRST)
        batch = self._paid()
        self.scheme.faults[FIRST, "ask"] = TIMEOUT
        for _number in range(5):
            self._pay(batch)
        transfer, outcome = self._only(batch)
        self.assertEqual((transfer.state, outcome.status), ("unknown", OutcomeStatus.WAITING))
        self.assertEqual(len(self.scheme.posts), 1)
        self.assertTrue(transfer.next_at)
        del self.scheme.faults[FIRST, "ask"]
        self._pay(batch)
        self.assertEqual(transfer.state, "committed")

    def test_nothing_leaves_while_the_scheme_cannot_say_whether_it_knows_the_id(self):
        """However long that takes: a payment that failed would be paid again under another id."""
        self.scheme.faults[None, "ask"] = TIMEOUT
        batch = self._paid(runs=results.MAX_TRIES + 2)
        self.assertEqual(self._transfers(batch).state, "waiting")
        self.assertFalse(self.scheme.posts)
        self.scheme.faults.clear()
        self._pay(batch)
        self.assertEqual(self._transfers(batch).state, "committed")

    def test_where_it_answers_nothing_of_ours_somebody_is_called(self):
        """Our institution is not known there, or we speak another version: so say also the answers to the
        question with which each payment begins."""
        for code in ("3202", "3001"):
            with self.subTest(code=code):
                self.scheme.faults[None, "ask"] = code
                self.cycle = self._cycle(self.program, f"Cycle {code}")
                batch = self._paid(2, cycle=self.cycle)
                self.assertIn(code, batch.mojaloop_paused_reason)
                self.assertEqual(set(self._transfers(batch).mapped("state")), {"waiting"})
                self.assertFalse(self.scheme.posts)
                self.scheme.faults.clear()
        batch.with_user(self.finance_user).action_resume_paying()
        self._pay(batch)
        self.assertEqual(set(self._transfers(batch).mapped("state")), {"committed"})

    def test_what_never_arrived_is_sent_again_to_the_byte(self):
        self.scheme.faults[FIRST, "transfer"] = OutcomeUnknown(Reason.TIMEOUT)
        batch = self._paid()
        transfer = self._transfers(batch)
        self.assertEqual(transfer.state, "unknown")
        del self.scheme.faults[FIRST, "transfer"]
        self._pay(batch)
        self.assertEqual(transfer.state, "committed")
        self.assertEqual(len(set(self.scheme.posts)), 1)
        self.assertEqual(list(self.scheme.ledger), [transfer.transfer_id])

    def test_what_never_arrived_in_time_begins_anew_under_the_same_id(self):
        """If the scheme has heard of it after all, the id keeps it from paying twice."""
        self.scheme.faults[FIRST, "transfer"] = OutcomeUnknown(Reason.TIMEOUT)
        batch = self._paid()
        self._expire(batch)
        del self.scheme.faults[FIRST, "transfer"]
        self._pay(batch)
        transfer = self._transfers(batch)
        self.assertEqual((len(transfer), transfer.state), (1, "waiting"))
        self._pay(batch)
        self.assertEqual((transfer.state, transfer.attempt), ("committed", 1))
        first, second = map(json.loads, self.scheme.posts)
        one, other = first["transfersPostRequest"], second["transfersPostRequest"]
        self.assertEqual(one["transferId"], other["transferId"])
        self.assertNotEqual(one["condition"], other["condition"])
        self.assertEqual(len(self.scheme.ledger), 1)

    def test_an_id_that_the_scheme_will_not_take_is_replaced_when_it_surely_paid_nothing(self):
        self.scheme.faults[FIRST, "transfer"] = "3106"
        batch = self._paid()
        transfer = self._transfers(batch)
        self.assertEqual((transfer.state, transfer.taken), ("unknown", True))
        self._pay(batch)
        self.assertEqual(self._transfers(batch), transfer, "no other id while the first may pay")
        self._expire(batch)
        del self.scheme.faults[FIRST, "transfer"]
        self._pay(batch)
        self.assertEqual(transfer.state, "failed")
        second = self._transfers(batch) - transfer
        self.assertEqual((second.attempt, second.state), (2, "waiting"))
        self._pay(batch)
        self.assertEqual(second.state, "committed")
        self.assertEqual(list(self.scheme.ledger), [second.transfer_id])
        self.assertEqual(self._outcomes(batch)[batch.payment_ids.name].status, OutcomeStatus.PAID)

    def test_it_surely_did_not_leave(self):
        self.scheme.faults[FIRST, "transfer"] = NotSent(Reason.UNREACHABLE)
        batch = self._paid()
        transfer = self._transfers(batch)
        self.assertEqual(transfer.state, "waiting")
        del self.scheme.faults[FIRST, "transfer"]
        self._pay(batch)
        self.assertEqual(transfer.state, "committed")

    def test_a_payee_institution_without_liquidity_is_tried_again_under_another_id(self):
        self.scheme.faults[FIRST, "transfer"] = "5001"
        batch = self._paid()
        first = self._transfers(batch)[0]
        self.assertEqual(self._transfers(batch).mapped("state"), ["unknown"], "it may still be carried out")
        self._expire(batch)
        self._pay(batch)
        self.assertEqual(self._transfers(batch).mapped("state"), ["failed", "waiting"])
        self.assertEqual(self._outcomes(batch)[batch.payment_ids.name].status, OutcomeStatus.WAITING)
        del self.scheme.faults[FIRST, "transfer"]
        self._pay(batch)
        self.assertEqual(self._transfers(batch).mapped("state"), ["failed", "committed"])
        self.assertNotIn(first.transfer_id, self.scheme.ledger)

    def test_not_for_ever(self):
        self.scheme.faults[FIRST, "transfer"] = "5001"
        batch = self._paid()
        for _number in range(12):
            self._expire(batch)
            self._pay(batch)
        self.assertEqual(self._transfers(batch).mapped("state"), ["failed"] * 5)
        outcome = self._outcomes(batch)[batch.payment_ids.name]
        self.assertEqual((outcome.status, outcome.failure_type), (OutcomeStatus.FAILED, "insufficient_funds"))

    @mute_logger("odoo.sql_db")
    def test_database_refuses_a_second_transfer_that_can_pay(self):
        batch = self._paid()
        transfer = self._transfers(batch)
        for state in ("waiting", "transferring", "unknown", "committed", "suspect"):
            with self.subTest(state), self.assertRaises(IntegrityError), self.env.cr.savepoint():
                self._sql("UPDATE g2p_mojaloop_transfer SET state = %s WHERE id = %s", state, transfer.id)
                transfer.sudo().copy({"transfer_id": "other", "attempt": 2})
                self.env.flush_all()
