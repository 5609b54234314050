from odoo.tests import tagged

from odoo.addons.g2p_payment_hub.client.errors import Reason, Refused
from odoo.addons.g2p_payment_hub.client.outcomes import OutcomeStatus

from ..models import payment_submission
from .common_paying import FIRST, PayingCase


@tagged("post_install", "-at_install")
class TestPause(PayingCase):
    def _without_money(self):
        for number in range(3):
            self.scheme.faults[f"2771380000{number}", "transfer"] = "4001"
        return self._paid(3)

    def test_without_liquidity_the_batch_pauses(self):
        batch = self._without_money()
        self.assertIn("4001", batch.mojaloop_paused_reason)
        self.assertEqual(batch._called(payment_submission.RESUME), self.finance_user)
        posts = len(self.scheme.posts)
        for _number in range(3):
            self._pay(batch)
        self.assertEqual(len(self.scheme.posts), posts, "nothing is begun any more")
        statuses = {one.status for one in self._outcomes(batch).values()}
        self.assertEqual(statuses, {OutcomeStatus.WAITING})

    def test_where_its_approver_has_left_all_of_finance_is_called(self):
        self.scheme.faults[FIRST, "transfer"] = "4001"
        batch = self._approved()
        self._send(batch)
        self.finance_user.active = False
        others = self._user("finance_2", "g2p_programs.g2p_finance_validator")
        self._pay(batch)
        self.assertIn(others, batch._called(payment_submission.RESUME))

    def test_when_it_is_over_nobody_has_to_resume_it(self):
        batch = self._without_money()
        batch._advance("done", "Decided by people.")
        self.assertFalse(batch.mojaloop_paused_reason)
        self.assertFalse(batch._called(payment_submission.RESUME))
        batch._advance("sent", "A decision was taken back.")
        self.assertIn("4001", batch.mojaloop_paused_reason)

    def test_finance_resumes_it(self):
        batch = self._without_money()
        self._expire(batch)
        self._pay(batch)
        self.scheme.faults.clear()
        batch.with_user(self.finance_user).action_resume_paying()
        self.assertFalse(batch.mojaloop_paused_reason)
        self.assertFalse(batch.activity_ids)
        self._pay(batch)
        self.assertEqual(len(self.scheme.paid()), 3)

    def test_it_is_not_failed_by_a_scheme_that_then_only_says_that_it_is_over(self):
        self.scheme.faults[FIRST, "state"] = "ABORTED"
        self.scheme.mixed_up[FIRST, "transfer"] = "4001"
        batch = self._paid()
        self.assertIn("4001", batch.mojaloop_paused_reason)
        self._expire(batch)
        self._pay(batch)
        self.assertEqual(self._transfers(batch).mapped("state"), ["failed", "waiting"])
        del self.scheme.faults[FIRST, "state"]
        batch.with_user(self.finance_user).action_resume_paying()
        self._pay(batch)
        self.assertEqual(self._transfers(batch).mapped("state"), ["failed", "committed"])
        self.assertEqual(self.scheme.paid(), [(FIRST, "100")])

    def test_both_are_in_the_audit_trail(self):
        batch = self._without_money()
        batch.with_user(self.finance_user).action_resume_paying()
        paused, resumed = batch.event_ids.filtered(
            lambda one: "paused" in (one.from_state, one.to_state)
        ).sorted("number")
        self.assertEqual((paused.from_state, paused.to_state), ("accepted", "paused"))
        self.assertEqual(paused.to_label, "Paused")
        self.assertEqual((resumed.from_state, resumed.to_state), ("paused", "accepted"))
        self.assertEqual(resumed.user_id, self.finance_user)
        self.assertEqual((paused + resumed).submission_id, batch.submission_ids)
        for event in paused + resumed:
            self.assertIn("4001", event.why)
        self.assertEqual(self.env["g2p.payment.event"]._first_broken(batch), 0)

    def test_what_is_under_way_is_asked_for_while_paused(self):
        self.scheme.lose_replies.add("27713800003")
        self._entitle(1)
        for number in range(3):
            self.scheme.faults[f"2771380000{number}", "transfer"] = "4001"
        batch = self._paid(4)
        self.assertTrue(batch.mojaloop_paused_reason)
        self._pay(batch)
        by_payee = {one.payment_id.account_number: one.state for one in self._transfers(batch)}
        self.assertEqual(by_payee["27713800003"], "committed")

    def test_a_connector_that_refuses_us_pauses_the_batch(self):
        self.scheme.faults[FIRST, "lookup"] = Refused(Reason.LOGIN, "HTTP 401")
        batch = self._paid()
        self.assertIn("refuses user or password", batch.mojaloop_paused_reason)
        self.assertEqual(self._transfers(batch).state, "waiting")
