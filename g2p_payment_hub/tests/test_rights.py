import contextlib

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from ..models import payment_batch_guard, payment_guard
from .common import GATEWAY, SIGNING_KEY
from .common_rights import ROLES, RightsCase

SECRETS = ("phee_password", "phee_client_secret", "phee_signing_key", "phee_header_value")
# Who may write them is OpenG2P's or Odoo's business, and they say nothing about money.
UNGUARDED = {
    "id",
    "create_uid",
    "create_date",
    "write_uid",
    "write_date",
    "message_main_attachment_id",
}


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


@tagged("post_install", "-at_install")
class TestSecrets(RightsCase):
    """Secrets go in and do not come out, for nobody."""

    def _assert_no_secret(self, told):
        told = repr(told)
        for secret in ("secret-password", "client-secret-value", "header-secret-value", SIGNING_KEY[40:80]):
            self.assertNotIn(secret, told)

    def test_they_are_there(self):
        self.assertLessEqual(set(SECRETS), set(self.gateway._secret_fields()))
        settings = self.gateway._phee_settings()
        self.assertEqual(settings.credentials.password.get_secret_value(), "secret-password")
        self.assertEqual(settings.credentials.client_secret.get_secret_value(), "client-secret-value")
        self.assertEqual(settings.signing_key.get_secret_value().strip(), SIGNING_KEY.strip())

    def test_administrators_learn_only_that_there_is_one(self):
        for role in ("admin", "gateway_admin"):
            gateway = self.gateway.with_user(self.users[role])
            values = gateway.read(SECRETS)[0]
            self.assertTrue(all(values.values()))
            self._assert_no_secret(values)
            self._assert_no_secret(gateway.search_read([("id", "=", gateway.id)]))
            self._assert_no_secret(gateway.export_data([*SECRETS, "name"]))
            self._assert_no_secret(gateway.copy_data())
            for name in SECRETS:
                self.assertFalse(gateway.fields_get([name])[name]["exportable"])

    def test_what_was_typed_does_not_come_back(self):
        gateway = self.gateway.with_user(self.users["gateway_admin"])
        answer = gateway.web_save({"phee_password": "typed-just-now"}, {name: {} for name in SECRETS})
        self.assertNotIn("typed-just-now", repr(answer))
        self.assertEqual(gateway._secrets()["phee_password"], "typed-just-now")
        self.assertEqual(gateway._secrets()["phee_client_secret"], "client-secret-value")
        new = gateway.create({"name": "New", "phee_password": "typed-just-now"})
        self.assertNotIn("typed-just-now", repr(new.read()))

    def test_saving_what_the_screen_shows_changes_nothing(self):
        gateway = self.gateway.with_user(self.users["gateway_admin"])
        shown = {name: gateway[name] for name in SECRETS}
        gateway.write({"name": "Renamed", **shown})
        self.test_they_are_there()

    def test_a_secret_is_replaced_or_emptied(self):
        self.gateway.phee_client_secret = "another"
        self.assertEqual(self.gateway._secrets()["phee_client_secret"], "another")
        self.gateway.phee_client_secret = False
        self.assertNotIn("phee_client_secret", self.gateway._secrets())
        self.assertFalse(self.gateway.phee_client_secret)

    def test_they_do_not_come_out_at_another_address(self):
        """Of somebody's own choosing, at the press of Test Connection."""
        gateway = self.gateway.with_user(self.users["gateway_admin"])
        gateway.phee_operations_url = "https://operations.hub.example/another/path"
        self.test_they_are_there()
        shown = {name: gateway[name] for name in SECRETS}
        gateway.write({"phee_operations_url": "https://reads.it.example", **shown})
        self._assert_no_secret(
            [secret for name, secret in gateway._secrets().items() if name != "phee_signing_key"]
        )
        self.assertFalse(gateway.phee_password)
        self.assertIn("Password was forgotten", "".join(gateway.message_ids.mapped("body")))

    def test_what_is_typed_in_with_an_address_is_for_that_address(self):
        gateway = self.gateway.with_user(self.users["gateway_admin"])
        gateway.write({"phee_operations_url": "https://new.hub.example", "phee_password": "for-the-new-one"})
        self.assertEqual(gateway._secrets()["phee_password"], "for-the-new-one")
        self.assertNotIn("phee_client_secret", gateway._secrets())

    def test_nobody_else_has_the_fields_at_all(self):
        for role in set(ROLES) - {"admin", "gateway_admin"}:
            with self.subTest(role):
                gateway = self.gateway.with_user(self.users[role])
                self.assertFalse(set(SECRETS) & set(gateway.fields_get()))
                for name in SECRETS:
                    with self.assertRaises(AccessError):
                        gateway.read([name])
                    with contextlib.suppress(AccessError):
                        self._assert_no_secret(gateway.export_data([name]))
                if role != "plain":
                    self._assert_no_secret(gateway.read())
                    self._assert_no_secret(gateway.search_read([]))

    @mute_logger("odoo.osv.expression", "odoo.models")
    def test_searching_does_not_betray_them(self):
        """Letter by letter, with a pattern."""
        for role in ("manager", "finance", "admin", "gateway_admin"):
            gateways = self.env[GATEWAY].with_user(self.users[role])
            answers = set()
            for pattern in ("secret-pass%", "nonsense%"):
                try:
                    answers.add(gateways.search([("phee_password", "=like", pattern)]))
                except (AccessError, ValueError):
                    answers.add("refused")
            self.assertEqual(len(answers), 1, role)

    def test_the_place_where_they_are_kept_is_closed_to_everybody(self):
        for role, user in self.users.items():
            with self.subTest(role):
                secrets = self.env["g2p.payment.gateway.secret"].with_user(user)
                kept = secrets.sudo().search([("gateway_id", "=", self.gateway.id)]).with_user(user)
                self.assertEqual(set(kept.sudo().mapped("name")), {*SECRETS, "references"})
                values = {"gateway_id": self.gateway.id, "name": "phee_password", "value": "mine"}
                for act in (
                    lambda secrets=secrets: secrets.search([]),
                    lambda secrets=secrets: secrets.search_read([]),
                    lambda secrets=secrets, values=values: secrets.create(values),
                    lambda kept=kept: kept.read(["value"]),
                    lambda kept=kept: kept.export_data(["value"]),
                    lambda kept=kept: kept.write({"value": "mine"}),
                    lambda kept=kept: kept.unlink(),
                ):
                    with self.assertRaises(AccessError):
                        act()

    def test_they_are_not_copied(self):
        copy = self.gateway.copy()
        self.assertEqual(set(copy._secrets()), {"references"}, "its own")
        self.assertNotEqual(copy._reference_key(), self.gateway._reference_key())
        self.assertEqual(copy.state, "disabled")

    def test_they_are_not_in_the_chatter(self):
        self.gateway.with_user(self.users["admin"]).write(
            {"phee_tenant": "rhino", "phee_password": "secret-password-2", "phee_signing_key": SIGNING_KEY}
        )
        self.env.flush_all()
        messages = self.gateway.message_ids
        self._assert_no_secret(messages.read(["body", "subject"]))
        self._assert_no_secret(self.env["mail.tracking.value"].search([]).read())


