from odoo import _, api, fields, models, tools
from odoo.exceptions import ValidationError


class ResPartner(models.Model):
    _inherit = "res.partner"

    program_membership_ids = fields.One2many("g2p.program_membership", "partner_id", "Program Memberships")
    cycle_ids = fields.One2many("g2p.cycle.membership", "partner_id", "Cycle Memberships")
    entitlement_ids = fields.One2many("g2p.entitlement", "partner_id", "Entitlements")
    program_membership_count = fields.Integer(
        "# Program Memberships", compute="_compute_program_membership_count", store=True
    )
    cycles_count = fields.Integer("# Cycles", compute="_compute_cycle_count", store=True)
    entitlements_count = fields.Integer(
        "# Cash Entitlements", compute="_compute_entitlements_count", store=True
    )

    @api.depends("program_membership_ids")
    def _compute_program_membership_count(self):
        for partner in self:
            partner.program_membership_count = len(partner.program_membership_ids)

    @api.depends("cycle_ids")
    def _compute_cycle_count(self):
        for partner in self:
            partner.cycles_count = len(partner.cycle_ids)

    @api.depends("entitlement_ids")
    def _compute_entitlements_count(self):
        for partner in self:
            partner.entitlements_count = len(partner.entitlement_ids)

    @api.constrains("email")
    def _check_valid_email(self):
        for partner in self:
            if partner.email and not tools.single_email_re.match(partner.email):
                raise ValidationError(_("Invalid Email! Please enter a valid email address."))
