from decimal import Decimal
from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.g2p_payment_hub.client.errors import NotSent, OutcomeUnknown, Reason
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
