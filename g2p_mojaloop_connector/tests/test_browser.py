from odoo.tests import HttpCase, tagged

from .common import MojaloopCase


@tagged("post_install", "-at_install")
class TestBrowser(MojaloopCase, HttpCase):
    """The screens of this road, as people walk them, each with a log-in of their own."""

    def test_a_gateway_is_made(self):
        admin = self._user("browser_gateway_admin", "g2p_payment_hub.group_gateway_admin")
        action = "/web#action=g2p_payment_hub.payment_gateway_action&model=g2p.payment.gateway&view_type=list"
        self.start_tour(action, "g2p_mojaloop_connector_gateway", login=admin.login)
        gateway = self.env["g2p.payment.gateway"].search([("name", "=", "Browser Switch")])
        self.assertEqual(
            (gateway.provider, gateway.state, gateway.mojaloop_dfsp_id), ("mojaloop", "disabled", "treasury")
        )

    def test_payees_are_verified_and_paid(self):
        self.scheme.names.update({"27713800000": "Payee 0", "27713800001": "Somebody Else"})
        batch = self._prepared(2)

        self._walk(batch, "g2p_mojaloop_connector_verify")
        verifications = batch.payment_ids.mojaloop_verification_ids
        self.assertEqual(verifications.mapped("state"), ["waiting"] * 2)
        verifications._look_up()
        self.assertEqual(batch.payee_doubt_count, 1)
        self._walk(batch, "g2p_mojaloop_connector_decide")
        self.assertEqual(verifications.decided_by_id, self.finance_user)
        self.assertFalse(self.scheme.posts)

        self._approve(batch)
        self._send(batch)
        self._pay(batch)
        self._walk(batch, "g2p_mojaloop_connector_transfers")

    def _walk(self, batch, tour):
        action = "/web#action=g2p_programs.action_payment_batch&model=g2p.payment.batch&view_type=form"
        self.env.flush_all()
        self.start_tour(f"{action}&id={batch.id}", tour, login=self.finance_user.login)
        self.env.invalidate_all()
