from num2words import num2words

from odoo import _, api, fields, models
from odoo.exceptions import UserError, ValidationError

from . import constants
from .notification import notification


class G2PCycle(models.Model):
    _name = "g2p.cycle"
    _description = "Cycle"
    _inherit = ["mail.thread", "mail.activity.mixin", "job.relate.mixin"]
    _order = "sequence asc"
    _check_company_auto = True

    STATE_DRAFT = constants.STATE_DRAFT
    STATE_TO_APPROVE = constants.STATE_TO_APPROVE
    STATE_APPROVED = constants.STATE_APPROVED
    STATE_CANCELED = constants.STATE_CANCELLED
    STATE_DISTRIBUTED = constants.STATE_DISTRIBUTED
    STATE_ENDED = constants.STATE_ENDED

    name = fields.Char(required=True)
    company_id = fields.Many2one("res.company", default=lambda self: self.env.company)
    program_id = fields.Many2one("g2p.program", required=True)
    sequence = fields.Integer(required=True, readonly=True, default=1)
    start_date = fields.Date(required=True)
    end_date = fields.Date(required=True)
    state = fields.Selection(
        [
            (STATE_DRAFT, "Draft"),
            (STATE_TO_APPROVE, "To Approve"),
            (STATE_APPROVED, "Approved"),
            (STATE_DISTRIBUTED, "Distributed"),
            (STATE_CANCELED, "Canceled"),
            (STATE_ENDED, "Ended"),
        ],
        default="draft",
    )
    cycle_membership_ids = fields.One2many("g2p.cycle.membership", "cycle_id", "Cycle Memberships")
    entitlement_ids = fields.One2many("g2p.entitlement", "cycle_id", "Entitlements")
    payment_batch_ids = fields.One2many("g2p.payment.batch", "cycle_id", "Payment Batches")
    auto_approve_entitlements = fields.Boolean("Auto-approve entitlements")

    members_count = fields.Integer("# Beneficiaries", compute="_compute_members_count")
    entitlements_count = fields.Integer("# Entitlements", compute="_compute_entitlements_count")
    payments_count = fields.Integer("# Payments", compute="_compute_payments_count")

    locked = fields.Boolean(default=False)
    locked_reason = fields.Char()
    total_amount = fields.Float(compute="_compute_total_amount")
    total_amount_in_words = fields.Char(compute="_compute_total_amount_in_words")
    # The company's, whatever the journal's may be.
    currency_id = fields.Many2one("res.currency", default=lambda self: self.env.company.currency_id.id)
    show_approve_entitlements_button = fields.Boolean(compute="_compute_show_approve_entitlement")
    approved_date = fields.Datetime("Cycle Approved Date", readonly=True)
    approved_by = fields.Many2one("res.users", "Cycle Approved By", readonly=True)

    _sql_constraints = [
        (
            "unique_cycle_name_program",
            "UNIQUE(name, program_id)",
            "This program has a cycle of this name.",
        ),
    ]

    def _get_view(self, view_id=None, view_type="form", **options):
        """Takes for granted that nobody removed these nodes from the form."""
        arch, view = super()._get_view(view_id, view_type, **options)
        if view.type == "form" and "hide_cash" not in self.env.context:
            for path in (
                "//button[@name='prepare_payment']",
                "//button[@name='send_payment']",
                "//button[@name='open_payments_form']",
                "//page[@name='payment_batches']",
            ):
                arch.xpath(path)[0].set("modifiers", '{"invisible": true}')
        return arch, view

    # The counts have no dependencies: they stay as first read until invalidated.
    def _compute_members_count(self):
        for cycle in self:
            cycle.members_count = cycle.get_beneficiaries("enrolled", count=True)

    def _compute_entitlements_count(self):
        for cycle in self:
            cycle.entitlements_count = self.env["g2p.entitlement"].search_count([("cycle_id", "=", cycle.id)])

    def _compute_payments_count(self):
        for cycle in self:
            cycle.payments_count = self.env["g2p.payment"].search_count([("cycle_id", "=", cycle.id)])

    @api.depends("entitlement_ids")
    def _compute_total_amount(self):
        for cycle in self:
            cycle.total_amount = sum(cycle.entitlement_ids.mapped("initial_amount"))

    @api.depends("total_amount", "currency_id")
    def _compute_total_amount_in_words(self):
        for cycle in self:
            cycle.total_amount_in_words = ""
            if cycle.total_amount and cycle.currency_id:
                words = num2words(cycle.total_amount, lang="en").title()
                cycle.total_amount_in_words = f"{words} {cycle.currency_id.name}"

    def _compute_show_approve_entitlement(self):
        """True when there is nothing left to approve: the form then hides the button."""
        for cycle in self:
            cycle.show_approve_entitlements_button = all(e.state == "approved" for e in cycle.entitlement_ids)

    @api.onchange("start_date")
    def on_start_date_change(self):
        self.program_id.get_manager(constants.MANAGER_CYCLE).on_start_date_change(self)

    @api.onchange("state")
    def on_state_change(self):
        self.program_id.get_manager(constants.MANAGER_CYCLE).on_state_change(self)

    @api.model
    def get_beneficiaries(self, state, offset=0, limit=None, order=None, count=False):
        states = [state] if isinstance(state, str) else state
        domain = [("cycle_id", "=", self.id)]
        if states:
            domain.append(("state", "in", states))
        Membership = self.env["g2p.cycle.membership"]
        if count:
            return Membership.search_count(domain, limit=limit)
        return Membership.search(domain, offset=offset, limit=limit, order=order)

    def get_entitlements(
        self, state, entitlement_model="g2p.entitlement", offset=0, limit=None, order=None, count=False
    ):
        domain = [("cycle_id", "=", self.id)]
        if state:
            domain.append(("state", "in", [state] if isinstance(state, str) else state))
        if count:  # of memberships, not of entitlements: OpenG2P's own mistake
            return self.env["g2p.cycle.membership"].search_count(domain, limit=limit)
        return self.env[entitlement_model].search(domain, offset=offset, limit=limit, order=order)

    def _manager(self, kind, missing):
        manager = self.program_id.get_manager(kind)
        if not manager:
            raise UserError(missing)
        return manager

    def _cycle_manager(self):
        return self._manager(constants.MANAGER_CYCLE, _("No Cycle Manager defined."))

    def _entitlement_manager(self):
        return self._manager(constants.MANAGER_ENTITLEMENT, _("No Entitlement Manager defined."))

    def _payment_manager(self):
        return self._manager(constants.MANAGER_PAYMENT, _("No Payment Manager defined."))

    def copy_beneficiaries_from_program(self):
        self.ensure_one()
        return self._cycle_manager().copy_beneficiaries_from_program(self)

    def check_eligibility(self, beneficiaries=None):
        self._cycle_manager().check_eligibility(self, beneficiaries)

    def prepare_entitlement(self):
        return self._cycle_manager().prepare_entitlements(self)

    def to_approve(self):
        for cycle in self:
            if cycle.state != self.STATE_DRAFT:
                return notification(_("Cycle"), _("Only a draft can be put up for approval."), "danger")
            manager = cycle._entitlement_manager()
            cycle.state = self.STATE_TO_APPROVE
            manager.set_pending_validation_entitlements(cycle)

    def reset_draft(self):
        for cycle in self:
            if cycle.state != self.STATE_TO_APPROVE:
                return notification(_("Cycle"), _("Only a cycle up for approval can be reset."), "danger")
            cycle.state = self.STATE_DRAFT

    def approve(self):
        for cycle in self:
            manager = cycle._cycle_manager()
            return manager.approve_cycle(
                cycle,
                auto_approve=manager.auto_approve_entitlements,
                entitlement_manager=cycle._entitlement_manager(),
            )

    def validate_entitlement(self):
        return self._entitlement_manager().validate_entitlements(self)

    def prepare_payment(self):
        return self._payment_manager().prepare_payments(self)

    def send_payment(self):
        return self._payment_manager().send_payments(self.payment_batch_ids)

    def mark_distributed(self):
        self.program_id.get_manager(constants.MANAGER_CYCLE).mark_distributed(self)

    def mark_ended(self):
        self.program_id.get_manager(constants.MANAGER_CYCLE).mark_ended(self)

    def mark_cancelled(self):
        self.program_id.get_manager(constants.MANAGER_CYCLE).mark_cancelled(self)

    def open_cycle_form(self):
        entitlement_manager = self.program_id.get_manager(constants.MANAGER_ENTITLEMENT)
        payment_manager = self.program_id.get_manager(constants.MANAGER_PAYMENT)
        shown = entitlement_manager and entitlement_manager.IS_CASH_ENTITLEMENT and payment_manager
        return {
            "name": "Cycle",
            "type": "ir.actions.act_window",
            "res_model": "g2p.cycle",
            "res_id": self.id,
            "view_mode": "form",
            "view_id": self.env.ref("g2p_programs.view_cycle_form").id,
            "context": {"hide_cash": not shown},
            "target": "current",
        }

    def _open(self, xmlid, domain):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(xmlid)
        action.update(domain=domain, context={"create": False})
        return action

    def open_members_form(self):
        return self._open("g2p_programs.action_cycle_membership", [("cycle_id", "=", self.id)])

    def open_entitlements_form(self):
        return self._entitlement_manager().open_entitlements_form(self)

    def open_payments_form(self):
        return self._open("g2p_programs.action_payment", [("entitlement_id", "in", self.entitlement_ids.ids)])

    def generate_summary(self):
        raise UserError(_("The stand-in prints no summary."))

    def refresh_page(self):
        return {"type": "ir.actions.client", "tag": "reload"}

    def _get_related_job_domain(self):
        """Finds jobs whose model is a cycle's, so never a payment manager's."""
        jobs = self.env["queue.job"].search([("model_name", "like", self._name)])
        return [("id", "in", jobs.filtered(lambda job: self in job.args[0]).ids)]

    def unlink(self):
        drafts = self.filtered(lambda cycle: cycle.state == self.STATE_DRAFT)
        if not drafts or drafts.entitlement_ids or drafts.cycle_membership_ids:
            raise ValidationError(_("Only an empty draft can be deleted."))
        return super().unlink()
