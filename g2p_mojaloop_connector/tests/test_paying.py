import json
from decimal import Decimal
from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.g2p_payment_hub.client.errors import NotSent, OutcomeUnknown, Reason, Refused
from odoo.addons.g2p_payment_hub.client.outcomes import OutcomeStatus

from ..client import paying, results
from ..models import payment_submission
from .common import TIMEOUT
from .common_paying import FIRST, PayingCase


@tagged("post_install", "-at_install")
class TestPaying(PayingCase):
    def test_a_batch_is_paid(self):
        batch = self._paid(3)
        self.assertEqual((batch.batch_state, batch.submission_ids.state), ("sent", "accepted"))
        transfers = self._transfers(batch)
        self.assertEqual(transfers.mapped("state"), ["committed"] * 3)
        self.assertEqual(self.scheme.paid(), [(f"2771380000{n}", "100") for n in range(3)])
        self.assertEqual(set(self.scheme.ledger), set(transfers.mapped("transfer_id")))
        for one in self._outcomes(batch).values():
            self.assertEqual((one.status, one.amount, one.currency), (OutcomeStatus.PAID, 100, "USD"))
            self.assertIn(one.remote_reference, self.scheme.ledger)
            self.assertTrue(one.completed_at)

    def test_nothing_leaves_before_the_batch_is_accepted(self):
        batch = self._approved(2)
        self._send(batch)
        self.assertEqual(self.scheme.requests, [("GET", "/")])
        self.assertEqual(self._transfers(batch).mapped("state"), ["waiting"] * 2)
        self.assertEqual(len(self._pay_jobs(batch)), 1)

    def _pay_jobs(self, batch):
        key = f"g2p_mojaloop_connector.pay.{batch.submission_ids.id}"
        return self.env["queue.job"].search([("identity_key", "=", key)])

    def test_the_transfer_is_written_down_before_it_leaves(self):
        batch = self._approved()
        self._send(batch)
        seen = []

        def transfer(connector, task):
            row = self._transfers(batch).sudo()
            seen.append((row.state, row.body == task.body, bool(row.lease_until)))
            return original(connector, task)

        original = paying.transfer
        # One thread: the test's cursor is not for several.
        with patch.object(payment_submission.paying, "transfer", transfer):
            self._pay(batch)
        self.assertEqual(seen, [("transferring", True, True)])
        self.assertEqual(self.scheme.posts, [self._transfers(batch).sudo().body])

    def test_run_twice_pays_once(self):
        batch = self._paid(3, runs=3)
        self.assertEqual(len(self.scheme.posts), 3)
        self.assertEqual(self._transfers(batch).mapped("state"), ["committed"] * 3)

    def test_what_was_approved_is_what_is_paid(self):
        """The transfers come from the file, whatever happens to the payments meanwhile."""
        batch = self._approved()
        self._send(batch)
        self._sql("UPDATE g2p_payment SET account_number = '27710000000', amount_issued = 900")
        self._pay(batch)
        self.assertEqual(self.scheme.paid(), [(FIRST, "100")])

    def test_the_connector_is_not_there(self):
        batch = self._approved()
        self.scheme.down = NotSent(Reason.UNREACHABLE, "connection refused")
        self._send(batch)
        self.assertEqual((batch.batch_state, batch.submission_ids.state), ("approved", "not_sent"))
        self.assertFalse(self._transfers(batch))
        self.scheme.down = None
        self._send(batch)
        self._pay(batch)
        self.assertEqual(self.scheme.paid(), [(FIRST, "100")])

    def test_the_connector_goes_away_and_no_payment_fails_for_it(self):
        batch = self._approved()
        self._send(batch)
        self.scheme.down = NotSent(Reason.UNREACHABLE, "connection refused")
        for _number in range(results.MAX_TRIES + 2):
            self._pay(batch)
        transfer, outcome = self._only(batch)
        self.assertEqual((transfer.state, outcome.status), ("waiting", OutcomeStatus.WAITING))
        self.assertIn("cannot be reached", batch.mojaloop_run_answer)
        self.scheme.down = None
        self._pay(batch)
        self.assertEqual(transfer.state, "committed")
        self.assertFalse(batch.mojaloop_run_answer)

    def test_the_scheme_is_silent_and_the_batch_says_so(self):
        """As behind a connector that hears nothing any more: payments wait, and the connector is left to
        whoever looks what is the matter with it."""
        batch = self._approved(3)
        self._send(batch)
        self._pay_jobs(batch).state = "done"
        self.scheme.down = OutcomeUnknown(Reason.TIMEOUT, "HTTP 500 Timeout")
        with patch.object(payment_submission._Run, "is_over", lambda run: bool(run.unanswered)):
            self._pay(batch)
        self.assertIn("answered nothing in the last run", batch.mojaloop_run_answer)
        self.assertEqual(self._pay_jobs(batch).mapped("state"), ["done"], "the connector is left free")
        self.scheme.down = None
        self._pay(batch)
        self.assertFalse(batch.mojaloop_run_answer)
        self.assertEqual(self._transfers(batch).mapped("state"), ["committed"] * 3)

    def test_one_about_which_the_scheme_is_silent_holds_nobody_up(self):
        self.scheme.faults.update({(FIRST, "transfer"): TIMEOUT, (FIRST, "ask"): TIMEOUT})
        batch = self._approved(3)
        self._send(batch)
        self._pay_only(self._transfers(batch)[0])
        self.assertEqual(self._transfers(batch).mapped("state"), ["unknown", "waiting", "waiting"])
        self._pay(batch)
        self.assertEqual(self._transfers(batch).mapped("state"), ["unknown", "committed", "committed"])
        self.assertFalse(batch.mojaloop_run_answer)

    # Failures before money can move

    def test_nobody_has_the_number(self):
        self.scheme.faults[FIRST, "lookup"] = "3204"
        batch = self._paid()
        transfer, outcome = self._only(batch)
        self.assertEqual((transfer.state, transfer.error_step), ("failed", "lookup"))
        self.assertIn("Looking the payee up: ", transfer.reason)
        self.assertEqual((outcome.status, outcome.failure_type), (OutcomeStatus.FAILED, "payee_unknown"))
        self.assertIn("nobody is known", outcome.reason)
        self.assertFalse(self.scheme.posts)

    def test_the_payee_refuses_the_quote(self):
        self.scheme.faults[FIRST, "quote"] = "5103"
        batch = self._paid()
        _transfer, outcome = self._only(batch)
        self.assertEqual((outcome.status, outcome.reason_code), (OutcomeStatus.FAILED, "5103"))
        self.assertFalse(self.scheme.posts)

    def test_a_quote_that_is_lost_is_asked_for_again_under_the_same_transfer(self):
        self.scheme.faults[FIRST, "quote"] = TIMEOUT
        batch = self._paid()
        transfer, outcome = self._only(batch)
        self.assertEqual((transfer.state, transfer.tries), ("waiting", 1))
        self.assertEqual(outcome.status, OutcomeStatus.WAITING)
        self.assertTrue(transfer.next_at)
        first = transfer.transfer_id
        self.scheme.faults.clear()
        self._pay(batch)
        self.assertEqual((transfer.state, transfer.transfer_id, transfer.turn), ("committed", first, 2))
        self.assertEqual(len(set(self.scheme.quoted)), 2, "another quote has another id")
        self.assertEqual(list(self.scheme.ledger), [first])

    def test_it_is_not_tried_for_ever(self):
        self.scheme.faults[FIRST, "lookup"] = TIMEOUT
        batch = self._paid(runs=results.MAX_TRIES)
        transfer, outcome = self._only(batch)
        self.assertEqual((transfer.state, outcome.failure_type), ("failed", "technical"))
        self.assertFalse(self.scheme.posts)

    # Fees

    def test_a_fee_within_the_limit_is_paid_and_told(self):
        self.gateway.write({"mojaloop_fee_limit": 0.5, "mojaloop_fee_limit_percent": 1})
        self.scheme.fee = "1.5"
        batch = self._paid()
        transfer, outcome = self._only(batch)
        self.assertEqual((transfer.state, transfer.transfer_amount), ("committed", "101.5"))
        self.assertEqual((outcome.amount, outcome.fee), (100, Decimal("1.5")))

    def test_a_fee_that_is_not_named_is_told_as_well(self):
        self.gateway.mojaloop_fee_limit = 5
        self.scheme.fee, self.scheme.names_fees = "5", False
        _transfer, outcome = self._only(self._paid())
        self.assertEqual(self.scheme.paid(), [(FIRST, "105")])
        self.assertEqual((outcome.status, outcome.amount, outcome.fee), (OutcomeStatus.PAID, 100, 5))

    def test_a_fee_above_the_limit_is_not_paid(self):
        self.gateway.write({"mojaloop_fee_limit": 0.49, "mojaloop_fee_limit_percent": 1})
        self.scheme.fee = "1.5"
        batch = self._paid()
        transfer, outcome = self._only(batch)
        self.assertEqual((transfer.state, outcome.status), ("failed", OutcomeStatus.FAILED))
        self.assertEqual(
            (outcome.failure_type, outcome.reason), ("limit", "The fee is above the limit: 1.5 USD")
        )
        self.assertFalse(self.scheme.posts)

    def test_what_an_earlier_quote_asked_for_is_not_told_of_a_later_one(self):
        self.gateway.mojaloop_fee_limit = 5
        self.scheme.fee = "5"
        self.scheme.faults[FIRST, "transfer"] = NotSent(Reason.UNREACHABLE)
        batch = self._paid()
        self.assertEqual(self._transfers(batch).fee, "5")
        self.scheme.fee = "0"
        self.scheme.faults.clear()
        self._pay(batch)
        transfer, outcome = self._only(batch)
        self.assertEqual((transfer.state, transfer.transfer_amount), ("committed", "100"))
        self.assertEqual((transfer.fee, outcome.fee, outcome.amount), (False, None, 100))

    def test_the_limit_is_part_of_what_is_approved(self):
        batch = self._approved()
        self.gateway.mojaloop_fee_limit = 5
        self._send(batch)
        self.assertEqual(batch.batch_state, "approved")
        self.assertIn("changed since the approval: Fee Limit.", batch.check_result)
        self.assertIn("Fee Limit: 0", self.gateway._settings_text(batch.approved_settings))
        self.assertFalse(self.scheme.requests)


