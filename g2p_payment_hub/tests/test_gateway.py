import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from psycopg2 import IntegrityError

from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from ..client.errors import NotSent, OutcomeUnknown, Reason
from ..client.outcomes import Check
from .common import GATEWAY, SIGNING_KEY, PaymentHubCase


def pem(key, encryption=None):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()).decode()


def certificate():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hub.example")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    now = datetime.datetime(2026, 1, 1)
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


@tagged("post_install", "-at_install")
class TestGateway(PaymentHubCase):
    def _refused(self, why, **values):
        with self.subTest(str(values)), self.assertRaisesRegex(ValidationError, why), self.env.cr.savepoint():
            self.gateway.write(values)

    def test_addresses(self):
        for url in (
            "https://user:password@hub.example",
            "https://:password@hub.example",
            "https://@hub.example",
            "https://hub.example/?tenant=x",
            "https://hub.example/#x",
            "https://hub.example/a b",
            "https://",
            "hub.example",
            "https://[hub",
            "https://hub.example:99999",
            "javascript:alert(1)",
        ):
            self._refused("Bulk Processor URL: the address is a host and a path", phee_bulk_url=url)
        for url in ("http://hub.example", "ftp://hub.example", "http://10.0.0.1", "http://localhost.example"):
            self._refused("Operations URL: the address must begin with https://", phee_operations_url=url)
        self.gateway.write(
            {"phee_bulk_url": "https://hub.example:8443/bulk", "phee_operations_url": "https://[::1]"}
        )

    def test_a_refused_address_is_not_repeated_in_the_message(self):
        """It may hold a password."""
        with self.assertRaises(ValidationError) as raised:
            self.gateway.phee_bulk_url = "https://user:hunter2@hub.example"
        self.assertNotIn("hunter2", str(raised.exception))

    def test_plain_http_only_to_this_machine_and_only_while_testing(self):
        for url in ("http://localhost:5000", "http://127.0.0.1:5000", "http://[::1]:5000"):
            self.gateway.phee_bulk_url = url
            self._refused("must begin with https://", state="live")
        self.gateway.phee_bulk_url = "https://hub.example"
        self.gateway.state = "live"
        self._refused("must begin with https://", phee_bulk_url="http://localhost:5000")

    def test_signing_key(self):
        strong = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
        for key in (
            "nonsense",
            "-----BEGIN PRIVATE KEY-----\nbm9uc2Vuc2U=\n-----END PRIVATE KEY-----",
            pem(weak),
            pem(ec.generate_private_key(ec.SECP256R1())),
            pem(strong, BestAvailableEncryption(b"passphrase")),
            certificate(),
        ):
            self._refused("Signing Key cannot be used. It has to be an RSA private key", phee_signing_key=key)
        self.assertEqual(self.gateway._secrets()["phee_signing_key"], SIGNING_KEY)
        self.gateway.phee_signing_key = pem(strong)

    def test_certificates(self):
        self._refused(
            "Hub Certificate cannot be used. It has to be a certificate", phee_hub_certificate="nonsense"
        )
        self._refused("Hub Certificate cannot be used", phee_hub_certificate=SIGNING_KEY)
        self._refused("CA Bundle cannot be used. It has to be certificates", phee_ca_bundle="nonsense")
        self._refused("CA Bundle cannot be used", phee_ca_bundle=SIGNING_KEY)
        for name in ("phee_hub_certificate", "phee_ca_bundle"):
            self._refused("there is a private key in it", **{name: certificate() + SIGNING_KEY})
        self.gateway.write(
            {"phee_hub_certificate": certificate(), "phee_ca_bundle": certificate() + certificate()}
        )

    def test_time_outs(self):
        for name in ("phee_connect_timeout", "phee_read_timeout", "phee_total_timeout"):
            for seconds in (0, -1):
                self._refused("one second at least", **{name: seconds})

    def test_no_upload_outlives_the_lease_of_its_worker(self):
        self._refused("600 seconds at most", phee_total_timeout=601)

    def test_texts_that_travel_as_headers(self):
        for name in ("phee_tenant", "phee_purpose", "phee_institution", "phee_program"):
            for text in ("Sécurité", "a\nb", " padded "):
                self._refused("can travel", **{name: text})

    def test_provider_stays_once_batches_use_it(self):
        kinds = [name for name, _label in self.gateway._fields["provider"]._description_selection(self.env)]
        self._entitle()
        self._prepare()
        self.gateway.write({"provider": self.gateway.provider})
        with self.assertRaisesRegex(UserError, "another gateway"):
            self.gateway.write(
                {"provider": next((kind for kind in kinds if kind != self.gateway.provider), False)}
            )

    def test_company_stays_once_batches_use_it(self):
        other = self.env["res.company"].create({"name": "Other"})
        batch = self._prepared()
        self.gateway.write({"company_id": batch.company_id.id})
        with self.assertRaisesRegex(UserError, "another gateway"):
            self.gateway.company_id = other

    @mute_logger("odoo.sql_db")
    def test_waiting_time_is_longer_than_the_hub_takes_to_show_a_batch(self):
        for minutes in (4, 0, -60):
            with self.subTest(minutes), self.assertRaises(IntegrityError), self.env.cr.savepoint():
                self.gateway.recovery_minutes = minutes
                self.env.flush_all()
        self.gateway.recovery_minutes = 5
        self.env.flush_all()

    def test_a_payment_mode_is_needed(self):
        self._refused("Choose the payment mode", phee_payment_mode=False)

    def test_a_batch_can_be_read_whatever_its_gateway_lacks(self):
        batch = self._sent()
        self._sql("UPDATE g2p_payment_batch SET approved_settings = NULL WHERE id = %s", batch.id)
        self._sql("UPDATE g2p_payment_gateway SET phee_payment_mode = NULL WHERE id = %s", self.gateway.id)
        self.assertFalse(batch.needs_confirmation)

    def _tracked(self, record, **values):
        """What the chatter says of a change: label to (old, new)."""
        self.env.flush_all()
        self.env.cr.precommit.run()
        record.write(values)
        self.env.flush_all()
        self.env.cr.precommit.run()
        values = record.message_ids.sudo().tracking_value_ids
        return {value.field_id.name: (value.old_value_char, value.new_value_char) for value in values}

    def test_the_chatter_says_who_changed_what_decides_who_is_paid(self):
        tracked = self._tracked(
            self.gateway, phee_payment_mode="gsma", phee_institution="social", phee_verify_completed=False
        )
        self.assertEqual(tracked["phee_payment_mode"], ("Mojaloop", "GSMA mobile money"))
        self.assertLessEqual({"phee_institution", "phee_verify_completed"}, set(tracked))
        secrets = self.gateway._secret_fields()
        untracked = [
            name
            for name, field in self.gateway._fields.items()
            if name.startswith("phee_") and name not in secrets and not field.tracking
        ]
        self.assertFalse(untracked)

    def test_name_of_the_extra_header(self):
        for name in ("X API KEY", "X-API-KEY:", "X\nY"):
            self._refused("letters, digits and hyphens", phee_header_name=name)

    def test_new_gateway_is_disabled_and_of_this_company(self):
        form = Form(self.env[GATEWAY])
        form.name = "New"
        gateway = form.save()
        self.assertEqual((gateway.state, gateway.company_id), ("disabled", self.env.company))
        self.assertEqual(gateway.provider, "payment_hub_ee")

    def test_what_is_missing_is_named(self):
        gateway = self.env[GATEWAY].create({"name": "New"})
        problems = " ".join(gateway._check_ready())
        self.assertIn("New is disabled", problems)
        for label in ("Bulk Processor URL", "Operations URL", "Tenant", "Signing Key"):
            self.assertIn(f"lacks: {label}.", problems)

    def _test_connection(self, *checks, **values):
        self.gateway.write(values)
        self.hub.check_connection = lambda: checks
        return self.gateway.action_test_connection()["params"]

    def test_connection_works(self):
        said = self._test_connection(
            Check(name="bulk", ok=True, detail="0 s"), Check(name="operations", ok=True)
        )
        self.assertEqual(said["type"], "success")
        self.assertEqual(said["message"], "Bulk processor: works. Operations app: works.")

    def test_connection_before_the_gateway_is_enabled(self):
        said = self._test_connection(Check(name="bulk", ok=True), state="disabled")
        self.assertEqual(said["type"], "success")

    def test_connection_of_an_incomplete_gateway(self):
        said = self._test_connection(phee_tenant=False)
        self.assertEqual((said["type"], said["message"]), ("danger", "The gateway Test Hub lacks: Tenant."))

    def test_connection_names_what_does_not_work(self):
        for reason, words in (
            (Reason.NAME_NOT_FOUND, "address of the payment system is not known"),
            (Reason.TLS, "certificate cannot be trusted"),
            (Reason.LOGIN, "refuses user or password"),
            (Reason.TENANT, "does not know this tenant"),
            (Reason.SIGNATURE, "refuses the signature"),
            (Reason.CLOCK, "clocks of this server and of the payment system differ"),
        ):
            said = self._test_connection(
                Check(name="bulk", ok=False, reason=reason, detail="301 s"),
                Check(name="operations", ok=True),
            )
            self.assertEqual(said["type"], "danger")
            self.assertTrue(said["sticky"])
            self.assertRegex(said["message"], rf"\ABulk processor: does not work\. .*{words}.*\(301 s\)")
            self.assertTrue(said["message"].endswith("Operations app: works."))

    def test_every_reason_has_an_explanation(self):
        explanations = self.env[GATEWAY]._explanations()
        self.assertEqual(set(explanations), set(Reason))
        self.assertEqual(len(set(explanations.values())), len(Reason))
        for reason in Reason:
            self.assertTrue(self.env[GATEWAY]._explain(NotSent(reason, "HTTP 1")).endswith("(HTTP 1)"))

    def test_every_setting_is_explained(self):
        """On a screen as in the manual: each field that somebody fills in says what it is for."""
        base = set(self.env["g2p.base.program.payment.manager"]._fields)
        for model in (GATEWAY, self.manager._name):
            fields = self.env[model]._fields
            silent = [
                name
                for name, field in fields.items()
                if name not in base
                and "g2p_payment_hub" in (field._modules or ())
                and not (field.readonly or field.help)
                and name not in ("active", "currency_id")
            ]
            self.assertFalse(silent, model)


