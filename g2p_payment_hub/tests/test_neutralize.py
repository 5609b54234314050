from odoo.tests import tagged
from odoo.tools import file_open

from .common import PaymentHubCase


@tagged("post_install", "-at_install")
class TestNeutralize(PaymentHubCase):
    def test_a_neutralized_copy_can_pay_nobody(self):
        live = self._gateway(name="Live", state="live")
        for gateway in (self.gateway, live):
            self.assertTrue(gateway._secrets())
        batch = self._approved()

        with file_open("g2p_payment_hub/data/neutralize.sql") as script:
            self._sql(script.read())

        for gateway in (self.gateway, live):
            self.assertEqual(gateway.state, "disabled")
            self.assertFalse(gateway._secrets())
        self._send(batch)
        self.assertEqual((batch.batch_state, self.hub.uploads), ("approved", 0))
