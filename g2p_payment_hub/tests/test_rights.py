from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .common import GATEWAY
from .common_rights import ROLES, RightsCase


@tagged("post_install", "-at_install")
class TestRights(RightsCase):
    """Who may do what: each role does it or is turned away."""

    def test_configure_gateways(self):
        may = {"admin", "gateway_admin"}
        gateways = self.env[GATEWAY]
        self._only(may, lambda _none, user: gateways.with_user(user).create({"name": "Other"}))
        self._only(
            may,
            lambda _none, user: self.gateway.with_user(user).write({"phee_bulk_url": "https://x.example"}),
        )
        self._only(may, lambda _none, user: self.gateway.with_user(user).write({"phee_password": "other"}))
        self._only(may, lambda _none, user: self.gateway.with_user(user).write({"state": "live"}))
        self._only(may, lambda gateway, user: gateway.with_user(user).unlink(), self.gateway.copy)

    def test_see_gateways(self):
        self._only(
            set(ROLES) - {"plain"},
            lambda _none, user: self.gateway.with_user(user).read(
                ["name", "provider", "state", "phee_tenant"]
            ),
        )

    def test_test_the_connection(self):
        gateway = self._gateway(name="Incomplete", phee_tenant=False)
        self._only(
            {"admin", "gateway_admin"}, lambda _none, user: gateway.with_user(user).action_test_connection()
        )

    def test_configure_the_payment_manager(self):
        values = {"name": "Other", "program_id": self.program.id, "gateway_id": self.gateway.id}
        managers = self.env[self.manager._name]
        self._only({"manager", "admin"}, lambda _none, user: managers.with_user(user).create(values))
        self._only(
            {"manager", "admin"},
            lambda _none, user: self.manager.with_user(user).write({"payer_identifier": "1"}),
        )

    def test_prepare(self):
        self._only({"manager", "admin"}, lambda _none, user: self.cycle.with_user(user).prepare_payment())

    def test_request_approval(self):
        def draft():
            batch = self._prepare()
            batch.with_user(self.manager_user).action_back_to_draft()
            return batch

        self._only(
            {"manager", "admin"}, lambda batch, user: batch.with_user(user).action_request_approval(), draft
        )

    def test_approve(self):
        self._only(
            {"finance", "admin"}, lambda batch, user: batch.with_user(user).action_approve(), self._prepare
        )

    def test_reject(self):
        wizards = self.env["g2p.payment.batch.reject.wizard"]
        self._only(
            {"finance", "admin"},
            lambda batch, user: (
                wizards.with_user(user)
                .create({"batch_ids": [Command.set(batch.ids)], "reason": "Wrong month"})
                .action_reject()
            ),
            self._prepare,
        )

    def test_send(self):
        def send(batch, user):
            batch.with_user(user).send_payment()
            self.assertEqual(batch.batch_state, "sending")

        self._only({"finance", "admin"}, send, self._approved)

    def test_back_to_draft_and_cancel(self):
        may = {"manager", "admin"}
        self._only(may, lambda batch, user: batch.with_user(user).action_back_to_draft(), self._prepare)
        self._only(may, lambda batch, user: batch.with_user(user).action_cancel(), self._prepare)

    def test_see_payments_batches_and_submissions(self):
        may = set(ROLES) - {"plain", "gateway_admin"}
        for name in ("name", "batch_state", "amount_total", "blocked_reason", "check_result"):
            self._only(may, lambda batch, user, name=name: batch.with_user(user).read([name]), self._prepare)
        self._only(may, lambda batch, user: batch.payment_ids.with_user(user).read(["name"]), self._prepare)
        self._only(may, lambda batch, user: batch.submission_ids.with_user(user).read(), self._sent)

    def test_see_the_file(self):
        self._only(
            {"finance", "admin"},
            lambda batch, user: batch.with_user(user).read(["frozen_content"]),
            self._approved,
        )

    def test_batch_form_opens_without_access_to_its_cycle(self):
        """OpenG2P gives finance users no access to cycles."""
        batch = self._prepare()
        with self.assertRaises(AccessError):
            batch.cycle_id.with_user(self.finance_user).read(["name"])
        for step in (lambda _batch: None, self._approve, self._send):
            step(batch)
            form = Form(batch.with_user(self.finance_user), view="g2p_programs.view_payment_batch_form")
            self.assertEqual(form.cycle_id.id, self.cycle.id)
            found = batch.with_user(self.finance_user).web_search_read(
                [("id", "=", batch.id)],
                {"name": {}, "cycle_id": {"fields": {"display_name": {}}}, "amount_total": {}},
            )
            self.assertEqual(found["records"][0]["cycle_id"]["display_name"], self.cycle.name)

    def test_a_button_that_is_not_there_has_a_reason(self):
        """What the screen says to a program manager and to a finance user who is not a maker."""
        batch = self._prepare()
        corrects, on_its_way = "A program manager corrects", "on its way"
        for state, to_manager, to_finance in (
            ("draft", "", corrects),
            ("to_approve", "A finance validator approves", ""),
            ("approved", "A finance validator sends", ""),
            ("sending", on_its_way, on_its_way),
            ("rejected", "", corrects),
            ("refused", "", corrects),
        ):
            batch.sudo().batch_state = state
            for user, reason in ((self.manager_user, to_manager), (self.finance_user, to_finance)):
                with self.subTest(f"{state} {user.login}"):
                    said = batch.with_user(user).blocked_reason or ""
                    self.assertIn(reason, said)
                    self.assertEqual(bool(said), bool(reason))
        batch.sudo().write({"batch_state": "approved", "check_result": "It differs from what was approved."})
        self.assertIn("It cannot be sent as it is", batch.with_user(self.finance_user).blocked_reason)

    def test_other_companies_see_nothing(self):
        batch = self._sent()
        company = self.env["res.company"].create({"name": "Elsewhere"})
        groups = [group for role in ("manager", "finance", "gateway_admin") for group in ROLES[role]]
        stranger = self._user("stranger", *groups)
        records = (self.gateway, batch, batch.payment_ids, batch.submission_ids)
        for record in records:
            self.assertEqual(record.with_user(stranger).search([("id", "in", record.ids)]), record)
        stranger.write({"company_ids": [Command.set(company.ids)], "company_id": company.id})
        for record in records:
            self.assertFalse(record.with_user(stranger).search([("id", "in", record.ids)]), record)
        for record in records:
            with self.assertRaises(AccessError):
                record.with_user(stranger).read()

    def test_managers_of_other_companies_programs_are_not_there(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = self._user("stranger", *ROLES["manager"])
        stranger.write({"company_ids": [Command.set(company.ids)], "company_id": company.id})
        manager = self.manager.with_user(stranger)
        self.assertFalse(manager.search([("id", "=", manager.id)]))
        for act in (manager.read, lambda: manager.write({"payer_identifier": "987"})):
            with self.assertRaises(AccessError):
                act()

    def test_programs_of_other_companies_cannot_use_a_gateway(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        with self.assertRaisesRegex(UserError, "belongs to another company"):
            self.manager.gateway_id = self._gateway(name="Theirs", company_id=company.id)
