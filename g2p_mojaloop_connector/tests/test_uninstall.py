from odoo.exceptions import UserError
from odoo.tests import tagged

from ..hooks import uninstall_hook
from .common import MojaloopCase


@tagged("post_install", "-at_install")
class TestUninstall(MojaloopCase):
    """Odoo drops our tables, and passes over what goes wrong meanwhile."""

    def setUp(self):
        super().setUp()
        self.batch = self._approved()
        self._send(self.batch)

    def _leave(self):
        """What Odoo does with the entry of a selection whose add-on goes."""
        entry = self.env["ir.model.fields.selection"].search(
            [
                ("field_id.model", "=", "g2p.payment.gateway"),
                ("field_id.name", "=", "provider"),
                ("value", "=", "mojaloop"),
            ]
        )
        entry._process_ondelete()

    def test_not_while_a_transfer_is_under_way(self):
        with self.assertRaisesRegex(UserError, "Transfers of Mojaloop are not over"):
            uninstall_hook(self.env)

    def test_not_before_the_payments_have_their_results(self):
        self._pay(self.batch)
        self.assertEqual(self._transfers(self.batch).state, "committed")
        with self.assertRaisesRegex(UserError, "Transfers of Mojaloop are not over"):
            uninstall_hook(self.env)

    def test_not_while_what_was_declared_failed_may_have_been_paid(self):
        """Before its entitlement is paid again the scheme is asked, and only the transfer says for what."""
        self._sql("UPDATE g2p_mojaloop_transfer SET state = 'unknown', decided = 'failed'")
        self._fail(self.batch.payment_ids)
        with self.assertRaisesRegex(UserError, "Transfers of Mojaloop are not over"):
            uninstall_hook(self.env)

    def test_it_leaves_gateways_that_send_nothing(self):
        other = self._mojaloop(active=False)
        waiting = self._approved_for_another_cycle()
        self._pay(self.batch)
        self._result(self.batch.payment_ids, "paid")
        uninstall_hook(self.env)
        self._leave()
        for gateway in self.gateway + other:
            self.assertEqual((gateway.provider, gateway.state), ("payment_hub_ee", "disabled"))
        self._send(waiting)
        self.assertEqual(waiting.batch_state, "approved")
        self.gateway.state = "test"
        self._send(waiting)
        self.assertEqual(waiting.batch_state, "approved", "nor when somebody enables it again")
        self.assertFalse(self.hub.received)

    def _approved_for_another_cycle(self):
        self.cycle = self._cycle(self.program, "Cycle 2")
        return self._approved(cycle=self.cycle)

    def test_a_kind_that_nobody_knows_any_more_sends_nothing(self):
        self._sql("UPDATE g2p_payment_gateway SET provider = 'gone' WHERE id = %s", self.gateway.id)
        self.assertIn("gone", self.gateway._unsupported_sentence())
