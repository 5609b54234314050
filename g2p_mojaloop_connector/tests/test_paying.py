from odoo.tests import tagged

from .common import MojaloopCase


@tagged("post_install", "-at_install")
class TestPaying(MojaloopCase):
    def test_a_batch_is_paid(self):
        batch = self._approved(3)
        self._send(batch)
        self.assertEqual((batch.batch_state, batch.submission_ids.state), ("sent", "accepted"))
        self._run(batch)
        transfers = self._transfers(batch)
        self.assertEqual(transfers.mapped("state"), ["committed"] * 3)
        self.assertEqual(self.scheme.paid(), [(f"2771380000{n}", "100") for n in range(3)])
        self.assertEqual(set(self.scheme.ledger), set(transfers.mapped("transfer_id")))
