import json

from odoo.tests import tagged

from ..models.payment_batch_guard import GUARDED as OF_BATCHES
from ..models.payment_guard import GUARDED as OF_PAYMENTS
from .common import PaymentHubCase


@tagged("post_install", "-at_install")
class TestContext(PaymentHubCase):
    """Whoever presses a button sends a context along; it gives no value to what is made on their behalf,
    because that is made as superuser, and Odoo drops `default_` keys on the way there."""

    def test_a_context_makes_no_payment_paid(self):
        self._entitle(2)
        forged = {
            f"default_{name}": self._something(model, name)
            for model, names in (("g2p.payment", OF_PAYMENTS), ("g2p.payment.batch", OF_BATCHES))
            for name in names
        }
        self.cycle.with_user(self.manager_user).with_context(**forged).prepare_payment()
        plain = self.env["g2p.payment"].search([("cycle_id", "=", self.cycle.id)])
        self.assertEqual(len(plain), 2)
        for payment in plain:
            self.assertFalse(payment.status or payment.status_is_final or payment.amount_paid)
            self.assertFalse(payment.attention or payment.remote_reference or payment.reissue_of_id)
            self.assertEqual(payment.state, "issued")
        batch = plain.batch_id
        self.assertEqual((batch.batch_state, batch.maker_ids), ("to_approve", self.manager_user))
        self.assertFalse(batch.closed_loop_confirmed_by_id or batch.approved_by_id or batch.frozen_content)
        self.assertFalse(batch.external_batch_ref or batch.batch_has_started or batch.sent_by_id)

    def test_nor_an_attempt(self):
        forged = {"default_remote_reference": "forged", "default_confirmed_by_id": self.finance_user.id}
        batch = self._approved()
        self._send(batch.with_context(**forged))
        self.assertEqual(batch.submission_ids.remote_reference, "remote-1")
        self.assertFalse(batch.submission_ids.confirmed_by_id)

    def _keep_defaults(self, user, model, names):
        """As every user may, also over RPC."""
        for name in names:
            value = self._something(model, name)
            self.env["ir.default"].with_user(user).create(
                {
                    "field_id": self.env["ir.model.fields"]._get(model, name).id,
                    "json_value": json.dumps(value),
                    "user_id": user.id,
                }
            )

    def test_nor_do_defaults_that_somebody_keeps(self):
        self._keep_defaults(self.manager_user, "g2p.payment", OF_PAYMENTS)
        self._keep_defaults(self.manager_user, "g2p.payment.batch", OF_BATCHES)
        names = ("remote_reference", "confirmed_by_id", "declared_by_id")
        self._keep_defaults(self.finance_user, "g2p.payment.submission", names)
        self._entitle()
        batch = self._prepare()
        payment = batch.payment_ids
        self.assertFalse(payment.status or payment.status_is_final or payment.amount_paid)
        self.assertEqual((payment.state, batch.batch_state), ("issued", "to_approve"))
        self.assertFalse(batch.closed_loop_confirmed_by_id or batch.approved_by_id or batch.frozen_content)
        self._approve(batch)
        self._send(batch)
        self.assertEqual(batch.submission_ids.remote_reference, "remote-1")
        self.assertFalse(batch.submission_ids.confirmed_by_id or batch.submission_ids.declared_by_id)

    def _something(self, model, name):
        """A value that the field would take."""
        field = self.env[model]._fields[name]
        if field.type == "selection":
            return field.get_values(self.env)[-1]
        if field.type == "many2one":
            return self.env[field.comodel_name].search([], limit=1).id or False
        if field.type in ("one2many", "many2many"):
            return []
        values = {"boolean": True, "integer": 1, "float": 1.0, "monetary": 1.0}
        return {**values, "date": "2026-01-01", "datetime": "2026-01-01 00:00:00"}.get(field.type, "x")
