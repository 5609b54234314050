from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.g2p_payment_hub.client.errors import OutcomeUnknown, Reason
from odoo.addons.g2p_payment_hub.client.outcomes import OutcomeStatus

from ..client import paying
from .common import TIMEOUT
from .common_paying import FIRST
from .flows import FlowCase, TwoPhaseScheme


class TwoPhaseCase(FlowCase):
    flow = "two_phases"
    scheme_class = TwoPhaseScheme


@tagged("post_install", "-at_install")
class TestTwoPhases(TwoPhaseCase):
    def test_a_batch_is_paid(self):
        batch = self._paid(3)
        transfers = self._transfers(batch)
        self.assertEqual(transfers.mapped("state"), ["committed"] * 3)
        self.assertEqual(self.scheme.paid(), [(f"2771380000{n}", "100") for n in range(3)])
        self.assertEqual(set(self.scheme.ledger), set(transfers.mapped("transfer_id")))
        self.assertEqual(self._paths("POST"), ["transfers"] * 3)
        self.assertEqual(self._paths("PUT"), ["transfers"] * 3)
        for one in self._outcomes(batch).values():
            self.assertEqual((one.status, one.amount, one.currency), (OutcomeStatus.PAID, 100, "USD"))

    def test_it_is_written_down_before_it_is_accepted(self):
        batch = self._approved()
        self._send(batch)
        seen = []

        def transfer(connector, task):
            row = self._transfers(batch).sudo()
            seen.append((row.state, row.body == task.body, len(self.scheme.posts)))
            return original(connector, task)

        original = paying.transfer
        with patch.object(paying, "transfer", transfer):
            self._pay(batch)
        self.assertEqual(seen, [("transferring", True, 0)])
        self.assertEqual(len(self.scheme.ledger), 1)

    def test_run_twice_pays_once(self):
        batch = self._paid(3, runs=3)
        self.assertEqual(len(self.scheme.posts), 3)
        self.assertEqual(self._transfers(batch).mapped("state"), ["committed"] * 3)

    def test_a_fee_above_the_limit_is_declined(self):
        self.gateway.mojaloop_fee_limit = 1
        self.scheme.fees[FIRST] = "1.01"
        batch = self._paid(2)
        first, second = self._transfers(batch)
        self.assertEqual((first.state, first.error_code), ("failed", "fee"))
        self.assertEqual(self.scheme.cached[first.transfer_id]["state"], "aborted")
        self.assertEqual(second.state, "committed")
        self.assertEqual(self.scheme.paid(), [("27713800001", "100")])

    def test_committed_without_proof_is_not_paid(self):
        self.scheme.wrong_fulfilment.add(FIRST)
        transfer, outcome = self._only(self._paid())
        self.assertEqual((transfer.state, outcome.status), ("suspect", OutcomeStatus.SUSPECT))

    def test_reserved_waits_until_it_is_committed(self):
        self.scheme.faults[FIRST, "state"] = "RESERVED"
        batch = self._paid(runs=2)
        transfer, outcome = self._only(batch)
        self.assertEqual((transfer.state, outcome.status), ("unknown", OutcomeStatus.WAITING))
        self.scheme.commit(transfer.transfer_id)
        self._pay(batch)
        self.assertEqual((transfer.state, len(self.scheme.posts)), ("committed", 1))

    def test_a_no_counts_at_once_until_money_can_move(self):
        """This way the connector mixes nothing up; what has left is asked for all the same."""
        self.scheme.faults.update({(FIRST, "quote"): "5103", ("27713800001", "transfer"): "5104"})
        batch = self._paid(2)
        self.assertEqual(self._transfers(batch).mapped("state"), ["failed", "unknown"])
        self._expire(batch)
        self._pay(batch)
        outcomes = self._outcomes(batch).values()
        self.assertEqual({one.status for one in outcomes}, {OutcomeStatus.FAILED})
        self.assertEqual({one.reason_code for one in outcomes}, {"5103", "5104"})
        self.assertEqual((len(self.scheme.posts), self.scheme.ledger), (1, {}))

    def test_the_flow_is_part_of_what_is_approved(self):
        batch = self._approved()
        self.gateway.mojaloop_flow = "steps"
        self._send(batch)
        self.assertEqual(batch.batch_state, "approved")
        self.assertIn("changed since the approval: Payment Flow.", batch.check_result)
        self.assertFalse(self.scheme.requests)

    def test_another_flow_of_the_gateway_does_not_change_a_batch_under_way(self):
        batch = self._approved()
        self._send(batch)
        self.gateway.mojaloop_flow = "steps"
        self._pay(batch)
        self.assertEqual(self._paths("POST"), ["transfers"])
        self.assertEqual(self.scheme.paid(), [(FIRST, "100")])


