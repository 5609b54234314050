import runpy
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

from cryptography import x509

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import file_open

from ..client import keys
from ..models.payment_gateway_certificate import NEXT_KEY
from .connection_manager import Authority
from .trust import BUTTONS, TrustCase, new_key


@tagged("post_install", "-at_install")
class TestClientCertificate(TrustCase):
    def test_from_the_key_to_the_signed_certificate(self):
        self.assertEqual(self._step().state, "todo")
        self._press("generate_request")
        self.assertFalse(self.connection_manager.posts)  # the key is committed with this request's answer
        request = x509.load_pem_x509_csr(self.gateway.mojaloop_request.encode())
        self.assertIn("CN=treasury", request.subject.rfc4514_string())
        self.assertEqual(request.public_key(), keys.load_public_key(keys.public_key(self._key(NEXT_KEY))))
        self._press("send_request")
        self.assertEqual((self._step().state, len(self.connection_manager.enrollments)), ("requested", 1))
        self.assertIn("operator has to sign", self._press("fetch_certificate"))
        self.assertFalse(self.gateway.mojaloop_client_certificate)
        self.connection_manager.sign()
        self._press("fetch_certificate")
        self.assertEqual(self._step().state, "done")
        self.assertTrue(self._step().changed_at)
        self.assertTrue(
            keys.is_pair(self.gateway.mojaloop_client_certificate, self._key("mojaloop_client_key"))
        )
        self.assertFalse(self._key(NEXT_KEY) or self.gateway.mojaloop_request)

    def test_the_key_is_as_long_as_the_manager_asks_for(self):
        with patch.object(keys, "new_key", new_key):
            self._press("generate_request")
        request = x509.load_pem_x509_csr(self.gateway.mojaloop_request.encode())
        self.assertEqual(request.public_key().key_size, 4096)

    def test_the_one_in_use_stays_in_use_until_the_next_has_arrived(self):
        """And then the next client shows it; nothing is started anew."""
        old = self._with_certificate(days=5)
        old_key = self._key("mojaloop_client_key")
        self._press("generate_request")
        self._press("send_request")
        self._press("fetch_certificate")
        settings = self._settings()
        self.assertEqual(settings.client_certificate, old)
        self.assertEqual(settings.client_key.get_secret_value(), old_key)
        self.connection_manager.sign()
        self._press("fetch_certificate")
        settings = self._settings()
        self.assertNotEqual(settings.client_certificate, old)
        self.assertTrue(keys.is_pair(settings.client_certificate, settings.client_key.get_secret_value()))

    def _settings(self):
        return self.gateway._mojaloop_settings(self.gateway._mojaloop_terms_of_gateway())

    def test_what_does_not_fit_is_not_put_into_use(self):
        old = self._with_certificate()
        old_key = self._key("mojaloop_client_key")
        self._press("generate_request")
        self._press("send_request")
        for days, request, sentence in (
            (365, keys.request(new_key(2048), "treasury"), "not for the key of our request"),
            (-1, None, "over already"),
        ):
            self.connection_manager.sign(days, request)
            self.assertIn(sentence, self._press("fetch_certificate"))
            self.assertEqual(self._step().state, "refused")
        self.connection_manager.sign(400, starts=1)
        self.assertIn("good only from", self._press("fetch_certificate"))
        self.connection_manager.enrollments[-1]["certificate"] = "no certificate"
        self.assertIn("cannot be read", self._press("fetch_certificate"))
        self.assertEqual(self.gateway.mojaloop_client_certificate, old)
        self.assertEqual(self._key("mojaloop_client_key"), old_key)
        self.connection_manager.sign()
        self._press("fetch_certificate")
        self.assertTrue(
            keys.is_pair(self.gateway.mojaloop_client_certificate, self._key("mojaloop_client_key"))
        )
        self.assertNotEqual(self._key("mojaloop_client_key"), old_key)

    def test_a_request_whose_answer_was_lost_keeps_its_key(self):
        self._press("generate_request")
        key = self._key(NEXT_KEY)
        self.connection_manager.lose_answers = True
        self.assertIn("The Connection Manager did not do it.", self._press("send_request"))
        with self.assertRaisesRegex(UserError, "its key would be lost"):
            self._press("generate_request")
        self.connection_manager.lose_answers = False
        self._press("send_request")
        self.assertEqual(len(self.connection_manager.enrollments), 1)
        self.connection_manager.sign()
        self._press("fetch_certificate")
        self.assertEqual(self._key("mojaloop_client_key"), key)

    def test_the_hub_says_no(self):
        self._press("generate_request")
        self._press("send_request")
        self.connection_manager.enrollments[-1]["state"] = "INVALID"
        self.assertIn("refuses the request", self._press("fetch_certificate"))
        self.assertEqual(self._step().state, "refused")
        self.assertFalse(self._key(NEXT_KEY))
        self._with_certificate()
        self.assertEqual(self._step().state, "done")

    def test_a_request_that_is_given_up(self):
        self._press("generate_request")
        self._press("send_request")
        self._press("give_up_request")
        self.assertFalse(self._key(NEXT_KEY))
        self.assertEqual(self._step().state, "todo")
        with self.assertRaisesRegex(UserError, "Press Send Request first"):
            self._press("fetch_certificate")
        with self.assertRaisesRegex(UserError, "Generate Key and Request first"):
            self._press("send_request")


