from odoo import _, api, fields, models
from odoo.exceptions import ValidationError

PROTECTED_KINDS = ("group_membership_kind_head",)


class G2PGroupMembership(models.Model):
    _name = "g2p.group.membership"
    _description = "Group Membership"
    _order = "id desc"

    group = fields.Many2one(
        "res.partner", required=True, domain=[("is_group", "=", True), ("is_registrant", "=", True)]
    )
    individual = fields.Many2one(
        "res.partner", required=True, domain=[("is_group", "=", False), ("is_registrant", "=", True)]
    )
    kind = fields.Many2many("g2p.group.membership.kind")
    start_date = fields.Datetime(default=lambda self: fields.Datetime.now())
    ended_date = fields.Datetime()
    is_ended = fields.Boolean(default=False, compute="_compute_is_ended", store=True)
    status = fields.Selection(
        [("inactive", "Inactive"), ("active", "Active")], compute="_compute_status", store=True
    )
    individual_birthdate = fields.Date(related="individual.birthdate")
    individual_gender = fields.Selection(related="individual.gender")

    @api.depends("ended_date")
    def _compute_is_ended(self):
        for member in self:
            member.is_ended = bool(member.ended_date and member.ended_date <= fields.Datetime.now())

    @api.depends("ended_date")
    def _compute_status(self):
        for member in self:
            ended = member.ended_date and member.ended_date <= fields.Datetime.now()
            member.status = "inactive" if ended else "active"

    def _compute_display_name(self):
        for member in self:
            member.display_name = member.group.name or "NONE"

    @api.constrains("individual")
    def _check_group_members(self):
        for member in self:
            if (
                len(member.group.group_membership_ids.filtered(lambda m: m.individual == member.individual))
                > 1
            ):
                raise ValidationError(_("This person is in the group already."))

    def _recompute_parent_groups(self, groups):
        self.env.add_to_compute(self.env["res.partner"]._fields["force_recompute_canary"], groups)

    @api.model_create_multi
    def create(self, vals_list):
        members = super().create(vals_list)
        self._recompute_parent_groups(members.group)
        return members

    def write(self, vals):
        res = super().write(vals)
        self._recompute_parent_groups(self.group)
        return res

    def unlink(self):
        groups = self.group
        res = super().unlink()
        self._recompute_parent_groups(groups)
        return res


class G2PGroupMembershipKind(models.Model):
    _name = "g2p.group.membership.kind"
    _description = "Group Membership Kind"
    _order = "id desc"

    name = fields.Char("Kind")
    is_unique = fields.Boolean("Unique")

    def _is_protected(self):
        xmlids = self.get_external_id().values()
        return any(xmlid.partition(".")[2] in PROTECTED_KINDS for xmlid in xmlids)

    def write(self, vals):
        if self._is_protected():
            raise ValidationError(_("This kind cannot be changed."))
        return super().write(vals)

    def unlink(self):
        if self._is_protected():
            raise ValidationError(_("This kind cannot be deleted."))
        return super().unlink()
