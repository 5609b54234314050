from datetime import timedelta, timezone

from odoo import _, api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..client import batching, csv_file, raw_json, signature
from ..client.auth import Credentials
from ..client.csv_file import Problem
from ..client.http import HttpLimits, tls_context
from ..client.instructions import BatchFile
from ..client.payment_hub import PaymentHub
from ..client.settings import CLOSED_LOOP, HubSettings
from .payment_gateway_secret import secret
from .payment_gateway_token import GatewayTokens
from .payment_submission import LONGEST_UPLOAD

PHEE = "payment_hub_ee"
# How the hub pays, and what counts as paid.
_TERMS = (
    "phee_payment_mode",
    "phee_format",
    "phee_purpose",
    "phee_institution",
    "phee_program",
    "phee_verify_completed",
    "phee_closed_loop_evidence",
)
_MAX_ROWS_BYTES = csv_file.MAX_BYTES - len(csv_file.DFSP_HEADER)


class PaymentGateway(models.Model):
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
        for gateway in self:
            for name in ("phee_bulk_url", "phee_operations_url"):
                if gateway[name]:
                    gateway._check_url(name)

    @api.constrains("phee_header_name")
    def _check_phee_header_name(self):
        for gateway in self.filtered("phee_header_name"):
            gateway._check_header_name("phee_header_name")

    @api.constrains("phee_tenant", "phee_purpose", "phee_institution", "phee_program")
    def _check_phee_header_texts(self):
        """They travel as HTTP headers."""
        for gateway in self:
            for name in ("phee_tenant", "phee_purpose", "phee_institution", "phee_program"):
                gateway._check_header_text(name)

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
        one, several = (
            _("It has to be a certificate of an RSA key, in PEM."),
            _("It has to be certificates in PEM."),
        )
        for gateway in self:
            certificate, bundle = gateway.phee_hub_certificate, gateway.phee_ca_bundle
            self._check_loads("phee_hub_certificate", certificate, signature.load_certificate, one)
            self._check_loads("phee_ca_bundle", bundle, tls_context, several)
            gateway._check_no_private_key("phee_hub_certificate")
            gateway._check_no_private_key("phee_ca_bundle")

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
        if self.provider == PHEE:
            needed = (
                "phee_bulk_url",
                "phee_operations_url",
                "phee_tenant",
                "phee_signing_key",
                "phee_payment_mode",
            )
            settings = self.sudo()
            problems += [
                _("The gateway %(gateway)s lacks: %(field)s.", gateway=self.name, field=self._label(name))
                for name in needed
                if not settings[name]
            ]
        return problems

    def _client(self, batch=None):
        """The plain client, on the terms that were approved with `batch`."""
        self.ensure_one()
        try:
            return PaymentHub(self._phee_settings(batch), GatewayTokens(self))
        except ValueError as error:
            raise UserError(_("The settings of the gateway %s cannot be used.", self.name)) from error

    def _phee_terms(self, batch):
        """Setting to value: as approved with `batch`, or as it is now where nothing was."""
        approved = (batch and batch.sudo().approved_settings) or {}
        return {name: approved.get(name, self[name]) for name in _TERMS}

    def _phee_settings(self, batch=None):
        """Whom to ask is as it is now: see `_check_keeps_address`."""
        secrets = self._secrets()
        terms = self._phee_terms(batch)
        evidence = terms["phee_closed_loop_evidence"]
        confirmed = bool(batch and batch.closed_loop_confirmed_by_id)
        return HubSettings(
            bulk_url=self.phee_bulk_url or "",
            operations_url=self.phee_operations_url or "",
            credentials=Credentials(
                tenant=self.phee_tenant or "",
                username=self.phee_username or "",
                password=secrets.get("phee_password", ""),
                client_id=self.phee_client_id or "",
                client_secret=secrets.get("phee_client_secret", ""),
            ),
            signing_key=secrets.get("phee_signing_key", ""),
            hub_certificate=self.phee_hub_certificate or "",
            ca_bundle=self.phee_ca_bundle or "",
            limits=HttpLimits(
                connect=self.phee_connect_timeout, read=self.phee_read_timeout, total=self.phee_total_timeout
            ),
            payment_mode=terms["phee_payment_mode"],
            purpose=terms["phee_purpose"] or "",
            institution=terms["phee_institution"] or "",
            program=terms["phee_program"] or "",
            verify_completed=terms["phee_verify_completed"],
            trust_closed_loop=confirmed or evidence == "trust",
            raw_json=terms["phee_format"] == "raw",
            extra_headers=(
                {self.phee_header_name: secrets.get("phee_header_value", "")} if self.phee_header_name else {}
            ),
        )

    def _split(self, instructions, payer, max_rows):
        if self.provider != PHEE:
            return super()._split(instructions, payer, max_rows)
        return batching.split(
            instructions,
            max_rows,
            _MAX_ROWS_BYTES,
            # A row that is too large for any batch has a problem of its own, which keeps it from travelling.
            size=lambda one: min(csv_file.row_bytes(one, payer, self.phee_payment_mode), _MAX_ROWS_BYTES),
            # Rows without a payee never travel: they are problems of their own, not look-alikes.
            look_alike=lambda one: csv_file.look_alike(one) if one.payee_identifier else one.reference,
        )

    def _check_instructions(self, instructions, payer):
        if self.provider != PHEE:
            return super()._check_instructions(instructions, payer)
        rewritten = self._phee_settings().rewrites_file
        sentences = self._phee_problem_sentences()
        found = {}
        for one in instructions:
            problems = [sentences[problem] for problem in csv_file.problems(one, rewritten)]
            found[one.reference] = problems + self._phee_mode_problems(one)
        self._phee_batch_problems(instructions, payer, found)
        return {reference: problems for reference, problems in found.items() if problems}

    def _phee_mode_problems(self, instruction):
        phone_only = self.phee_payment_mode in ("mojaloop", "gsma")
        if phone_only and instruction.payee_identifier_type.upper() != "MSISDN":
            return [_("The hub's payment mode pays to phone numbers only. Choose the phone number as payee.")]
        return []

    def _phee_batch_problems(self, instructions, payer, found):
        """What one payment does to another of its batch; preparing avoids it, mending a payee may bring
        it."""
        seen, filled = set(), 0
        names_banks = csv_file.has_dfsp(instructions)
        for one in instructions:
            filled += csv_file.row_bytes(one, payer, self.phee_payment_mode)
            if filled > _MAX_ROWS_BYTES:
                found[one.reference].append(_("The batch is too large for the hub. Set this payment aside."))
            if one.payee_identifier and csv_file.look_alike(one) in seen:
                found[one.reference].append(
                    _(
                        "Another payment of this batch has the same payee and amount, and the hub would "
                        "pay only "
                        "one of them. Set this payment aside."
                    )
                )
            seen.add(csv_file.look_alike(one))
            if names_banks and not one.payee_dfsp:
                found[one.reference].append(
                    _("The payee's bank has no BIC, and the others' do. Complete the bank.")
                )
            if names_banks and self.phee_format == "raw":
                found[one.reference].append(
                    _("The hub takes no payee's bank in JSON. Choose CSV on the gateway, or name no banks.")
                )

    @api.model
    def _phee_problem_sentences(self):
        return {
            Problem.NO_PAYEE: _("The beneficiary has no payee identifier. Complete the registrant."),
            Problem.PAYEE_CHARACTERS: _(
                "The payee identifier is too long or has characters that the hub cannot carry. Correct the "
                "registrant."
            ),
            Problem.PAYEE_TYPE: _(
                "The type of the payee identifier is not valid. Correct the payment manager."
            ),
            Problem.AMOUNT_NOT_POSITIVE: _("The amount is not positive. Correct the entitlement."),
            Problem.AMOUNT_DECIMALS: _("The hub carries whole amounts only. Correct the entitlement."),
            Problem.AMOUNT_TOO_LARGE: _("The amount is too large for the hub. Correct the entitlement."),
            Problem.NO_CURRENCY: _(
                "There is no currency. Give the program a journal with a currency, cancel this batch and "
                "prepare again."
            ),
            Problem.REFERENCE: _("The payment's reference is not one that the hub can carry."),
            Problem.DFSP: _(
                "The payee's bank has characters that the hub cannot carry. Correct the bank's BIC."
            ),
            Problem.NOTE: _("The note has characters that the hub cannot carry."),
        }

    def _check_payer(self, payer):
        problems = super()._check_payer(payer)
        if self.provider != PHEE:
            return problems
        if not (self.phee_institution and self.phee_program) and not payer.identifier:
            problems.append(
                _("There is no payer. Give the payment manager a payer identifier, then read again.")
            )
        if not csv_file.payer_fits(payer):
            problems.append(
                _(
                    "The payer has characters that the hub cannot carry. Correct the payment manager, then "
                    "read again."
                )
            )
        return problems

    def _render(self, instructions, payer):
        if self.provider != PHEE:
            return super()._render(instructions, payer)
        form = raw_json if self.phee_format == "raw" else csv_file
        return form.render(instructions, payer, self.phee_payment_mode)

    def _submit(self, submission):
        if self.provider != PHEE:
            return super()._submit(submission)
        with self._or_not_sent(self._client, submission.batch_id) as hub:
            return hub.submit(_batch_file(submission))

    def _find_submission(self, submission, references=None):
        if self.provider != PHEE:
            return super()._find_submission(submission, references)
        batch = submission.batch_id
        # A backup restored since the approval has forgotten when it was sent.
        since = min(filter(None, (submission.started_at, batch.approved_at)))
        others = (
            self.env["g2p.payment.submission"]
            .sudo()
            .search(
                [
                    ("gateway_id", "=", self.id),
                    ("state", "=", "accepted"),
                    ("batch_id", "!=", batch.id),
                    ("started_at", ">=", since - timedelta(days=2)),
                ]
            )
        )
        with self._client(batch) as hub:
            return hub.find(
                _batch_file(submission),
                references or batch.payment_ids.mapped("name"),
                since.replace(tzinfo=timezone.utc),
                others.mapped("remote_reference"),
            )

    def _outcomes(self, submission, references):
        if self.provider != PHEE:
            yield from super()._outcomes(submission, references)
            return
        batch = submission.batch_id
        self.env.cr.execute("SELECT name FROM g2p_payment WHERE batch_id = %s", [batch.id])
        ended = {name for (name,) in self.env.cr.fetchall()}.difference(references)
        with self._client(batch) as hub:
            yield from hub.outcomes(submission.remote_reference, references, ended)

    def _confirms_payments(self, batch):
        if self.provider != PHEE:
            return super()._confirms_payments(batch)
        terms = self._phee_terms(batch)
        return terms["phee_payment_mode"] in CLOSED_LOOP and terms["phee_closed_loop_evidence"] == "operator"

    def _check_connection(self):
        if self.provider != PHEE:
            return super()._check_connection()
        with self._client() as hub:
            return hub.check_connection()

    def _check_label(self, name):
        labels = {"bulk": _("Bulk processor"), "operations": _("Operations app")}
        return labels.get(name) or super()._check_label(name)


def _batch_file(submission):
    return BatchFile(
        filename=submission.filename,
        correlation_id=submission.key,
        # Gone once its batch was taken back; then it is looked for only.
        content=submission._frozen_content() or "",
        callback_url=submission._callback_url(),
    )
