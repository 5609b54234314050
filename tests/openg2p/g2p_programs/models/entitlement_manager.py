from odoo import _, api, fields, models
from odoo.exceptions import ValidationError

from .jobs import run_in_jobs, unlock
from .notification import notification


class EntitlementManager(models.Model):
    _name = "g2p.program.entitlement.manager"
    _description = "Entitlement Manager"
    _inherit = "g2p.manager.mixin"

    program_id = fields.Many2one("g2p.program", ondelete="cascade")

    @api.model
    def _selection_manager_ref_id(self):
        return [*super()._selection_manager_ref_id(), ("g2p.program.entitlement.manager.default", "Default")]


class BaseEntitlementManager(models.AbstractModel):
    _name = "g2p.base.program.entitlement.manager"
    _inherit = "base.programs.manager"
    _description = "Base Entitlement Manager"

    IS_CASH_ENTITLEMENT = True
    MIN_ROW_JOB_QUEUE = 200
    MAX_ROW_JOB_QUEUE = 2000

    name = fields.Char("Manager Name", required=True)
    program_id = fields.Many2one("g2p.program", required=True)

    def mark_job_as_done(self, cycle, msg):
        self.ensure_one()
        unlock(cycle, msg)

    def check_fund_balance(self, program_id):
        """Posted funds less approved entitlements, of the user's default company, not the active one.

        Asks the database, so what has not been flushed does not count.
        """
        company = self.env.user.company_id.id
        self.env.cr.execute(
            """
            SELECT (SELECT COALESCE(SUM(amount), 0) FROM g2p_program_fund
                     WHERE company_id = %s AND program_id = %s AND state = 'posted')
                 - (SELECT COALESCE(SUM(e.initial_amount), 0)
                      FROM g2p_entitlement e JOIN g2p_cycle c ON c.id = e.cycle_id
                     WHERE e.company_id = %s AND c.program_id = %s AND e.state = 'approved')
            """,
            (company, program_id, company, program_id),
        )
        return float(self.env.cr.fetchone()[0])


class DefaultCashEntitlementManager(models.Model):
    _name = "g2p.program.entitlement.manager.default"
    _inherit = ["g2p.base.program.entitlement.manager", "g2p.manager.source.mixin"]
    _description = "Default Entitlement Manager"

    amount_per_cycle = fields.Monetary(currency_field="currency_id", default=0.0)
    amount_per_individual_in_group = fields.Monetary(currency_field="currency_id", default=0.0)
    max_individual_in_group = fields.Integer(
        default=0, string="Maximum number of individual in group", help="0 means no limit"
    )
    currency_id = fields.Many2one("res.currency", related="program_id.journal_id.currency_id", readonly=True)
    transfer_fee_pct = fields.Float("Transfer Fee(%)", digits=(5, 2), default=0.0)
    transfer_fee_amt = fields.Monetary("Transfer Fee Amount", default=0.0, currency_field="currency_id")
    entitlement_validation_group_id = fields.Many2one("res.groups")

    def prepare_entitlements(self, cycle, beneficiaries):
        partners = beneficiaries.partner_id - cycle.entitlement_ids.partner_id
        vals_list = []
        for partner in partners:
            amount = self._calculate_amount(partner, partner.z_ind_grp_num_individuals)
            vals_list.append(
                {
                    "cycle_id": cycle.id,
                    "partner_id": partner.id,
                    "initial_amount": amount,
                    "transfer_fee": amount * self.transfer_fee_pct / 100 or self.transfer_fee_amt,
                    "is_cash_entitlement": True,
                    "valid_from": cycle.start_date,
                    "valid_until": cycle.end_date,
                }
            )
        return self.env["g2p.entitlement"].create(vals_list) or None

    def _calculate_amount(self, beneficiary, num_individuals):
        if not beneficiary.is_group:
            return self.amount_per_cycle
        counted = min(num_individuals, self.max_individual_in_group or num_individuals)
        return self.amount_per_cycle + self.amount_per_individual_in_group * counted

    def set_pending_validation_entitlements(self, cycle):
        entitlements = cycle.get_entitlements(["draft"])
        if len(entitlements) < self.MIN_ROW_JOB_QUEUE:
            self._set_pending_validation_entitlements(entitlements)
            return
        run_in_jobs(
            cycle,
            _("Setting %s entitlements to pending validation has started.", len(entitlements)),
            [
                self.delayable()._set_pending_validation_entitlements(some)
                for some in self._slices(entitlements)
            ],
            self.delayable().mark_job_as_done(cycle, _("Entitlements Set to Pending Validation.")),
        )

    def _set_pending_validation_entitlements(self, entitlements):
        entitlements.write({"state": "pending_validation"})

    def _slices(self, entitlements):
        for first in range(0, len(entitlements), self.MAX_ROW_JOB_QUEUE):
            yield entitlements[first : first + self.MAX_ROW_JOB_QUEUE]

    def validate_entitlements(self, cycle):
        entitlements = cycle.get_entitlements(["draft", "pending_validation"])
        if len(entitlements) >= self.MIN_ROW_JOB_QUEUE:
            self._validate_entitlements_async(cycle, entitlements, len(entitlements))
            return None
        errors, message = self._validate_entitlements(entitlements)
        if errors:
            return notification(_("Entitlement"), message, "danger")
        message = _("%s Entitlements are successfully approved.", len(entitlements))
        return notification(_("Entitlement"), message, "success", sticky=True)

    def _validate_entitlements_async(self, cycle, entitlements, entitlements_count):
        run_in_jobs(
            cycle,
            _("Validate %s entitlements started.", entitlements_count),
            [self.delayable()._validate_entitlements(some) for some in self._slices(entitlements)],
            self.delayable().mark_job_as_done(cycle, _("Entitlements Validated and Approved.")),
        )

    def _validate_entitlements(self, entitlements):
        return self.approve_entitlements(entitlements)

    def approve_entitlements(self, entitlements):
        """Stops at the first one that the fund cannot carry; those before it stay approved.

        OpenG2P also writes an account.payment for each; here only the right to do so is asked for.
        """
        Disbursement = self.env["account.payment"]
        if hasattr(Disbursement, "check_access"):
            Disbursement.check_access("create")
        else:
            Disbursement.check_access_rights("create")
        balances = {}
        errors = 0
        for entitlement in entitlements:
            if entitlement.state not in ("draft", "pending_validation"):
                errors += 1
                continue
            if not entitlement.currency_id:
                raise ValidationError(_("The program's journal has no currency."))
            program = entitlement.program_id
            if program not in balances:
                balances[program] = self.check_fund_balance(program.id)
            if balances[program] < entitlement.initial_amount:
                return 1, _("The fund of %s is insufficient.", program.name)
            balances[program] -= entitlement.initial_amount
            entitlement.write({"state": "approved", "date_approved": fields.Date.today()})
        return errors, errors and _("%s entitlements were not up for approval.", errors) or ""

    def cancel_entitlements(self, cycle):
        cycle.get_entitlements(["draft", "pending_validation", "approved"]).write({"state": "cancelled"})

    def open_entitlements_form(self, cycle):
        action = self.env["ir.actions.act_window"]._for_xml_id("g2p_programs.action_entitlement")
        action.update(
            domain=[("cycle_id", "=", cycle.id)], context={"create": False, "default_cycle_id": cycle.id}
        )
        return action

    def open_entitlement_form(self, rec):
        return rec.get_formview_action() | {"target": "new"}
