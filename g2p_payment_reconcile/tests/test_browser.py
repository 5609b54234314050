from odoo.tests import HttpCase, tagged

from odoo.addons.g2p_payment_hub.client.outcomes import FailureType

from .common import FAILED, PAID, SUSPECT, DecisionCase


@tagged("post_install", "-at_install")
class TestBrowser(DecisionCase, HttpCase):
    """What comes after a batch was sent, on the screens, each person with a log-in of their own."""

    def test_failed_issued_again_and_decided_by_two(self):
        self.cycle.name = "Browser Cycle"
        batch = self._sent(3)
        paid, failed, doubtful = batch.payment_ids
        doubtful.partner_id.name = "Browser Payee"
        self.hub.tell(paid, PAID, remote_reference="r1")
        self.hub.tell(failed, FAILED, failure_type=FailureType.TECHNICAL, reason="no")
        self.hub.tell(doubtful, SUSPECT, remote_reference="r3")
        self._pull(batch)

        self.start_tour("/web", "g2p_payment_reconcile_failed", login=self.first.login)

        self.start_tour("/web", "g2p_payment_reconcile_reissue", login=self.manager_user.login)
        self.assertEqual(failed.reissue_ids.batch_id.batch_state, "to_approve")
        self.assertEqual(failed.reissue_ids.batch_id.prepared_by_id, self.manager_user)
        self.assertFalse(paid.reissue_ids + doubtful.reissue_ids)

        self.start_tour("/web", "g2p_payment_reconcile_decide", login=self.first.login)
        self.env.invalidate_all()
        exception = doubtful.exception_ids
        self.assertEqual((exception.state, exception.proposed_by_id), ("proposed", self.first))
        self.assertFalse(doubtful.status, "nothing changes before a second person agrees")

        self.start_tour("/web", "g2p_payment_reconcile_confirm", login=self.second.login)
        self.env.invalidate_all()
        self.assertEqual((exception.state, exception.confirmed_by_id), ("closed", self.second))
        self.assertEqual((doubtful.status, doubtful.status_is_final), ("failed", True))
