from odoo import api, fields, models


class EligibilityManager(models.Model):
    _name = "g2p.eligibility.manager"
    _description = "Eligibility Manager"
    _inherit = "g2p.manager.mixin"

    program_id = fields.Many2one("g2p.program", ondelete="cascade")

    @api.model
    def _selection_manager_ref_id(self):
        return [*super()._selection_manager_ref_id(), ("g2p.program_membership.manager.default", "Default")]


class BaseEligibilityManager(models.AbstractModel):
    _name = "g2p.program_membership.manager"
    _inherit = "base.programs.manager"
    _description = "Base Eligibility"

    name = fields.Char("Manager Name", required=True)
    program_id = fields.Many2one("g2p.program", required=True)

    def enroll_eligible_registrants(self, program_memberships):
        raise NotImplementedError()

    def verify_cycle_eligibility(self, cycle, membership):
        raise NotImplementedError()


class DefaultEligibilityManager(models.Model):
    _name = "g2p.program_membership.manager.default"
    _inherit = ["g2p.program_membership.manager", "g2p.manager.source.mixin"]
    _description = "Simple Eligibility"

    eligibility_domain = fields.Text(string="Domain", default="[]")

    def _eligible(self, memberships):
        partners = memberships.partner_id.filtered(lambda partner: not partner.disabled)
        eligible = partners.filtered_domain(self._safe_eval(self.eligibility_domain))
        return memberships.filtered(lambda membership: membership.partner_id in eligible)

    def enroll_eligible_registrants(self, program_memberships):
        return self._eligible(program_memberships)

    def verify_cycle_eligibility(self, cycle, membership):
        return self._eligible(membership)
