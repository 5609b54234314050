from datetime import datetime, timezone

from odoo import _, api, fields, models
from odoo.exceptions import UserError

from odoo.addons.g2p_payment_hub.client.errors import GatewayError
from odoo.addons.g2p_payment_hub.models.roles import GATEWAY_ADMIN

from ..client import keys


class PaymentGateway(models.Model):
    """The keys of signatures (JWS): that of our connector is published, those of the hub and of the other
    institutions are fetched."""

    _inherit = "g2p.payment.gateway"

    mojaloop_signing_key = fields.Text(
        "Connector's Signing Key",
        tracking=True,
        help="Public key or certificate, PEM, of the key with which your connector signs what it sends "
        "(JWS_SIGNING_KEY_PATH). The connector keeps the private half; it is not needed here.",
    )
    mojaloop_peer_key_ids = fields.One2many(
        "g2p.mojaloop.peer.key", "gateway_id", "Keys of Others", groups=GATEWAY_ADMIN, readonly=True
    )

    @api.constrains("mojaloop_signing_key")
    def _check_mojaloop_signing_key(self):
        public = _(
            "It has to be a public key or a certificate, in PEM. Keep the private key to the connector."
        )
        for gateway in self:
            key = gateway.mojaloop_signing_key
            self._check_loads("mojaloop_signing_key", key, keys.load_public_key, public)

    def action_mojaloop_publish_signing_key(self):
        self._mojaloop_check_trusted()
        if not self.mojaloop_signing_key:
            raise UserError(
                _("There is nothing to publish. Fill in the connector's signing key, its public half, first.")
            )
        key, now = keys.public_pem(self.mojaloop_signing_key), datetime.now(timezone.utc)
        said = _("Published. The others check with it what your connector signs.")
        return self._mojaloop_exchange(
            ["signing_key"],
            lambda manager: manager.publish_signing_key(key, now),
            lambda objection: {"signing_key": self._mojaloop_published(objection, said)},
        )

    def action_mojaloop_fetch_peer_keys(self):
        """Of the institutions and of the hub: who is not shown any more is not trusted any more."""
        self._mojaloop_check_trusted()
        return self._mojaloop_exchange(["peer_keys", "hub_key"], _fetch, self._mojaloop_keep_peer_keys)

    def _mojaloop_keep_peer_keys(self, fetched):
        published, (name, key), why_not = fetched
        if why_not:  # nothing was heard of it, so what is known of it stays
            known = self.mojaloop_peer_key_ids.sudo().filtered("is_hub")
            name, key = known.fsp or "", published.get(known.fsp) or known.public_key or ""
        others = {fsp: pem for fsp, pem in published.items() if fsp not in (self.mojaloop_dfsp_id, name)}
        if key and not name:  # some managers list the hub and do not say who it is
            name = next((fsp for fsp, pem in others.items() if pem.strip() == key.strip()), "")
        kept = {**others, name: key} if name and key else others
        unusable = self.env["g2p.mojaloop.peer.key"].sudo()._replace(self, kept, name)
        self._mojaloop_remind()
        return {
            "peer_keys": self._mojaloop_came_of_peers([fsp for fsp in others if fsp != name], unusable),
            "hub_key": self._mojaloop_came_of_hub(name, key, unusable, why_not),
        }

    def _mojaloop_came_of_peers(self, names, unusable):
        bad = ", ".join(name for name in unusable if name in names)
        if bad:
            return "refused", _(
                "These keys cannot be used and were left out: %s. Tell the hub's operator.", bad
            )
        if not names:
            return "todo", _("Nobody else has published a key yet. Fetch again later.")
        return "done", _("Fetched the keys of %s other institutions.", len(names))

    def _mojaloop_came_of_hub(self, name, key, unusable, why_not):
        if why_not:
            return self._mojaloop_state_after("hub_key", why_not), self._mojaloop_why(why_not)
        if not key:
            return "todo", _("The hub has published no key. Where it signs, ask its operator for it.")
        if not name:
            return "refused", _(
                "The hub's key came without the hub's name and was left out. Ask its operator to list it "
                "among the institutions."
            )
        if name in unusable:
            return "refused", _("The hub's key cannot be used and was left out. Tell its operator.")
        return "done", _("The hub signs as %s.", name)


def _fetch(manager):
    """(keys by institution, the hub's name and key, why the latter was not told). Not every institution may
    ask for the hub's."""
    published = manager.signing_keys()
    try:
        return published, manager.hub_signing_key(), None
    except GatewayError as error:
        return published, ("", ""), error
