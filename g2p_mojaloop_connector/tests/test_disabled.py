from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.g2p_payment_hub.client.outcomes import OutcomeStatus

from ..client import paying
from ..models import payment_submission
from .common import TIMEOUT
from .test_paying import FIRST, PayingCase


@tagged("post_install", "-at_install")
class TestDisabled(PayingCase):
    """A gateway that is disabled or archived sends nothing and looks nobody up; what became of that which it
    has sent is asked all the same."""

    def _due(self):
        return self.env["g2p.payment.submission"]._due_submissions()

    def _off(self):
        return ({"state": "disabled"}, {"active": False})

    def test_what_waits_does_not_begin_before_it_is_enabled_again(self):
        batch = self._approved()
        self._send(batch)
        self.scheme.requests.clear()
        for off in self._off():
            self.gateway.write(off)
            self.assertFalse(self._due())
            self._pay(batch)
            self.assertFalse(self.scheme.requests)
            self.assertIn("disabled or archived", batch.mojaloop_run_answer)
            self.gateway.write({"state": "test", "active": True})
        self.assertEqual(self._due(), batch.submission_ids)
        self._pay(batch)
        self.assertEqual(self.scheme.paid(), [(FIRST, "100")])
        self.assertFalse(batch.mojaloop_run_answer)

    def test_what_has_left_is_asked_for(self):
        for number, off in enumerate(self._off()):
            with self.subTest(off=off):
                self.cycle = self._cycle(self.program, f"Cycle {number + 2}")
                self.scheme.lose_replies.add(FIRST)
                batch = self._paid(cycle=self.cycle)
                transfer, outcome = self._only(batch)
                self.assertEqual(transfer.state, "unknown")
                self.gateway.write(off)
                self._hurry(batch)
                self.assertEqual(self._due(), batch.submission_ids)
                self._pay(batch)
                transfer, outcome = self._only(batch)
                self.assertEqual((transfer.state, outcome.status), ("committed", OutcomeStatus.PAID))
                self.gateway.write({"state": "test", "active": True})

    def test_and_not_sent_a_second_time(self):
        """The hub does not know it yet, and its time is not over: enabled, the same bytes would go again."""
        self.scheme.faults[FIRST, "transfer"] = TIMEOUT
        batch = self._paid()
        self.scheme.faults.clear()
        self.gateway.state = "disabled"
        self._pay(batch)
        self.assertEqual((len(self.scheme.posts), self.scheme.paid()), (1, []))
        self.assertEqual(self._transfers(batch).state, "unknown")
        self.gateway.state = "test"
        self._pay(batch)
        self.assertEqual(self.scheme.paid(), [(FIRST, "100")])

    def test_disabled_in_the_middle_of_a_run(self):
        batch = self._approved(3)
        self._send(batch)
        original = paying.transfer

        def disables(connector, task):
            self.gateway.state = "disabled"
            return original(connector, task)

        with patch.object(paying, "transfer", disables), patch.object(payment_submission, "CHUNK", 1):
            self._pay(batch)
        self.assertEqual(self.scheme.paid(), [(FIRST, "100")])
        self.assertEqual(sorted(self._transfers(batch).mapped("state")), ["committed", "waiting", "waiting"])

    def test_payees_that_wait_to_be_looked_up(self):
        self._entitle()
        for off in self._off():
            batch = self._prepare()
            batch.with_user(self.manager_user).action_verify_payees()
            found = batch.payment_ids.mojaloop_verification_id
            self.gateway.write(off)
            found._look_up()
            self.assertFalse(self.scheme.requests)
            self.assertEqual((found.state, batch.payee_doubt_count), ("no_answer", 0))
            self.assertIn("disabled or archived", found.error)
            self.gateway.write({"state": "test", "active": True})
            batch.with_user(self.manager_user).with_context(queue_job__no_delay=True).action_verify_payees()
            self.assertEqual(batch.payment_ids.mojaloop_verification_id.state, "found")
            self.scheme.requests.clear()
            batch.with_user(self.manager_user).action_cancel()
