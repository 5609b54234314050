from odoo import _, fields, models
from odoo.exceptions import ValidationError


class G2PCycleMembership(models.Model):
    _name = "g2p.cycle.membership"
    _description = "Cycle Membership"
    _order = "partner_id asc,id desc"

    partner_id = fields.Many2one("res.partner", "Registrant", required=True, index=True)
    cycle_id = fields.Many2one("g2p.cycle", required=True, index=True)
    enrollment_date = fields.Date(default=fields.Date.today)
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("enrolled", "Enrolled"),
            ("paused", "Paused"),
            ("exited", "Exited"),
            ("not_eligible", "Not Eligible"),
        ],
        default="draft",
        copy=False,
    )

    _sql_constraints = [
        (
            "cycle_membership_unique",
            "unique (partner_id, cycle_id)",
            "A registrant is a member of a cycle once.",
        ),
    ]

    def _compute_display_name(self):
        for member in self:
            member.display_name = f"[{member.cycle_id.name or ''}] {member.partner_id.name or ''}"

    def unlink(self):
        if any(member.cycle_id.state != "draft" for member in self):
            raise ValidationError(_("Members leave a cycle only while it is a draft."))
        return super().unlink()
