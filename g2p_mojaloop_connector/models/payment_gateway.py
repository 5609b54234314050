from odoo import _, api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import float_repr

from odoo.addons.g2p_payment_hub.models.payment_gateway_secret import secret

from ..client import grammar
from ..client.orders import BULK, STEP_BY_STEP, TWO_PHASES

MOJALOOP = "mojaloop"
# These are in the file as well; here they are named when one of them has changed.
_APPROVED = (
    "mojaloop_flow",
    "mojaloop_scenario",
    "mojaloop_initiator_type",
    "mojaloop_payer_name",
    "mojaloop_fee_limit",
    "mojaloop_fee_limit_percent",
)
_HEADER_TEXTS = ("mojaloop_dfsp_id", "mojaloop_client_id")
_CERTIFICATES = ("mojaloop_ca_bundle", "mojaloop_client_certificate", "mojaloop_cm_ca_bundle")


class PaymentGateway(models.Model):
    """Mojaloop's own connector (sdk-scheme-adapter), the heart of Payment Manager for Mojaloop: its
    settings."""

    _inherit = "g2p.payment.gateway"

    provider = fields.Selection(
        selection_add=[(MOJALOOP, "Mojaloop connector")],
        ondelete={MOJALOOP: lambda gateways: gateways._leave_mojaloop()},
    )
    mojaloop_url = fields.Char(
        "Connector URL",
        tracking=True,
        help="Address of the outbound interface of your Mojaloop connector, for example "
        "https://connector.example:4001. The connector itself asks nobody for a password: keep it on a "
        "private network, or put a gateway in front of it that does.",
    )
    mojaloop_dfsp_id = fields.Char(
        "DFSP ID", tracking=True, help="The name under which the scheme knows your institution."
    )
    mojaloop_payer_type = fields.Selection(
        [
            ("ACCOUNT_ID", "Account (ACCOUNT_ID)"),
            ("MSISDN", "Phone number (MSISDN)"),
            ("IBAN", "IBAN"),
            ("BUSINESS", "Business (BUSINESS)"),
            ("ALIAS", "Alias (ALIAS)"),
            ("EMAIL", "E-mail (EMAIL)"),
            ("PERSONAL_ID", "Personal ID (PERSONAL_ID)"),
            ("DEVICE", "Device (DEVICE)"),
        ],
        "Payer Type",
        default="ACCOUNT_ID",
        tracking=True,
        help="What kind of identifier the payer has, where the payment manager of a program names no payer "
        "of its own.",
    )
    mojaloop_payer_identifier = fields.Char(
        "Payer",
        tracking=True,
        help="The account that pays, where the payment manager of a program names none.",
    )
    mojaloop_payer_sub_id = fields.Char(
        "Payer Sub-ID",
        tracking=True,
        help="The kind of a personal ID, for example PASSPORT, or the branch of a business. Mostly empty.",
    )
    mojaloop_payer_name = fields.Char(
        "Payer Name",
        tracking=True,
        help="Who pays, as the payees' institutions show it: letters without accents.",
    )
    mojaloop_flow = fields.Selection(
        [(STEP_BY_STEP, "Step by Step"), (TWO_PHASES, "Two Phases"), (BULK, "Bulk")],
        "Payment Flow",
        default=STEP_BY_STEP,
        required=True,
        tracking=True,
        help="How payments go through the connector. Step by step: look-up, quote and transfer of a payment "
        "are requests of their own (/parties, /quotes, /simpleTransfers); any connector can do that. Two "
        "phases: the connector looks up and quotes, and pays when its quote is accepted (POST and PUT "
        "/transfers); for npm's 18.0.2 with AUTO_ACCEPT_QUOTES off. Bulk: all payments to one institution "
        "together (/bulkQuotes, /bulkTransfers); for newer connectors only. It is part of what finance "
        "approves.",
    )
    mojaloop_scenario = fields.Selection(
        [("TRANSFER", "Transfer"), ("PAYMENT", "Payment to a merchant"), ("DEPOSIT", "Deposit")],
        "Scenario",
        default="TRANSFER",
        tracking=True,
        help="What kind of transaction the scheme is told it is.",
    )
    mojaloop_initiator_type = fields.Selection(
        [("BUSINESS", "Business"), ("CONSUMER", "Consumer"), ("AGENT", "Agent"), ("DEVICE", "Device")],
        "Initiator Type",
        default="BUSINESS",
        tracking=True,
        help="What the scheme is told you are. A government pays as a business.",
    )
    mojaloop_fee_limit = fields.Float(
        "Fee Limit",
        digits=(16, 4),
        tracking=True,
        help="A payment may cost you this much on top, in its currency, plus the share below. What costs "
        "more is not paid, and fails with the fee as reason. It is part of what finance approves.",
    )
    mojaloop_fee_limit_percent = fields.Float(
        "Fee Limit (% of the amount)",
        digits=(5, 2),
        tracking=True,
        help="Share of the payment's amount that may be charged on top, in addition to the limit above.",
    )
    mojaloop_expiry_seconds = fields.Integer(
        "Expiry (seconds)",
        default=60,
        tracking=True,
        help="How long the scheme may take to carry out a transfer. What it has not carried out by then does "
        "not happen any more. In two phases and in bulk the connector sets the time: give at least its "
        "EXPIRY_SECONDS.",
    )
    mojaloop_step_timeout = fields.Integer(
        "Step Time-out (seconds)",
        default=30,
        tracking=True,
        help="The connector's own time-out for one step (REQUEST_PROCESSING_TIMEOUT_SECONDS, 30 as it "
        "comes). Its answers are waited for a little longer than that.",
    )
    mojaloop_parallel = fields.Integer(
        "Parallel Payments",
        default=1,
        tracking=True,
        help="How many payments are under way at the same time. Step by step, the connector of npm (18.0.2) "
        "mixes up the answers to several, and then hears nothing any more until it is started anew: leave it "
        "at 1 there. In two phases it does not.",
    )
    mojaloop_per_second = fields.Integer(
        "Payments per Second",
        tracking=True,
        help="How many payments are begun in a second at the most. Zero: no limit.",
    )
    mojaloop_name_threshold = fields.Integer(
        "Name Threshold",
        default=80,
        tracking=True,
        help="Verify Payees: below this likeness, from 0 to 100, of the registrant's name and the name that "
        "the payee's institution tells, a person decides whether it is the same person. 80: whenever a word "
        "differs. Less lets some other spellings pass, and with them some other people.",
    )
    mojaloop_header_name = fields.Char(
        "API Key Header",
        tracking=True,
        help="A header that a gateway in front of the connector asks for, such as X-API-KEY.",
    )
    mojaloop_header_value = secret(
        "mojaloop_header_value",
        "API Key",
        "Once saved it is not shown again.",
    )
    mojaloop_token_url = fields.Char(
        "Token URL",
        tracking=True,
        help="Where a gateway in front of the connector gives out access tokens (OAuth 2, client "
        "credentials). Empty where it asks for none.",
    )
    mojaloop_client_id = fields.Char("OAuth Client", tracking=True, help="Name of the OAuth client.")
    mojaloop_client_secret = secret(
        "mojaloop_client_secret",
        "OAuth Client Secret",
        "Once saved it is not shown again.",
    )
    mojaloop_ca_bundle = fields.Text(
        "CA Bundle",
        tracking=True,
        help="Certificates, PEM, of the authorities to trust for the connector's TLS instead of the public "
        "ones. TLS is always verified.",
    )
    mojaloop_client_certificate = fields.Text(
        "Client Certificate",
        tracking=True,
        help="Certificate, PEM, with its chain, by which a gateway in front of the connector knows this "
        "server (mutual TLS). Empty where none is asked for.",
    )
    mojaloop_client_key = secret(
        "mojaloop_client_key",
        "Client Key",
        "Private key, PEM, of that certificate. Once saved it is not shown again.",
        kind=fields.Text,
    )

    def _leave_mojaloop(self):
        """When this add-on is uninstalled: the gateways stay, because batches point at them, and can send
        nothing: what was approved for Mojaloop is not what another provider would send."""
        # Not our own `write`, which keeps the provider of a gateway with batches: Odoo would pass over that,
        # and leave the gateway live.
        models.Model.write(self, {"provider": "payment_hub_ee", "state": "disabled"})

    @api.model
    def _check_may_leave_mojaloop(self):
        """UserError while the tables of this add-on hold what nobody else knows."""
        gateways = self.sudo().with_context(active_test=False).search([("provider", "=", MOJALOOP)])
        open_results = [("gateway_id", "in", gateways.ids), ("payment_id.status", "=", False)]
        without = self.env["g2p.mojaloop.transfer"].sudo().search_count(open_results, limit=1)
        if without or gateways._waits_for_answers() or gateways._asks_again():
            raise UserError(
                _(
                    "Transfers of Mojaloop are not over, or their payments have no result yet. Let "
                    "reconciliation write all results down, then uninstall this add-on: with it goes what is "
                    "known of them, and they could be paid again."
                )
            )

    def write(self, vals):
        """What one scheme did not know says nothing about another."""
        if not set(self._address_fields()).isdisjoint(vals):
            self.env["g2p.payment"].sudo().search(
                [("gateway_id", "in", self.ids), ("mojaloop_unknown_at", "!=", False)]
            ).mojaloop_unknown_at = False
        return super().write(vals)

    @api.constrains("mojaloop_url", "mojaloop_token_url", "state")
    def _check_mojaloop_urls(self):
        self._check_urls("mojaloop_url", "mojaloop_token_url")

    @api.constrains("mojaloop_header_name", *_HEADER_TEXTS)
    def _check_mojaloop_headers(self):
        self._check_header_name("mojaloop_header_name")
        self._check_header_texts(*_HEADER_TEXTS)

    @api.constrains(*_CERTIFICATES)
    def _check_mojaloop_no_private_key(self):
        self._check_no_private_key(*_CERTIFICATES)

    @api.constrains("mojaloop_flow", "mojaloop_scenario")
    def _check_mojaloop_flow(self):
        for gateway in self:
            if gateway.mojaloop_flow != STEP_BY_STEP and gateway.mojaloop_scenario != "TRANSFER":
                raise ValidationError(
                    _(
                        "Other scenarios than Transfer go step by step only. Change the scenario or the "
                        "payment flow."
                    )
                )

    @api.constrains("mojaloop_dfsp_id")
    def _check_mojaloop_dfsp_id(self):
        for gateway in self:
            if len(gateway.mojaloop_dfsp_id or "") > grammar.MAX_FSP_ID:
                raise ValidationError(
                    _(
                        "DFSP ID: Mojaloop's names of institutions have %s characters at the most. Ask the "
                        "scheme's operator for yours.",
                        grammar.MAX_FSP_ID,
                    )
                )

    @api.constrains(
        "mojaloop_step_timeout",
        "mojaloop_expiry_seconds",
        "mojaloop_parallel",
        "mojaloop_per_second",
        "mojaloop_name_threshold",
        "mojaloop_fee_limit",
        "mojaloop_fee_limit_percent",
    )
    def _check_mojaloop_numbers(self):
        bounds = {
            "mojaloop_step_timeout": (1, 60),
            "mojaloop_expiry_seconds": (10, 600),
            "mojaloop_parallel": (1, 32),
            "mojaloop_name_threshold": (0, 100),
            "mojaloop_per_second": (0, 10_000),
            "mojaloop_fee_limit": (0, 10**12),
            "mojaloop_fee_limit_percent": (0, 100),
        }
        for gateway in self:
            for name, (least, most) in bounds.items():
                if not least <= gateway[name] <= most:
                    raise ValidationError(
                        _(
                            "%(field)s has to be between %(least)s and %(most)s.",
                            field=self._label(name),
                            least=least,
                            most=most,
                        )
                    )

    @api.model
    def _address_fields(self):
        return [*super()._address_fields(), "mojaloop_url", "mojaloop_dfsp_id"]

    @api.model
    def _secret_fields(self):
        ours = ["mojaloop_header_value", "mojaloop_client_secret", "mojaloop_client_key"]
        return [*super()._secret_fields(), *ours]

    @api.model
    def _secrets_sent_to(self):
        return {
            **super()._secrets_sent_to(),
            "mojaloop_header_value": ("mojaloop_url",),
            "mojaloop_client_secret": ("mojaloop_token_url",),
        }

    def _approved_fields(self):
        ours = _APPROVED if self.provider == MOJALOOP else ()
        return [*super()._approved_fields(), *ours]

    def _check_settings(self):
        problems = super()._check_settings()
        return problems + self._lacking(self._mojaloop_needed()) if self.provider == MOJALOOP else problems

    def _mojaloop_needed(self):
        needed = ["mojaloop_url", "mojaloop_dfsp_id"]
        if self.mojaloop_header_name:
            needed.append("mojaloop_header_value")
        if self.mojaloop_token_url:
            needed += ["mojaloop_client_id", "mojaloop_client_secret"]
        if self.mojaloop_client_certificate:
            needed.append("mojaloop_client_key")
        return needed

    def _mojaloop_fee_limits(self):
        """(amount, percent) as text: no float takes part in a decision about money."""
        return float_repr(self.mojaloop_fee_limit, 4), float_repr(self.mojaloop_fee_limit_percent, 2)
