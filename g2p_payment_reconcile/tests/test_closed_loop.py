"""Rows of the mode closedloop, read by the real client: our reference is their transaction id."""

from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.g2p_payment_hub.client.operations import Operations
from odoo.addons.g2p_payment_hub.client.outcomes import Outcome, OutcomeStatus
from odoo.addons.g2p_payment_hub.client.payment_hub import PaymentHub

from .common import DecisionCase


@tagged("post_install", "-at_install")
class TestClosedLoop(DecisionCase):
    def _completed(self, evidence):
        """A batch of two of which the hub says, whenever it is asked, that they are completed."""
        self.gateway.write({"phee_payment_mode": "closedloop", "phee_closed_loop_evidence": evidence})
        batch = self._sent(2)
        self.rows = [
            {
                "transactionId": payment.name,
                "clientCorrelationId": f"of-the-hub-{payment.id}",
                "batchId": "remote-1",
                "status": "COMPLETED",
                "amount": "100",
                "currency": "USD",
            }
            for payment in batch.payment_ids
        ]
        client = PaymentHub(self.gateway._phee_settings(batch))
        self._start(patch.object(type(self.gateway), "_client", lambda _gateway, *_batch: client))
        self._start(patch.object(Operations, "batch_rows", lambda _hub, _batch: iter([self.rows])))
        self._pull(batch)
        return batch

    def _say_again(self, payment, status):
        for row in self.rows:
            if row["transactionId"] == payment.name:
                row["status"] = status
        self._pull(payment.batch_id)

    def test_what_is_paid_is_no_stranger_the_next_day(self):
        batch = self._completed("trust")
        self.assertEqual((batch.batch_state, batch.stats_paid_transactions), ("done", 2))
        self._pull(batch)
        self.assertFalse(self._exceptions(batch))
        self.assertEqual(batch.batch_state, "done")

    def test_held_payments_are_open_and_no_exceptions(self):
        batch = self._completed("statement")
        self._pull(batch)
        self.assertFalse(self._exceptions(batch))
        self.assertFalse(batch.payment_ids.filtered("attention"))
        self.assertEqual((batch.batch_state, set(batch.payment_ids.mapped("state"))), ("sent", {"sent"}))
        self.assertFalse(self._prepare(), "an open payment is not paid again")

    def test_a_held_payment_that_fails_after_all_is_for_a_person(self):
        batch = self._completed("statement")
        payment = batch.payment_ids[0]
        self._say_again(payment, "FAILED")
        self.assertEqual((payment.status, self._exceptions(batch).type), (False, "contradictory"))

    def test_a_held_payment_without_evidence_is_for_a_person_in_the_end(self):
        batch = self._completed("statement")
        self._sql("UPDATE g2p_payment_submission SET ended_at = '2020-01-01'")
        self._pull(batch)
        self.assertEqual(self._exceptions(batch).mapped("type"), ["silent"] * 2)

    def test_completed_says_nothing_about_what_people_have_decided(self):
        batch = self._completed("statement")
        for payment in batch.payment_ids:
            payment._apply_outcomes(
                [Outcome(reference=payment.name, status=OutcomeStatus.SUSPECT, remote_reference="x")]
            )
        first, second = self._exceptions(batch)
        self._decide(first, "declare_paid")
        self._decide(second, "declare_failed")
        self.assertEqual(batch.batch_state, "done")
        self._pull(batch)
        self.assertEqual(self._exceptions(batch), first + second)
        self.assertEqual(batch.batch_state, "done")
