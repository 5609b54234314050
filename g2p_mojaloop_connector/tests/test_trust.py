from datetime import timedelta
from unittest.mock import patch

from cryptography import x509

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.sql_db import Cursor
from odoo.tests import Form, tagged
from odoo.tools import file_open

from ..client import keys
from ..models.payment_gateway_trust import NEXT_KEY
from .common import MojaloopCase
from .connection_manager import SECRET, Authority, Manager

BUTTONS = (
    "action_mojaloop_generate_request",
    "action_mojaloop_send_request",
    "action_mojaloop_fetch_certificate",
    "action_mojaloop_give_up_request",
    "action_mojaloop_publish_signing_key",
    "action_mojaloop_fetch_peer_keys",
    "action_mojaloop_publish_addresses",
    "action_mojaloop_refresh_steps",
)
_new_key = keys.new_key


class TrustCase(MojaloopCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin_user = cls._user(
            "gateway", "g2p_payment_hub.group_gateway_admin", "base.group_allow_export"
        )
        cls.signing_key = keys.public_key(_new_key(2048))

    def setUp(self):
        super().setUp()
        self.connection_manager = Manager()
        self.addCleanup(self.connection_manager.stop)
        # 4096 bits take seconds.
        self._start(patch.object(keys, "new_key", lambda: _new_key(2048)))
        self.gateway.write(
            {
                "mojaloop_cm_url": f"{self.connection_manager.url}/api",
                "mojaloop_cm_token_url": f"{self.connection_manager.url}/token",
                "mojaloop_cm_client_id": "treasury",
                "mojaloop_cm_client_secret": SECRET,
                "mojaloop_signing_key": self.signing_key,
                "mojaloop_ingress_url": "https://callbacks.treasury.example",
                "mojaloop_egress_addresses": "196.0.2.10 196.0.2.32/28",
            }
        )
        self.as_admin = self.gateway.with_user(self.admin_user)

    def _press(self, what):
        """What a button's notification says."""
        return self._message(getattr(self.as_admin, f"action_mojaloop_{what}")())

    def _step(self, step="certificate"):
        return self.as_admin.mojaloop_step_ids.filtered(lambda one: one.step == step)

    def _with_certificate(self, days=365):
        self._press("generate_request")
        self._press("send_request")
        self.connection_manager.sign(days)
        self._press("fetch_certificate")
        return self.gateway.mojaloop_client_certificate

    def _key(self, name):
        return self.gateway._secrets().get(name, "")


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
        with patch.object(keys, "new_key", _new_key):
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
            (365, keys.request(_new_key(2048), "treasury"), "not for the key of our request"),
            (-1, None, "over already"),
        ):
            self.connection_manager.sign(days, request)
            self.assertIn(sentence, self._press("fetch_certificate"))
            self.assertEqual(self._step().state, "refused")
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
class TestOthers(TrustCase):
    """Signing keys, addresses, steps."""

    def test_the_signing_key_is_published(self):
        self._press("publish_signing_key")
        path, body = self.connection_manager.posts[-1]
        self.assertEqual((path, body["publicKey"]), ("/dfsps/treasury/jwscerts", self.signing_key))
        self.assertEqual(self._step("signing_key").state, "done")

    def test_of_a_certificate_the_key_is_published(self):
        certificate = Authority().certificate(keys.load_public_key(self.signing_key))
        self.gateway.mojaloop_signing_key = certificate
        self._press("publish_signing_key")
        self.assertEqual(self.connection_manager.posts[-1][1]["publicKey"], self.signing_key)
        self.assertTrue(self.gateway.mojaloop_signing_key_until)

    def test_a_private_key_is_not_taken_for_a_public_one(self):
        for text in (_new_key(2048), "PEM"):
            with self.assertRaisesRegex(ValidationError, "Keep the private key to the connector"):
                self.gateway.mojaloop_signing_key = text
        self.gateway.mojaloop_signing_key = False
        with self.assertRaisesRegex(UserError, "nothing to publish"):
            self._press("publish_signing_key")

    def _publish(self, **published):
        rows = [{"dfspId": name, "publicKey": key} for name, key in published.items()]
        self.connection_manager.others["/dfsps/jwscerts"] = (200, rows)
        return self._press("fetch_peer_keys")

    def test_keys_of_others_are_what_the_manager_lists(self):
        first, second = (keys.public_key(_new_key(2048)) for _number in range(2))
        self._publish(treasury=self.signing_key, banka=first, bankb=first)
        peers = self.as_admin.mojaloop_peer_key_ids
        self.assertEqual(peers.mapped("fsp"), ["banka", "bankb"])
        ending = Authority().certificate(days=20)
        self._publish(bankb=second, bankc=ending)
        peers = {one.fsp: one for one in self.as_admin.mojaloop_peer_key_ids}
        self.assertEqual(
            {fsp: one.public_key for fsp, one in peers.items()}, {"bankb": second, "bankc": ending}
        )
        self.assertFalse(peers["bankb"].valid_until)
        self.assertEqual(self.gateway.mojaloop_peer_keys_until, peers["bankc"].valid_until)
        self.assertEqual(self._step("peer_keys").state, "done")

    def test_a_key_that_is_none_is_not_kept(self):
        said = self._publish(banka=self.signing_key, bankb="-----BEGIN RUBBISH-----")
        self.assertIn("left out: bankb.", said)
        self.assertEqual(self.as_admin.mojaloop_peer_key_ids.mapped("fsp"), ["banka"])
        self.assertIn("Nobody else", self._publish())
        self.assertFalse(self.as_admin.mojaloop_peer_key_ids)

    def test_addresses_are_published_once(self):
        for _turn in range(2):
            self._press("publish_addresses")
        published = [
            (path.rpartition("/endpoints/")[2], body["value"]) for path, body in self.connection_manager.posts
        ]
        self.assertEqual(
            published,
            [
                ("ingress/urls", {"url": "https://callbacks.treasury.example"}),
                ("egress/ips", {"address": "196.0.2.10", "ports": ["443"], "description": "Test Switch"}),
                ("egress/ips", {"address": "196.0.2.32/28", "ports": ["443"], "description": "Test Switch"}),
            ],
        )
        self.assertEqual(self._step("addresses").state, "done")

    def test_addresses_that_are_none(self):
        for name, value in (
            ("mojaloop_egress_addresses", "treasury.example"),
            ("mojaloop_egress_addresses", "196.0.2.10/8"),
            ("mojaloop_egress_ports", "443 70000"),
            ("mojaloop_ingress_url", "http://callbacks.treasury.example"),
            ("mojaloop_cm_url", "https://user@mcm.hub.example"),
            ("mojaloop_cm_token_url", "mcm"),
            ("mojaloop_cm_ca_bundle", "PEM"),
        ):
            with self.subTest(name), self.assertRaises(ValidationError):
                self.gateway[name] = value
        self.gateway.mojaloop_ingress_url = False
        with self.assertRaisesRegex(UserError, "Fill in ingress URL"):
            self._press("publish_addresses")

    def test_what_the_manager_says_of_the_steps(self):
        steps = [
            {"identifier": "CSR_EXCHANGE", "status": "IN_PROGRESS"},
            {"identifier": "ENDPOINTS", "status": "COMPLETED"},
        ]
        self.connection_manager.others["/dfsps/treasury/status"] = (200, {"steps": steps})
        self._press("refresh_steps")
        self.assertEqual(
            self.as_admin.mojaloop_step_ids.mapped("manager_status"),
            ["IN_PROGRESS", False, False, "COMPLETED"],
        )

    def test_what_went_wrong_is_said_in_a_sentence(self):
        self.connection_manager.others["/dfsps/treasury/jwscerts"] = (400, {"message": "no such key"})
        said = self._press("publish_signing_key")
        self.assertIn("The Connection Manager did not do it. The payment system refuses the request.", said)
        self.assertEqual(
            (self._step("signing_key").state, self._step("signing_key").sentence), ("refused", said)
        )
        self.gateway.mojaloop_cm_client_secret = "wr0ng"
        said = self._press("publish_addresses")
        self.assertIn("refuses user or password", said)
        self.assertNotIn("wr0ng", said)
        self.gateway.mojaloop_cm_client_secret = False
        with self.assertRaisesRegex(UserError, "lacks: Connection Manager Secret"):
            self._press("refresh_steps")

    def test_nothing_is_written_while_the_network_is_waited_for(self):
        """A transaction that is repeated would ask again, and what waits would hold locks."""
        steps = [{"identifier": "CSR_EXCHANGE", "status": "COMPLETED"}]
        self.connection_manager.others["/dfsps/treasury/status"] = (200, {"steps": steps})
        self._press("generate_request")
        execute, written, seen = Cursor.execute, [], []
        self.connection_manager.on_request = lambda path: seen.append((path, list(written)))

        def record(cr, query, *arguments, **options):
            if str(getattr(query, "code", query)).lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")):
                written.append(str(query))
            return execute(cr, query, *arguments, **options)

        ask = type(self.gateway)._mojaloop_ask

        def flush_and_ask(gateway, question):
            gateway.env.flush_all()
            return ask(gateway, question)

        asking = ("send_request", "fetch_certificate", "publish_signing_key", "fetch_peer_keys")
        for what in (*asking, "publish_addresses", "refresh_steps"):
            if self.connection_manager.enrollments:
                self.connection_manager.sign()
            self.env.flush_all()
            written.clear()
            seen.clear()
            with (
                self.subTest(what),
                patch.object(Cursor, "execute", record),
                patch.object(type(self.gateway), "_mojaloop_ask", flush_and_ask),
            ):
                self._press(what)
                self.env.flush_all()
            self.assertTrue(seen and written, what)
            self.assertFalse([path for path, before in seen if before], what)


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
        others = TestOthers._publish
        others(self, banka=self.signing_key)
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
        TestOthers._publish(self, banka=soon)
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
