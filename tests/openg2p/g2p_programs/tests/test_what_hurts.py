"""What OpenG2P does that a payment add-on has to live with. These pass on the real modules as well."""

from datetime import date

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import TransactionCase, new_test_user, tagged


@tagged("post_install", "-at_install")
class TestWhatHurts(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context={**cls.env.context, "tracking_disable": True})
        cls.program = cls.env["g2p.program"].create({"name": "Xylophone Quarterly Zebra"})
        cls.manager = cls.program.get_manager(cls.program.MANAGER_PAYMENT)
        cls.cycle = cls.env["g2p.cycle"].create(
            {
                "name": "Cycle 1",
                "program_id": cls.program.id,
                "start_date": date.today(),
                "end_date": date.today(),
                "state": "approved",
            }
        )
        partners = cls.env["res.partner"].create(
            [{"name": f"Registrant {number}", "is_registrant": True} for number in range(3)]
        )
        cls.entitlements = cls.env["g2p.entitlement"].create(
            [
                {
                    "partner_id": partner.id,
                    "cycle_id": cls.cycle.id,
                    "initial_amount": 100,
                    "state": "approved",
                    "is_cash_entitlement": True,
                }
                for partner in partners
            ]
        )

    def _batch_by_two(self):
        tag = self.env["g2p.payment.batch.tag"].create({"name": "By two", "max_batch_size": 2})
        self.manager.write({"create_batch": True, "batch_tag_ids": [Command.set(tag.ids)]})

    def _payments(self):
        return self.env["g2p.payment"].search([("cycle_id", "=", self.cycle.id)])

    def _kind(self, action):
        return action["params"]["type"]

    def test_new_program_has_a_manager_that_issues_nothing(self):
        self.assertEqual(self.manager._name, "g2p.program.payment.manager.default")
        self.assertFalse(self.manager.create_batch or self.manager.batch_tag_ids)
        self.assertEqual(self._kind(self.cycle.prepare_payment()), "danger")
        self.assertFalse(self._payments())

    def test_second_manager_is_refused_and_replacing_is_not(self):
        other = self.manager.copy()
        wrapper = self.env["g2p.program.payment.manager"].create(
            {"program_id": self.program.id, "manager_ref_id": f"{other._name},{other.id}"}
        )
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self.program.payment_managers = [Command.link(wrapper.id)]
        self.program.payment_managers = [Command.set(wrapper.ids)]
        self.assertEqual(self.program.get_manager(self.program.MANAGER_PAYMENT), other)

    def test_no_manager_is_none(self):
        self.assertIsNone(self.program.get_manager(self.program.MANAGER_CYCLE))
        self.manager.unlink()
        self.assertFalse(self.program.payment_managers)
        self.assertIsNone(self.program.get_manager(self.program.MANAGER_PAYMENT))
        with self.assertRaises(UserError):
            self.cycle.prepare_payment()

    def test_default_reference_is_shared(self):
        vals = {"entitlement_id": self.entitlements[0].id, "cycle_id": self.cycle.id, "amount_issued": 1}
        payments = self.env["g2p.payment"].create([vals, vals])
        batches = self.env["g2p.payment.batch"].create([{"cycle_id": self.cycle.id}] * 2)
        self.assertEqual(payments[0].name, payments[1].name)
        self.assertEqual(batches[0].name, batches[1].name)

    def test_prepare_batches_and_only_failed_is_paid_again(self):
        self._batch_by_two()
        self.assertEqual(self._kind(self.cycle.prepare_payment()), "success")
        payments = self._payments()
        self.assertEqual(sorted(len(batch.payment_ids) for batch in self.cycle.payment_batch_ids), [1, 2])
        self.assertEqual(payments.batch_id, self.cycle.payment_batch_ids)
        self.assertEqual(len(set(payments.mapped("name"))), 3)
        self.assertEqual(self._kind(self.cycle.prepare_payment()), "danger")

        payments[0].status = "failed"
        payments[1].state = "reconciled"
        self.assertEqual(self._kind(self.cycle.prepare_payment()), "success")
        again = self._payments() - payments
        self.assertEqual(again.entitlement_id, payments[0].entitlement_id)
        self.assertEqual(payments[0].status, "failed")

    def test_send_of_the_default_manager_changes_nothing(self):
        self.assertEqual(self._kind(self.cycle.send_payment()), "warning")
        self._batch_by_two()
        self.cycle.prepare_payment()
        self.cycle.invalidate_recordset()
        self.assertIsNone(self.cycle.send_payment())
        self.assertIsNone(self.cycle.payment_batch_ids[0].send_payment())
        self.assertEqual(set(self._payments().mapped("state")), {"issued"})

    def test_from_the_threshold_on_it_is_a_job_that_unlocks(self):
        self._batch_by_two()
        self.patch(type(self.manager), "MAX_PAYMENTS_FOR_SYNC_PREPARE", 3)
        self.cycle.prepare_payment()
        self.assertTrue(self.cycle.locked)
        self.assertFalse(self._payments())
        self.cycle.with_context(queue_job__no_delay=True).prepare_payment()
        self.assertEqual(len(self._payments()), 3)
        self.assertFalse(self.cycle.locked)

    def test_a_batch_and_its_payments_know_each_other_only_if_told(self):
        payment = self.env["g2p.payment"].create(
            {"entitlement_id": self.entitlements[0].id, "cycle_id": self.cycle.id, "amount_issued": 1}
        )
        batch = self.env["g2p.payment.batch"].create(
            {"cycle_id": self.cycle.id, "payment_ids": [Command.set(payment.ids)]}
        )
        self.assertFalse(payment.batch_id)
        self.assertEqual(batch.copy().payment_ids, payment)

    def test_only_what_has_not_left_can_be_deleted(self):
        self._batch_by_two()
        self.cycle.prepare_payment()
        first, second = self.cycle.payment_batch_ids
        first.batch_has_started = True
        with self.assertRaises(ValidationError):
            first.unlink()
        second.payment_ids[0].state = "sent"
        with self.assertRaises(ValidationError):
            second.unlink()
        second.payment_ids.state = "issued"
        payments = second.payment_ids
        second.unlink()
        self.assertFalse(payments.exists())

    def test_currency_is_the_journals_of_the_moment(self):
        payments = self.env["g2p.payment"].create(
            {"entitlement_id": self.entitlements[0].id, "cycle_id": self.cycle.id, "amount_issued": 1}
        )
        for field in ("currency_id", "program_id", "partner_id"):
            self.assertFalse(payments._fields[field].store)
        self.program.create_journal()
        self.assertEqual(payments.currency_id, self.program.company_id.currency_id)
        other = (
            self.env["res.currency"]
            .with_context(active_test=False)
            .search([("id", "!=", payments.currency_id.id)], limit=1)
        )
        self.program.journal_id.currency_id = other
        self.assertEqual(payments.currency_id, other)

    def test_finance_sees_payments_but_neither_cycle_nor_manager(self):
        self._batch_by_two()
        self.cycle.prepare_payment()
        finance = new_test_user(
            self.env, "hurts_finance", groups="base.group_user,g2p_programs.g2p_finance_validator"
        )
        batch = self.cycle.payment_batch_ids[0].with_user(finance)
        self.assertTrue(batch.payment_ids.mapped("amount_issued"))
        for record in (self.cycle, self.program.payment_managers, self.manager):
            with self.assertRaises(AccessError):
                record.with_user(finance).read(["program_id"])
        with self.assertRaises(AccessError):
            batch.send_payment()
        with self.assertRaises(AccessError):
            batch.payment_ids.unlink()

    def test_finance_opens_entitlements_only_after_somebody_else(self):
        """The check sits in what Odoo keeps for all users."""
        finance = new_test_user(
            self.env, "hurts_finance", groups="base.group_user,g2p_programs.g2p_finance_validator"
        )
        entitlements = self.env["g2p.entitlement"]
        self.env.registry.clear_all_caches()
        with self.assertRaises(ValidationError):
            entitlements.with_user(finance).get_view(view_type="form")
        entitlements.get_view(view_type="form")
        self.assertTrue(entitlements.with_user(finance).get_view(view_type="form"))

    def test_nothing_in_the_system_parameters_is_secret(self):
        user = new_test_user(self.env, "hurts_nobody", groups="base.group_user")
        self.env["ir.config_parameter"].set_param("hurts.secret", "known")
        parameters = self.env["ir.config_parameter"].with_user(user)
        self.assertEqual(parameters.search([("key", "=", "hurts.secret")]).value, "known")

    def test_programs_are_of_a_company(self):
        user = new_test_user(
            self.env, "hurts_manager", groups="base.group_user,g2p_programs.g2p_program_manager"
        )
        self.assertIn(self.program, self.env["g2p.program"].with_user(user).search([]))
        self.program.company_id = False
        self.assertNotIn(self.program, self.env["g2p.program"].with_user(user).search([]))

    def test_partners_have_a_company_and_id_types_come_one_by_one(self):
        self.assertEqual(self.entitlements.partner_id.company_id, self.env.company)
        with self.assertRaises(ValueError), self.env.cr.savepoint():
            self.env["g2p.id.type"].create([{"name": "Hurts 1"}, {"name": "Hurts 2"}])
        self.assertTrue(self.env["g2p.id.type"].create({"name": "Hurts 1"}))

    def test_reading_an_iban_may_raise(self):
        def account(country, number):
            bank = self.env["res.bank"].create(
                {"name": "Bank", "bic": "37040044", "country": self.env.ref(f"base.{country}").id}
            )
            return self.env["res.partner.bank"].create(
                {"partner_id": self.entitlements[0].partner_id.id, "acc_number": number, "bank_id": bank.id}
            )

        self.assertEqual(account("de", "532013000").iban, "DE89370400440532013000")
        with self.assertRaises(ValueError):
            account("et", "1000123456").iban  # noqa: B018
        with self.assertRaises(ValueError):
            account("de", "not an account number").iban  # noqa: B018

    def test_each_write_of_the_state_draws_another_number(self):
        entitlement = self.entitlements[0]
        drawn = entitlement.ern
        self.assertTrue(drawn)
        entitlement.state = "rdpd2ben"
        self.assertFalse(entitlement.ern)
        entitlement.state = "approved"
        self.assertNotEqual(entitlement.ern, drawn)

    def test_cycle_form_marks_what_belongs_to_payments(self):
        arch = self.env["g2p.cycle"].get_view(view_type="form")["arch"]
        self.assertIn('name="prepare_payment"', arch)
        self.assertIn('name="payment_batches"', arch)
