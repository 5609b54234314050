import hashlib
import json

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..client import csv_file
from .common import PaymentHubCase


@tagged("post_install", "-at_install")
class TestPheeOptions(PaymentHubCase):
    def _bank_payees(self, *bics):
        entitlements = self._entitle(len(bics))
        for number, (entitlement, bic) in enumerate(zip(entitlements, bics, strict=True)):
            bank = self.env["res.bank"].create({"name": f"Bank {bic}", "bic": bic})
            self.env["res.partner.bank"].create(
                {
                    "partner_id": entitlement.partner_id.id,
                    "acc_number": f"0011223{number}",
                    "bank_id": bank.id,
                }
            )
        self.manager.write(
            {"payee_field": "bank_account", "payee_identifier_type": "ACCOUNT_ID", "send_payee_bank": True}
        )
        self.gateway.phee_payment_mode = "closedloop"

    def test_the_payees_bank_travels_in_its_column(self):
        self._bank_payees("BANKGB2L", "OTHRGB2L")
        batch = self._prepare()
        self._approve(batch)
        rows = csv_file.parse(batch.sudo().frozen_content)
        self.assertEqual([row.payee_dfsp for row in rows], ["BANKGB2L", "OTHRGB2L"])
        self.assertTrue(batch.sudo().frozen_content.startswith(csv_file.DFSP_HEADER))

    def test_a_payee_without_bank_among_others_is_found_before(self):
        self._bank_payees("BANKGB2L", False)
        batch = self._prepare()
        self.assertEqual(batch.batch_state, "draft")
        self.assertIn("no BIC", batch.check_result)

    def test_json(self):
        self.gateway.phee_format = "raw"
        batch = self._approved(1, amount=70)
        (row,) = json.loads(batch.sudo().frozen_content)
        payment = batch.payment_ids
        self.assertEqual((row["requestId"], row["amount"], row["currency"]), (payment.name, "70", "USD"))
        self.assertEqual(row["creditParty"], [{"key": "MSISDN", "value": payment.account_number}])
        self.assertEqual(row["debitParty"], [{"key": "MSISDN", "value": "123456789"}])

    def test_extra_header_reaches_the_client_and_nobody_else(self):
        self.gateway.write({"phee_header_name": "X-API-KEY", "phee_header_value": "k3y"})
        settings = self.gateway._phee_settings()
        self.assertEqual(settings.plain_extra_headers(), {"X-API-KEY": "k3y"})
        self.assertNotIn("k3y", repr(settings))
        self.assertNotIn("k3y", str(self.gateway.read()))

    def _closed_loop(self, evidence):
        self.gateway.write({"phee_payment_mode": "closedloop", "phee_closed_loop_evidence": evidence})
        return self._sent()

    def test_closed_loop_is_trusted_only_when_so_decided(self):
        for evidence, trusted in (("statement", False), ("operator", False), ("trust", True)):
            self.gateway.phee_closed_loop_evidence = evidence
            self.assertIs(self.gateway._phee_settings().trust_closed_loop, trusted)

    def test_who_confirms_that_money_moved_did_neither_prepare_nor_approve(self):
        batch = self._closed_loop("operator")
        self.assertTrue(batch.needs_confirmation)
        for user in (self.finance_user, self.manager_user):
            with self.assertRaises(UserError):
                batch.with_user(user).action_confirm_money()
        other = self._user("finance2", "g2p_programs.g2p_finance_validator")
        self._attach(batch)
        batch.with_user(other).action_confirm_money()
        self.assertEqual(batch.closed_loop_confirmed_by_id, other)
        self.assertEqual(batch.event_ids.sorted("number")[-1].user_id, other)
        with self.assertRaises(UserError):
            batch.with_user(other).action_confirm_money()

    def _attach(self, batch, raw=b"The bank's statement", **values):
        """Attach a file to the batch, after its approval: the clock of the transaction stands still."""
        attachment = self.env["ir.attachment"].create(
            {"name": "statement.pdf", "raw": raw, "res_model": batch._name, "res_id": batch.id, **values}
        )
        self._sql(
            "UPDATE ir_attachment SET create_date = now() + interval '1 day' WHERE id = %s", attachment.id
        )
        return attachment

    def test_more_than_the_limit_is_confirmed_with_a_statement(self):
        batch = self._closed_loop("operator")
        other = self._user("finance2", "g2p_programs.g2p_finance_validator")
        self.assertRegex(batch.with_user(other).confirmation_summary, r"1 payments over .*100\.00")
        before = self._attach(batch)
        self._sql("UPDATE ir_attachment SET create_date = '2020-01-01' WHERE id = %s", before.id)
        self._attach(batch, raw=b"")
        self._attach(batch, type="url", url="https://bank.example/statement", raw=False)
        with self.assertRaisesRegex(UserError, "100.00 cannot be confirmed without a statement"):
            batch.with_user(other).action_confirm_money()
        self._attach(batch)
        batch.with_user(other).action_confirm_money()
        event = batch.event_ids.sorted("number")[-1]
        self.assertRegex(event.why, r"1 payments over .*100\.00")
        self.assertEqual(event.digest, hashlib.sha256(b"The bank's statement").hexdigest())

    def test_up_to_the_approved_limit_no_statement_is_needed(self):
        self.gateway.phee_confirm_limit = 100
        batch = self._closed_loop("operator")
        self.gateway.phee_confirm_limit = 0
        batch.with_user(self._user("finance2", "g2p_programs.g2p_finance_validator")).action_confirm_money()
        self.assertTrue(batch.closed_loop_confirmed_by_id)

    def test_a_limit_raised_after_the_approval_does_not_count(self):
        batch = self._closed_loop("operator")
        self.gateway.phee_confirm_limit = 1000
        other = self._user("finance2", "g2p_programs.g2p_finance_validator")
        with self.assertRaisesRegex(UserError, "without a statement"):
            batch.with_user(other).action_confirm_money()

    def test_nothing_to_confirm_in_other_cases(self):
        other = self._user("finance2", "g2p_programs.g2p_finance_validator")
        for batch in (self._closed_loop("statement"), self._prepare_another()):
            self.assertFalse(batch.needs_confirmation)
            with self.assertRaises(UserError):
                batch.with_user(other).action_confirm_money()

    def _prepare_another(self):
        self.gateway.write({"phee_payment_mode": "mojaloop", "phee_closed_loop_evidence": "operator"})
        return self._sent()
