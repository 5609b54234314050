import json

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import file_open

from odoo.addons.g2p_payment_hub.client.errors import NotSent, Reason
from odoo.addons.g2p_payment_hub.tests.common import GATEWAY

from .common import MojaloopCase

SECRETS = ("mojaloop_header_value", "mojaloop_client_secret", "mojaloop_client_key")


@tagged("post_install", "-at_install")
class TestMojaloopGateway(MojaloopCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin_user = cls._user("gateway", "g2p_payment_hub.group_gateway_admin")

    def test_what_is_missing_is_named(self):
        gateway = self._mojaloop(mojaloop_url=False, mojaloop_header_name="X-API-KEY")
        problems = " ".join(gateway._check_ready())
        for label in ("Connector URL", "API Key"):
            self.assertIn(label, problems)
        self.assertFalse(self.gateway._check_ready())
        self.assertFalse(self.payment_hub._check_ready())

    def test_the_history_tells_who_set_what(self):
        """Whoever may set it: what a batch costs, who pays, and where passwords are sent."""
        untold = [
            name
            for name, field in self.gateway._fields.items()
            if name.startswith("mojaloop_")
            and field.store
            and not (field.readonly or getattr(field, "tracking", False))
        ]
        self.assertEqual(untold, [])

    def test_addresses(self):
        for url in (
            "http://connector.example",
            "https://user@connector.example",
            "https://connector.example?x=1",
            "connector",
        ):
            with self.subTest(url), self.assertRaises(ValidationError):
                self.gateway.mojaloop_url = url
        with self.assertRaises(ValidationError):
            self.gateway.state = "live"  # plain http, to this very machine
        self.gateway.write({"mojaloop_url": "https://connector.example:4001/path", "state": "live"})

    def test_numbers_within_bounds(self):
        for name, value in (
            ("mojaloop_step_timeout", 0),
            ("mojaloop_step_timeout", 61),
            ("mojaloop_parallel", 0),
            ("mojaloop_parallel", 33),
            ("mojaloop_per_second", -1),
            ("mojaloop_fee_limit", -0.01),
            ("mojaloop_fee_limit_percent", 101),
            ("mojaloop_expiry_seconds", 5),
        ):
            with self.subTest(f"{name} {value}"), self.assertRaises(ValidationError):
                self.gateway[name] = value

    def test_secrets_do_not_come_back(self):
        self.gateway.write({name: f"{name}-value" for name in SECRETS})
        self.assertEqual(
            {name: self.gateway._secrets()[name] for name in SECRETS},
            {name: f"{name}-value" for name in SECRETS},
        )
        shown = self.gateway.with_user(self.admin_user).read(SECRETS)[0]
        self.assertFalse([name for name in SECRETS if "value" in shown[name]])
        for user in (self.manager_user, self.finance_user):
            with self.assertRaises(AccessError):
                self.gateway.with_user(user).read(SECRETS)
        self.assertFalse(set(SECRETS) & set(self.gateway.copy()._secrets()))

    def test_they_do_not_come_out_at_another_address(self):
        self.gateway.write({"mojaloop_header_name": "X-API-KEY", "mojaloop_header_value": "s3cret"})
        self.gateway.mojaloop_url = "http://127.0.0.1:4001/path"
        self.assertEqual(self.gateway._secrets()["mojaloop_header_value"], "s3cret")
        self.gateway.with_user(self.admin_user).mojaloop_url = "https://reads.it.example"
        self.assertNotIn("mojaloop_header_value", self.gateway._secrets())

    def test_the_connection_is_tested(self):
        said = self.gateway.with_user(self.admin_user).action_test_connection()["params"]
        works = "Connector: works. Questions for Transfers: works. Scheme: not asked. Fill in Payer"
        self.assertIn(works, said["message"])
        self.gateway.mojaloop_payer_identifier = "treasury-1"
        said = self.gateway.action_test_connection()["params"]
        self.assertEqual(said["message"], "Connector: works. Scheme: works. Questions for Transfers: works.")
        self.scheme.faults["treasury-1", "lookup"] = "3204"
        said = self.gateway.action_test_connection()["params"]
        self.assertIn("does not know the payer", said["message"])
        self.scheme.down = NotSent(Reason.UNREACHABLE)
        said = self.gateway.action_test_connection()["params"]
        self.assertEqual(said["type"], "danger")
        self.assertIn("Connector: does not work. The payment system cannot be reached.", said["message"])

    def test_certificates_that_cannot_be_used_are_told_and_nothing_is_sent(self):
        batch = self._approved()
        self._send(batch)
        self.scheme.requests.clear()
        certificate = "-----BEGIN CERTIFICATE-----\nbm90aGluZw==\n-----END CERTIFICATE-----"
        self.gateway.mojaloop_ca_bundle = certificate
        said = self.gateway.action_test_connection()["params"]
        self.assertEqual(said["type"], "danger")
        self.assertIn("CA bundle is not a list of PEM certificates", said["message"])
        self._pay(batch)
        self.assertIn("CA bundle is not a list", batch.mojaloop_run_answer)
        self.assertFalse(self.scheme.requests)

    def test_a_key_whose_certificate_was_taken_away_is_not_used(self):
        self.gateway.mojaloop_client_key = "a key"
        self.assertFalse(self.gateway._check_settings())
        self._pay_one()
        self.assertTrue(self.scheme.paid())

    def _pay_one(self):
        batch = self._approved()
        self._send(batch)
        self._pay(batch)

    def test_form(self):
        with Form(self.env[GATEWAY].with_user(self.admin_user)) as form:
            form.name = "Switch"
            form.provider = "mojaloop"
            form.mojaloop_url = "https://connector.example"
            form.mojaloop_dfsp_id = "treasury"
        self.assertFalse(form.record._check_settings())

    def test_a_neutralized_copy_can_pay_nobody(self):
        batch = self._approved()
        self._send(batch)
        for addon in ("g2p_payment_hub", "g2p_mojaloop_connector"):
            with file_open(f"{addon}/data/neutralize.sql") as script:
                self._sql(script.read())
        self.scheme.requests.clear()
        self._sql("UPDATE g2p_mojaloop_transfer SET state = 'unknown'")
        self._pay(batch)
        self.assertFalse(self.scheme.requests, "nor ask the scheme")

    def test_it_keeps_its_address_while_a_transfer_is_under_way(self):
        batch = self._approved()
        self._send(batch)
        for values in ({"mojaloop_url": "https://other.example"}, {"mojaloop_dfsp_id": "other"}):
            with self.assertRaisesRegex(UserError, "Change its address after that"):
                self.gateway.write(values)
        self._pay(batch)
        self.gateway.mojaloop_url = "https://other.example"

    def test_a_gateway_with_batches_does_not_become_one(self):
        self.manager.gateway_id = self.payment_hub
        self._entitle()
        self._prepare()
        with self.assertRaisesRegex(UserError, "another gateway"):
            self.payment_hub.provider = "mojaloop"


@tagged("post_install", "-at_install")
class TestMojaloopChecks(MojaloopCase):
    """Before approval: what Mojaloop's grammar does not take, and what is written otherwise than here."""

    def _problems(self, **values):
        entitlement = self._entitle(phone=values.pop("phone", None), amount=values.pop("amount", 100))
        self.manager.write(values)
        batch = self._prepare()
        self.assertEqual(batch.payment_ids.entitlement_id, entitlement)
        return batch.payment_ids.check_problem or "", batch

    def test_good_ones_pass(self):
        problems, batch = self._problems()
        self.assertEqual((problems, batch.batch_state), ("", "to_approve"))
        self.assertFalse(batch.payment_ids.adjustment)

    def test_decimals_pass(self):
        problems, batch = self._problems(amount=12.34)
        self.assertFalse(problems)
        self._approve(batch)
        self._send(batch)
        self._pay(batch)
        self.assertEqual(self.scheme.paid(), [("27713800000", "12.34")])

    def test_what_is_not_one(self):
        for values, sentence in (
            ({"phone": ""}, "no payee identifier"),
            ({"payee_identifier_type": "PHONE"}, "does not know this type"),
            ({"payee_identifier_type": "IBAN"}, "IBAN is not valid"),
        ):
            with self.subTest(sentence), self.env.cr.savepoint() as savepoint:
                problems, batch = self._problems(**values)
                self.assertIn(sentence, problems)
                self.assertEqual(batch.batch_state, "draft")
                savepoint.rollback()

    def test_a_number_that_is_no_phone_number(self):
        _problems, batch = self._problems()
        batch.sudo().payment_ids.account_number = "12"
        batch.with_user(self.manager_user).action_back_to_draft()
        self.assertIn("7 to 15 digits", batch.payment_ids.check_problem)

    def test_what_travels_otherwise_is_shown_before_approval(self):
        batch = self._prepared()
        batch.sudo().payment_ids.account_number = "+27 71 380-0000"
        batch.with_user(self.manager_user).action_back_to_draft()
        batch.with_user(self.manager_user).action_request_approval()
        payment = batch.payment_ids
        self.assertEqual(payment.adjustment, "Payee: travels as 27713800000")
        self.assertEqual(batch.batch_state, "to_approve")
        self._approve(batch)
        self._send(batch)
        self._pay(batch)
        self.assertEqual(self.scheme.paid(), [("27713800000", "100")])

    def test_payer_of_the_program_or_of_the_gateway(self):
        self.manager.payer_identifier = False
        batch = self._prepared()
        self.assertIn("There is no payer", batch.check_result)
        self.gateway.write({"mojaloop_payer_type": "BUSINESS", "mojaloop_payer_identifier": "treasury-1"})
        batch.with_user(self.manager_user).action_refresh_payees()
        self.assertEqual(batch.batch_state, "to_approve")
        self._approve(batch)
        terms = json.loads(batch.sudo().frozen_content.split("\n")[0])
        self.assertEqual((terms["payer"]["id_type"], terms["payer"]["id_value"]), ("BUSINESS", "treasury-1"))

    def test_an_identifier_with_a_part(self):
        self._problems(payee_identifier_type="PERSONAL_ID/PASSPORT")
        batch = self.env["g2p.payment.batch"].search([("gateway_id", "=", self.gateway.id)])
        self._approve(batch)
        self._send(batch)
        self._pay(batch)
        self.assertEqual(self._transfers(batch).state, "committed")
        self.assertIn(("GET", "/parties/PERSONAL_ID/27713800000/PASSPORT"), self.scheme.requests)

    def test_people_who_share_a_phone_are_both_paid(self):
        """Unlike Payment Hub EE, Mojaloop has no look-alikes."""
        batch = self._prepared(2, phone="+27713800009")
        self.assertEqual(len(batch), 1)
        self._approve(batch)
        self._send(batch)
        self._pay(batch)
        self.assertEqual(self.scheme.paid(), [("27713800009", "100")] * 2)
