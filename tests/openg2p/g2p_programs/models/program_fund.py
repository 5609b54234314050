from odoo import _, api, fields, models
from odoo.exceptions import UserError

from .notification import notification


class ProgramFundManagement(models.Model):
    _name = "g2p.program.fund"
    _description = "Program Fund Entries"
    _inherit = ["mail.thread"]
    _order = "id desc"

    name = fields.Char("Reference Number", required=True, default="Draft")
    company_id = fields.Many2one("res.company", default=lambda self: self.env.company)
    program_id = fields.Many2one("g2p.program", required=True)
    journal_id = fields.Many2one(
        "account.journal", "Disbursement Journal", related="program_id.journal_id", store=True
    )
    account_move_id = fields.Many2one("account.move", "Journal Entry")
    amount = fields.Monetary(required=True, currency_field="currency_id")
    currency_id = fields.Many2one("res.currency", related="program_id.journal_id.currency_id", store=True)
    remarks = fields.Text()
    date_posted = fields.Date(required=True, default=fields.Date.today)
    state = fields.Selection(
        [("draft", "Draft"), ("posted", "Posted"), ("cancelled", "Cancelled")],
        "Status",
        readonly=True,
        default="draft",
    )

    @api.ondelete(at_uninstall=False)
    def _unlink_fund(self):
        if any(fund.state == "posted" for fund in self):
            raise UserError(_("A posted fund cannot be deleted."))

    def _move(self, before, vals):
        for fund in self:
            if fund.state != before:
                return notification(_("Program Fund"), _("This fund is not %s.", before), "danger")
            fund.write(vals)

    def post_fund(self):
        for fund in self.filtered(lambda fund: fund.state == "draft" and fund.name == "Draft"):
            fund.name = self.env["ir.sequence"].next_by_code("program.fund.ref.num") or "NONE"
        return self._move("draft", {"state": "posted", "date_posted": fields.Date.today()})

    def cancel_fund(self):
        return self._move("draft", {"state": "cancelled"})

    def reset_draft(self):
        return self._move("cancelled", {"state": "draft"})
