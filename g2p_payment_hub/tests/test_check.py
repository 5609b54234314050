from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import PaymentHubCase


@tagged("post_install", "-at_install")
class TestCheck(PaymentHubCase):
    """What the hub would reject, swallow or mangle is found before anybody can approve it."""

    def _problem(self, **changes):
        """Prepares two payments, one of which is changed; the problem of that one, the other having none."""
        entitlements = self._entitle(2)
        batch = self._prepare()
        payment, other = batch.payment_ids.sorted(lambda payment: payment.entitlement_id.id)
        self.assertEqual(payment.entitlement_id, entitlements[0])
        payment.sudo().write(changes)
        payment.entitlement_id.initial_amount = changes.get("amount_issued", 100)
        return self._found(batch, payment, other)

    def _found(self, batch, payment, other):
        self._back_to_draft(batch)
        self.assertEqual(batch.batch_state, "draft")
        self.assertFalse(other.check_problem)
        self.assertIn(payment.check_problem.replace("\n", " "), batch.check_result)
        self.assertIn(payment.partner_id.name, batch.check_result)
        self.assertEqual(len(batch.check_result.split("\n")), 1)
        return payment.check_problem

    def _back_to_draft(self, batch):
        """Checks once more."""
        batch.with_user(self.manager_user).action_back_to_draft()

    def _request(self, batch):
        return batch.with_user(self.manager_user).action_request_approval()

    def test_no_payee_identifier(self):
        self.assertIn("no payee identifier", self._problem(account_number=False))

    def test_payee_characters(self):
        for identifier in ("2771,380", "2771 380", 'a"b', "a\nb", "Zoë", "=1+1", "x" * 65):
            with self.subTest(identifier), self.env.cr.savepoint() as savepoint:
                self.assertIn(
                    "characters that the hub cannot carry", self._problem(account_number=identifier)
                )
                savepoint.rollback()

    def test_payee_is_shorter_where_the_hub_rewrites_the_file(self):
        self.gateway.write({"phee_institution": "social", "phee_program": "cash"})
        self.assertIn("too long", self._problem(account_number="1" * 25))

    def test_type_of_payee_identifier(self):
        self.gateway.phee_payment_mode = "closedloop"
        self.assertIn("type of the payee identifier", self._problem(payee_identifier_type="AC COUNT"))

    def test_payment_mode_that_pays_to_phones_only(self):
        for mode in ("mojaloop", "gsma"):
            with self.subTest(mode), self.env.cr.savepoint() as savepoint:
                self.gateway.phee_payment_mode = mode
                self.assertIn("phone numbers only", self._problem(payee_identifier_type="IBAN"))
                savepoint.rollback()

    def test_decimals(self):
        self.assertIn("whole amounts only", self._problem(amount_issued=100.5))

    def test_zero_and_negative_amounts(self):
        for amount in (0, -1):
            with self.subTest(amount), self.env.cr.savepoint() as savepoint:
                self.assertIn("not positive", self._problem(amount_issued=amount))
                savepoint.rollback()

    def test_the_entitlement_is_of_another_amount_by_now(self):
        self._entitle(2)
        batch = self._prepare()
        payment, other = batch.payment_ids
        payment.entitlement_id.with_user(self.manager_user).initial_amount = 10
        with self.assertRaisesRegex(UserError, "amount of the entitlement has changed"):
            batch.with_user(self.finance_user).action_approve()
        self.assertIn("Set this payment aside", self._found(batch, payment, other))
        batch.with_user(self.manager_user).action_set_problems_aside()
        again = self.cycle.with_user(self.manager_user).prepare_payment() and payment.reissue_ids
        self.assertEqual(again.amount_issued, 10)

    def test_the_entitlement_is_of_another_beneficiary_by_now(self):
        entitlements = self._entitle(2)
        batch = self._prepare()
        payment, other = batch.payment_ids.sorted(lambda payment: payment.entitlement_id.id)
        prepared_for, new = entitlements.partner_id
        entitlements[0].with_user(self.manager_user).partner_id = new
        with self.assertRaisesRegex(UserError, "beneficiary of the entitlement has changed"):
            batch.with_user(self.finance_user).action_approve()
        self.assertIn("Set this payment aside", self._found(batch, payment, other))
        self.assertEqual(payment.partner_id, prepared_for)
        # Its payee is not exchanged for the new one's: it would be another payment under the same reference.
        number = payment.account_number
        batch.with_user(self.manager_user).action_refresh_payees()
        self.assertEqual((batch.batch_state, payment.account_number), ("draft", number))
        batch.with_user(self.manager_user).action_set_problems_aside()
        again = self.cycle.with_user(self.manager_user).prepare_payment() and payment.reissue_ids
        self.assertEqual((again.partner_id, again.account_number), (new, other.account_number))

    def test_the_beneficiary_is_disabled_by_now(self):
        self._entitle(2)
        batch = self._prepare()
        payment, other = batch.payment_ids
        payment.partner_id.disabled = "2026-01-01 00:00:00"
        with self.assertRaisesRegex(UserError, "beneficiary is disabled"):
            batch.with_user(self.finance_user).action_approve()
        self.assertIn("disabled", self._found(batch, payment, other))

    def test_amount_too_large(self):
        self.assertIn("too large", self._problem(amount_issued=10**18))

    def test_no_currency(self):
        self.program.journal_id.currency_id = False
        batch = self._prepared(2)
        self.assertEqual(batch.batch_state, "draft")
        for payment in batch.payment_ids:
            self.assertIn("no currency", payment.check_problem)

    def test_mixed_currencies(self):
        euro = self.env.ref("base.EUR")
        self.assertIn("currency differs", self._problem(payment_currency_id=euro.id))

    def test_look_alikes_in_one_batch(self):
        """Preparing keeps them apart; a mended registrant can make them meet."""
        entitlements = self._entitle(2)
        batch = self._prepare()
        first, second = batch.payment_ids.sorted("id")
        numbers = [Command.create({"phone_no": "+27713800000"})]
        entitlements[1].partner_id.phone_number_ids = numbers
        self._back_to_draft(batch)
        batch.with_user(self.manager_user).action_refresh_payees()
        self.assertEqual(batch.batch_state, "draft")
        self.assertFalse(first.check_problem)
        self.assertIn("would pay only one of them", second.check_problem)

    def test_entitlement_no_longer_approved(self):
        entitlements = self._entitle(2)
        batch = self._prepare()
        entitlements[0].state = "cancelled"
        payment, other = batch.payment_ids.sorted(lambda payment: payment.entitlement_id.id)
        self.assertIn("no longer approved", self._found(batch, payment, other))

    def test_note_and_reference(self):
        batch = self._prepared()
        batch.sudo().note = "Cash, July"
        batch.payment_ids.sudo().name = "too-long-a-reference-for-the-hub"
        self._back_to_draft(batch)
        self.assertIn("note", batch.check_result)
        self.assertIn("reference", batch.check_result)

    def test_note_of_a_program_with_any_name_can_travel(self):
        self.program.name = 'Allocation "Été", phase 2; ' + "very " * 20 + "long"
        batch = self._prepared()
        self.assertEqual(batch.batch_state, "to_approve", batch.check_result)
        self.assertLessEqual(len(batch.note), 60)

    def _batch_problem(self, batch):
        self._back_to_draft(batch)
        self.assertEqual(batch.batch_state, "draft")
        self.assertFalse(any(batch.payment_ids.mapped("check_problem")))
        return batch.check_result

    def test_cycle_no_longer_approved(self):
        batch = self._prepared()
        self.cycle.state = "cancelled"
        self.assertIn("The cycle is no longer approved", self._batch_problem(batch))

    def test_gateway_disabled_or_incomplete(self):
        batch = self._prepared()
        self.gateway.write({"state": "disabled", "phee_tenant": False, "phee_signing_key": False})
        found = self._batch_problem(batch)
        self.assertIn("Test Hub is disabled", found)
        self.assertIn("lacks: Tenant", found)
        self.assertIn("lacks: Signing Key", found)

    def test_no_payer_and_no_budget_account(self):
        self.manager.payer_identifier = False
        batch = self._prepared()
        self.assertIn("There is no payer", batch.check_result)
        self.gateway.write({"phee_institution": "social", "phee_program": "cash"})
        self._request(batch)
        self.assertEqual(batch.batch_state, "to_approve")

    def test_payer_that_would_shift_the_columns(self):
        self.manager.payer_identifier = "12,34"
        self._entitle()
        self.assertIn("The payer has characters", self._prepare().check_result)

    def test_openg2p_keeps_two_lists_of_payments_which_must_agree(self):
        batch = self._prepared(2)
        batch.sudo().payment_ids = [Command.unlink(batch.payment_ids[0].id)]
        self.assertIn("two lists", self._batch_problem(batch))

    def test_everything_is_in_one_list(self):
        """Nobody has to mend one problem to learn of the next."""
        self.manager.payer_identifier = False
        entitlements = self._entitle(4)
        batch = self._prepare()
        wrong = {"account_number": False, "amount_issued": 0.5}
        batch.payment_ids.filtered(lambda one: one.entitlement_id in entitlements[:2]).sudo().write(wrong)
        action = self._request(batch)
        self.assertEqual(batch.batch_state, "draft")
        self.assertEqual(action["params"]["type"], "warning")
        self.assertEqual(action["params"]["next"], {"type": "ir.actions.act_window_close"})
        lines = batch.check_result.split("\n")
        self.assertEqual(len(lines), 3)
        self.assertIn("no payer", lines[0])
        for line in lines[1:]:
            self.assertIn("no payee identifier", line)
            self.assertIn("whole amounts only", line)

    def test_mended_problems_disappear(self):
        batch = self._prepared(2, phone="")
        batch.payment_ids.sudo().account_number = "27713800001"
        batch.payment_ids[0].sudo().account_number = "27713800002"
        self.assertTrue(self._request(batch))
        self.assertEqual(batch.batch_state, "to_approve")
        self.assertFalse(batch.check_result)
        self.assertFalse(any(batch.payment_ids.mapped("check_problem")))