@tagged("post_install", "-at_install")
class TestForgery(RightsCase):
    """OpenG2P lets program managers and finance users write payments and batches: not those of a gateway,
    whatever they send over RPC."""

    FORGERS = ("manager", "finance", "admin")
    CONTEXTS = (
        {},
        {"su": True, "uid": 1},
        {"tracking_disable": True, "install_mode": True, "active_test": False},
    )

    def _forgers(self, record):
        for role in self.FORGERS:
            for context in self.CONTEXTS:
                yield role, record.with_user(self.users[role]).with_context(**context)

    def _denied(self, act, error=AccessError):
        with self.assertRaises(error), self.env.cr.savepoint():
            act()
            self.env.flush_all()

    def _stored_fields(self, model):
        """Names of the columns and relations of OpenG2P's model and ours."""
        ours = {"g2p_programs", "g2p_payment_hub", "g2p_payment_reconcile"}
        return {
            name
            for name, field in self.env[model]._fields.items()
            if field.store and ours & set(field._modules or ()) and name not in UNGUARDED
        }

    def test_every_field_is_guarded(self):
        self.assertLessEqual(self._stored_fields("g2p.payment"), payment_guard.GUARDED)
        self.assertLessEqual(self._stored_fields("g2p.payment.batch"), payment_batch_guard.GUARDED)

    def _same_value(self, record, name):
        return record._fields[name].convert_to_write(record[name], record)

    def test_payments_are_not_written(self):
        one = self._prepare().payment_ids[0]
        for role, forged in self._forgers(one):
            for name in payment_guard.GUARDED:
                with self.subTest(f"{role} {name}"):
                    self._denied(
                        lambda forged=forged, name=name: forged.write({name: self._same_value(one, name)})
                    )

    def test_batches_are_not_written(self):
        batch = self._prepare()
        for role, forged in self._forgers(batch):
            for name in payment_batch_guard.GUARDED:
                with self.subTest(f"{role} {name}"):
                    self._denied(
                        lambda forged=forged, name=name: forged.write({name: self._same_value(batch, name)})
                    )

    def test_not_by_way_of_the_other_side(self):
        """One2many and many2many commands of records that they may write."""
        batch = self._prepare()
        one = batch.payment_ids[0]
        update = Command.update(one.id, {"amount_issued": 900})
        for _role, forged in self._forgers(one.entitlement_id):
            self._denied(lambda forged=forged: forged.write({"payment_ids": [update]}))
        for _role, forged in self._forgers(batch):
            self._denied(lambda forged=forged: forged.write({"payment_ids": [update]}))
        for role in ("manager", "admin"):
            cycle = self.cycle.with_user(self.users[role])
            approve = Command.update(batch.id, {"batch_state": "approved"})
            self._denied(lambda cycle=cycle, approve=approve: cycle.write({"payment_batch_ids": [approve]}))

    def test_payments_and_batches_are_not_made(self):
        batch = self._prepare()
        self._fail(batch.payment_ids)
        entitlement = batch.payment_ids[0].entitlement_id
        values = {"entitlement_id": entitlement.id, "amount_issued": 1, "name": "forged"}
        for role, payments in self._forgers(self.env["g2p.payment"]):
            batches = self.env["g2p.payment.batch"].with_env(payments.env)
            gateway, state = {"gateway_id": self.gateway.id}, {"batch_state": "approved"}
            with self.subTest(role):
                self._denied(lambda payments=payments: payments.create({**values, **gateway}))
                self._denied(lambda payments=payments: payments.create({**values, "batch_id": batch.id}))
                self._denied(
                    lambda payments=payments: payments.with_context(
                        default_gateway_id=self.gateway.id, default_batch_id=batch.id
                    ).create(values)
                )
                self._denied(lambda batches=batches: batches.create({"name": "forged", **gateway}))
                self._denied(lambda batches=batches: batches.create({"name": "forged", **state}))
                self._denied(
                    lambda batches=batches: batches.with_context(
                        default_gateway_id=self.gateway.id, default_batch_state="approved"
                    ).create({"name": "forged"})
                )

    def test_payments_of_other_managers_do_not_become_ours(self):
        batch = self._prepare()
        other = self._payment_of_another_manager(self._entitle())
        other_batch = self.env["g2p.payment.batch"].create({"name": "other", "cycle_id": self.cycle.id})
        for _role, forged in self._forgers(other):
            self._denied(lambda forged=forged: forged.write({"gateway_id": self.gateway.id}))
            self._denied(lambda forged=forged: forged.write({"batch_id": batch.id}))
            in_the_place = {"reissue_of_id": batch.payment_ids[0].id}
            self._denied(lambda forged=forged, values=in_the_place: forged.write(values))
        for _role, forged in self._forgers(other_batch):
            self._denied(lambda forged=forged: forged.write({"gateway_id": self.gateway.id}))
            self._denied(lambda forged=forged: forged.write({"batch_state": "approved"}))

    def test_our_payments_do_not_get_into_batches_of_other_managers(self):
        """There they would be sent a second time."""
        ours = self._prepare().payment_ids
        other_batch = self.env["g2p.payment.batch"].create({"name": "other", "cycle_id": self.cycle.id})
        for _role, forged in self._forgers(other_batch):
            self._denied(lambda forged=forged: forged.write({"payment_ids": [Command.set(ours.ids)]}))
            self._denied(
                lambda forged=forged: forged.create(
                    {"name": "forged", "payment_ids": [Command.link(ours[0].id)]}
                )
            )
        for role in self.FORGERS:
            other_payment = self._payment_of_another_manager(self._entitle(), batch_id=other_batch.id)
            other_payment.with_user(self.users[role]).write({"account_number": "as before"})
            other_batch.with_user(self.users[role]).write({"external_batch_ref": "as before"})

    def test_openg2ps_wizard_takes_none_of_ours(self):
        batch = self._prepare()
        aside = batch.payment_ids[0]
        aside.sudo().account_number = False
        batch.with_user(self.manager_user).action_back_to_draft()
        batch.with_user(self.manager_user).action_set_problems_aside()
        self.assertFalse(aside.batch_id)
        wizard = (
            self.env["g2p.assign.payments.batch.wizard"]
            .with_user(self.users["manager"])
            .with_context(active_ids=aside.ids)
        )
        self._denied(lambda: wizard.create({}).assign_payment())

    def test_nothing_is_copied_or_deleted(self):
        batch = self._prepare()
        for role, forged in self._forgers(batch.payment_ids[0]):
            with self.subTest(role):
                self._denied(forged.copy)
                self._denied(lambda forged=forged: forged.copy({"gateway_id": False, "batch_id": False}))
                self._denied(forged.unlink, UserError)
        for role, forged in self._forgers(batch):
            with self.subTest(role):
                self._denied(forged.copy, UserError)
                self._denied(forged.unlink, UserError)
        self._denied(batch.payment_ids.sudo().unlink, UserError)
        self._denied(batch.sudo().unlink, UserError)

    def test_submissions_are_written_by_nobody(self):
        submission = self._sent().submission_ids
        values = {"batch_id": submission.batch_id.id, "gateway_id": self.gateway.id, "state": "accepted"}
        values.update(attempt=9, key="forged", filename="forged", digest="0", started_at="2026-01-01")
        for user in self.users.values():
            forged = submission.with_user(user).with_context(su=True)
            self._denied(lambda forged=forged: forged.create(values))
            self._denied(lambda forged=forged: forged.write({"state": "not_received"}))
            self._denied(forged.copy)
            self._denied(forged.unlink)
