import contextlib

from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import GATEWAY, SIGNING_KEY
from .common_rights import ROLES, RightsCase

SECRETS = ("phee_password", "phee_client_secret", "phee_signing_key", "phee_header_value")


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
