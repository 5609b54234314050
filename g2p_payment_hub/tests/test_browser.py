from odoo.tests import HttpCase, tagged

from .common import PaymentHubCase


@tagged("post_install", "-at_install")
class TestBrowser(PaymentHubCase, HttpCase):
    """The main road, as people walk it: on the screens, each with a log-in of their own."""

    def test_prepare_approve_and_send(self):
        self.cycle.name = "Browser Cycle"
        entitlements = self._entitle(2)
        action = f"/web#action=g2p_programs.action_cycle&model=g2p.cycle&view_type=form&id={self.cycle.id}"

        self.start_tour(action, "g2p_payment_hub_prepare", login=self.manager_user.login)
        self.assertEqual(len(entitlements.payment_ids), 2)
        batch = entitlements.payment_ids.batch_id
        self.assertEqual(batch.prepared_by_id, self.manager_user)

        self.start_tour("/web", "g2p_payment_hub_approve_and_send", login=self.finance_user.login)
        self.assertEqual((batch.batch_state, batch.approved_by_id), ("sending", self.finance_user))
        job = self._jobs(batch)
        self.assertEqual(len(job), 1)
        self._run(job)
        self.assertEqual((batch.batch_state, len(self.hub.received)), ("sent", 1))

        self.start_tour("/web", "g2p_payment_hub_sent", login=self.finance_user.login)
