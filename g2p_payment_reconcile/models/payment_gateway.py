import hashlib
import hmac
import secrets

from odoo import _, api, fields, models
from odoo.exceptions import UserError

from odoo.addons.g2p_payment_hub.models.payment_gateway_secret import secret
from odoo.addons.g2p_payment_hub.models.roles import GATEWAY_ADMIN, check_role

# The name of the random key of a gateway in g2p.payment.gateway.secret.
CALLBACK_KEY = "callback_key"
# What the programs' kinds of paying accounts are called where these stand in statements as well.
_BANK_ACCOUNTS = ("IBAN", "ACCOUNT", "BANK_ACCOUNT", "ACCOUNT_ID", "BBAN")


class PaymentGateway(models.Model):
    """How results come back: when they are asked for, by whose callbacks, and from which statements."""

    _inherit = "g2p.payment.gateway"

    callback_base_url = fields.Char(
        "Callback Address",
        help="The address, https, under which the payment system reaches this server, for example "
        "https://payments.example. With it the payment system can say that there is news, and results come "
        "sooner; they come without it as well.",
    )
    callback_secret = secret(
        "callback_secret",
        "Callback Secret",
        "Where the payment system, or a gateway in front of it, can sign its calls with HMAC-SHA256: "
        "the secret shared with it. Calls without a valid signature are then not believed. Once saved it is "
        "not shown again.",
    )
    callback_signature_header = fields.Char(
        "Signature Header",
        default="X-Signature",
        help="The header with the signature, in hexadecimal, perhaps after sha256=. What is signed is the "
        "time stamp, a full stop and the body.",
    )
    callback_timestamp_header = fields.Char(
        "Time Stamp Header",
        default="X-Timestamp",
        help="The header with the time of the call in seconds since 1970. Calls that are more than five "
        "minutes off are not believed.",
    )
    result_hours = fields.Integer(
        "Deadline (hours)",
        default=72,
        help="How many hours after a batch was accepted its payments have to have their results. What is "
        "silent longer becomes an exception, and its owner gets a task. 0: never.",
    )
    watch_days = fields.Integer(
        "Watch after Done (days)",
        default=30,
        help="How many days after a batch was accepted the payment system is asked once a day whether "
        "anything changed in a batch that is done: returned payments, late results.",
    )

    evidence_days = fields.Integer(
        "Match by Payee (days)",
        default=7,
        help="A line of a statement that names no reference is matched by payee and amount, if of all "
        "payments that were sent only one fits, and the money left at most this many days after it was sent. "
        "0: such lines stay unknown.",
    )

    evidence_accounts = fields.Char(
        "Paying Accounts",
        help="The accounts from which the payments leave, as the bank's statements call them, with commas "
        "between them. The preview of a statement of another account warns. Empty: the programs' payers are "
        "taken, where they are IBANs or account numbers.",
    )

    _sql_constraints = [
        (
            "waits_are_not_negative",
            "check(coalesce(result_hours, 0) >= 0 and coalesce(watch_days, 0) >= 0)",
            "The deadline and the days after Done cannot be negative.",
        ),
        (
            "evidence_days_in_range",
            "check(coalesce(evidence_days, 0) between 0 and 60)",
            "The days to match by payee are 0 to 60.",
        ),
    ]

    @api.constrains("callback_base_url", "state")
    def _check_callback_base_url(self):
        self._check_urls("callback_base_url")
        self._check_header_texts("callback_base_url")

    def _paying_accounts(self):
        """Accounts without blanks and signs, to how people write them; empty where none is known."""
        written = (self.evidence_accounts or "").split(",")
        if not self.evidence_accounts:
            managers = self.env["g2p.program.payment.manager.hub"].search([("gateway_id", "=", self.id)])
            written = [
                manager.payer_identifier or ""
                for manager in managers
                if (manager.payer_identifier_type or "").upper() in _BANK_ACCOUNTS
            ]
        return {plain_account(account): account.strip() for account in written if plain_account(account)}

    @api.model
    def _secret_fields(self):
        return [*super()._secret_fields(), "callback_secret"]

    @api.model_create_multi
    def create(self, vals_list):
        gateways = super().create(vals_list)
        gateways._ensure_callback_key()
        return gateways

    def write(self, vals):
        result = super().write(vals)
        if vals.get("callback_base_url"):
            self._ensure_callback_key()
        return result

    def _ensure_callback_key(self):
        """From which the token of each callback address is derived."""
        for gateway in self.filtered("callback_base_url"):
            if CALLBACK_KEY not in gateway._sealed_secrets() and not gateway._key_problems():
                gateway._renew_callback_key()

    def _renew_callback_key(self):
        self.env["g2p.payment.gateway.secret"]._keep(self, CALLBACK_KEY, secrets.token_hex(32))
        self.invalidate_recordset(["callback_url"])

    def action_renew_callback_key(self):
        """For when an address has become known: those given out so far are no longer believed."""
        self.ensure_one()
        check_role(
            self.env, GATEWAY_ADMIN, _("Only a payment gateway administrator may renew the callback key.")
        )
        if not self.callback_base_url:
            raise UserError(_("This gateway has no callback address. Enter it first."))
        self._renew_callback_key()
        return self._notification(
            "success",
            _(
                "Batches sent from now on get new callback addresses. Results of the others come without "
                "them."
            ),
        )

    def _check_callback(self, call):
        return self._is_signed_if_it_can(call) and super()._check_callback(call)

    def _is_signed_if_it_can(self, call):
        """A secret that cannot be read lets nobody in."""
        secrets = self._secrets()
        try:
            return "callback_secret" not in secrets or self._is_signed(secrets["callback_secret"], call)
        except UserError:
            return False

    def _is_signed(self, secret, call):
        """HMAC-SHA256 over time stamp, full stop and body, of these minutes, and not taken before."""
        stamp = call.headers.get(self.callback_timestamp_header or "", "")
        signature = call.headers.get(self.callback_signature_header or "", "").removeprefix("sha256=").lower()
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
            return False
        signed = f"{stamp}.".encode() + call.body
        expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(signature.encode(), expected.encode()):
            return False
        return self.env["g2p.payment.callback.seen"].sudo()._take(self, signed, int(stamp))


def plain_account(account):
    """Without what people and banks put between the characters."""
    return "".join(letter for letter in account.upper() if letter.isalnum())