@tagged("post_install", "-at_install")
class TestPaymentManager(PaymentHubCase):
    def test_it_can_be_chosen_in_a_program(self):
        types = self.env["g2p.program.payment.manager"]._selection_manager_ref_id()
        self.assertEqual([label for model, label in types if model == self.manager._name], ["Payment Hub"])
        self.assertEqual(self.program.get_manager(self.program.MANAGER_PAYMENT), self.manager)

    def test_the_kind_of_identifier_follows_the_payee(self):
        form = Form(self.manager)
        for payee_field, kind in (("iban", "IBAN"), ("email", "EMAIL"), ("phone", "MSISDN")):
            form.payee_field = payee_field
            self.assertEqual(form.payee_identifier_type, kind)

    def test_batch_size(self):
        for size in (0, -1):
            with self.assertRaisesRegex(ValidationError, "one payment at least"):
                self.manager.batch_size = size

    def test_payees_by_id_need_a_type_of_id(self):
        with self.assertRaisesRegex(ValidationError, "Choose the type of registrant ID"):
            self.manager.payee_field = "reg_id"

    def test_the_chatter_says_who_changed_the_payer(self):
        self.env.cr.precommit.run()
        self.manager.write({"payer_identifier": "987654321", "batch_size": 100})
        self.env.flush_all()
        self.env.cr.precommit.run()
        tracked = self.manager.message_ids.sudo().tracking_value_ids
        self.assertLessEqual({"payer_identifier", "batch_size"}, set(tracked.field_id.mapped("name")))
        self.assertIn(
            ("123456789", "987654321"), [(one.old_value_char, one.new_value_char) for one in tracked]
        )

    def test_nobody_uninstalls_while_a_batch_may_have_left(self):
        from ..hooks import uninstall_hook

        self.hub.reply = OutcomeUnknown(Reason.TIMEOUT)
        batch = self._sent()
        with self.assertRaisesRegex(UserError, batch.name):
            uninstall_hook(self.env)
        self.assertTrue(self.program.payment_managers)

    def test_uninstalling_leaves_no_wrapper_behind(self):
        """It would keep pointing at a model that is gone, and break its program."""
        from ..hooks import uninstall_hook

        uninstall_hook(self.env)
        self.assertFalse(self.program.payment_managers)
        self.assertIsNone(self.program.get_manager(self.program.MANAGER_PAYMENT))
