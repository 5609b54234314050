from uuid import uuid4

from odoo import _, api, fields, models
from odoo.exceptions import ValidationError


class G2PPayment(models.Model):
    _name = "g2p.payment"
    _description = "Payment"
    _order = "id desc"

    # Drawn once, when the module is imported: every record without a name of its own shares it.
    name = fields.Char("Internal Reference #", default=str(uuid4()), readonly=True, copy=False)
    entitlement_id = fields.Many2one("g2p.entitlement", required=True)
    cycle_id = fields.Many2one("g2p.cycle", readonly=True)
    program_id = fields.Many2one("g2p.program", related="cycle_id.program_id")
    partner_id = fields.Many2one("res.partner", "Beneficiary", related="entitlement_id.partner_id")
    batch_id = fields.Many2one("g2p.payment.batch", "Payment Batch")
    state = fields.Selection(
        [("issued", "Issued"), ("sent", "Sent"), ("reconciled", "Reconciled")],
        "Status",
        required=True,
        default="issued",
    )
    status = fields.Selection([("paid", "Paid"), ("failed", "Failed")], "Payment Status")
    status_is_final = fields.Boolean("Is final payment status", default=False)
    status_datetime = fields.Datetime()
    account_number = fields.Char()
    amount_issued = fields.Monetary(required=True, currency_field="currency_id")
    amount_paid = fields.Monetary(currency_field="currency_id")
    payment_fee = fields.Monetary(currency_field="currency_id")
    issuance_date = fields.Datetime(default=fields.Datetime.now)
    payment_datetime = fields.Datetime()
    currency_id = fields.Many2one("res.currency", related="journal_id.currency_id")
    journal_id = fields.Many2one(
        "account.journal", "Program Journal", compute="_compute_journal_id", store=True
    )
    company_id = fields.Many2one("res.company", default=lambda self: self.env.company)

    @api.depends("entitlement_id.cycle_id.program_id.journal_id")
    def _compute_journal_id(self):
        for payment in self:
            payment.journal_id = payment.entitlement_id.cycle_id.program_id.journal_id

    def check_account_status(self):
        """Does nothing, as in OpenG2P."""

    def send_payment(self):
        """Does nothing, as in OpenG2P."""

    def unlink(self):
        if any(payment.state != "issued" for payment in self):
            raise ValidationError(_("Only issued payments can be deleted."))
        return super().unlink()


class G2PPaymentBatch(models.Model):
    _name = "g2p.payment.batch"
    _description = "Payment Batch"
    _order = "id desc"

    name = fields.Char("Internal Batch Reference #", default=str(uuid4()), readonly=True, copy=False)
    cycle_id = fields.Many2one("g2p.cycle", readonly=True)
    program_id = fields.Many2one("g2p.program", "Program", related="cycle_id.program_id")
    external_batch_ref = fields.Char("External Batch Reference #")
    batch_has_started = fields.Boolean()
    batch_has_completed = fields.Boolean()
    # Not the inverse of payment.batch_id: whoever writes one has to write the other.
    payment_ids = fields.Many2many("g2p.payment", string="Payments")
    stats_issued_transactions = fields.Integer("Issued Transaction Statistics", readonly=True)
    stats_issued_amount = fields.Float("Issued Amount Statistics", readonly=True)
    stats_sent_transactions = fields.Integer("Sent Transactions Statistics", readonly=True)
    stats_sent_amount = fields.Float("Sent Amount Statistics", readonly=True)
    stats_paid_transactions = fields.Integer("Paid Transactions Statistics", readonly=True)
    stats_paid_amount = fields.Float("Paid Amount Statistics", readonly=True)
    stats_failed_transactions = fields.Integer("Failed Transactions Statistics", readonly=True)
    stats_failed_amount = fields.Float("Failed Amount Statistics", readonly=True)
    stats_datetime = fields.Datetime("Statistics Date/Time")
    tag_id = fields.Many2one("g2p.payment.batch.tag")

    def send_payment(self):
        return self.program_id.get_manager(self.program_id.MANAGER_PAYMENT).send_payments(self)

    def unlink(self):
        if any(batch.batch_has_started for batch in self):
            raise ValidationError(_("A batch that has started cannot be deleted."))
        self.payment_ids.unlink()
        return super().unlink()


class G2PPaymentBatchTag(models.Model):
    _name = "g2p.payment.batch.tag"
    _description = "Payment Batch Tag"
    _order = "order asc"

    name = fields.Char()
    order = fields.Integer()
    domain = fields.Text(default="[]")
    max_batch_size = fields.Integer(default=500)
