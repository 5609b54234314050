from datetime import timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.tests import tagged

from .common import FAILED, SUSPECT, DecisionCase
from .common_hub import listen


@tagged("post_install", "-at_install")
class TestDecidedBefore(DecisionCase):
    """What people knew when they decided is no news at the next look."""

    def _declared_failed(self):
        """A batch that is done because two people declared failed what the hub stored as completed."""
        batch = self._sent(2)
        operations = listen(self, batch)
        rejected, paid = batch.payment_ids
        operations.complete(rejected, failed=True)
        operations.complete(paid)
        self._pull(batch)
        self.assertEqual((rejected.status, paid.status), (False, "paid"))
        self._decide(self._exceptions(batch), "declare_failed")
        self.assertEqual((rejected.status, batch.batch_state), ("failed", "done"))
        return batch, operations

    def _look_daily(self, batch, days):
        start = fields.Datetime.now()
        for day in range(1, days + 1):
            with freeze_time(start + timedelta(days=day)):
                self._pull(batch)

    def test_thirty_looks_then_a_real_change(self):
        batch, operations = self._declared_failed()
        decided = self._exceptions(batch)
        self._look_daily(batch, 30)
        self.assertEqual((self._exceptions(batch), batch.batch_state), (decided, "done"))

        rejected = decided.payment_id
        operations.complete(rejected)
        self._look_daily(batch, 2)
        new = self._exceptions(batch) - decided
        self.assertEqual((len(new), new.type, batch.batch_state), (1, "late", "sent"))
        for said in (self.first.name, self.second.name, "Letter of the bank of 3 March", "opposite"):
            self.assertIn(said, new.summary)
        self.assertIn(f"{fields.Date.today():%Y-%m-%d}", new.summary)
        self.assertEqual(rejected.attention, new.summary)

    def test_check_now_on_the_demo_batch_brings_nothing(self):
        batch, operations = self._declared_failed()
        operations.asked.clear()
        self._pull(batch)
        self.assertEqual(len(self._exceptions(batch)), 1)
        self.assertEqual(operations.asked, [f"tx-{self._exceptions(batch).payment_id.name}"])

    def test_unread_variables_say_nothing_new(self):
        batch, operations = self._declared_failed()
        operations.variables_of = dict.fromkeys(operations.variables_of, {})
        self._pull(batch)
        self.assertEqual(len(self._exceptions(batch)), 1)

    def test_a_doubt_that_a_document_ended_is_known(self):
        """The document was the answer to that very word of the payment system."""
        batch = self._sent()
        payment = batch.payment_ids
        self._say(payment, SUSPECT, remote_reference="r1", reason_code="transactionFailed")
        self._exceptions(batch)._settle_told(payment)
        self._result(payment, "failed", state="reconciled")
        batch._settle()
        self._say(payment, SUSPECT, remote_reference="r1", reason_code="transactionFailed")
        self.assertEqual((batch.batch_state, payment.attention), ("done", False))
        self._say(payment, FAILED, remote_reference="r1")
        self._say(payment, SUSPECT, remote_reference="r1", reason_code="transactionFailed")
        self.assertTrue(payment.attention, "it was taken back, and is said again")

    def test_a_confirmation_of_the_batch_is_not_the_hubs_word(self):
        """In a closed loop a person confirms what was left open, not what had failed by then."""
        self.gateway.write(
            {
                "phee_payment_mode": "closedloop",
                "phee_closed_loop_evidence": "operator",
                "phee_confirm_limit": 1000,
            }
        )
        batch = self._sent(2)
        operations = listen(self, batch)
        rejected, paid = batch.payment_ids
        operations.complete(rejected)
        operations.complete(paid)
        self._pull(batch)
        self._result(rejected, "failed", state="reconciled")
        batch.with_user(self.third).action_confirm_money()
        self._look_daily(batch, 3)
        self.assertEqual((rejected.status, paid.status, batch.batch_state), ("failed", "paid", "done"))
        self.assertFalse(self._exceptions(batch))
