from odoo import _, api, fields, models
from odoo.exceptions import UserError

from odoo.addons.g2p_payment_hub.client.errors import GatewayError, OutcomeUnknown, Refused
from odoo.addons.g2p_payment_hub.client.http import tls_context
from odoo.addons.g2p_payment_hub.models.payment_gateway_secret import secret
from odoo.addons.g2p_payment_hub.models.payment_gateway_token import GatewayTokens
from odoo.addons.g2p_payment_hub.models.roles import GATEWAY_ADMIN, check_role

from ..client.connection_manager import ConnectionManager, ManagerSettings
from ..client.login import ClientCredentials
from .payment_gateway import MOJALOOP

# Settings, and the step in which others are told of them.
_TOLD = {
    "mojaloop_signing_key": "signing_key",
    "mojaloop_server_certificate": "server_certificate",
    "mojaloop_ingress_url": "addresses",
    "mojaloop_egress_addresses": "addresses",
    "mojaloop_egress_ports": "addresses",
}
# Who is told, and on whose behalf.
_TO_WHOM = ("mojaloop_cm_url", "mojaloop_dfsp_id")


class PaymentGateway(models.Model):
    """The scheme's Connection Manager, with which keys, certificates and addresses are exchanged as Payment
    Manager's portal does it, and the steps of that.

    Each button asks first, while nothing is written, and then writes down what it was told.
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
        tracking=True,
        help="Where the Connection Manager's login gives out access tokens (OAuth 2, client credentials). "
        "Empty where it asks for none.",
    )
    mojaloop_cm_client_id = fields.Char(
        "Connection Manager Client",
        tracking=True,
        help="Name of the OAuth client that the hub's operator made for you.",
    )
    mojaloop_cm_client_secret = secret(
        "mojaloop_cm_client_secret",
        "Connection Manager Secret",
        "Secret of that client. Once saved it is not shown again.",
    )
    mojaloop_cm_ca_bundle = fields.Text(
        "Connection Manager CA Bundle",
        tracking=True,
        help="Certificates, PEM, of the authorities to trust for the Connection Manager's TLS instead of the "
        "public ones. TLS is always verified.",
    )
    mojaloop_step_ids = fields.One2many(
        "g2p.mojaloop.trust.step", "gateway_id", "Steps", groups=GATEWAY_ADMIN, readonly=True
    )

    @api.constrains("mojaloop_cm_url", "mojaloop_cm_token_url", "state")
    def _check_mojaloop_cm_urls(self):
        self._check_urls("mojaloop_cm_url", "mojaloop_cm_token_url")

    @api.constrains("mojaloop_cm_client_id")
    def _check_mojaloop_cm_client(self):
        self._check_header_texts("mojaloop_cm_client_id")

    @api.constrains("mojaloop_cm_ca_bundle")
    def _check_mojaloop_cm_ca_bundle(self):
        several = _("It has to be certificates in PEM.")
        for gateway in self:
            bundle = gateway.mojaloop_cm_ca_bundle
            self._check_loads("mojaloop_cm_ca_bundle", bundle, tls_context, several)

    @api.model
    def _secret_fields(self):
        return [*super()._secret_fields(), "mojaloop_cm_client_secret"]

    @api.model
    def _secrets_sent_to(self):
        return {**super()._secrets_sent_to(), "mojaloop_cm_client_secret": ("mojaloop_cm_token_url",)}

    @api.model_create_multi
    def create(self, vals_list):
        gateways = super().create(vals_list)
        gateways._mojaloop_make_steps()
        return gateways

    def write(self, vals):
        """What was done with other settings is to do again."""
        steps = self.env["g2p.mojaloop.trust.step"].sudo()
        undone = steps.union(*(gateway._mojaloop_undone(vals) for gateway in self))
        result = super().write(vals)
        if "provider" in vals:
            self._mojaloop_make_steps()
        undone._set_state("todo", _("The settings changed since this was done. Do it again."))
        return result

    def _mojaloop_undone(self, vals):
        """The steps that are done, and are not any more with these `vals`."""
        done = self.sudo().mojaloop_step_ids.filtered(lambda one: one.state == "done")
        if self._changes(vals, _TO_WHOM):
            return done
        changed = {step for name, step in _TOLD.items() if self._changes(vals, [name])}
        return done.filtered(lambda one: one.step in changed)

    def _mojaloop_make_steps(self):
        gateways = self.filtered(lambda gateway: gateway.provider == MOJALOOP)
        self.env["g2p.mojaloop.trust.step"].sudo()._make(gateways)

    def action_mojaloop_refresh_steps(self):
        """What the Connection Manager says of the steps, in its own words, beside what is known here."""
        self._mojaloop_check_trusted()
        status, why_not = self._mojaloop_ask(ConnectionManager.status)
        if why_not:
            return self._notification("danger", self._mojaloop_why(why_not))
        self.mojaloop_step_ids.sudo()._note_manager_status(status)
        return self._notification("success", _("The steps show what the Connection Manager says."))

    # What all buttons share

    def _mojaloop_check_trusted(self):
        self.ensure_one()
        check_role(
            self.env,
            GATEWAY_ADMIN,
            _("Only a payment gateway administrator may exchange keys and certificates."),
        )
        if self.provider != MOJALOOP:
            raise UserError(_("Only gateways of a Mojaloop connector exchange keys and certificates."))

    def _mojaloop_step(self, step):
        return self.mojaloop_step_ids.sudo().filtered(lambda one: one.step == step)

    def _mojaloop_exchange(self, steps, ask, tell):
        """`ask(manager)`, then `tell(answer)`, which writes and returns state and sentence of each step."""
        answer, why_not = self._mojaloop_ask(ask)
        if not why_not:
            return self._mojaloop_told(tell(answer))
        sentence = self._mojaloop_why(why_not)
        for step in steps:
            self._mojaloop_step(step)._set_state(self._mojaloop_state_after(step, why_not), sentence)
        return self._notification("danger", sentence)

    def _mojaloop_state_after(self, step, why_not):
        state = self._mojaloop_step(step).state
        if state != "requested" and isinstance(why_not, Refused):
            return "refused"
        if step == "certificate" and isinstance(why_not, OutcomeUnknown):
            return "requested"  # it may have arrived: its key is not to be replaced
        return state

    def _mojaloop_told(self, told):
        """Writes down what came of each step, a state and a sentence, and shows it."""
        for step, (state, sentence) in told.items():
            self._mojaloop_step(step)._set_state(state, sentence)
        states = {state for state, _sentence in told.values()}
        kind = "danger" if "refused" in states else "success" if states == {"done"} else "warning"
        return self._notification(kind, " ".join(sentence for _state, sentence in told.values()))

    def _mojaloop_published(self, objection, sentence):
        """State and sentence after something was published; `objection` is what the manager finds wrong."""
        if not objection:
            return "done", sentence
        return "refused", _("The Connection Manager has taken it, and finds it wrong: %s.", objection)

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
        problems = self._lacking(needed)
        if problems:
            raise UserError(" ".join(problems))
        with self._making_client():
            return ConnectionManager(self._mojaloop_manager_settings(), GatewayTokens(self))

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
