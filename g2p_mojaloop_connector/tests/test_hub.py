import io
import zipfile

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import HttpCase, tagged

from ..client import keys
from .connection_manager import Authority
from .trust import TrustCase, new_key

FOLDER = "jws_verification_keys"


@tagged("post_install", "-at_install")
class TestHubKey(TrustCase):
    """With what the hub signs what it sends itself."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_key = keys.public_key(new_key(2048))

    def _kept(self):
        self.env.invalidate_all()
        kept = self.as_admin.mojaloop_peer_key_ids
        self.assertLessEqual(len(kept.filtered("is_hub")), 1)
        return {one.fsp: one.public_key for one in kept}, kept.filtered("is_hub").fsp

    def test_it_is_kept_with_the_others(self):
        self.assertIn(
            "The hub signs as switch.", self._publish(("switch", self.other_key), banka=self.signing_key)
        )
        self.assertEqual(self._kept(), ({"banka": self.signing_key, "switch": self.other_key}, "switch"))
        self.assertEqual((self._step("hub_key").state, self._step("peer_keys").state), ("done", "done"))

    def test_it_is_listed_as_well(self):
        self._publish(("switch", self.other_key), switch=self.other_key)
        self.assertEqual(self._kept(), ({"switch": self.other_key}, "switch"))
        self.assertEqual(self._step("peer_keys").state, "todo")

    def test_its_name_is_found_by_its_key(self):
        """The published interface does not promise a name."""
        self._publish(("", self.other_key), banka=self.signing_key, hub_name=self.other_key)
        self.assertEqual(self._kept()[1], "hub_name")
        said = self._publish(("", self.other_key), banka=self.signing_key)
        self.assertIn("came without the hub's name", said)
        self.assertEqual(self._kept(), ({"banka": self.signing_key}, False))
        self.assertEqual(self._step("hub_key").state, "refused")

    def test_whose_key_is_not_shown_any_more_is_not_trusted_any_more(self):
        self._publish(("switch", self.other_key))
        self.assertIn("published no key", self._publish(banka=self.signing_key))
        self.assertEqual(self._kept(), ({"banka": self.signing_key}, False))
        self.assertEqual(self._step("hub_key").state, "todo")

    def test_who_may_not_ask_for_it_keeps_what_is_known(self):
        self._publish(("switch", self.other_key), banka=self.signing_key)
        self.connection_manager.others["/hub/jwscerts"] = (403, {})
        self._press("fetch_peer_keys")
        self.assertEqual(self._kept(), ({"banka": self.signing_key, "switch": self.other_key}, "switch"))
        self.assertEqual((self._step("hub_key").state, self._step("peer_keys").state), ("refused", "done"))

    def test_keys_and_names_that_are_none(self):
        self.assertIn("hub's key cannot be used", self._publish(("switch", "PEM"), banka=self.signing_key))
        names = ["../../etc/passwd", ".hidden", "a/b", "a\\b", "a\nb", "a" * 65, "a\0b", "a\ud800b"]
        said = self._publish(**dict.fromkeys(names, self.signing_key), banka=self.signing_key)
        self.assertIn("left out", said)
        self.assertEqual(self._kept()[0], {"banka": self.signing_key})


@tagged("post_install", "-at_install")
class TestServerCertificates(TrustCase):
    def _own(self):
        root = Authority()
        server = root.certificate(keys.load_public_key(self.signing_key), days=20)
        return server, root.certificate()

    def test_ours_is_published_with_its_authority(self):
        server, root = self._own()
        self.gateway.mojaloop_server_certificate = f"the server's\n{server}\n{root}"
        self._press("publish_server_certificate")
        published = dict(self.connection_manager.posts)
        authority = {"rootCertificate": root.strip()}
        self.assertEqual(published["/dfsps/treasury/ca"], authority)
        self.assertEqual(
            published["/dfsps/treasury/servercerts"], {"serverCertificate": server.strip(), **authority}
        )
        self.assertEqual(self._step("server_certificate").state, "done")

    def test_the_hubs_addresses_are_listed_and_not_kept_when_they_are_gone(self):
        urls, addresses = "/hub/endpoints/ingress/urls", "/hub/endpoints/egress/ips"
        lists = self.connection_manager.lists
        lists[urls] = [{"value": {"url": "https://hub.example"}}, {"value": {"url": "https://two.example"}}]
        self.assertIn("not published all of them yet", self._press("fetch_hub_addresses"))
        self.assertEqual(self._step("hub_addresses").state, "todo")
        lists[addresses] = [{"value": {"address": "10.1.1.0/24"}}]
        self.assertIn("Fetched", self._press("fetch_hub_addresses"))
        self.assertEqual(self._step("hub_addresses").state, "done")
        self.assertEqual(self.gateway.mojaloop_hub_urls, "https://hub.example\nhttps://two.example")
        self.assertEqual(self.gateway.mojaloop_hub_addresses, "10.1.1.0/24")
        self.connection_manager.others[urls] = (500, {})
        self._press("fetch_hub_addresses")
        self.assertEqual(self.gateway.mojaloop_hub_addresses, "10.1.1.0/24", "nothing was heard")
        self.connection_manager.others.clear()
        lists[addresses] = []
        self._press("fetch_hub_addresses")
        self.assertFalse(self.gateway.mojaloop_hub_addresses)

    def test_its_key_is_not_published(self):
        server, _root = self._own()
        for text in (server + new_key(2048), new_key(2048), self.signing_key, "PEM"):
            with self.assertRaisesRegex(ValidationError, "Keep the private key to the listener"):
                self.gateway.mojaloop_server_certificate = text
        self.gateway.mojaloop_server_certificate = False
        with self.assertRaisesRegex(UserError, "nothing to publish"):
            self._press("publish_server_certificate")
        self.assertFalse(self.connection_manager.posts)

    def _fetch(self, authority, server):
        self.connection_manager.others["/hub/ca"] = (200, authority)
        self.connection_manager.others["/hub/servercerts"] = (200, server) if server else (404, {})
        return self._press("fetch_hub_certificates")

    def test_the_hubs_are_fetched(self):
        server, root = self._own()
        self._fetch({"rootCertificate": root}, {"serverCertificate": server, "rootCertificate": root})
        self.assertEqual(self.gateway.mojaloop_hub_authority, root.strip())
        self.assertEqual(self.gateway.mojaloop_hub_server_certificate, f"{server.strip()}\n{root.strip()}")
        states = (self._step("hub_authority").state, self._step("hub_server").state)
        self.assertEqual(states, ("done", "done"))
        self.assertLess(self.gateway.mojaloop_hub_server_until, self.gateway.mojaloop_hub_authority_until)

    def test_what_is_no_certificate_takes_no_place(self):
        server, root = self._own()
        self._fetch({"rootCertificate": root}, {"serverCertificate": server})
        over = Authority().certificate(days=-1)
        said = self._fetch({"rootCertificate": "PEM"}, {"serverCertificate": over})
        self.assertIn("no certificate, so it is not kept", said)
        self.assertIn("over already", said)
        self.assertEqual(self.gateway.mojaloop_hub_authority, root.strip())
        self.assertEqual(self.gateway.mojaloop_hub_server_certificate, server.strip())
        self.assertEqual(self._step("hub_authority").state, "refused")

    def test_what_is_not_published_any_more_is_not_kept(self):
        server, root = self._own()
        self._fetch({"rootCertificate": root}, {"serverCertificate": server})
        self._fetch({}, None)
        self.assertFalse(self.gateway.mojaloop_hub_authority or self.gateway.mojaloop_hub_server_certificate)

    def test_administrators_are_told_before_they_end(self):
        server, root = self._own()
        self.gateway.mojaloop_server_certificate = server + root
        self._fetch({"rootCertificate": root}, {"serverCertificate": server})
        mine = self.gateway.activity_ids.filtered(lambda one: one.user_id == self.admin_user)
        ends = ("server_certificate_ends", "hub_server_certificate_ends")
        types = [self.env.ref(f"g2p_mojaloop_connector.activity_{name}") for name in ends]
        self.assertEqual(mine.activity_type_id, types[0] + types[1])


@tagged("post_install", "-at_install")
class TestDownload(TrustCase, HttpCase):
    """What was fetched, as the connector reads it."""

    def _download(self, user):
        self.authenticate(user.login, user.login)
        url = self.as_admin.action_mojaloop_download_files()["url"]
        return self.url_open(url)

    def test_files_are_named_as_the_connector_reads_them(self):
        other, root = keys.public_key(new_key(2048)), Authority().certificate()
        with self.assertRaisesRegex(UserError, "Nothing was fetched yet"):
            self._press("download_files")
        self._publish(("switch", other), banka=self.signing_key, treasury=other)
        self.connection_manager.others["/hub/ca"] = (200, {"rootCertificate": root})
        self.connection_manager.others["/hub/servercerts"] = (404, {})
        self._press("fetch_hub_certificates")
        answer = self._download(self.admin_user)
        self.assertEqual(answer.status_code, 200)
        self.assertIn("attachment", answer.headers["Content-Disposition"])
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            files = {name: archive.read(name).decode() for name in archive.namelist()}
        self.assertIn("JWS_VERIFICATION_KEYS_DIRECTORY", files.pop("README.txt"))
        self.assertEqual(
            files,
            {f"{FOLDER}/banka.pem": self.signing_key, f"{FOLDER}/switch.pem": other, "hub_ca.pem": root},
        )

    def test_not_for_others(self):
        self._publish(banka=self.signing_key)
        for user in (self.finance_user, self.manager_user):
            self.assertNotEqual(self._download(user).status_code, 200)
            with self.assertRaises(AccessError):
                self.gateway.with_user(user).read(["mojaloop_connector_files"])
