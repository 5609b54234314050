"""Rows of the mode closedloop, read by the real client: our reference is their transaction id."""

from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.g2p_payment_hub.client.operations import Operations
from odoo.addons.g2p_payment_hub.client.payment_hub import PaymentHub

from .common import DecisionCase


@tagged("post_install", "-at_install")
class TestClosedLoop(DecisionCase):
    def _completed(self, evidence):
        """A batch of two of which the hub says, whenever it is asked, that they are completed."""
        self.gateway.write({"phee_payment_mode": "closedloop", "phee_closed_loop_evidence": evidence})
        batch = self._sent(2)
        rows = [
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
        self._start(patch.object(Operations, "batch_rows", lambda _hub, _batch: iter([rows])))
        self._pull(batch)
        return batch

    def test_what_is_paid_is_no_stranger_the_next_day(self):
        batch = self._completed("trust")
        self.assertEqual((batch.batch_state, batch.stats_paid_transactions), ("done", 2))
        self._pull(batch)
        self.assertFalse(self._exceptions(batch))
        self.assertEqual(batch.batch_state, "done")

    def test_completed_says_nothing_about_what_people_have_decided(self):
        batch = self._completed("statement")
        first, second = self._exceptions(batch)
        self._decide(first, "declare_paid")
        self._decide(second, "declare_failed")
        self.assertEqual(batch.batch_state, "done")
        self._pull(batch)
        self.assertEqual(self._exceptions(batch), first + second)
        self.assertEqual(batch.batch_state, "done")
