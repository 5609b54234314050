from psycopg2 import IntegrityError

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import PaymentHubCase


@tagged("post_install", "-at_install")
class TestReissue(PaymentHubCase):
    """A payment in the place of a failed one: linked to it, and never beside one that may have paid."""

    def _failed_and_reissued(self, count=1):
        """The failed payments, and the batch with those in their place."""
        failed = self._sent(count).payment_ids
        self._fail(failed)
        return failed, self._prepare()

    def test_each_is_linked_to_the_one_before(self):
        failed, batch = self._failed_and_reissued(2)
        self.assertEqual(batch.payment_ids.reissue_of_id, failed)
        self.assertEqual(failed.mapped("reissue_ids.entitlement_id"), failed.mapped("entitlement_id"))
        again = batch.payment_ids
        batch.with_user(self.manager_user).action_cancel()
        last = self._prepare().payment_ids
        self.assertEqual(last.reissue_of_id, again)
        self.assertEqual(last.reissue_of_id.reissue_of_id, failed)
        self.assertEqual(len({*failed.mapped("name"), *again.mapped("name"), *last.mapped("name")}), 6)

    def test_both_audit_trails_tell_it(self):
        failed, batch = self._failed_and_reissued()
        new = batch.payment_ids
        self.assertIn(f"Re-issued as {new.name} in batch {batch.name}", failed.event_ids[0].why)
        self.assertIn(f"Re-issue of {failed.name}", new.event_ids[0].why)
        for one in failed.batch_id + batch:
            self.assertEqual(self.env["g2p.payment.event"]._first_broken(one), 0)

    @mute_logger("odoo.sql_db")
    def test_database_refuses_a_second_one(self):
        failed, batch = self._failed_and_reissued()
        other = self._sent().payment_ids
        self.assertTrue(batch.payment_ids.reissue_of_id)
        with self.assertRaises(IntegrityError), self.env.cr.savepoint():
            other.sudo().reissue_of_id = failed
            self.env.flush_all()

    def test_a_late_doubt_stops_the_approval(self):
        failed, batch = self._failed_and_reissued()
        failed.sudo().attention = "paid after all"
        with self.assertRaisesRegex(UserError, f"{failed.name}, may pay or have paid it"):
            self._approve(batch)
        self.assertEqual(batch.batch_state, "to_approve")

    def test_a_late_doubt_stops_the_sending(self):
        failed, batch = self._failed_and_reissued()
        self._approve(batch)
        failed.sudo().attention = "paid after all"
        before = self.hub.uploads
        self._send(batch)
        self.assertEqual((batch.batch_state, self.hub.uploads), ("approved", before))
        self.assertIn("may have been paid already", batch.check_result)
        self.assertIn(failed.name, batch.check_result)

    def test_a_live_payment_of_another_manager_stops_both(self):
        batch = self._prepared()
        other = self._payment_of_another_manager(batch.payment_ids.entitlement_id)
        with self.assertRaisesRegex(UserError, other.name):
            self._approve(batch)

    def test_another_manager_does_not_pay_what_may_have_been_paid_through_a_gateway(self):
        """Nor in cash, after a payment failed and was then told to be paid after all."""
        failed = self._sent().payment_ids
        self._fail(failed)
        values = {
            "name": "in cash",
            "entitlement_id": failed.entitlement_id.id,
            "cycle_id": self.cycle.id,
            "amount_issued": 100,
        }
        failed.sudo().attention = "paid after all"
        with self.assertRaisesRegex(UserError, f"{failed.name}.*may pay the same entitlement, or have paid"):
            self.env["g2p.payment"].create(values)
        failed.sudo().attention = False
        self.assertTrue(self.env["g2p.payment"].create(values), "it has surely failed")

    def test_money_that_came_back_is_paid_again_after_the_cycle_is_distributed(self):
        self._entitle(phone="+27713809999")
        returned, paid = self._sent().payment_ids
        self._fail(returned)
        self._result(paid, "paid")
        self._sql("UPDATE g2p_cycle SET state = 'distributed' WHERE id = %s", self.cycle.id)
        again = self._prepare()
        self.assertEqual(again.payment_ids.reissue_of_id, returned)
        self._approve(again)
        self._send(again)
        self.assertEqual(again.batch_state, "sent")

    def test_what_is_being_reconciled_is_not_prepared_at_the_same_time(self):
        """The batch of the failed payment is locked: who holds it may be writing that it was paid."""
        failed = self._sent().payment_ids
        self._fail(failed)
        self.env.flush_all()
        locked = []
        batches = type(failed.batch_id)
        lock = batches._lock
        self.patch(batches, "_lock", lambda batch: (locked.extend(batch.ids), lock(batch)))
        self._prepare()
        self.assertIn(failed.batch_id.id, locked)

    def test_what_to_do_about_each_kind_of_failure(self):
        payment = self._sent().payment_ids
        self._fail(payment)
        kinds = dict(payment._fields["failure_type"].selection)
        advice = set()
        for kind in kinds:
            payment.sudo().failure_type = kind
            advice.add(payment.failure_advice)
        self.assertEqual(len(advice), len(kinds))
        payment.sudo().failure_type = "insufficient_funds"
        self.assertTrue(payment.same_data_may_work)
        payment.sudo().failure_type = "returned"
        self.assertFalse(payment.same_data_may_work)
