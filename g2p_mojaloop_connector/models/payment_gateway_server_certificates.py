from datetime import datetime, timezone

from odoo import _, api, fields, models
from odoo.exceptions import UserError

from ..client import keys


class PaymentGateway(models.Model):
    """The certificates of servers: what our connector's listener shows to the hub is published; what the
    hub's servers show, and who stands for them, is fetched."""

    _inherit = "g2p.payment.gateway"

    mojaloop_server_certificate = fields.Text(
        "Server Certificate",
        tracking=True,
        help="What your connector's listener shows to the hub, PEM: its own certificate first, then those "
        "that link it to its authority, and last that of the authority, unless it is a public one. The "
        "listener keeps the key; it is not needed here.",
    )
    mojaloop_hub_authority = fields.Text(
        "Hub's Authority",
        readonly=True,
        copy=False,
        help="Who stands for the hub's certificates, as the Connection Manager says, PEM. For the connector.",
    )
    mojaloop_hub_server_certificate = fields.Text(
        "Hub's Server Certificate",
        readonly=True,
        copy=False,
        help="What the hub's servers show, as the Connection Manager says, PEM, with its chain.",
    )

    @api.constrains("mojaloop_server_certificate")
    def _check_mojaloop_server_certificate(self):
        public = _(
            "It has to be certificates in PEM, the server's own first. Keep the private key to the listener."
        )
        for gateway in self:
            chain = gateway.mojaloop_server_certificate
            self._check_loads("mojaloop_server_certificate", chain, keys.chain, public)

    def action_mojaloop_publish_server_certificate(self):
        self._mojaloop_check_trusted()
        if not self.mojaloop_server_certificate:
            raise UserError(_("There is nothing to publish. Fill in the server certificate first."))
        chain = keys.chain(self.mojaloop_server_certificate)
        said = _("Published. The hub knows by it whom it calls back.")
        return self._mojaloop_exchange(
            ["server_certificate"],
            lambda manager: manager.publish_server_certificate(*chain),
            lambda objection: {"server_certificate": self._mojaloop_published(objection, said)},
        )

    def action_mojaloop_fetch_hub_certificates(self):
        self._mojaloop_check_trusted()
        return self._mojaloop_exchange(
            ["hub_authority", "hub_server"],
            lambda manager: (manager.hub_authority(), manager.hub_server_certificates()),
            self._mojaloop_keep_hub_certificates,
        )

    def _mojaloop_keep_hub_certificates(self, fetched):
        authority, server = fetched
        return {
            "hub_authority": self._mojaloop_keep_certificates(
                "mojaloop_hub_authority",
                authority,
                _("The hub has published no authority of its own: its certificates are of a public one."),
            ),
            "hub_server": self._mojaloop_keep_certificates(
                "mojaloop_hub_server_certificate",
                server,
                _("The hub has published no server certificate. Its authority is enough to check it."),
            ),
        }

    def _mojaloop_keep_certificates(self, name, text, nothing):
        """State and sentence. What is not usable does not take the place of what was fetched before; what is
        not published any more is not kept."""
        try:
            end = keys.first_end(text)
        except ValueError:
            end = None
        if text and not end:
            return "refused", _("What was fetched is no certificate, so it is not kept. Tell the operator.")
        if end and end <= datetime.now(timezone.utc):
            return "refused", _(
                "The certificate is over already, so it is not kept. Tell the hub's operator."
            )
        if (self[name] or "") != text:
            self[name] = text
        if not text:
            return "done", nothing
        return "done", _("Fetched; it is good until %s.", end.date().isoformat())