@tagged("post_install", "-at_install")
class TestMoney(PayingCase):
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
        self.assertEqual(self._transfers(batch).mapped("state"), ["failed", "waiting"])
        self.assertEqual(self._outcomes(batch)[batch.payment_ids.name].status, OutcomeStatus.WAITING)
        del self.scheme.faults[FIRST, "transfer"]
        self._pay(batch)
        self.assertEqual(self._transfers(batch).mapped("state"), ["failed", "committed"])
        self.assertNotIn(first.transfer_id, self.scheme.ledger)

    def test_not_for_ever(self):
        self.scheme.faults[FIRST, "transfer"] = "5001"
        batch = self._paid(runs=8)
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


@tagged("post_install", "-at_install")
class TestPause(PayingCase):
    def _without_money(self):
        for number in range(3):
            self.scheme.faults[f"2771380000{number}", "transfer"] = "4001"
        return self._paid(3)

    def test_without_liquidity_the_batch_pauses(self):
        batch = self._without_money()
        self.assertIn("4001", batch.mojaloop_paused_reason)
        self.assertEqual(batch._called(payment_submission.RESUME), self.finance_user)
        posts = len(self.scheme.posts)
        for _number in range(3):
            self._pay(batch)
        self.assertEqual(len(self.scheme.posts), posts, "nothing is begun any more")
        statuses = {one.status for one in self._outcomes(batch).values()}
        self.assertEqual(statuses, {OutcomeStatus.WAITING})

    def test_where_its_approver_has_left_all_of_finance_is_called(self):
        self.scheme.faults[FIRST, "transfer"] = "4001"
        batch = self._approved()
        self._send(batch)
        self.finance_user.active = False
        others = self._user("finance_2", "g2p_programs.g2p_finance_validator")
        self._pay(batch)
        self.assertIn(others, batch._called(payment_submission.RESUME))

    def test_when_it_is_over_nobody_has_to_resume_it(self):
        batch = self._without_money()
        batch._advance("done", "Decided by people.")
        self.assertFalse(batch.mojaloop_paused_reason)
        self.assertFalse(batch._called(payment_submission.RESUME))
        batch._advance("sent", "A decision was taken back.")
        self.assertIn("4001", batch.mojaloop_paused_reason)

    def test_finance_resumes_it(self):
        batch = self._without_money()
        self.scheme.faults.clear()
        batch.with_user(self.finance_user).action_resume_paying()
        self.assertFalse(batch.mojaloop_paused_reason)
        self.assertFalse(batch.activity_ids)
        self._pay(batch)
        self.assertEqual(len(self.scheme.paid()), 3)

    def test_it_is_not_failed_by_a_scheme_that_then_only_says_that_it_is_over(self):
        self.scheme.faults[FIRST, "state"] = "ABORTED"
        self.scheme.mixed_up[FIRST, "transfer"] = "4001"
        batch = self._paid()
        self.assertIn("4001", batch.mojaloop_paused_reason)
        self.assertEqual(self._transfers(batch).mapped("state"), ["failed", "waiting"])
        del self.scheme.faults[FIRST, "state"]
        batch.with_user(self.finance_user).action_resume_paying()
        self._pay(batch)
        self.assertEqual(self._transfers(batch).mapped("state"), ["failed", "committed"])
        self.assertEqual(self.scheme.paid(), [(FIRST, "100")])

    def test_both_are_in_the_audit_trail(self):
        batch = self._without_money()
        batch.with_user(self.finance_user).action_resume_paying()
        paused, resumed = batch.event_ids.filtered(
            lambda one: "paused" in (one.from_state, one.to_state)
        ).sorted("number")
        self.assertEqual((paused.from_state, paused.to_state), ("accepted", "paused"))
        self.assertEqual(paused.to_label, "Paused")
        self.assertEqual((resumed.from_state, resumed.to_state), ("paused", "accepted"))
        self.assertEqual(resumed.user_id, self.finance_user)
        self.assertEqual((paused + resumed).submission_id, batch.submission_ids)
        for event in paused + resumed:
            self.assertIn("4001", event.why)
        self.assertEqual(self.env["g2p.payment.event"]._first_broken(batch), 0)

    def test_what_is_under_way_is_asked_for_while_paused(self):
        self.scheme.lose_replies.add("27713800003")
        self._entitle(1)
        for number in range(3):
            self.scheme.faults[f"2771380000{number}", "transfer"] = "4001"
        batch = self._paid(4)
        self.assertTrue(batch.mojaloop_paused_reason)
        self._pay(batch)
        by_payee = {one.payment_id.account_number: one.state for one in self._transfers(batch)}
        self.assertEqual(by_payee["27713800003"], "committed")

    def test_a_connector_that_refuses_us_pauses_the_batch(self):
        self.scheme.faults[FIRST, "lookup"] = Refused(Reason.LOGIN, "HTTP 401")
        batch = self._paid()
        self.assertIn("refuses user or password", batch.mojaloop_paused_reason)
        self.assertEqual(self._transfers(batch).state, "waiting")


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
        self.assertIn("could not say whether it has this batch", again.last_answer)
        self.assertEqual(len(self.scheme.ledger), 1)
