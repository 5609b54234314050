import base64

from odoo import _, fields, models
from odoo.exceptions import UserError

from odoo.addons.g2p_payment_hub.models.roles import GATEWAY_ADMIN

from ..client import archive

_KEYS = "jws_verification_keys"
_FILENAME = "connector_files.zip"


class PaymentGateway(models.Model):
    """What was fetched, as the files that a connector reads (sdk-scheme-adapter's environment variables). It
    has no interface through which they could be handed to it."""

    _inherit = "g2p.payment.gateway"

    mojaloop_connector_files = fields.Binary(
        "Files for the Connector",
        groups=GATEWAY_ADMIN,
        compute="_compute_mojaloop_connector_files",
        exportable=False,
        help="ZIP file of the keys of others and of the hub's certificates, named as the connector reads "
        "them.",
    )

    def _compute_mojaloop_connector_files(self):
        for gateway in self:
            files = gateway._mojaloop_files()
            gateway.mojaloop_connector_files = files and base64.b64encode(archive.packed(files))

    def _mojaloop_files(self):
        """Path to content; empty when nothing was fetched yet."""
        files = {f"{_KEYS}/{one.fsp}.pem": one.public_key for one in self.sudo().mojaloop_peer_key_ids}
        files.update(
            {
                "hub_ca.pem": self.mojaloop_hub_authority,
                "hub_server.pem": self.mojaloop_hub_server_certificate,
            }
        )
        files = {path: f"{text.strip()}\n" for path, text in files.items() if text}
        return {**files, "README.txt": self._mojaloop_files_sentence()} if files else {}

    def _mojaloop_files_sentence(self):
        return _(
            "Files for the connector of %(name)s (sdk-scheme-adapter).\n\n"
            "%(folder)s: make the folder that JWS_VERIFICATION_KEYS_DIRECTORY names hold these files and no "
            "others: whose key is gone is not trusted any more. The connector notices by itself.\n"
            "hub_ca.pem: the authority behind the hub's TLS, for OUT_CA_CERT_PATH and IN_CA_CERT_PATH. The "
            "connector reads it when it starts.\n"
            "hub_server.pem: what the hub's servers show, to compare with.\n",
            name=self.name,
            folder=_KEYS,
        )

    def action_mojaloop_download_files(self):
        self._mojaloop_check_trusted()
        if not self._mojaloop_files():
            raise UserError(_("Nothing was fetched yet. Fetch the keys of others first."))
        return {
            "type": "ir.actions.act_url",
            "target": "download",
            "url": f"/web/content/{self._name}/{self.id}/mojaloop_connector_files/{_FILENAME}?download=1",
        }
