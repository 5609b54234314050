from odoo.tests import tagged

from odoo.addons.g2p_payment_reconcile.tests.common import FAILED, PAID, SUSPECT
from odoo.addons.g2p_payment_reconcile.tests.common_evidence import EvidenceCase


@tagged("post_install", "-at_install")
class TestResults(EvidenceCase):
    """What an add-on that builds on ours learns of results, however they came."""

    def _stored(self, payments):
        """Payments' results and their entitlements' sums, as they stand in the database."""
        self.env.flush_all()
        self.env.cr.execute(
            """
            SELECT payment.listener_result, entitlement.listener_paid_amount::float
              FROM g2p_payment AS payment JOIN g2p_entitlement AS entitlement
                ON entitlement.id = payment.entitlement_id
             WHERE payment.id = ANY(%s) ORDER BY payment.id
            """,
            [payments.ids],
        )
        return self.env.cr.fetchall()

    def _noted(self):
        return self.env["g2p.payment.listener.note"].search([], order="id").mapped("payment_ids.id")

    def test_stored_computes_are_right_after_a_pull(self):
        batch = self._sent(3)
        paid, failed, waiting = payments = batch.payment_ids.sorted("id")
        self.assertEqual(self._stored(payments), [("open", 0.0)] * 3)
        self.hub.tell(paid, PAID)
        self.hub.tell(failed, FAILED, reason="no")
        self._pull(batch)
        self.assertEqual(self._stored(payments), [("paid", 100.0), ("failed", 0.0), ("open", 0.0)])
        self.assertEqual(waiting.listener_result, "open")

    def test_stored_computes_are_right_after_evidence(self):
        batch = self._sent(2)
        paid, failed = payments = batch.payment_ids.sorted("id")
        self._apply(self._upload(self._csv(self._row(paid), self._row(failed, "Rejected"))))
        self.assertEqual(self._stored(payments), [("paid", 100.0), ("failed", 0.0)])

    def test_stored_computes_are_right_after_a_decision(self):
        batch, exceptions = self._doubtful(2)
        first, second = payments = batch.payment_ids.sorted("id")
        self._decide(exceptions.filtered(lambda exception: exception.payment_id == first), "declare_paid")
        self._decide(exceptions.filtered(lambda exception: exception.payment_id == second), "declare_failed")
        self.assertEqual(self._stored(payments), [("paid", 100.0), ("failed", 0.0)])
        self._undo(exceptions, "take_back", self.third)
        self.assertEqual(self._stored(payments), [("open", 0.0)] * 2)

    def test_stored_computes_are_right_after_giving_up(self):
        batch = self._prepared(2)
        batch.with_user(self.manager_user).action_cancel()
        self.assertEqual(self._stored(batch.payment_ids), [("failed", 0.0)] * 2)

    def test_the_hook_is_called_once_for_a_set(self):
        batch = self._sent(3)
        payments = batch.payment_ids
        for payment in payments:
            self.hub.tell(payment, PAID)
        self._pull(batch)
        notes = self.env["g2p.payment.listener.note"].search([])
        self.assertEqual([note.payment_ids for note in notes], [payments])
        self._pull(batch)
        self.assertEqual(self.env["g2p.payment.listener.note"].search([]), notes, "nothing new was said")

    def test_the_hook_is_called_after_a_decision(self):
        batch, exceptions = self._doubtful()
        before = self.env["g2p.payment.listener.note"].search([])
        self._decide(exceptions, "declare_paid")
        after = self.env["g2p.payment.listener.note"].search([]) - before
        self.assertEqual(after.payment_ids, batch.payment_ids)

    def test_a_rule_on_a_stored_compute_runs_after_a_pull(self):
        """Automation rules watch `write` and stored computes; only the second happens."""
        self._automation("g2p.payment", "listener_result", [("listener_result", "=", "paid")])
        batch = self._sent(2)
        paid, failed = batch.payment_ids.sorted("id")
        self.hub.tell(paid, PAID)
        self.hub.tell(failed, FAILED, reason="no")
        self._pull(batch)
        self.assertEqual(self._told_by_rules(), [f"{paid.id} paid"])

    def test_a_doubt_is_told_to_the_hook(self):
        batch = self._sent()
        told = []
        payments = type(batch.payment_ids)
        original = payments._on_results_written

        def heard(records, field_names):
            told.append((records.ids, set(field_names)))
            return original(records, field_names)

        self.patch(payments, "_on_results_written", heard)
        self._say(batch.payment_ids, SUSPECT, remote_reference="r1")
        self.assertIn((batch.payment_ids.ids, {"attention", "attention_type"}), told)

    def _automation(self, model, field, domain):
        model = self.env["ir.model"]._get(model)
        automation = self.env["base.automation"].create(
            {
                "name": "Paid",
                "model_id": model.id,
                "trigger": "on_create_or_write",
                "trigger_field_ids": [(6, 0, self.env["ir.model.fields"]._get(model.model, field).ids)],
                "filter_domain": repr(domain),
            }
        )
        self.env["ir.actions.server"].create(
            {
                "name": "Tell",
                "model_id": model.id,
                "base_automation_id": automation.id,
                "usage": "base_automation",
                "state": "code",
                "code": "for payment in records: env['ir.config_parameter'].sudo().set_param("
                "f'listener.{payment.id}', payment.listener_result)",
            }
        )

    def _told_by_rules(self):
        told = self.env["ir.config_parameter"].sudo().search([("key", "=like", "listener.%")], order="key")
        return [f"{one.key.removeprefix('listener.')} {one.value}" for one in told]