@tagged("post_install", "-at_install")
class TestMend(PaymentHubCase):
    """A batch with problems need not be thrown away."""

    def _with_a_problem(self, count=3):
        """A draft of `count` payments, the first registrant of which has no phone number."""
        entitlements = self._entitle(count)
        entitlements[0].partner_id.phone_number_ids.unlink()
        batch = self._prepare()
        self.assertEqual(batch.batch_state, "draft")
        self.assertIn("Batches with problems: 1.", self._message(self.said))
        return batch, entitlements

    def test_read_payees_again(self):
        batch, entitlements = self._with_a_problem()
        entitlements[0].partner_id.phone_number_ids = [Command.create({"phone_no": "+27713809999"})]
        batch.with_user(self.manager_user).action_refresh_payees()
        self.assertEqual(batch.batch_state, "to_approve")
        self.assertEqual(entitlements[0].payment_ids.account_number, "27713809999")

    def test_what_was_not_mended_is_said_again(self):
        batch, _entitlements = self._with_a_problem()
        action = batch.with_user(self.manager_user).action_refresh_payees()
        self.assertEqual(action["params"]["type"], "warning")
        self.assertEqual(batch.batch_state, "draft")

    def test_read_again_after_the_payment_manager_was_corrected(self):
        """Another kind of identifier takes its type along, and the payer is read again too."""
        self.gateway.phee_payment_mode = "closedloop"
        batch, entitlements = self._with_a_problem(2)
        for number, partner in enumerate(entitlements.partner_id):
            partner.email = f"payee{number}@pay.example"
        self.manager.write(
            {"payee_field": "email", "payee_identifier_type": "EMAIL", "payer_identifier": "987654321"}
        )
        batch.with_user(self.manager_user).action_refresh_payees()
        self.assertEqual(batch.batch_state, "to_approve", batch.check_result)
        self.assertEqual(set(batch.payment_ids.mapped("payee_identifier_type")), {"EMAIL"})
        self.assertEqual(entitlements[0].payment_ids.account_number, "payee0@pay.example")
        self.assertEqual(batch.payer_identifier, "987654321")

    def test_read_again_when_the_program_pays_in_another_way_now(self):
        batch, _entitlements = self._with_a_problem()
        default = self.env["g2p.program.payment.manager.default"].create(
            {"name": "Default", "program_id": self.program.id}
        )
        wrapper = self.env["g2p.program.payment.manager"].create(
            {"program_id": self.program.id, "manager_ref_id": f"{default._name},{default.id}"}
        )
        self.program.payment_managers = [Command.set(wrapper.ids)]
        with self.assertRaisesRegex(UserError, "no longer pays through the gateway"):
            batch.with_user(self.manager_user).action_refresh_payees()

    def test_set_problems_aside_and_prepare_them_later(self):
        batch, entitlements = self._with_a_problem()
        aside = entitlements[0].payment_ids
        batch.with_user(self.manager_user).action_set_problems_aside()
        self.assertEqual(batch.batch_state, "to_approve")
        self.assertEqual(batch.payment_ids.entitlement_id, entitlements[1:])
        self.assertEqual((batch.payment_count, batch.stats_issued_transactions), (2, 2))
        self.assertEqual((aside.status, aside.status_is_final, aside.batch_id.id), ("failed", True, False))
        self.assertIn("no payee identifier", aside.failure_reason)

        entitlements[0].partner_id.phone_number_ids = [Command.create({"phone_no": "+27713809999"})]
        later = self._prepare()
        self.assertEqual(later.payment_ids.entitlement_id, entitlements[0])
        self.assertNotEqual(later.payment_ids, aside)
        self.assertEqual(later.payment_ids.account_number, "27713809999")
        self.assertEqual(later.batch_state, "to_approve")

    def test_set_aside_looks_afresh(self):
        """What was mended meanwhile stays; what went wrong meanwhile goes."""
        batch, entitlements = self._with_a_problem()
        entitlements[0].payment_ids.sudo().account_number = "27713809999"
        entitlements[1].state = "cancelled"
        batch.with_user(self.manager_user).action_set_problems_aside()
        self.assertEqual(batch.payment_ids.entitlement_id, entitlements[0] + entitlements[2])

    def test_batch_of_problems_only(self):
        batch, entitlements = self._with_a_problem(1)
        batch.with_user(self.manager_user).action_set_problems_aside()
        self.assertEqual(batch.batch_state, "cancelled")
        self.assertFalse(batch.payment_ids)
        self.assertEqual((batch.payment_count, batch.stats_issued_transactions), (0, 0))
        self.assertEqual(entitlements.payment_ids.status, "failed")

    def test_who_mends_is_a_maker(self):
        other = self._user("pm2", "g2p_programs.g2p_program_manager")
        batch, _entitlements = self._with_a_problem()
        batch.with_user(other).action_set_problems_aside()
        self.assertEqual(batch.maker_ids, self.manager_user + other)

    def test_only_drafts_are_mended(self):
        self._entitle(2)
        batch = self._prepare().with_user(self.manager_user)
        for press in (batch.action_refresh_payees, batch.action_set_problems_aside):
            with self.assertRaisesRegex(UserError, "moved on"):
                press()

    def test_finance_user_mends_nothing(self):
        batch, _entitlements = self._with_a_problem()
        batch = batch.with_user(self.finance_user)
        for press in (
            batch.action_refresh_payees,
            batch.action_set_problems_aside,
            batch.action_request_approval,
        ):
            with self.assertRaises(AccessError):
                press()
