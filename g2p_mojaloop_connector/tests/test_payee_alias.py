from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from odoo.addons.g2p_payment_hub.client.errors import NotSent, OutcomeUnknown, Reason
from odoo.addons.g2p_payment_hub.client.http import Answer

from .common import MojaloopCase


@tagged("post_install", "-at_install")
class TestPayeeAlias(MojaloopCase):
    def _wizard(self, *aliases, user=None):
        partners = self._entitle(len(aliases)).partner_id
        return (
            self.env["g2p.payee.alias.wizard"]
            .with_user(user or self.manager_user)
            .create(
                {
                    "gateway_id": self.gateway.id,
                    "currency_id": self.env.ref("base.USD").id,
                    "line_ids": [
                        Command.create({"partner_id": partner.id, "identifier": alias})
                        for partner, alias in zip(partners, aliases, strict=True)
                    ],
                }
            )
        )

    def test_registered_with_a_result_for_each(self):
        self.scheme.refused_accounts.add("bad-alias")
        wizard = self._wizard("good-alias", "bad-alias")
        wizard.action_register()
        self.assertEqual(wizard.line_ids.mapped("works"), [True, False])
        self.assertEqual(wizard.line_ids[0].result, "Done.")
        self.assertIn("3204", wizard.line_ids[1].result)
        self.assertEqual(self.scheme.accounts, {("ALIAS", "good-alias", "USD")})

    def test_removed_again(self):
        wizard = self._wizard("good-alias", "unknown-alias")
        self.scheme.accounts.add(("ALIAS", "good-alias", "USD"))
        wizard.action_remove()
        self.assertEqual(wizard.line_ids.mapped("works"), [True, False])
        self.assertFalse(self.scheme.accounts)

    def test_a_scheme_that_is_silent_is_not_waited_for_again_and_again(self):
        wizard = self._wizard("first-alias", "second-alias")
        asked = []

        def silent(path, text):
            asked.append(path)
            raise OutcomeUnknown(Reason.TIMEOUT)

        with patch.object(self.scheme, "_delete_accounts", silent):
            wizard.action_remove()
        self.assertEqual(asked, ["ALIAS/first-alias"])
        for line in wizard.line_ids:
            self.assertIn("Not done: The payment system did not answer in time", line.result)

    def test_npms_connector_removes_none_and_that_is_told(self):
        wizard = self._wizard("good-alias")
        old = Answer(400, {}, b'{"message": "Couldn\'t match path", "statusCode": 400}')
        with patch.object(self.scheme, "_delete_accounts", lambda *_arguments, **_named: old):
            wizard.action_remove()
        self.assertFalse(wizard.line_ids.works)
        self.assertIn("cannot remove identifiers", wizard.line_ids.result)

    def test_what_cannot_travel(self):
        for alias in ("", "with space/slash"):
            with self.assertRaisesRegex(UserError, "cannot carry"):
                self._wizard(alias).action_register()
        self.assertFalse(self.scheme.requests)

    def test_connector_not_there(self):
        wizard = self._wizard("good-alias")
        self.scheme.down = NotSent(Reason.UNREACHABLE)
        with self.assertRaisesRegex(UserError, "cannot be reached"):
            wizard.action_register()

    def test_roles(self):
        wizard = self._wizard("good-alias")
        for user in (self.finance_user, self._user("plain")):
            with self.assertRaises(AccessError):
                wizard.with_user(user).action_register()
        self.assertFalse(self.scheme.requests)
