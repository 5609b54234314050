from functools import partial

from dateutil.relativedelta import relativedelta

from odoo import _, api, fields, models
from odoo.exceptions import UserError, ValidationError

from . import constants
from .jobs import run_in_jobs, unlock
from .notification import notification


class CycleManager(models.Model):
    _name = "g2p.cycle.manager"
    _description = "Cycle Manager"
    _inherit = "g2p.manager.mixin"

    program_id = fields.Many2one("g2p.program", ondelete="cascade")

    @api.model
    def _selection_manager_ref_id(self):
        return [*super()._selection_manager_ref_id(), ("g2p.cycle.manager.default", "Default")]


class BaseCycleManager(models.AbstractModel):
    _name = "g2p.base.cycle.manager"
    _description = "Base Cycle Manager"

    MIN_ROW_JOB_QUEUE = 200
    MAX_ROW_JOB_QUEUE = 2000

    name = fields.Char("Manager Name", required=True)
    program_id = fields.Many2one("g2p.program", required=True)
    auto_approve_entitlements = fields.Boolean(string="Auto-approve Entitlements", default=False)

    def approve_cycle(self, cycle, auto_approve=False, entitlement_manager=None):
        if cycle.state != cycle.STATE_TO_APPROVE:
            return notification(_("Cycle"), _("Only 'to approve' cycles can be approved."), "danger")
        cycle.write(
            {
                "approved_date": fields.Datetime.now(),
                "approved_by": self.env.uid,
                "state": cycle.STATE_APPROVED,
            }
        )
        self.on_state_change(cycle)
        if auto_approve:
            return entitlement_manager.validate_entitlements(cycle)

    def on_state_change(self, cycle):
        if cycle.state != cycle.STATE_APPROVED:
            return
        approvers = self.approver_group_id
        if not approvers:
            raise ValidationError(_("The cycle approver group is not specified!"))
        # Odoo 17 keeps implied members in users, later series in a field of their own.
        members = approvers["all_user_ids" if "all_user_ids" in approvers._fields else "users"]
        if self.env.uid != 1 and self.env.user not in members:
            raise ValidationError(_("You are not allowed to approve this cycle!"))

    def _ensure_can_edit_cycle(self, cycle):
        if cycle.state != cycle.STATE_DRAFT:
            raise ValidationError(_("The Cycle is not in draft mode"))

    def mark_import_as_done(self, cycle, msg):
        unlock(cycle, msg)

    def mark_prepare_entitlement_as_done(self, cycle, msg):
        unlock(cycle, msg)