@tagged("post_install", "-at_install")
class TestTwoPhasesUnknown(TwoPhaseCase):
    """Answers are lost, workers die, the connector forgets."""

    def test_a_lost_answer_is_asked_for_and_nothing_is_accepted_again(self):
        self.scheme.lose_replies.add(FIRST)
        batch = self._paid()
        transfer, outcome = self._only(batch)
        self.assertEqual((transfer.state, outcome.status), ("unknown", OutcomeStatus.WAITING))
        self._pay(batch)
        self.assertEqual((transfer.state, len(self.scheme.posts)), ("committed", 1))
        self.assertEqual(self._paths("PUT"), ["transfers"])

    def test_what_never_arrived_begins_anew_under_the_same_id_when_its_time_is_over(self):
        self.scheme.faults[FIRST, "transfer"] = OutcomeUnknown(Reason.TIMEOUT)
        batch = self._paid()
        del self.scheme.faults[FIRST, "transfer"]
        transfer = self._transfers(batch)
        for _number in range(3):
            self._pay(batch)
        self.assertEqual((transfer.state, len(self.scheme.posts)), ("unknown", 1))
        self._expire(batch)
        for _number in range(2):
            self._pay(batch)
        self.assertEqual((transfer.state, transfer.attempt), ("committed", 1))
        self.assertEqual(list(self.scheme.ledger), [transfer.transfer_id])

    def test_a_worker_dies_between_the_phases(self):
        """It has a quote, and has not written down what it would accept."""
        batch = self._approved(2)
        self._send(batch)
        with self._worker_dies_at("begin"):
            self._pay(batch)
        first = self._transfers(batch)[0].transfer_id
        self.assertEqual((list(self.scheme.cached), self.scheme.posts), ([first], []))
        self._lease_ends(batch)
        self._pay(batch)
        self.assertEqual(self._transfers(batch).mapped("state"), ["committed"] * 2)
        self.assertEqual(set(self.scheme.ledger), set(self._transfers(batch).mapped("transfer_id")))

    def test_a_worker_dies_before_it_accepts(self):
        """Nobody knows whether it did: only when its time is over it is begun anew, under the same id."""
        batch = self._approved()
        self._send(batch)
        with self._worker_dies_at("transfer", before=True):
            self._pay(batch)
        self._lease_ends(batch)
        self._pay(batch)
        transfer = self._transfers(batch)
        self.assertEqual((transfer.state, self.scheme.posts), ("unknown", []))
        self._expire(batch)
        for _number in range(2):
            self._pay(batch)
        self.assertEqual((transfer.state, list(self.scheme.ledger)), ("committed", [transfer.transfer_id]))

    def test_a_worker_dies_after_it_has_accepted(self):
        batch = self._approved()
        self._send(batch)
        with self._worker_dies_at("transfer"):
            self._pay(batch)
        self._lease_ends(batch)
        self._pay(batch)
        self.assertEqual(self._transfers(batch).state, "committed")
        self.assertEqual((len(self.scheme.posts), len(self.scheme.ledger)), (1, 1))

    def test_the_connector_has_forgotten_the_quote(self):
        batch = self._approved()
        self._send(batch)
        original = paying.transfer

        def forgotten(connector, task):
            self.scheme.cached.clear()
            return original(connector, task)

        with patch.object(paying, "transfer", forgotten):
            self._pay(batch)
        transfer = self._transfers(batch)
        self.assertEqual(transfer.state, "unknown")
        self._expire(batch)
        for _number in range(2):
            self._pay(batch)
        self.assertEqual((transfer.state, len(self.scheme.ledger)), ("committed", 1))

    def test_a_quote_that_is_lost_is_asked_for_again(self):
        self.scheme.faults[FIRST, "quote"] = TIMEOUT
        batch = self._paid()
        transfer = self._transfers(batch)
        self.assertEqual((transfer.state, transfer.tries), ("waiting", 1))
        self.scheme.faults.clear()
        self._pay(batch)
        self.assertEqual((transfer.state, list(self.scheme.ledger)), ("committed", [transfer.transfer_id]))

    def test_a_restored_backup_pays_nobody_twice(self):
        batch = self._paid(2)
        self._forget_sending(batch)
        self._send(batch)
        self._pay(batch)
        self.assertEqual((len(self.scheme.posts), len(self.scheme.ledger)), (2, 2))
        self.assertEqual(self._transfers(batch).mapped("state"), ["suspect"] * 2)


@tagged("post_install", "-at_install")
class TestConnectorThatCannot(TwoPhaseCase):
    def test_one_that_accepts_by_itself_pays_no_more_than_one(self):
        self.scheme.accepts_by_itself = True
        batch = self._paid(3, runs=2)
        self.assertIn("AUTO_ACCEPT_QUOTES", batch.mojaloop_paused_reason)
        self.assertEqual(len(self.scheme.ledger), 1)
        self.assertEqual(self._transfers(batch).mapped("state"), ["suspect", "waiting", "waiting"])
        self.scheme.accepts_by_itself = False
        batch.with_user(self.finance_user).action_resume_paying()
        self._pay(batch)
        self.assertEqual(len(self.scheme.ledger), 3)

    def test_one_that_accepts_by_itself_and_fails(self):
        """Whatever it says of it, the transfer was sent."""
        self.scheme.accepts_by_itself = True
        self.scheme.faults[FIRST, "state"] = "RESERVED"
        batch = self._paid(2, runs=2)
        transfer = self._transfers(batch)[0]
        self.assertEqual(transfer.state, "unknown")
        self.scheme.commit(transfer.transfer_id)
        self._pay(batch)
        self.assertEqual(transfer.state, "suspect")
        self.assertEqual(len(self.scheme.ledger), 1)

    def test_a_newer_one_takes_no_ids(self):
        self.scheme.closed = True
        batch = self._paid(2)
        self.assertIn("Choose Step by Step on the gateway", batch.mojaloop_paused_reason)
        self.assertEqual(self._transfers(batch).mapped("state"), ["waiting"] * 2)
        self.assertFalse(self.scheme.posts)
        self.assertEqual(self._paths("PUT"), [])
