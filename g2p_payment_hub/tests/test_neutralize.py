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
        addresses = self.env["ir.config_parameter"].search([("key", "=like", "g2p_payment_hub.anchor_%")])
        for name in ("email", "url"):
            addresses += addresses.create({"key": f"g2p_payment_hub.anchor_{name}", "value": "outside"})

        with file_open("g2p_payment_hub/data/neutralize.sql") as script:
            self._sql(script.read())

        self.assertFalse(addresses.exists(), "nor does it speak for the original")
        for gateway in (self.gateway, live):
            self.assertEqual(gateway.state, "disabled")
            self.assertFalse(gateway._secrets())
        self._send(batch)
        self.assertEqual((batch.batch_state, self.hub.uploads), ("approved", 0))