class DefaultCycleManager(models.Model):
    _name = "g2p.cycle.manager.default"
    _inherit = ["g2p.base.cycle.manager", "g2p.manager.source.mixin"]
    _description = "Default Cycle Manager"

    cycle_duration = fields.Integer(default=1, required=True, string="Recurrence")
    approver_group_id = fields.Many2one("res.groups", copy=True)

    def on_start_date_change(self, cycle):
        """A hook."""

    def check_eligibility(self, cycle, beneficiaries=None):
        self._ensure_can_edit_cycle(cycle)
        if beneficiaries is None:
            beneficiaries = cycle.get_beneficiaries(["draft", "enrolled", "not_eligible"])
        eligible = beneficiaries
        for manager in cycle.program_id.get_managers(constants.MANAGER_ELIGIBILITY):
            eligible = manager.verify_cycle_eligibility(cycle, eligible)
        eligible.write({"state": "enrolled"})
        removed = beneficiaries - eligible
        removed.write({"state": "not_eligible"})
        cycle.entitlement_ids.filtered(lambda e: e.partner_id in removed.partner_id).write(
            {"state": "cancelled"}
        )
        cycle.invalidate_recordset()
        return notification(_("Enrollment"), _("%s Beneficiaries enrolled.", len(eligible)), "success", True)

    def prepare_entitlements(self, cycle):
        self._ensure_can_edit_cycle(cycle)
        count = cycle.get_beneficiaries(["enrolled"], count=True)
        if count < self.MIN_ROW_JOB_QUEUE:
            self._prepare_entitlements(cycle)
        else:
            self._prepare_entitlements_async(cycle, count)

    def _prepare_entitlements_async(self, cycle, beneficiaries_count):
        later = partial(self.delayable, channel="root_program.cycle")
        run_in_jobs(
            cycle,
            _("Prepare entitlement for %s beneficiaries started.", beneficiaries_count),
            [
                later()._prepare_entitlements(cycle, offset, self.MAX_ROW_JOB_QUEUE)
                for offset in range(0, beneficiaries_count, self.MAX_ROW_JOB_QUEUE)
            ],
            later().mark_prepare_entitlement_as_done(cycle, _("Entitlement Ready.")),
        )

    def _prepare_entitlements(self, cycle, offset=0, limit=None, do_count=False):
        manager = self.program_id.get_manager(constants.MANAGER_ENTITLEMENT)
        if not manager:
            raise UserError(_("No Entitlement Manager defined."))
        members = cycle.get_beneficiaries(["enrolled"], offset=offset, limit=limit, order="id")
        manager.prepare_entitlements(cycle, members)
        cycle.invalidate_recordset(["entitlements_count"])

    def mark_distributed(self, cycle):
        cycle.write({"state": constants.STATE_DISTRIBUTED})

    def mark_ended(self, cycle):
        cycle.write({"state": constants.STATE_ENDED})

    def mark_cancelled(self, cycle):
        cycle.write({"state": constants.STATE_CANCELLED})

    def new_cycle(self, name, new_start_date, sequence):
        """Whole months, from the first of the month on or after the given day."""
        start = fields.Date.to_date(new_start_date)
        if start.day > 1:
            start += relativedelta(months=1, day=1)
        return self.env["g2p.cycle"].create(
            {
                "program_id": self.program_id.id,
                "name": name,
                "sequence": sequence,
                "start_date": start,
                "end_date": start + relativedelta(months=self.cycle_duration, days=-1),
                "auto_approve_entitlements": self.auto_approve_entitlements,
            }
        )

    def copy_beneficiaries_from_program(self, cycle, state="enrolled"):
        return self.add_beneficiaries(
            cycle, self.program_id.get_beneficiaries(["enrolled"]).partner_id.ids, state
        )

    def add_beneficiaries(self, cycle, beneficiaries, state="draft"):
        self.ensure_one()
        self._ensure_can_edit_cycle(cycle)
        new = sorted(set(beneficiaries) - set(cycle.cycle_membership_ids.partner_id.ids))
        if not new:
            return notification(_("Enrollment"), _("No beneficiaries to import."), "warning")
        if len(new) >= self.MIN_ROW_JOB_QUEUE:
            self._add_beneficiaries_async(cycle, new, state)
            message = _("Import of %s beneficiaries started.", len(new))
            return notification(_("Enrollment"), message, "warning", sticky=True)
        self._add_beneficiaries(cycle, new, state)
        return notification(_("Enrollment"), _("%s beneficiaries imported.", len(new)), "success")

    def _add_beneficiaries_async(self, cycle, beneficiaries, state):
        later = partial(self.delayable, channel="root_program.cycle")
        run_in_jobs(
            cycle,
            _("Import of %s beneficiaries started.", len(beneficiaries)),
            [
                later()._add_beneficiaries(
                    cycle, beneficiaries[first : first + self.MAX_ROW_JOB_QUEUE], state
                )
                for first in range(0, len(beneficiaries), self.MAX_ROW_JOB_QUEUE)
            ],
            later().mark_import_as_done(cycle, _("Beneficiary import finished.")),
        )

    def _add_beneficiaries(self, cycle, beneficiaries, state="draft", do_count=False):
        self.env["g2p.cycle.membership"].create(
            [{"cycle_id": cycle.id, "partner_id": partner, "state": state} for partner in beneficiaries]
        )
        cycle.invalidate_recordset(["members_count"])