@tagged("post_install", "-at_install")
class TestTrustRights(TrustCase):
    def test_who_presses_the_buttons(self):
        users = [
            self.manager_user,
            self.finance_user,
            self._user("plain"),
            self._user("validator", "g2p_programs.g2p_program_validator"),
        ]
        for user in users:
            for button in BUTTONS:
                with self.subTest(f"{user.login} {button}"), self.assertRaises(AccessError):
                    getattr(self.gateway.with_user(user), button)()
        for button in BUTTONS:
            with (
                self.subTest(button),
                self.assertRaisesRegex(UserError, "Only gateways of a Mojaloop connector"),
            ):
                getattr(self.payment_hub.with_user(self.admin_user), button)()
        self.assertFalse(self.connection_manager.posts)

    def test_who_sees_steps_and_keys_and_that_nobody_writes_them(self):
        self._publish(banka=self.signing_key)
        for records in (self.as_admin.mojaloop_peer_key_ids, self.as_admin.mojaloop_step_ids[:1]):
            records.with_user(self.admin_user).read()
            for user in (self.manager_user, self.finance_user):
                with self.assertRaises(AccessError):
                    records.with_user(user).read()
            for act in (
                lambda one=records: one.write({"gateway_id": self.payment_hub.id}),
                lambda one=records: one.unlink(),
                lambda one=records: one.create({"gateway_id": self.gateway.id}),
            ):
                with self.assertRaises(AccessError), self.env.cr.savepoint():
                    act()

    def test_another_company_sees_nothing(self):
        company = self.env["res.company"].create({"name": "Another"})
        stranger = self._user("stranger", "g2p_payment_hub.group_gateway_admin")
        stranger.write({"company_ids": [Command.set(company.ids)], "company_id": company.id})
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertFalse(self.env["g2p.mojaloop.trust.step"].with_user(stranger).search([]))
        with self.assertRaises(AccessError):
            self.gateway.with_user(stranger).action_mojaloop_generate_request()

    def test_the_page(self):
        with Form(self.as_admin) as form:
            form.mojaloop_egress_ports = "443 8443"
        self.assertIn("action_mojaloop_send_request", self._arch(self.admin_user))
        self.assertNotIn("action_mojaloop_send_request", self._arch(self.finance_user))

    def _arch(self, user):
        return self.env["g2p.payment.gateway"].with_user(user).get_view(view_type="form")["arch"]

    def test_private_keys_are_nowhere_to_read(self):
        self._with_certificate()
        self._press("generate_request")
        private = [
            line for name in (NEXT_KEY, "mojaloop_client_key") for line in self._key(name).splitlines()[1:-1]
        ]
        # The modulus stands in request and certificate as well: it is public.
        public = self.gateway.mojaloop_request + self.gateway.mojaloop_client_certificate
        private = [line for line in private if line not in public]
        self.assertGreater(len(private), 20)
        self.env.cr.execute(
            "INSERT INTO res_groups_users_rel (gid, uid) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            [self.env.ref("base.group_allow_export").id, self.admin_user.id],
        )
        self.env.registry.clear_cache()
        self.env.invalidate_all()
        names = list(self.as_admin.fields_get())
        exportable = [name for name in names if self.gateway._fields[name].exportable]
        shown = [
            self.as_admin.read(names),
            self.as_admin.export_data(exportable)["datas"],
            self.as_admin.mojaloop_step_ids.read(),
            self.gateway.message_ids.mapped("body"),
            self.gateway.copy().sudo().read(names),
        ]
        self.assertFalse([line for line in private if line in str(shown)])
        self.assertIn("New client certificate", str(self.gateway.message_ids.mapped("body")))
        self.assertNotIn("mojaloop_client_key", exportable)
        self.assertNotIn(NEXT_KEY, names)
        with self.assertRaises(AccessError):
            self.env["g2p.payment.gateway.secret"].with_user(self.admin_user).search([])

    def test_a_private_key_is_not_kept_where_everybody_reads(self):
        """A file often has both, the certificate and its key."""
        both = Authority().certificate() + new_key(2048)
        names = ("client_certificate", "ca_bundle", "cm_ca_bundle", "signing_key")
        for name in names:
            with self.subTest(name), self.assertRaises(ValidationError), self.cr.savepoint():
                self.as_admin[f"mojaloop_{name}"] = both

    def test_gateways_of_an_older_version_get_the_steps_that_they_lack(self):
        self._sql("DELETE FROM g2p_mojaloop_trust_step WHERE step IN ('hub_key', 'server_certificate')")
        (script,) = Path(__file__).parent.parent.glob("migrations/*/post-migration.py")
        for _turn in range(2):
            runpy.run_path(str(script))["migrate"](self.env.cr, "17.0.1.0.0")
        self.env.invalidate_all()
        steps = [name for name, _label in self.env["g2p.mojaloop.trust.step"]._fields["step"].selection]
        self.assertCountEqual(self.as_admin.mojaloop_step_ids.mapped("step"), steps)
        self.assertFalse(self.payment_hub.mojaloop_step_ids)

    def test_a_neutralized_copy_publishes_nothing(self):
        with file_open("g2p_mojaloop_connector/data/neutralize.sql") as script:
            self._sql(script.read())
        with self.assertRaisesRegex(UserError, "lacks: Connection Manager URL"):
            self._press("publish_addresses")


