from datetime import timedelta

from odoo import _, api, fields, models

from odoo.addons.g2p_payment_hub.models.roles import GATEWAY_ADMIN

from ..client import keys
from .payment_gateway import MOJALOOP

# Days ahead of an end at which the administrators are told, each once.
REMIND_DAYS = (30, 7, 1)
_ENDS = {
    "mojaloop_certificate_until": "g2p_mojaloop_connector.activity_certificate_ends",
    "mojaloop_ca_until": "g2p_mojaloop_connector.activity_ca_ends",
    "mojaloop_signing_key_until": "g2p_mojaloop_connector.activity_signing_key_ends",
    "mojaloop_peer_keys_until": "g2p_mojaloop_connector.activity_peer_keys_end",
    "mojaloop_server_until": "g2p_mojaloop_connector.activity_server_certificate_ends",
    "mojaloop_hub_authority_until": "g2p_mojaloop_connector.activity_hub_authority_ends",
    "mojaloop_hub_server_until": "g2p_mojaloop_connector.activity_hub_server_certificate_ends",
}
# Fields with certificates, and the fields that say when they end.
_CERTIFICATES = {
    "mojaloop_client_certificate": "mojaloop_certificate_until",
    "mojaloop_ca_bundle": "mojaloop_ca_until",
    "mojaloop_signing_key": "mojaloop_signing_key_until",
    "mojaloop_server_certificate": "mojaloop_server_until",
    "mojaloop_hub_authority": "mojaloop_hub_authority_until",
    "mojaloop_hub_server_certificate": "mojaloop_hub_server_until",
}


class PaymentGateway(models.Model):
    """When keys and certificates end, and who is told in time."""

    _inherit = "g2p.payment.gateway"

    mojaloop_certificate_until = fields.Datetime(
        "Client Certificate until",
        compute="_compute_mojaloop_ends",
        help="The end of the client certificate, or of a certificate of its chain that ends earlier.",
    )
    mojaloop_ca_until = fields.Datetime(
        "CA Bundle until",
        compute="_compute_mojaloop_ends",
        help="The end of that certificate of the CA bundle that ends first.",
    )
    mojaloop_signing_key_until = fields.Datetime(
        "Signing Key until",
        compute="_compute_mojaloop_ends",
        help="The end of the connector's signing certificate. A bare public key has none.",
    )
    mojaloop_server_until = fields.Datetime(
        "Server Certificate until",
        compute="_compute_mojaloop_ends",
        help="The end of the certificate that your listener shows to the hub, or of a certificate of its "
        "chain that ends earlier.",
    )
    mojaloop_hub_authority_until = fields.Datetime(
        "Hub's Authority until",
        compute="_compute_mojaloop_ends",
        help="The end of the hub's authority, as it was last fetched.",
    )
    mojaloop_hub_server_until = fields.Datetime(
        "Hub's Server Certificate until",
        compute="_compute_mojaloop_ends",
        help="The end of the certificate that the hub's servers show, as it was last fetched, or of a "
        "certificate of its chain that ends earlier.",
    )
    mojaloop_peer_keys_until = fields.Datetime(
        "Keys of Others until",
        compute="_compute_mojaloop_peer_keys_until",
        compute_sudo=True,
        help="The end of that key of another institution that ends first, among those that have an end.",
    )
    mojaloop_reminded = fields.Json(
        "Reminders", readonly=True, copy=False, help="Of which ends the administrators were told, and when."
    )

    @api.depends(*_CERTIFICATES)
    def _compute_mojaloop_ends(self):
        for gateway in self:
            for name, until in _CERTIFICATES.items():
                gateway[until] = _end(gateway[name])

    @api.depends("mojaloop_peer_key_ids.valid_until")
    def _compute_mojaloop_peer_keys_until(self):
        for gateway in self:
            ends = gateway.mojaloop_peer_key_ids.filtered("valid_until").mapped("valid_until")
            gateway.mojaloop_peer_keys_until = min(ends, default=False)

    def write(self, vals):
        result = super().write(vals)
        if not _CERTIFICATES.keys().isdisjoint(vals):
            self._mojaloop_remind()
        return result

    def _check_settings(self):
        problems = super()._check_settings()
        until = self.mojaloop_certificate_until
        if self.provider == MOJALOOP and until and until <= fields.Datetime.now():
            problems.append(
                _(
                    "The client certificate of the gateway %(gateway)s ended on %(date)s. Renew it under "
                    "Keys and Certificates.",
                    gateway=self.name,
                    date=fields.Date.to_string(until),
                )
            )
        return problems

    @api.model
    def _cron_mojaloop_remind(self):
        self.search([("provider", "=", MOJALOOP)])._mojaloop_remind()

    def _mojaloop_remind(self):
        """Tells the administrators of each end that comes near, and takes back what no longer holds."""
        for gateway in self.sudo():
            before = gateway.mojaloop_reminded or {}
            after = {name: gateway._mojaloop_remind_of(name, before.get(name)) for name in _ENDS}
            after = {name: told for name, told in after.items() if told}
            if after != before:
                gateway.mojaloop_reminded = after

    def _mojaloop_remind_of(self, name, told):
        """What was told of this end by now, as [end, days], or None. `told` is the same of before."""
        until, now = self[name], fields.Datetime.now()
        due = [days for days in REMIND_DAYS if until and until - now <= timedelta(days=days)]
        current = [fields.Datetime.to_string(until), min(due)] if due else None
        if current == told:
            return told
        self.activity_unlink([_ENDS[name]])
        if current:
            for user in self._users_who(GATEWAY_ADMIN):
                self._mojaloop_call(user, name, until)
        return current

    def _mojaloop_call(self, user, name, until):
        self.activity_schedule(
            _ENDS[name],
            date_deadline=until.date(),
            summary=_("%(what)s: %(date)s", what=self._label(name), date=fields.Date.to_string(until)),
            note=_(
                "What ends then has to be renewed on the gateway %s, under Keys and Certificates. Payments "
                "stop when it is too late.",
                self.name,
            ),
            user_id=user.id,
        )


def _end(text):
    """As Odoo writes times; False for what has no end or cannot be read."""
    try:
        end = keys.first_end(text or "")
    except ValueError:
        return False
    return end.replace(tzinfo=None) if end else False
