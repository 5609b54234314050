from collections.abc import Mapping

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .. import secret_keys
from .roles import GATEWAY_ADMIN

# What a screen shows in the place of a secret, and what it sends back when nobody typed another.
KEPT = "•" * 8
# From this one names are derived. It is no secret, and a backup that is restored without its key has to
# derive the same ones, or what was sent already is not found again.
REFERENCES = "references"
# Begins the names of access tokens: what cannot be read is asked for anew.
TOKEN = "token "


def secret(name, label, explanation, kind=fields.Char):
    """A field of a gateway, of this very `name`, that is typed into and never read back; to be listed in the
    gateway's `_secret_fields`."""
    return kind(
        label,
        groups=GATEWAY_ADMIN,
        compute="_compute_secrets",
        inverse=lambda self: self._keep_secret(name),
        exportable=False,
        help=explanation,
    )


class Secrets(Mapping):
    """Field name to secret of one gateway, decrypted one by one when it is asked for; prints none."""

    def __init__(self, env, gateway_id, sealed):
        self._env, self._gateway_id, self._sealed = env, gateway_id, sealed

    def __iter__(self):
        return iter(self._sealed)

    def __len__(self):
        return len(self._sealed)

    def __contains__(self, name):
        return name in self._sealed

    def __repr__(self):
        return f"<secrets of gateway {self._gateway_id}>"

    def __getitem__(self, name):
        sealed = self._sealed[name]
        if name == REFERENCES:
            return sealed
        gateway = self._env["g2p.payment.gateway"].browse(self._gateway_id)
        try:
            return secret_keys.unseal(sealed, self._gateway_id, name)
        except secret_keys.InSandbox:
            raise AccessError(gateway._why_not_for_templates()) from None
        except secret_keys.NoKeys as error:
            raise UserError(gateway._why_no_keys(error.reason)) from None
        except secret_keys.NotReadable:
            plain = not secret_keys.is_sealed(sealed)
            raise UserError(
                gateway._why_not_encrypted() if plain else gateway._why_not_readable([name])
            ) from None


class PaymentGatewaySecret(models.Model):
    """Passwords and keys of gateways, encrypted with a key that is not in the database. Nobody has rights
    here: they are typed into the gateway, decrypted when the server talks to the payment system, and never
    shown, searched, copied or exported."""

    _name = "g2p.payment.gateway.secret"
    _description = "Payment Gateway Secret"

    gateway_id = fields.Many2one("g2p.payment.gateway", required=True, ondelete="cascade", index=True)
    name = fields.Char(required=True, help="The gateway's field.")
    value = fields.Text(required=True, help="Encrypted.")

    _sql_constraints = [("name_unique", "unique(gateway_id, name)", "A gateway keeps a secret once.")]

    @api.model
    def _of(self, gateway):
        """Not even what could decrypt later is given to a template: it may leave that behind."""
        try:
            secret_keys.check_not_in_sandbox()
        except secret_keys.InSandbox:
            raise AccessError(gateway._why_not_for_templates()) from None
        return Secrets(self.env, gateway._origin.id, self._sealed(gateway))

    @api.model
    def _sealed(self, gateway):
        """Field name to what is in the database."""
        kept = self.sudo().search([("gateway_id", "in", gateway._origin.ids)])
        return {secret.name: secret.value for secret in kept}

    @api.model
    def _keep(self, gateway, name, value):
        """Replaces a secret; forgets it when `value` is empty."""
        self.sudo().search([("gateway_id", "=", gateway.id), ("name", "=", name)]).unlink()
        if value:
            sealed = value if name == REFERENCES else self._seal(gateway, name, value)
            self.sudo().create({"gateway_id": gateway.id, "name": name, "value": sealed})

    @api.model
    def _seal(self, gateway, name, value):
        try:
            return secret_keys.seal(value, gateway.id, name)
        except secret_keys.NoKeys as error:
            raise UserError(gateway._why_no_keys(error.reason)) from None