@tagged("post_install", "-at_install")
class TestEnds(TrustCase):
    def setUp(self):
        super().setUp()
        self.type = self.env.ref("g2p_mojaloop_connector.activity_certificate_ends")

    def _told(self):
        """Runs the scheduled action; whose activities there are then."""
        self.env.ref("g2p_mojaloop_connector.cron_remind").ir_actions_server_id.run()
        return self.gateway.activity_ids.filtered(lambda one: one.activity_type_id == self.type)

    def _told_of_it(self):
        return self._told().filtered(lambda one: one.user_id == self.admin_user)

    def _in(self, days):
        later = fields.Datetime.now() + timedelta(days=days)
        return patch.object(fields.Datetime, "now", lambda *_arguments: later)

    def test_administrators_are_told_30_7_and_1_days_ahead_once_each(self):
        self._with_certificate(days=60)
        self.assertFalse(self._told_of_it())
        for days in (31, 54, 59.5):
            with self.subTest(days), self._in(days):
                call = self._told_of_it()
                self.assertEqual(len(call), 1)
                self.assertIn("Client Certificate until", call.summary)
                self.assertEqual(self._told_of_it(), call)  # once
                call.unlink()  # done
                self.assertFalse(self._told_of_it())

    def test_whom_it_is_not_for_is_not_told(self):
        company = self.env["res.company"].create({"name": "Another"})
        stranger = self._user("stranger", "g2p_payment_hub.group_gateway_admin")
        stranger.write({"company_ids": [Command.set(company.ids)], "company_id": company.id})
        self._with_certificate(days=20)
        users = self._told().user_id
        self.assertIn(self.admin_user, users)
        self.assertFalse(users & (stranger + self.finance_user + self.manager_user))

    def test_renewing_closes_it(self):
        self._with_certificate(days=20)
        self.assertTrue(self._told_of_it())
        self._with_certificate(days=365)
        self.assertFalse(self._told_of_it())
        self._with_certificate(days=6)
        self.assertEqual(len(self._told_of_it()), 1)

    def test_every_end_has_its_own(self):
        soon, later = Authority().certificate(days=3), Authority().certificate(days=300)
        self.gateway.write({"mojaloop_ca_bundle": later + soon, "mojaloop_signing_key": soon})
        self.assertEqual(self.gateway.mojaloop_ca_until, self.gateway.mojaloop_signing_key_until)
        self._publish(banka=soon)
        self.assertFalse(self._told_of_it())
        mine = self.gateway.activity_ids.filtered(lambda one: one.user_id == self.admin_user)
        self.assertEqual(len(mine.activity_type_id), 3)
        self.gateway.mojaloop_ca_bundle = later
        self.assertEqual(len(mine.exists().activity_type_id), 2)

    def test_nothing_is_sent_with_a_certificate_that_has_ended(self):
        self._with_certificate(days=10)
        self.assertFalse(self.gateway._check_settings())
        with self._in(11):
            self.assertIn("ended on", " ".join(self.gateway.with_user(self.finance_user)._check_ready()))
