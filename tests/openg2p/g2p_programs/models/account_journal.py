from odoo import fields, models


class AccountJournal(models.Model):
    _inherit = "account.journal"

    beneficiary_disb = fields.Boolean("Beneficiary Funds")
