from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.queue_job.exception import RetryableJobError

from .test_paying import FIRST, PayingCase


@tagged("post_install", "-at_install")
class TestClaim(PayingCase):
    """npm's connector mixes up steps of several that are under way at the same time, whoever began them."""

    def _through_another_record(self, **values):
        self.gateway = self._mojaloop(name="The Same Switch", **values)
        self.manager.gateway_id = self.gateway

    def test_one_job_at_a_time_also_through_another_gateway_to_the_same_connector(self):
        self._through_another_record(mojaloop_url="HTTP://127.0.0.1:4001/")
        batch = self._approved()
        self._send(batch)
        self.scheme.requests.clear()
        with self._connector_is_busy(), self.assertRaises(RetryableJobError):
            self._pay(batch)
        self.assertFalse(self.scheme.requests)
        self._pay(batch)
        self.assertEqual(self.scheme.paid(), [(FIRST, "100")])

    def test_another_connector_is_not_waited_for(self):
        self._through_another_record(mojaloop_url="http://127.0.0.1:4002")
        with self._connector_is_busy():
            self._paid()
        self.assertEqual(self.scheme.paid(), [(FIRST, "100")])

    def test_people_do_not_get_into_its_way(self):
        wizard = (
            self.env["g2p.payee.alias.wizard"]
            .with_user(self.manager_user)
            .create(
                {
                    "gateway_id": self.gateway.id,
                    "line_ids": [(0, 0, {"partner_id": self._entitle().partner_id.id, "identifier": "one"})],
                }
            )
        )
        with self._connector_is_busy(), self.assertRaisesRegex(UserError, "busy"):
            wizard.action_register()
        self.assertFalse(self.scheme.requests)
        self.gateway.mojaloop_parallel = 2  # it can tell them apart
        with self._connector_is_busy():
            wizard.action_register()
        self.assertTrue(self.scheme.accounts)

    def test_nor_does_a_test_of_the_connection(self):
        self.gateway.mojaloop_payer_identifier = "1234567"
        with self._connector_is_busy():
            said = self.gateway.action_test_connection()["params"]["message"]
        self.assertIn("Scheme: not asked, because the connector is busy", said)
        self.assertEqual(self.scheme.requests, [("GET", "/")])

    def test_nor_whoever_asks_for_what_was_given_up(self):
        self._entitle()
        self._prepare().with_user(self.manager_user).action_cancel()
        again = self._prepare()
        self._approve(again)
        again.with_user(self.finance_user).send_payment()
        with self._connector_is_busy(), self.assertRaises(RetryableJobError):
            self._run(self._jobs(again))
        self.assertFalse(self.scheme.requests)
