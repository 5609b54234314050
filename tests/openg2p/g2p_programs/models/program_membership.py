from odoo import api, fields, models


class G2PProgramMembership(models.Model):
    _name = "g2p.program_membership"
    _description = "Program Membership"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _inherits = {"res.partner": "partner_id"}
    _order = "id desc"

    partner_id = fields.Many2one(
        "res.partner", "Registrant", required=True, ondelete="cascade", domain=[("is_registrant", "=", True)]
    )
    program_id = fields.Many2one("g2p.program", required=True)
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("enrolled", "Enrolled"),
            ("paused", "Paused"),
            ("exited", "Exited"),
            ("not_eligible", "Not Eligible"),
            ("duplicated", "Duplicated"),
        ],
        default="draft",
        copy=False,
    )
    enrollment_date = fields.Datetime(compute="_compute_enrolled_date", store=True)
    exit_date = fields.Date()
    last_deduplication = fields.Date("Last Deduplication Date")
    registrant_id = fields.Integer(string="Registrant ID", related="partner_id.id")
    delivery_mechanism_value = fields.Char()
    deduplication_status = fields.Selection(
        [
            ("new", "New"),
            ("processing", "Processing"),
            ("verified", "Verified"),
            ("duplicated", "duplicated"),
        ],
        default="new",
        copy=False,
    )

    _sql_constraints = [
        (
            "program_membership_unique",
            "unique (partner_id, program_id)",
            "A registrant is a member of a program once.",
        ),
    ]

    @api.depends("state")
    def _compute_enrolled_date(self):
        for member in self:
            member.enrollment_date = (
                fields.Datetime.now() if member.state == "enrolled" else member.enrollment_date
            )
