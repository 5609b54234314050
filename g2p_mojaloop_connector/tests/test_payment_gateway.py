from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.g2p_payment_hub.client.errors import NotSent
from odoo.addons.g2p_payment_hub.tests.common import PaymentHubCase

CANNOT = "cannot send through the Mojaloop connector yet"


@tagged("post_install", "-at_install")
class TestMojaloopGateway(PaymentHubCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.payment_hub = cls.gateway
        cls.gateway = cls.env["g2p.payment.gateway"].create(
            {"name": "Test Switch", "provider": "mojaloop", "state": "test"}
        )
        cls.manager.gateway_id = cls.gateway

    def _prepared(self, count=2):
        self._entitle(count)
        return self._prepare()

    def test_prepared_batch_stays_draft_and_says_why(self):
        batch = self._prepared()
        self.assertEqual(batch.batch_state, "draft")
        self.assertIn(CANNOT, batch.check_result)
        self.assertIn("Mifos Payment Hub EE", batch.check_result)
        self.assertEqual(len(batch.payment_ids), 2)

    def test_batch_cannot_be_brought_to_approval(self):
        batch = self._prepared()
        batch.with_user(self.manager_user).action_request_approval()
        self.assertEqual(batch.batch_state, "draft")
        batch.with_user(self.manager_user).action_set_problems_aside()
        self.assertEqual(batch.batch_state, "draft")
        with self.assertRaises(UserError):
            self._approve(batch)
        self.assertFalse(batch.frozen_content)

    def test_send_sends_nothing(self):
        batch = self._prepared()
        self._send(batch)
        self.assertEqual(batch.batch_state, "draft")
        self.assertFalse(batch.submission_ids)
        self.assertEqual(self.hub.uploads, 0)

    def test_cancelled_batch_can_be_prepared_for_another_gateway(self):
        batch = self._prepared()
        batch.with_user(self.manager_user).action_cancel()
        self.manager.gateway_id = self.payment_hub
        again = self._prepare()
        self.assertEqual(again.batch_state, "to_approve", again.check_result)
        self.assertEqual(again.payment_ids.entitlement_id, batch.payment_ids.entitlement_id)

    def test_a_gateway_with_batches_does_not_become_one(self):
        self.manager.gateway_id = self.payment_hub
        self._prepared()
        with self.assertRaisesRegex(UserError, "another gateway"):
            self.payment_hub.provider = "mojaloop"

    def test_submit_itself_refuses_to_send(self):
        self.manager.gateway_id = self.payment_hub
        self._entitle()
        batch = self._prepare()
        self._approve(batch)
        submission = self.env["g2p.payment.submission"]._open(batch)
        with self.assertRaises(NotSent) as raised:
            self.gateway._submit(submission)
        self.assertIn(CANNOT, raised.exception.detail)

    def test_connection_test_says_it_cannot(self):
        said = self.gateway.action_test_connection()["params"]
        self.assertEqual(said["type"], "danger")
        self.assertIn(CANNOT, said["message"])

    def test_payment_hub_gateways_are_left_alone(self):
        self.assertFalse(self.payment_hub._check_ready())

    def test_uninstalling_leaves_gateways_that_send_nothing(self):
        entry = self.env["ir.model.fields.selection"].search(
            [
                ("field_id.model", "=", "g2p.payment.gateway"),
                ("field_id.name", "=", "provider"),
                ("value", "=", "mojaloop"),
            ]
        )
        entry._process_ondelete()
        self.assertEqual((self.gateway.provider, self.gateway.state), ("payment_hub_ee", "disabled"))
