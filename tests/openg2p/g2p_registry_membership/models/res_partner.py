from odoo import _, api, fields, models
from odoo.exceptions import ValidationError


class ResPartner(models.Model):
    _inherit = "res.partner"

    group_membership_ids = fields.One2many("g2p.group.membership", "group", "Group Members")
    individual_membership_ids = fields.One2many("g2p.group.membership", "individual", "Membership to Groups")
    force_recompute_canary = fields.Datetime(compute="_compute_force_recompute_group", store=True)
    z_ind_grp_num_individuals = fields.Integer(
        "Number of individuals", compute="_compute_ind_grp_num_individuals", store=True
    )

    def _compute_force_recompute_group(self):
        """A changed membership or member leaves a job behind, as in OpenG2P."""
        self.with_delay(priority=5, channel="root.recompute_indicators").recompute_indicators()
        self.force_recompute_canary = fields.Datetime.now()

    def recompute_indicators(self, recomputed_fields=None):
        self.env.add_to_compute(self._fields["z_ind_grp_num_individuals"], self)

    def _compute_ind_grp_num_individuals(self):
        for partner in self:
            members = partner.group_membership_ids.filtered(lambda member: not member.is_ended)
            partner.z_ind_grp_num_individuals = len(members.individual.filtered(lambda p: not p.disabled))

    def write(self, vals):
        res = super().write(vals)
        for partner in self.filtered(lambda partner: partner.is_registrant and not partner.is_group):
            groups = partner.individual_membership_ids.group
            self.env.add_to_compute(self._fields["force_recompute_canary"], groups)
        return res

    @api.constrains("group_membership_ids")
    def _check_unique_kinds(self):
        unique_kinds = self.env["g2p.group.membership.kind"].search([("is_unique", "=", True)])
        for partner in self:
            for kind in unique_kinds:
                if len(partner.group_membership_ids.filtered(lambda member: kind in member.kind)) > 1:
                    raise ValidationError(_("Only one %s is allowed per group", kind.name))
