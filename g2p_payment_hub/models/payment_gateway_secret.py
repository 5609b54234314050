from odoo import api, fields, models

from .roles import GATEWAY_ADMIN

# What a screen shows in the place of a secret, and what it sends back when nobody typed another.
KEPT = "•" * 8


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


class PaymentGatewaySecret(models.Model):
    """Passwords and keys of gateways. Nobody has rights here: they are typed into the gateway, read by the
    server when it talks to the payment system, and never shown, searched, copied or exported."""

    _name = "g2p.payment.gateway.secret"
    _description = "Payment Gateway Secret"

    gateway_id = fields.Many2one("g2p.payment.gateway", required=True, ondelete="cascade", index=True)
    name = fields.Char(required=True, help="The gateway's field.")
    value = fields.Text(required=True)

    _sql_constraints = [("name_unique", "unique(gateway_id, name)", "A gateway keeps a secret once.")]

    @api.model
    def _of(self, gateway):
        """Field name to secret."""
        kept = self.sudo().search([("gateway_id", "in", gateway._origin.ids)])
        return {secret.name: secret.value for secret in kept}

    @api.model
    def _keep(self, gateway, name, value):
        """Replaces a secret; forgets it when `value` is empty."""
        self.sudo().search([("gateway_id", "=", gateway.id), ("name", "=", name)]).unlink()
        if value:
            self.sudo().create({"gateway_id": gateway.id, "name": name, "value": value})
