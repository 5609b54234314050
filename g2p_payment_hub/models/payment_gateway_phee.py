from odoo import _, api, fields, models
from odoo.exceptions import ValidationError

from ..client import signature
from ..client.http import tls_context
from .payment_gateway_secret import secret
from .payment_submission import LONGEST_UPLOAD

PHEE = "payment_hub_ee"
_NEEDED = ("phee_bulk_url", "phee_operations_url", "phee_tenant", "phee_signing_key", "phee_payment_mode")
_HEADER_TEXTS = ("phee_tenant", "phee_purpose", "phee_institution", "phee_program")
# How the hub pays, and what counts as paid.
_TERMS = (
    "phee_payment_mode",
    "phee_format",
    "phee_purpose",
    "phee_institution",
    "phee_program",
    "phee_verify_completed",
    "phee_closed_loop_evidence",
    "phee_confirm_limit",
)


class PaymentGateway(models.Model):
    """The provider Mifos Payment Hub EE: its settings."""

    _inherit = "g2p.payment.gateway"

    phee_bulk_url = fields.Char(
        "Bulk Processor URL",
        tracking=True,
        help="Address of the hub's bulk processor, which takes the batches, for example "
        "https://bulk.hub.example.",
    )
    phee_operations_url = fields.Char(
        "Operations URL",
        tracking=True,
        help="Address of the hub's operations app, which says what became of the payments.",
    )
    phee_tenant = fields.Char(
        "Tenant", tracking=True, help="The name under which the hub knows you (Platform-TenantId)."
    )
    phee_username = fields.Char(
        "User", tracking=True, help="User of the operations app. Empty where the hub asks for none."
    )
    phee_password = secret(
        "phee_password",
        "Password",
        "Password of that user. Once saved it is not shown again.",
    )
    phee_client_id = fields.Char(
        "OAuth Client",
        default="client",
        tracking=True,
        help="Name of the OAuth client; the hub comes with: client.",
    )
    phee_client_secret = secret(
        "phee_client_secret",
        "OAuth Client Secret",
        "Empty in a hub as it comes. Once saved it is not shown again.",
    )
    phee_signing_key = secret(
        "phee_signing_key",
        "Signing Key",
        "RSA private key, PEM, that signs every upload. The hub must know its certificate for this "
        "tenant. Never use the key pair that the hub is published with. Once saved it is not shown again; "
        "paste another one to replace it.",
        kind=fields.Text,
    )
    phee_hub_certificate = fields.Text(
        "Hub Certificate",
        tracking=True,
        help="Certificate, PEM, with which the hub signs its answers. When it is set, an answer without a "
        "valid signature is not believed.",
    )
    phee_ca_bundle = fields.Text(
        "CA Bundle",
        tracking=True,
        help="Certificates, PEM, of the authorities to trust for the hub's TLS instead of the public ones. "
        "TLS is always verified.",
    )
    phee_payment_mode = fields.Selection(
        [
            ("mojaloop", "Mojaloop"),
            ("gsma", "GSMA mobile money"),
            ("closedloop", "Closed loop"),
            ("slcb", "SLCB"),
        ],
        "Payment Mode",
        default="mojaloop",
        tracking=True,
        help="How the hub pays. Mojaloop and GSMA pay to phone numbers only, whatever else is sent.",
    )
    phee_purpose = fields.Char(
        "Purpose", default="G2P payment", tracking=True, help="Sent along with each batch."
    )
    phee_institution = fields.Char(
        "Registering Institution",
        tracking=True,
        help="X-Registering-Institution-ID. Together with the program it makes the hub pay from the budget "
        "account that it keeps for the two.",
    )
    phee_program = fields.Char(
        "Program at the Hub", tracking=True, help="X-Program-ID: see Registering Institution."
    )
    phee_verify_completed = fields.Boolean(
        "Verify Completed Transfers",
        default=True,
        tracking=True,
        help="Read the workflow variables of each completed transfer before it counts as paid. The hub's "
        "published workflows store a rejected transfer as completed; switch this off only if yours do not.",
    )
    phee_closed_loop_evidence = fields.Selection(
        [
            ("statement", "Hold for a statement"),
            ("operator", "A finance user confirms"),
            ("trust", "Trust the hub"),
        ],
        "Closed Loop Evidence",
        default="statement",
        tracking=True,
        help="In the modes Closed loop and SLCB, completed says that the hub's workflow went on, not that "
        "money moved. Hold: such payments stay open. Confirm: a finance user who did not approve the batch "
        "says that the money moved. Trust: completed counts as paid.",
    )
    phee_confirm_limit = fields.Integer(
        "Confirm without a Statement up to",
        tracking=True,
        help="In the batch's currency. Where more is to be confirmed, the bank's statement has to be "
        "attached to the batch after its approval, or applied as evidence. Zero: always.",
    )

    _sql_constraints = [
        (
            "phee_confirm_limit",
            "check(coalesce(phee_confirm_limit, 0) >= 0)",
            "The sum that is confirmed without a statement cannot be negative.",
        ),
    ]
    phee_format = fields.Selection(
        [("csv", "CSV"), ("raw", "JSON")],
        "Batch Format",
        default="csv",
        tracking=True,
        help="CSV is found again by the name of its file when an answer is lost; JSON is not.",
    )
    phee_header_name = fields.Char(
        "Extra Header",
        tracking=True,
        help="A header that a gateway in front of the hub asks for, for example X-API-KEY.",
    )
    phee_header_value = secret(
        "phee_header_value",
        "Extra Header Value",
        "Once saved it is not shown again.",
    )
    phee_connect_timeout = fields.Integer(
        "Connect Time-out", default=10, tracking=True, help="Seconds to get a connection."
    )
    phee_read_timeout = fields.Integer(
        "Read Time-out", default=60, tracking=True, help="Seconds without a byte."
    )
    phee_total_timeout = fields.Integer(
        "Total Time-out", default=180, tracking=True, help="Seconds for a whole exchange."
    )

    @api.constrains("phee_bulk_url", "phee_operations_url", "state")
    def _check_phee_urls(self):
        self._check_urls("phee_bulk_url", "phee_operations_url")

    @api.constrains("phee_header_name")
    def _check_phee_header_name(self):
        self._check_header_name("phee_header_name")

    @api.constrains(*_HEADER_TEXTS)
    def _check_phee_header_texts(self):
        self._check_header_texts(*_HEADER_TEXTS)

    @api.constrains("phee_signing_key")
    def _check_phee_signing_key(self):
        explanation = _(
            "It has to be an RSA private key of at least 2048 bits, in PEM, without a passphrase."
        )
        for gateway in self:
            key = gateway._secrets().get("phee_signing_key")
            self._check_loads("phee_signing_key", key, signature.load_private_key, explanation)

    @api.constrains("phee_hub_certificate", "phee_ca_bundle")
    def _check_phee_certificates(self):
        one = _("It has to be a certificate of an RSA key, in PEM.")
        several = _("It has to be certificates in PEM.")
        for gateway in self:
            certificate, bundle = gateway.phee_hub_certificate, gateway.phee_ca_bundle
            self._check_loads("phee_hub_certificate", certificate, signature.load_certificate, one)
            self._check_loads("phee_ca_bundle", bundle, tls_context, several)
        self._check_no_private_key("phee_hub_certificate", "phee_ca_bundle")

    @api.constrains("phee_payment_mode", "provider")
    def _check_phee_payment_mode(self):
        if any(gateway.provider == PHEE and not gateway.phee_payment_mode for gateway in self):
            raise ValidationError(_("Choose the payment mode: it says how the hub pays."))

    @api.constrains("phee_connect_timeout", "phee_read_timeout", "phee_total_timeout")
    def _check_phee_timeouts(self):
        for gateway in self:
            if min(gateway.phee_connect_timeout, gateway.phee_read_timeout, gateway.phee_total_timeout) < 1:
                raise ValidationError(
                    _("A time-out is one second at least. Correct the gateway's time-outs.")
                )
            if gateway.phee_total_timeout > LONGEST_UPLOAD.total_seconds():
                raise ValidationError(_("The total time-out is 600 seconds at most. Correct it."))

    @api.model
    def _address_fields(self):
        return [*super()._address_fields(), "phee_bulk_url", "phee_operations_url", "phee_tenant"]

    @api.model
    def _asked_fields(self):
        return [name for name in super()._asked_fields() if name != "phee_bulk_url"]

    def _approved_fields(self):
        return [*super()._approved_fields(), *(_TERMS if self.provider == PHEE else ())]

    def _waits_for_answers(self):
        """Another hub would know nothing of what this one has accepted."""
        ours = self.filtered(lambda gateway: gateway.provider == PHEE)
        still_open = [("gateway_id", "in", ours.ids), ("state", "=", "sent"), ("status_is_final", "=", False)]
        return super()._waits_for_answers() or bool(
            self.env["g2p.payment"].sudo().search_count(still_open, limit=1)
        )

    @api.model
    def _secret_fields(self):
        ours = ["phee_password", "phee_client_secret", "phee_signing_key", "phee_header_value"]
        return [*super()._secret_fields(), *ours]

    @api.model
    def _secrets_sent_to(self):
        operations = ("phee_operations_url",)
        return {
            **super()._secrets_sent_to(),
            "phee_password": operations,
            "phee_client_secret": operations,
            "phee_header_value": ("phee_bulk_url", *operations),
        }

    def _check_settings(self):
        problems = super()._check_settings()
        return problems + self._lacking(_NEEDED) if self.provider == PHEE else problems

    def _phee_terms(self, batch):
        """Setting to value: as approved with `batch`, or as it is now where nothing was."""
        approved = (batch and batch.sudo().approved_settings) or {}
        return {name: approved.get(name, self[name]) for name in _TERMS}
