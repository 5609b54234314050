from unittest.mock import patch

from odoo.exceptions import UserError, ValidationError
from odoo.sql_db import Cursor
from odoo.tests import tagged

from ..client import keys
from .connection_manager import Authority
from .trust import TrustCase, new_key


@tagged("post_install", "-at_install")
class TestExchange(TrustCase):
    """Signing keys, addresses, steps."""

    def test_the_scheme_has_names_of_32_characters(self):
        """A certificate would have room for 64, and the key would be made before anybody noticed."""
        self.gateway.mojaloop_dfsp_id = "a" * 32
        self._press("generate_request")
        for name in ("a" * 33, "a" * 65):
            with self.assertRaisesRegex(ValidationError, "32 characters at the most"):
                self.gateway.mojaloop_dfsp_id = name

    def test_what_the_manager_finds_wrong_is_said(self):
        wrong = {"validationState": "INVALID", "validations": [{"result": "INVALID", "message": "too short"}]}
        self.connection_manager.others["/dfsps/treasury/jwscerts"] = (200, wrong)
        self.assertIn("finds it wrong: too short.", self._press("publish_signing_key"))
        self.assertEqual(self._step("signing_key").state, "refused")

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
        for text in (new_key(2048), "PEM"):
            with self.assertRaisesRegex(ValidationError, "Keep the private key to the connector"):
                self.gateway.mojaloop_signing_key = text
        self.gateway.mojaloop_signing_key = False
        with self.assertRaisesRegex(UserError, "nothing to publish"):
            self._press("publish_signing_key")

    def test_keys_of_others_are_what_the_manager_lists(self):
        first, second = (keys.public_key(new_key(2048)) for _number in range(2))
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

    def test_a_step_is_to_do_again_when_what_was_published_changes(self):
        certificate = self.connection_manager.authority.certificate
        self.gateway.mojaloop_server_certificate = certificate()
        steps = ("signing_key", "server_certificate", "addresses")
        for step in steps:
            self._press(f"publish_{step}")
        changes = (
            {"mojaloop_signing_key": keys.public_key(new_key(2048))},
            {"mojaloop_server_certificate": certificate()},
            {"mojaloop_egress_addresses": "196.0.2.11"},
        )
        for step, change in zip(steps, changes, strict=True):
            self.as_admin.write({name: self.gateway[name] for name in change})
            self.assertEqual(self._step(step).state, "done", "the same again")
            self.as_admin.write(change)
            self.assertEqual(self._step(step).state, "todo")
            self.assertIn("changed since", self._step(step).sentence)
            self.assertEqual(self.as_admin.mojaloop_step_ids.mapped("state").count("done"), 2, step)
            self._press(f"publish_{step}")

    def test_another_manager_knows_nothing_of_what_was_done(self):
        self._with_certificate()
        self._publish(banka=self.signing_key)
        self.as_admin.mojaloop_cm_url = f"{self.connection_manager.url}/api/"
        self.assertNotIn("done", self.as_admin.mojaloop_step_ids.mapped("state"))
        self._press("generate_request")
        self._press("send_request")
        self.as_admin.mojaloop_cm_url = f"{self.connection_manager.url}/api"
        self.assertEqual(self._step().state, "requested", "its key is not to be replaced")

    def test_what_is_published_and_no_longer_ours_is_said(self):
        self._press("publish_addresses")
        self.gateway.write({"name": "Another Name", "mojaloop_egress_addresses": "196.0.2.10"})
        posts = len(self.connection_manager.posts)
        said = self._press("publish_addresses")
        self.assertEqual(len(self.connection_manager.posts), posts, "the name alone is no other address")
        self.assertIn("196.0.2.32/28", said)
        self.gateway.mojaloop_ingress_url = "https://new.treasury.example"
        said = self._press("publish_addresses")
        self.assertIn("https://callbacks.treasury.example, 196.0.2.32/28", said)

    def test_addresses_that_are_none(self):
        for name, value in (
            ("mojaloop_egress_addresses", "treasury.example"),
            ("mojaloop_egress_addresses", "196.0.2.10/8"),
            ("mojaloop_egress_ports", "443 70000"),
            ("mojaloop_egress_ports", "4" * 5000),
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
            {"identifier": "SERVER_CERTIFICATES_EXCHANGE", "status": "NOT_STARTED"},
            {"identifier": "ENDPOINTS", "status": "COMPLETED"},
        ]
        self.connection_manager.others["/dfsps/treasury/status"] = (200, [{"steps": steps}])
        self._press("refresh_steps")
        said = {one.step: one.manager_status for one in self.as_admin.mojaloop_step_ids if one.manager_status}
        self.assertEqual(
            said,
            {"certificate": "IN_PROGRESS", "server_certificate": "NOT_STARTED", "addresses": "COMPLETED"},
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

        self.gateway.mojaloop_server_certificate = self.connection_manager.authority.certificate()
        asking = ("send_request", "fetch_certificate", "publish_signing_key", "fetch_peer_keys")
        certificates = ("publish_server_certificate", "fetch_hub_certificates")
        self.connection_manager.lists["/hub/endpoints/ingress/urls"] = [
            {"value": {"url": "https://hub.example"}}
        ]
        addresses = ("publish_addresses", "fetch_hub_addresses")
        for what in (*asking, *certificates, *addresses, "refresh_steps"):
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
