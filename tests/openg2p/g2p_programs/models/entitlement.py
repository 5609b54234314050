from datetime import timedelta
from random import randint
from uuid import uuid4

from odoo import _, api, fields, models
from odoo.exceptions import UserError, ValidationError

from . import constants
from .notification import notification

VIEW_GROUPS = (
    "g2p_registry_base.group_g2p_admin",
    "g2p_registry_base.group_g2p_registrar",
    "g2p_programs.g2p_program_validator",
    "g2p_programs.g2p_program_manager",
)


class G2PEntitlement(models.Model):
    _name = "g2p.entitlement"
    _description = "Entitlement"
    _order = "partner_id asc,id desc"
    _check_company_auto = True

    @api.model
    def _generate_code(self):
        return str(uuid4())[7:-8]

    code = fields.Char(default=lambda self: self._generate_code(), required=True, readonly=True, copy=False)
    ern = fields.Char("ERN", compute="_compute_generate_ern", store=True, copy=False)
    name = fields.Char(compute="_compute_name")
    partner_id = fields.Many2one(
        "res.partner", "Registrant", required=True, domain=[("is_registrant", "=", True)]
    )
    company_id = fields.Many2one("res.company", default=lambda self: self.env.company)
    cycle_id = fields.Many2one("g2p.cycle", required=True)
    program_id = fields.Many2one("g2p.program", related="cycle_id.program_id")
    valid_from = fields.Date()
    valid_until = fields.Date(default=lambda self: fields.Date.add(fields.Date.today(), years=1))
    is_cash_entitlement = fields.Boolean("Cash Entitlement", default=False)
    currency_id = fields.Many2one("res.currency", related="journal_id.currency_id")
    initial_amount = fields.Monetary(required=True, currency_field="currency_id")
    transfer_fee = fields.Monetary(currency_field="currency_id", default=0.0)
    balance = fields.Monetary(compute="_compute_balance")
    journal_id = fields.Many2one(
        "account.journal", "Disbursement Journal", compute="_compute_journal_id", store=True
    )
    disbursement_id = fields.Many2one("account.payment", "Disbursement Journal Entry")
    service_fee_disbursement_id = fields.Many2one("account.payment", "Service Fee Journal Entry")
    date_approved = fields.Date()
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("pending_validation", "Pending Approval"),
            ("approved", "Approved"),
            ("trans2FSP", "Transferred to FSP"),
            ("rdpd2ben", "Redeemed/Paid to Beneficiary"),
            ("rejected1", "Rejected: Beneficiary didn't want the entitlement"),
            ("rejected2", "Rejected: Beneficiary account does not exist"),
            ("rejected3", "Rejected: Other reason"),
            ("cancelled", "Cancelled"),
            ("expired", "Expired"),
        ],
        "Status",
        default="draft",
        copy=False,
    )
    payment_ids = fields.One2many("g2p.payment", "entitlement_id", string="Payments")
    payment_status = fields.Selection(
        [("paid", "Paid"), ("notpaid", "Not Paid")], compute="_compute_payment_status"
    )
    payment_date = fields.Date(compute="_compute_payment_status")

    _sql_constraints = [
        ("unique_entitlement_code", "UNIQUE(code)", "The code of an entitlement is its own."),
    ]

    @api.model
    def _get_view(self, view_id=None, view_type="form", **options):
        """Finance users see the menu but no list and no form, unless another user had them made before."""
        arch, view = super()._get_view(view_id, view_type, **options)
        if view_type != "search" and not any(self.env.user.has_group(group) for group in VIEW_GROUPS):
            raise ValidationError(_("You have no access in the Entitlement List View"))
        return arch, view

    def _compute_name(self):
        for entitlement in self:
            if entitlement.is_cash_entitlement:
                symbol = entitlement.currency_id.symbol
                entitlement.name = f"Entitlement Cash [{symbol} {entitlement.initial_amount:,.2f}]"
            else:
                entitlement.name = f"Entitlement ({entitlement.code})"

    @api.depends("state")
    def _compute_generate_ern(self):
        """Drawn anew by every write of the state."""
        for entitlement in self:
            approved = entitlement.state == "approved"
            entitlement.ern = f"{randint(1, 10**10 - 1):010d}" if approved else False

    @api.depends("initial_amount")
    def _compute_balance(self):
        for entitlement in self:
            entitlement.balance = entitlement.initial_amount

    @api.depends("cycle_id.program_id.journal_id")
    def _compute_journal_id(self):
        for entitlement in self:
            entitlement.journal_id = entitlement.cycle_id.program_id.journal_id

    def _compute_payment_status(self):
        for entitlement in self:
            paid = entitlement.payment_ids.filtered(lambda payment: payment.status == "paid")[:1]
            entitlement.payment_status = "paid" if paid else "notpaid"
            entitlement.payment_date = paid.payment_datetime

    @api.constrains("valid_from", "valid_until")
    def _check_valid_dates(self):
        for entitlement in self:
            first, last = entitlement.valid_from, entitlement.valid_until
            if first and last and last < first:
                raise ValidationError(_("An entitlement cannot end before it begins."))

    @api.autovacuum
    def _gc_mark_expired_entitlement(self):
        yesterday = fields.Date.today() - timedelta(days=1)
        self.search([("state", "=", "approved"), ("valid_until", "<=", yesterday)]).write(
            {"state": "expired"}
        )

    def can_be_used(self):
        return self.state == "approved" and self.valid_until >= fields.Date.today()

    def unlink(self):
        """Deletes the drafts and keeps the others without a word, unless there is no draft."""
        drafts = self.filtered(lambda entitlement: entitlement.state == "draft")
        if self and not drafts:
            raise ValidationError(_("Only draft entitlements are allowed to be deleted"))
        return super(G2PEntitlement, drafts).unlink()

    def approve_entitlement(self):
        if len(self.program_id) > 1:
            raise ValidationError(_("Approve the entitlements of one program at a time."))
        manager = self.program_id.get_manager(constants.MANAGER_ENTITLEMENT)
        if not manager:
            raise UserError(_("No Entitlement Manager defined."))
        errors, message = manager.approve_entitlements(self)
        if errors:
            return notification(_("Entitlement"), message, "danger")

    def open_entitlement_form(self):
        return self.program_id.get_manager(constants.MANAGER_ENTITLEMENT).open_entitlement_form(self)

    def open_disb_form(self):
        if self.disbursement_id:
            return self.disbursement_id.get_formview_action()
