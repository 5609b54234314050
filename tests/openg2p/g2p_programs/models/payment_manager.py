from uuid import uuid4

from odoo import Command, _, api, fields, models
from odoo.exceptions import ValidationError

from .jobs import run_in_jobs, unlock
from .notification import notification


class PaymentManager(models.Model):
    _name = "g2p.program.payment.manager"
    _description = "Payment Manager"
    _inherit = "g2p.manager.mixin"

    program_id = fields.Many2one("g2p.program", ondelete="cascade")

    @api.model
    def _selection_manager_ref_id(self):
        return [*super()._selection_manager_ref_id(), ("g2p.program.payment.manager.default", "Default")]


class BasePaymentManager(models.AbstractModel):
    _name = "g2p.base.program.payment.manager"
    _inherit = "base.programs.manager"
    _description = "Base Payment Manager"

    name = fields.Char("Manager Name", required=True)
    program_id = fields.Many2one("g2p.program", required=True)

    def prepare_payments(self, entitlements):
        """Callers pass a cycle, whatever this signature says."""
        raise NotImplementedError()

    def send_payments(self, batches):
        raise NotImplementedError()

    def validate_accounts(self, entitlements):
        raise NotImplementedError()

    def mark_job_as_done(self, cycle, msg):
        self.ensure_one()
        unlock(cycle, msg)


class DefaultFilePaymentManager(models.Model):
    _name = "g2p.program.payment.manager.default"
    _inherit = ["g2p.base.program.payment.manager", "g2p.manager.source.mixin"]
    _description = "Default Payment Manager"

    MAX_PAYMENTS_FOR_SYNC_PREPARE = 200
    MAX_BATCHES_FOR_SYNC_SEND = 50

    currency_id = fields.Many2one("res.currency", related="program_id.journal_id.currency_id", readonly=True)
    create_batch = fields.Boolean("Automatically Create Batch")
    # A model that inherits this one under another name needs a relation table of its own.
    batch_tag_ids = fields.Many2many(
        "g2p.payment.batch.tag", "g2p_pay_batch_tag_pay_manager_def", string="Batch Tags", ondelete="cascade"
    )

    @api.onchange("create_batch")
    def on_change_create_batch(self):
        if not self.create_batch:
            self.batch_tag_ids = [Command.clear()]
            return
        Tag = self.env["g2p.payment.batch.tag"].sudo()
        vals = {"name": f"Default {self.program_id.name}", "order": 1, "max_batch_size": 500}
        tag = Tag.search([(field, "=", value) for field, value in vals.items()], limit=1)
        self.batch_tag_ids = [Command.link((tag or Tag.create({**vals, "domain": "[]"})).id)]

    @api.constrains("batch_tag_ids")
    def constrains_batch_tag_ids(self):
        for manager in self.filtered("create_batch"):
            if not manager.batch_tag_ids:
                raise ValidationError(_("Batch Tags list cannot be empty."))
            if manager.batch_tag_ids.sorted("order")[-1].domain != "[]":
                raise ValidationError(_("Last tag in the Batch Tags list must contain empty domain."))

    def prepare_payments(self, cycle, entitlements=None):
        entitlements = (entitlements or cycle.entitlement_ids).filtered(lambda e: e.state == "approved")
        if not entitlements:
            return notification(_("Payment"), _("All entitlements selected are not approved!"), "danger")
        if len(entitlements) >= self.MAX_PAYMENTS_FOR_SYNC_PREPARE:
            self._prepare_payments_async(cycle, entitlements, len(entitlements))
            return notification(_("Payment"), _("Preparing Payments Asynchronously."), "success", sticky=True)
        payments, _batches = self._prepare_payments(cycle, entitlements)
        if not payments:
            return notification(_("Payment"), _("There are no new payments issued!"), "danger")
        message = _("Payment batch successfully created for %s beneficiaries.", len(payments))
        return notification(_("Payment"), message, "success")

    def _prepare_payments(self, cycle, entitlements):
        """An entitlement is paid again only when all its payments failed. Nothing is locked.

        Without a tag there is no payment at all; what no tag matches is left out silently.
        """
        if not entitlements:
            return None, None
        entitlements = entitlements.filtered(
            lambda e: e.state == "approved" and all(payment.status == "failed" for payment in e.payment_ids)
        )
        payments = self.env["g2p.payment"]
        batches = self.env["g2p.payment.batch"]
        for tag in self.batch_tag_ids:
            matching = entitlements & entitlements.search(self._safe_eval(tag.domain))
            entitlements -= matching
            batch = None
            for index, entitlement in enumerate(matching):
                payment = payments.create(
                    {
                        "name": str(uuid4()),
                        "entitlement_id": entitlement.id,
                        "cycle_id": entitlement.cycle_id.id,
                        "amount_issued": entitlement.initial_amount,
                        "payment_fee": entitlement.transfer_fee,
                        "account_number": entitlement.partner_id.bank_ids[:1].acc_number,
                    }
                )
                payments += payment
                if not self.create_batch:
                    continue
                if index % tag.max_batch_size == 0:
                    batch = self._create_batch(cycle, tag)
                    batches += batch
                batch.payment_ids = [Command.link(payment.id)]
                payment.batch_id = batch
        return payments or None, batches or None

    def _create_batch(self, cycle, tag):
        return self.env["g2p.payment.batch"].create(
            {
                "name": str(uuid4()),
                "cycle_id": cycle.id,
                "stats_datetime": fields.Datetime.now(),
                "tag_id": tag.id,
            }
        )

    def _prepare_payments_async(self, cycle, entitlements, entitlements_count):
        run_in_jobs(
            cycle,
            _("Prepare payments started for %s entitlements.", entitlements_count),
            [self.delayable()._prepare_payments(cycle, entitlements)],
            self.delayable().mark_job_as_done(cycle, _("Prepared payments.")),
        )

    def send_payments(self, batches):
        if len(batches) < self.MAX_BATCHES_FOR_SYNC_SEND:
            return self._send_payments(batches)
        for of_cycle in self._group_batches_by_cycle(batches)[1]:
            self._send_payments_async(of_cycle[0].cycle_id, of_cycle)
        return notification(_("Payment"), _("Sending Payments Asynchronously"), "success", sticky=True)

    def _send_payments(self, batches):
        """Sends nothing: the default manager only says so when there is no batch."""
        if not batches:
            return notification(_("Payment"), _("No payment batches to process."), "warning", sticky=True)

    def _send_payments_async(self, cycle, batches):
        run_in_jobs(
            cycle,
            _("Send payments started for %s batches.", len(batches)),
            [self.delayable()._send_payments(batches)],
            self.delayable().mark_job_as_done(cycle, _("Send payments completed.")),
        )

    @api.model
    def _group_batches_by_cycle(self, batches):
        cycles = set(batches.cycle_id)
        return cycles, [batches.filtered(lambda b, c=cycle: b.cycle_id == c) for cycle in cycles]

    def _get_account_number(self, entitlement):
        """Raises AttributeError: no partner has this method, in OpenG2P neither."""
        return entitlement.partner_id.get_payment_token(entitlement.program_id)
