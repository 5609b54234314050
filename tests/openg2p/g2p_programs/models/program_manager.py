from datetime import timedelta
from functools import partial

from odoo import _, api, fields, models
from odoo.exceptions import UserError

from . import constants
from .jobs import run_in_jobs, unlock
from .notification import notification


class ProgramManager(models.Model):
    _name = "g2p.program.manager"
    _description = "Program Manager"
    _inherit = "g2p.manager.mixin"

    program_id = fields.Many2one("g2p.program", ondelete="cascade")

    @api.model
    def _selection_manager_ref_id(self):
        return [*super()._selection_manager_ref_id(), ("g2p.program.manager.default", "Default")]


class BaseProgramManager(models.AbstractModel):
    _name = "g2p.base.program.manager"
    _description = "Base Program Manager"

    MIN_ROW_JOB_QUEUE = 200
    MAX_ROW_JOB_QUEUE = 10000

    name = fields.Char("Manager Name", required=True)
    program_id = fields.Many2one("g2p.program", required=True)

    def last_cycle(self):
        raise NotImplementedError()

    def new_cycle(self):
        raise NotImplementedError()

    def enroll_eligible_registrants(self, state=None):
        raise NotImplementedError()

    def mark_enroll_eligible_as_done(self):
        self.ensure_one()
        unlock(self.program_id, _("Eligibility check finished."))


class DefaultProgramManager(models.Model):
    _name = "g2p.program.manager.default"
    _inherit = ["g2p.base.program.manager", "g2p.manager.source.mixin"]
    _description = "Default Program Manager"

    number_of_cycles = fields.Integer(default=1)
    copy_last_cycle_on_new_cycle = fields.Boolean(string="Copy previous cycle", default=True)

    def last_cycle(self):
        cycles = self.env["g2p.cycle"].search([("program_id", "=", self.program_id.id)])
        return cycles.sorted("sequence")[-1:] or None

    def new_cycle(self):
        self.ensure_one()
        manager = self.program_id.get_manager(constants.MANAGER_CYCLE)
        last = self.last_cycle()
        sequence = last.sequence + 1 if last else 1
        start = last.end_date + timedelta(days=1) if last else fields.Date.today()
        cycle = manager.new_cycle(f"Cycle {sequence}", start, sequence)
        manager.add_beneficiaries(
            cycle, self.program_id.get_beneficiaries("enrolled").partner_id.ids, "enrolled"
        )
        return cycle

    def enroll_eligible_registrants(self, state=None):
        self.ensure_one()
        if not self.program_id.get_managers(constants.MANAGER_ELIGIBILITY):
            raise UserError(_("No Eligibility Manager defined."))
        count = self.program_id.get_beneficiaries(state, count=True)
        if count >= self.MIN_ROW_JOB_QUEUE:
            self._enroll_eligible_registrants_async(state, count)
            message = _("Eligibility check of %s beneficiaries started.", count)
            return notification(_("Enrollment"), message, "warning", sticky=True)
        new = self._enroll_eligible_registrants(state)
        return notification(_("Enrollment"), _("%s beneficiaries enrolled.", new), "success")

    def _enroll_eligible_registrants_async(self, states, members_count):
        later = partial(self.delayable, channel="root_program.program_manager")
        run_in_jobs(
            self.program_id,
            _("Eligibility check of %s beneficiaries started.", members_count),
            [
                later()._enroll_eligible_registrants(states, offset, self.MAX_ROW_JOB_QUEUE)
                for offset in range(0, members_count, self.MAX_ROW_JOB_QUEUE)
            ],
            later().mark_enroll_eligible_as_done(),
        )

    def _enroll_eligible_registrants(self, states, offset=0, limit=None, do_count=False):
        members = self.program_id.get_beneficiaries(states, offset=offset, limit=limit, order="id")
        eligible = members
        for manager in self.program_id.get_managers(constants.MANAGER_ELIGIBILITY):
            eligible = manager.enroll_eligible_registrants(eligible)
        new = eligible.filtered(lambda member: member.state != "enrolled")
        new.write({"state": "enrolled", "enrollment_date": fields.Datetime.now()})
        (members - eligible).write({"state": "not_eligible"})
        self.program_id.invalidate_recordset()
        return len(new)
