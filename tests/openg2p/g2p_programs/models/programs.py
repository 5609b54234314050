from odoo import Command, _, api, fields, models
from odoo.exceptions import UserError

from . import constants
from .notification import notification


class G2PProgram(models.Model):
    _name = "g2p.program"
    _description = "Program"
    _inherit = ["mail.thread", "mail.activity.mixin", "job.relate.mixin"]
    _order = "id desc"
    _check_company_auto = True

    MANAGER_ELIGIBILITY = constants.MANAGER_ELIGIBILITY
    MANAGER_CYCLE = constants.MANAGER_CYCLE
    MANAGER_PROGRAM = constants.MANAGER_PROGRAM
    MANAGER_ENTITLEMENT = constants.MANAGER_ENTITLEMENT
    MANAGER_DEDUPLICATION = constants.MANAGER_DEDUPLICATION
    MANAGER_NOTIFICATION = constants.MANAGER_NOTIFICATION
    MANAGER_PAYMENT = constants.MANAGER_PAYMENT
    MANAGER_MODELS = constants.MANAGER_MODELS

    @api.model
    def _default_journal_id(self):
        """The first one of the database, so programs share it without meaning to."""
        journals = [("beneficiary_disb", "=", True), ("type", "in", ("bank", "cash"))]
        return self.env["account.journal"].search(journals, limit=1).id or None

    name = fields.Char(required=True)
    description = fields.Text()
    company_id = fields.Many2one("res.company", default=lambda self: self.env.company)
    target_type = fields.Selection([("group", "Group"), ("individual", "Individual")], default="group")

    eligibility_managers = fields.Many2many("g2p.eligibility.manager")
    deduplication_managers = fields.Many2many("g2p.deduplication.manager")
    notification_managers = fields.Many2many("g2p.program.notification.manager")
    program_managers = fields.Many2many("g2p.program.manager")
    cycle_managers = fields.Many2many("g2p.cycle.manager")
    entitlement_managers = fields.Many2many("g2p.program.entitlement.manager")
    payment_managers = fields.Many2many("g2p.program.payment.manager")
    reconciliation_managers = fields.Selection([])

    program_membership_ids = fields.One2many("g2p.program_membership", "program_id", "Program Memberships")
    have_members = fields.Boolean(
        "Have Beneficiaries", compute="_compute_have_members", default=False, store=True
    )
    cycle_ids = fields.One2many("g2p.cycle", "program_id", "Cycles")
    date_ended = fields.Date()
    state = fields.Selection(
        [("active", "Active"), ("ended", "Ended")], "Status", default="active", readonly=True
    )
    journal_id = fields.Many2one(
        "account.journal",
        "Disbursement Journal",
        domain=[("beneficiary_disb", "=", True), ("type", "in", ("bank", "cash"))],
        default=lambda self: self._default_journal_id(),
    )
    eligible_beneficiaries_count = fields.Integer(
        "# Eligible Beneficiaries", compute="_compute_eligible_beneficiary_count"
    )
    beneficiaries_count = fields.Integer("# Beneficiaries", compute="_compute_beneficiary_count")
    duplicate_membership_count = fields.Integer(
        "# Membership Duplicates", compute="_compute_duplicate_membership_count"
    )
    cycles_count = fields.Integer("# Cycles", compute="_compute_cycle_count", store=True)
    active = fields.Boolean(default=True)
    locked = fields.Boolean(default=False)
    locked_reason = fields.Char()

    @api.depends("program_membership_ids")
    def _compute_have_members(self):
        for program in self:
            program.have_members = bool(program.program_membership_ids)

    def _compute_eligible_beneficiary_count(self):
        for program in self:
            program.eligible_beneficiaries_count = program.count_beneficiaries(["enrolled"])["value"]

    def _compute_beneficiary_count(self):
        for program in self:
            program.beneficiaries_count = program.count_beneficiaries()["value"]

    def _compute_duplicate_membership_count(self):
        for program in self:
            program.duplicate_membership_count = program.count_beneficiaries(["duplicated"])["value"]

    @api.depends("cycle_ids")
    def _compute_cycle_count(self):
        for program in self:
            program.cycles_count = self.env["g2p.cycle"].search_count([("program_id", "=", program.id)])

    @api.constrains("entitlement_managers", "program_managers", "cycle_managers", "payment_managers")
    def check_managers_limit(self):
        for program in self:
            for field in ("entitlement_managers", "program_managers", "cycle_managers", "payment_managers"):
                if len(program[field]) > 1:
                    raise UserError(_("A program has only one manager of a kind: see %s.", field))

    @api.model_create_multi
    def create(self, vals_list):
        programs = super().create(vals_list)
        for program in programs:
            wrappers = self.create_default_managers(program.id)
            program.write({field: [Command.link(wrapper)] for field, wrapper in wrappers.items()})
        return programs

    @api.model
    def create_default_managers(self, program_id):
        wrappers = {}
        for field, models_of_kind in self.MANAGER_MODELS.items():
            for wrapper_model, model in models_of_kind.items():
                manager = self.env[model].create({"name": "Default", "program_id": program_id})
                wrapper = self.env[wrapper_model].create(
                    {"program_id": program_id, "manager_ref_id": f"{model},{manager.id}"}
                )
                wrappers[field] = wrapper.id
        return wrappers

    def unlink(self):
        """Stops at the first kind that has no manager, and then fails on the managers left."""
        for field in (
            "eligibility_managers",
            "deduplication_managers",
            "notification_managers",
            "program_managers",
            "cycle_managers",
            "entitlement_managers",
            "payment_managers",
        ):
            if not self[field]:
                break
            for wrapper in self[field]:
                wrapper.manager_ref_id.unlink()
        return super().unlink()

    def toggle_active(self):
        self.filtered("active")._cancel_cycles()
        return super().toggle_active()

    def action_archive(self):
        """Odoo 17 comes through toggle_active, later series do not."""
        self.filtered("active")._cancel_cycles()
        return super().action_archive()

    def _cancel_cycles(self):
        for program in self:
            cycles = program.cycle_ids.filtered(lambda c: c.state in ("draft", "to_approve", "approved"))
            for cycle in cycles:
                program.get_manager(self.MANAGER_ENTITLEMENT).cancel_entitlements(cycle)
            cycles.write({"state": constants.STATE_CANCELLED})

    @api.model
    def get_manager(self, kind):
        """The one record behind the one wrapper, or None."""
        self.ensure_one()
        fields_of_kind = {
            self.MANAGER_CYCLE: "cycle_managers",
            self.MANAGER_PROGRAM: "program_managers",
            self.MANAGER_ENTITLEMENT: "entitlement_managers",
            self.MANAGER_PAYMENT: "payment_managers",
        }
        if kind not in fields_of_kind:
            raise NotImplementedError("Manager not supported")
        wrapper = self[fields_of_kind[kind]]
        if wrapper:
            return wrapper.ensure_one().manager_ref_id

    @api.model
    def get_managers(self, kind):
        self.ensure_one()
        fields_of_kind = {
            self.MANAGER_ELIGIBILITY: "eligibility_managers",
            self.MANAGER_DEDUPLICATION: "deduplication_managers",
            self.MANAGER_NOTIFICATION: "notification_managers",
        }
        if kind not in fields_of_kind:
            raise NotImplementedError("Manager not supported")
        return [wrapper.manager_ref_id for wrapper in self[fields_of_kind[kind]]]

    @api.model
    def get_beneficiaries(self, state=None, offset=0, limit=None, order=None, count=False):
        self.ensure_one()
        domain = [("program_id", "=", self.id)]
        if state is not None:
            domain.append(("state", "in", [state] if isinstance(state, str) else state))
        Membership = self.env["g2p.program_membership"]
        if count:
            return Membership.search_count(domain, limit=limit)
        return Membership.search(domain, offset=offset, limit=limit, order=order)

    def count_beneficiaries(self, state=None):
        return {"value": self.get_beneficiaries(state, count=True)}

    def enroll_eligible_registrants(self):
        if not self.beneficiaries_count:
            raise UserError(_("No Registrants Added to Program"))
        return self._program_manager().enroll_eligible_registrants()

    def verify_eligibility(self):
        return self._program_manager().enroll_eligible_registrants(["enrolled", "not_eligible"])

    def _program_manager(self):
        manager = self.get_manager(self.MANAGER_PROGRAM)
        if not manager:
            raise UserError(_("No Program Manager defined."))
        return manager

    def deduplicate_beneficiaries(self):
        managers = self.get_managers(self.MANAGER_DEDUPLICATION)
        if not managers:
            raise UserError(_("No Deduplication Manager defined."))
        for manager in managers:
            manager.deduplicate_beneficiaries(["draft", "enrolled", "eligible", "paused", "duplicated"])
        return notification(_("Deduplication"), _("No duplicates found."), "success")

    def notify_eligible_beneficiaries(self):
        """Does nothing, as in OpenG2P."""

    def create_new_cycle(self):
        if not self.beneficiaries_count:
            raise UserError(_("Enroll somebody before creating a cycle."))
        if not self.get_manager(self.MANAGER_CYCLE):
            raise UserError(_("No Cycle Manager defined."))
        cycle = self._program_manager().new_cycle()
        return notification(_("Cycle"), _("New cycle %s created.", cycle.name), "success")

    def create_journal(self):
        Account = self.env["account.account"]
        company = "company_ids" if "company_ids" in Account._fields else "company_id"
        for program in self:
            accounts = Account.search(
                [(company, "in", self.env.company.ids), ("account_type", "=", "asset_cash")], limit=1
            )
            program.journal_id = self.env["account.journal"].create(
                {
                    "name": program.name,
                    "code": "".join(word[0].upper() for word in program.name.split()),
                    "type": "bank",
                    "beneficiary_disb": True,
                    "default_account_id": accounts.id,
                    "currency_id": program.company_id.currency_id.id,
                }
            )

    def _active_programs(self):
        return self.browse(self.env.context.get("active_ids"))

    def end_program(self):
        for program in self._active_programs():
            if program.state != "active":
                return notification(_("Program"), _("Only an active program can be ended."), "danger")
            program.write({"state": "ended", "date_ended": fields.Date.today()})

    def reactivate_program(self):
        for program in self._active_programs():
            if program.state != "ended":
                return notification(_("Program"), _("Only an ended program can be re-activated."), "danger")
            program.write({"state": "active", "date_ended": False})

    def _open(self, xmlid, domain):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(xmlid)
        context = {"create": False, "default_program_id": self.id}
        action.update(domain=[("program_id", "=", self.id), *domain], context=context)
        return action

    def open_eligible_beneficiaries_form(self):
        return self._open("g2p_programs.action_program_membership", [])

    def open_duplicate_membership_form(self):
        return self._open("g2p_programs.action_program_membership", [("state", "=", "duplicated")])

    def open_cycles_form(self):
        return self._open("g2p_programs.action_cycle", [])

    def refresh_page(self):
        return {"type": "ir.actions.client", "tag": "reload"}

    def _get_related_job_domain(self):
        jobs = self.env["queue.job"].search([("model_name", "like", self._name)])
        return [("id", "in", jobs.filtered(lambda job: self in job.records.program_id).ids)]
