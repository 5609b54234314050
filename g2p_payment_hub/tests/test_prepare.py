from psycopg2 import IntegrityError

from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import PaymentHubCase


@tagged("post_install", "-at_install")
class TestPrepare(PaymentHubCase):
    def test_prepare_makes_payments_and_a_batch_to_approve(self):
        entitlements = self._entitle(3, amount=120)
        batch = self._prepare()
        self.assertEqual(batch.batch_state, "to_approve", batch.check_result)
        payments = batch.payment_ids
        self.assertEqual(payments.entitlement_id, entitlements)
        self.assertEqual(payments.mapped("amount_issued"), [120, 120, 120])
        self.assertEqual(set(payments.mapped("account_number")), {"27713800000", "27713800001", "27713800002"})
        self.assertEqual(payments.payment_currency_id.name, "USD")
        self.assertEqual((batch.payment_count, batch.amount_total), (3, 360))
        self.assertEqual((batch.stats_issued_transactions, batch.stats_issued_amount), (3, 360))
        self.assertEqual(batch.prepared_by_id, self.manager_user)

    def test_whole_road(self):
        batch = self._sent(3)
        self.assertEqual(batch.batch_state, "sent")
        self.assertEqual(batch.submission_ids.state, "accepted")
        self.assertEqual(self.hub.uploads, 1)

    @mute_logger("odoo.sql_db")
    def test_database_refuses_a_second_live_payment(self):
        self._entitle()
        payment = self._prepare().payment_ids
        with self.assertRaises(IntegrityError), self.env.cr.savepoint():
            payment.sudo().copy({"name": "another", "gateway_id": payment.gateway_id.id})
            self.env.flush_all()
