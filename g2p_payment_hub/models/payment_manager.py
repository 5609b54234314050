from odoo import _, api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..client.instructions import Payer
from .notification import notification

MODEL = "g2p.program.payment.manager.hub"
DEFAULT_IDENTIFIER_TYPES = {
    "phone": "MSISDN",
    "bank_account": "ACCOUNT_ID",
    "iban": "IBAN",
    "email": "EMAIL",
    "reg_id": "PERSONAL_ID",
}


class ProgramPaymentManager(models.Model):
    _inherit = "g2p.program.payment.manager"

    @api.model
    def _selection_manager_ref_id(self):
        selection = super()._selection_manager_ref_id()
        entry = (MODEL, _("Payment Hub"))
        return selection if entry in selection else [*selection, entry]


class PaymentHubManager(models.Model):
    """Pays a program's entitlements through a gateway, in batches that finance approves."""

    _name = MODEL
    _description = "Payment Hub Manager"
    _inherit = ["g2p.base.program.payment.manager", "g2p.manager.source.mixin", "mail.thread"]

    gateway_id = fields.Many2one(
        "g2p.payment.gateway",
        required=True,
        ondelete="restrict",
        tracking=True,
        help="The payment system that pays this program's beneficiaries.",
    )
    payer_identifier_type = fields.Char(
        default="MSISDN", tracking=True, help="What kind of account pays, in the payment system's words."
    )
    payer_identifier = fields.Char(
        tracking=True,
        help="The account that pays. Empty where the payment system keeps a budget account for the program.",
    )
    payee_field = fields.Selection(
        [
            ("phone", "Phone number"),
            ("bank_account", "Bank account number"),
            ("iban", "IBAN"),
            ("email", "E-mail"),
            ("reg_id", "Registrant ID"),
        ],
        "Payee Identified by",
        required=True,
        default="phone",
        tracking=True,
        help="Which field of the registrant tells the payment system whom to pay. Phone: the newest enabled "
        "number. Bank account and IBAN: the first account.",
    )
    payee_id_type_id = fields.Many2one(
        "g2p.id.type",
        "Registrant ID Type",
        tracking=True,
        help="Which ID of the registrant, when payees are found by ID.",
    )
    payee_identifier_type = fields.Char(
        required=True,
        default="MSISDN",
        tracking=True,
        help="What kind of identifier this is, in the payment system's words.",
    )
    send_payee_bank = fields.Boolean(
        "Name the Payee's Bank",
        tracking=True,
        help="Send the BIC of the bank that keeps the payee's account, for payment systems that do not find "
        "out by themselves where an account is.",
    )
    batch_size = fields.Integer(
        required=True,
        default=500,
        tracking=True,
        help="Payments in a batch at the most. The payment system may take fewer.",
    )
    currency_id = fields.Many2one("res.currency", related="program_id.journal_id.currency_id")

    @api.constrains("batch_size")
    def _check_batch_size(self):
        if any(manager.batch_size < 1 for manager in self):
            raise ValidationError(_("A batch holds one payment at least. Correct the batch size."))

    @api.constrains("payee_field", "payee_id_type_id")
    def _check_payee_id_type(self):
        if any(manager.payee_field == "reg_id" and not manager.payee_id_type_id for manager in self):
            raise ValidationError(_("Choose the type of registrant ID by which payees are found."))

    @api.constrains("gateway_id", "program_id")
    def _check_gateway_company(self):
        for manager in self:
            if not manager.gateway_id._is_of_company(manager.program_id.company_id):
                raise ValidationError(
                    _("The gateway %s belongs to another company than the program.", manager.gateway_id.name)
                )

    @api.onchange("payee_field")
    def _onchange_payee_field(self):
        self.payee_identifier_type = DEFAULT_IDENTIFIER_TYPES.get(self.payee_field)

    def _check_program(self, cycle):
        """OpenG2P lets a program use the manager of another one, whose currency and payer are others; and a
        program may have been given to another company since."""
        if cycle.program_id != self.program_id:
            raise UserError(
                _(
                    "The payment manager %(manager)s belongs to the program %(theirs)s, and pays in its "
                    "currency. Give %(ours)s a payment manager of its own.",
                    manager=self.name,
                    theirs=self.program_id.name,
                    ours=cycle.program_id.name,
                )
            )
        self._check_gateway_company()

    def _payer(self):
        return Payer(identifier_type=self.payer_identifier_type or "", identifier=self.payer_identifier or "")

    def _payer_values(self):
        return {
            "payer_identifier_type": self.payer_identifier_type,
            "payer_identifier": self.payer_identifier,
        }

    def send_payments(self, batches):
        """OpenG2P's Send button on a cycle (all its batches) and on a batch. Queues one job for each
        approved batch; says in one message what it did with the others."""
        hub_batches = batches.filtered("gateway_id")
        if not hub_batches:
            return self._say("warning", _("There is no batch to send. Prepare payments first."))
        approved = hub_batches.filtered(lambda batch: batch.batch_state == "approved")
        approved._queue_sending()
        return self._say("success" if approved else "warning", self._sent_sentence(hub_batches, approved))

    def _sent_sentence(self, batches, queued):
        parts = []
        if queued:
            parts.append(_("Batches being sent: %s.", len(queued)))
        labels = dict(batches._fields["batch_state"]._description_selection(self.env))
        others = batches - queued
        for state, label in labels.items():
            count = len(others.filtered(lambda batch, state=state: batch.batch_state == state))
            if count:
                parts.append(_("%(state)s: %(count)s.", state=label, count=count))
        if not queued:
            parts.insert(0, _("Nothing was sent: no batch is approved and waiting."))
        return " ".join(parts)

    def validate_accounts(self, entitlements):
        """OpenG2P declares this for managers and calls it nowhere; the check before approval does it."""
        raise UserError(_("Payees are checked when payments are prepared."))

    def _say(self, kind, message, sticky=False):
        return notification(_("Payments"), kind, message, sticky)
