import ipaddress
from datetime import datetime, timezone

from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from odoo.addons.g2p_payment_hub.client.errors import GatewayError, OutcomeUnknown, Refused
from odoo.addons.g2p_payment_hub.client.http import tls_context
from odoo.addons.g2p_payment_hub.models.payment_gateway import ADMIN
from odoo.addons.g2p_payment_hub.models.payment_gateway_token import GatewayTokens

from ..client import keys
from ..client.connection_manager import ConnectionManager, EnrollmentState, ManagerSettings
from ..client.login import ClientCredentials
from .payment_gateway import MOJALOOP, SECRET

# The key of the request under way, among the gateway's secrets. No field has this name, so nothing reads it.
NEXT_KEY = "mojaloop_next_key"
_CERTIFICATES = ("mojaloop_client_certificate", "mojaloop_ca_bundle", "mojaloop_signing_key")


class PaymentGateway(models.Model):
    """Keys, certificates and addresses, exchanged with the scheme's Connection Manager as Payment Manager's
    portal does it.

    Each button asks first, while nothing is written, and then writes down what it was told. A key is
    committed before its request can leave, because that takes another button.
    """

    _inherit = "g2p.payment.gateway"

    mojaloop_cm_url = fields.Char(
        "Connection Manager URL",
        tracking=True,
        help="Address of the scheme's Connection Manager, as far as /dfsps, for example "
        "https://mcm.hub.example/api.",
    )
    mojaloop_cm_token_url = fields.Char(
        "Connection Manager Token URL",
        help="Where the Connection Manager's login gives out access tokens (OAuth 2, client credentials). "
        "Empty where it asks for none.",
    )
    mojaloop_cm_client_id = fields.Char(
        "Connection Manager Client", help="Name of the OAuth client that the hub's operator made for you."
    )
    mojaloop_cm_client_secret = fields.Char(
        "Connection Manager Secret",
        groups=SECRET,
        compute="_compute_secrets",
        inverse=lambda self: self._keep_secret("mojaloop_cm_client_secret"),
        exportable=False,
        help="Secret of that client. Once saved it is not shown again.",
    )
    mojaloop_cm_ca_bundle = fields.Text(
        "Connection Manager CA Bundle",
        help="Certificates, PEM, of the authorities to trust for the Connection Manager's TLS instead of the "
        "public ones. TLS is always verified.",
    )
    mojaloop_signing_key = fields.Text(
        "Connector's Signing Key",
        help="Public key or certificate, PEM, of the key with which your connector signs what it sends "
        "(JWS_SIGNING_KEY_PATH). The connector keeps the private half; it is not needed here.",
    )
    mojaloop_ingress_url = fields.Char(
        "Ingress URL",
        help="Where the hub reaches your connector with its callbacks, for example "
        "https://callbacks.treasury.example.",
    )
    mojaloop_egress_addresses = fields.Char(
        "Egress Addresses",
        help="The addresses from which your connector's requests come, with blanks between them: 196.0.2.10 "
        "or a range such as 196.0.2.0/28.",
    )
    mojaloop_egress_ports = fields.Char(
        "Egress Ports",
        default="443",
        help="The hub's ports that your connector's requests go to, with blanks between them.",
    )
    mojaloop_request = fields.Text(
        "Request (CSR)",
        readonly=True,
        copy=False,
        help="The request for the next client certificate. Its key is kept here; the one in use stays in use "
        "until the signed certificate has arrived.",
    )
    mojaloop_enrollment_id = fields.Char(
        "Request at the Manager",
        readonly=True,
        copy=False,
        help="The number that the Connection Manager gave the request.",
    )
    mojaloop_step_ids = fields.One2many(
        "g2p.mojaloop.trust.step", "gateway_id", "Steps", groups=SECRET, readonly=True
    )
    mojaloop_peer_key_ids = fields.One2many(
        "g2p.mojaloop.peer.key", "gateway_id", "Keys of Others", groups=SECRET, readonly=True
    )

    @api.constrains("mojaloop_cm_url", "mojaloop_cm_token_url", "mojaloop_ingress_url", "state")
    def _check_mojaloop_trust_urls(self):
        for gateway in self:
            for name in ("mojaloop_cm_url", "mojaloop_cm_token_url", "mojaloop_ingress_url"):
                if gateway[name]:
                    gateway._check_url(name)

    @api.constrains("mojaloop_cm_client_id")
    def _check_mojaloop_cm_client(self):
        for gateway in self:
            gateway._check_header_text("mojaloop_cm_client_id")

    @api.constrains("mojaloop_signing_key", "mojaloop_cm_ca_bundle")
    def _check_mojaloop_trust_texts(self):
        public = _(
            "It has to be a public key or a certificate, in PEM. Keep the private key to the connector."
        )
        several = _("It has to be certificates in PEM.")
        for gateway in self:
            key, bundle = gateway.mojaloop_signing_key, gateway.mojaloop_cm_ca_bundle
            self._check_loads("mojaloop_signing_key", key, keys.load_public_key, public)
            self._check_loads("mojaloop_cm_ca_bundle", bundle, tls_context, several)

    @api.constrains("mojaloop_egress_addresses", "mojaloop_egress_ports")
    def _check_mojaloop_egress(self):
        for gateway in self:
            for address in (gateway.mojaloop_egress_addresses or "").split():
                try:
                    ipaddress.ip_network(address)
                except ValueError as error:
                    raise ValidationError(
                        _(
                            "Egress Addresses: %s is neither an address nor a range such as 10.0.0.0/24.",
                            address,
                        )
                    ) from error
            for port in (gateway.mojaloop_egress_ports or "").split():
                if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
                    raise ValidationError(_("Egress Ports: %s is no number of a port.", port))

    @api.model
    def _secret_fields(self):
        return [*super()._secret_fields(), "mojaloop_cm_client_secret"]

    @api.model_create_multi
    def create(self, vals_list):
        gateways = super().create(vals_list)
        gateways._mojaloop_make_steps()
        return gateways

    def write(self, vals):
        result = super().write(vals)
        if "provider" in vals:
            self._mojaloop_make_steps()
        if any(name in vals for name in _CERTIFICATES):
            self._mojaloop_remind()
        return result

    def _mojaloop_make_steps(self):
        gateways = self.filtered(lambda gateway: gateway.provider == MOJALOOP)
        self.env["g2p.mojaloop.trust.step"].sudo()._make(gateways)

    # Buttons

    def action_mojaloop_generate_request(self):
        """A new key, and the request for its certificate, beside the ones in use. Nothing leaves."""
        self._mojaloop_check_trusted()
        if not self.mojaloop_dfsp_id:
            raise UserError(_("The gateway lacks its DFSP ID. Fill it in, then generate."))
        if self._mojaloop_step("certificate").state == "requested":
            raise UserError(
                _(
                    "A request is with the Connection Manager already, and its key would be lost. Fetch its "
                    "certificate, or give it up first."
                )
            )
        key = keys.new_key()
        self.env["g2p.payment.gateway.secret"]._keep(self, NEXT_KEY, key)
        self.write(
            {
                "mojaloop_request": keys.request(key, self.mojaloop_dfsp_id, self.company_id.name[:64]),
                "mojaloop_enrollment_id": False,
            }
        )
        said = _("A new key and its request are ready. Press Send Request.")
        return self._mojaloop_told("certificate", "todo", said)

    def action_mojaloop_send_request(self):
        """May be repeated: the Connection Manager is asked first whether it has this request."""
        self._mojaloop_check_trusted()
        request = self.mojaloop_request
        if not request:
            raise UserError(_("There is no request. Press Generate Key and Request first."))
        return self._mojaloop_exchange(
            "certificate", lambda manager: manager.enroll(request), self._mojaloop_enrolled
        )

    def action_mojaloop_fetch_certificate(self):
        self._mojaloop_check_trusted()
        enrollment_id = self.mojaloop_enrollment_id
        if not enrollment_id:
            raise UserError(_("The Connection Manager has no request of ours. Press Send Request first."))
        return self._mojaloop_exchange(
            "certificate", lambda manager: manager.enrollment(enrollment_id), self._mojaloop_enrolled
        )

    def action_mojaloop_give_up_request(self):
        """Forgets request and key; what is signed for them later cannot be used."""
        self._mojaloop_check_trusted()
        self._mojaloop_forget_request()
        said = _("The request was given up. Generate another one when it is needed.")
        return self._mojaloop_told(
            "certificate", "done" if self.mojaloop_client_certificate else "todo", said
        )

    def action_mojaloop_publish_signing_key(self):
        self._mojaloop_check_trusted()
        if not self.mojaloop_signing_key:
            raise UserError(
                _("There is nothing to publish. Fill in the connector's signing key, its public half, first.")
            )
        key, now = keys.public_pem(self.mojaloop_signing_key), datetime.now(timezone.utc)
        said = _("Published. The others check with it what your connector signs.")
        return self._mojaloop_exchange(
            "signing_key", lambda manager: manager.publish_signing_key(key, now), lambda _none: ("done", said)
        )

    def action_mojaloop_fetch_peer_keys(self):
        self._mojaloop_check_trusted()
        return self._mojaloop_exchange(
            "peer_keys", ConnectionManager.signing_keys, self._mojaloop_keep_peer_keys
        )

    def action_mojaloop_publish_addresses(self):
        self._mojaloop_check_trusted()
        url, name = self.mojaloop_ingress_url, self.name
        addresses = (self.mojaloop_egress_addresses or "").split()
        ports = (self.mojaloop_egress_ports or "").split()
        if not url or not addresses or not ports:
            raise UserError(
                _("There is nothing to publish. Fill in ingress URL, egress addresses and ports first.")
            )

        def publish(manager):
            manager.publish_callback_url(url)
            for address in addresses:
                manager.publish_address(address, ports, name)

        said = _("Published. The hub's operator has to let them in.")
        return self._mojaloop_exchange("addresses", publish, lambda _none: ("done", said))

    def action_mojaloop_refresh_steps(self):
        """What the Connection Manager says of the steps, in its own words, beside what is known here."""
        self._mojaloop_check_trusted()
        status, why_not = self._mojaloop_ask(ConnectionManager.status)
        if why_not:
            return self._mojaloop_show("danger", self._mojaloop_why(why_not))
        self.mojaloop_step_ids.sudo()._note_manager_status(status)
        return self._mojaloop_show("success", _("The steps show what the Connection Manager says."))

    # What the buttons share

    def _mojaloop_check_trusted(self):
        self.ensure_one()
        if not self.env.user.has_group(ADMIN):
            raise AccessError(_("Only a payment gateway administrator may exchange keys and certificates."))
        if self.provider != MOJALOOP:
            raise UserError(_("Only gateways of a Mojaloop connector exchange keys and certificates so."))

    def _mojaloop_step(self, step):
        return self.mojaloop_step_ids.sudo().filtered(lambda one: one.step == step)

    def _mojaloop_told(self, step, state, sentence):
        """Writes it down and shows it."""
        self._mojaloop_step(step)._is(state, sentence)
        kind = {"refused": "danger", "done": "success"}.get(state, "warning")
        return self._mojaloop_show(kind, sentence)

    def _mojaloop_show(self, kind, sentence):
        """A notification, and the form behind it anew."""
        shown = self._notification(kind, sentence)
        shown["params"]["next"] = {"type": "ir.actions.act_window_close"}
        return shown

    def _mojaloop_exchange(self, step, ask, tell):
        """`ask(manager)`, then `tell(answer)`, which writes and returns state and sentence."""
        answer, why_not = self._mojaloop_ask(ask)
        if not why_not:
            return self._mojaloop_told(step, *tell(answer))
        state = self._mojaloop_step(step).state
        if state != "requested" and isinstance(why_not, Refused):
            state = "refused"
        elif step == "certificate" and isinstance(why_not, OutcomeUnknown):
            state = "requested"  # it may have arrived: its key is not to be replaced
        self._mojaloop_step(step)._is(state, self._mojaloop_why(why_not))
        return self._mojaloop_show("danger", self._mojaloop_why(why_not))

    def _mojaloop_ask(self, ask):
        """(`ask(manager)`, None), or (None, the GatewayError). To be called while nothing is written yet."""
        try:
            with self._mojaloop_manager() as manager:
                return ask(manager), None
        except GatewayError as error:
            return None, error

    def _mojaloop_why(self, error):
        return _("The Connection Manager did not do it. %s", self._explain(error))

    def _mojaloop_manager(self):
        needed = ["mojaloop_cm_url", "mojaloop_dfsp_id"]
        if self.mojaloop_cm_token_url:
            needed += ["mojaloop_cm_client_id", "mojaloop_cm_client_secret"]
        missing = [self._label(name) for name in needed if not self[name]]
        if missing:
            raise UserError(
                _("The gateway %(gateway)s lacks: %(field)s.", gateway=self.name, field=", ".join(missing))
            )
        try:
            return ConnectionManager(self._mojaloop_manager_settings(), GatewayTokens(self))
        except ValueError as error:
            raise UserError(_("The settings of the gateway %s cannot be used.", self.name)) from error

    def _mojaloop_manager_settings(self):
        login = None
        if self.mojaloop_cm_token_url:
            login = ClientCredentials(
                token_url=self.mojaloop_cm_token_url,
                client_id=self.mojaloop_cm_client_id,
                client_secret=self._secrets().get("mojaloop_cm_client_secret", ""),
            )
        return ManagerSettings(
            url=self.mojaloop_cm_url,
            dfsp_id=self.mojaloop_dfsp_id,
            login=login,
            ca_bundle=self.mojaloop_cm_ca_bundle or "",
        )

    # The client certificate

    def _mojaloop_enrolled(self, enrollment):
        """State and sentence of the certificate's step, after the Connection Manager said what became of the
        request."""
        if self.mojaloop_enrollment_id != enrollment.enrollment_id:
            self.mojaloop_enrollment_id = enrollment.enrollment_id
        if enrollment.state is EnrollmentState.WAITING:
            return "requested", _("The hub's operator has to sign it. Press Fetch Signed Certificate then.")
        if enrollment.state is EnrollmentState.INVALID:
            self._mojaloop_forget_request()
            return "refused", _(
                "The hub refuses the request. Ask its operator why, then generate another one."
            )
        why_not = self._mojaloop_why_not_usable(enrollment.certificate)
        if why_not:
            return "refused", why_not
        self._mojaloop_swap(enrollment.certificate)
        until = fields.Date.to_string(self.mojaloop_certificate_until)
        return "done", _("The signed certificate is in use from the next request on, until %s.", until)

    def _mojaloop_why_not_usable(self, certificate):
        """A sentence; empty when the certificate may take the place of the one in use."""
        key = self._secrets().get(NEXT_KEY, "")
        try:
            ours = keys.is_pair(certificate, key)
            ends = keys.facts(certificate).not_after
        except ValueError:
            return _(
                "What was signed, or its key, cannot be read. Ask the hub's operator, or generate another "
                "request."
            )
        if not ours:
            return _(
                "The certificate is not for the key of our request, so it is not used. Ask the hub's "
                "operator, or generate another request."
            )
        if ends <= datetime.now(timezone.utc):
            return _("The certificate is over already, so it is not used. Generate another request.")
        return ""

    def _mojaloop_swap(self, certificate):
        """Certificate and key change together, in one transaction. Clients are made for each run, so nothing
        has to be started anew."""
        key = self._secrets()[NEXT_KEY]
        self.env["g2p.payment.gateway.secret"]._keep(self, "mojaloop_client_key", key)
        self.mojaloop_client_certificate = certificate
        self.invalidate_recordset(["mojaloop_client_key"])
        self._mojaloop_forget_request()
        self._message_log(
            body=_(
                "New client certificate: serial %(serial)s, until %(until)s.",
                serial=keys.facts(certificate).serial,
                until=self.mojaloop_certificate_until,
            )
        )

    def _mojaloop_forget_request(self):
        self.env["g2p.payment.gateway.secret"]._keep(self, NEXT_KEY, False)
        self.write({"mojaloop_request": False, "mojaloop_enrollment_id": False})

    # Keys of others

    def _mojaloop_keep_peer_keys(self, published):
        """Those of the other institutions; who is not listed any more is not trusted any more."""
        others = {fsp: pem for fsp, pem in published.items() if fsp != self.mojaloop_dfsp_id}
        unusable = self.env["g2p.mojaloop.peer.key"].sudo()._replace(self, others)
        self._mojaloop_remind()
        if unusable:
            names = ", ".join(unusable)
            return "refused", _(
                "These keys cannot be read and were left out: %s. Tell the hub's operator.", names
            )
        if not others:
            return "todo", _("Nobody else has published a key yet. Fetch again later.")
        return "done", _("Fetched the keys of %s other institutions.", len(others))
