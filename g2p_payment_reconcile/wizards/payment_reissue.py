from odoo import _, api, fields, models
from odoo.exceptions import UserError

from odoo.addons.g2p_payment_hub.models.roles import MAKERS, check_role

_NAMED = 5


class PaymentReissue(models.TransientModel):
    """The preview of what is about to be paid again: who, how much, why it failed, and what changed since.

    What people confirm is only which payments; whether they may be issued again is looked at once more.
    """

    _name = "g2p.payment.reissue.wizard"
    _description = "Re-issue Failed Payments"

    cycle_id = fields.Many2one("g2p.cycle", required=True, readonly=True)
    currency_id = fields.Many2one(related="cycle_id.program_id.journal_id.currency_id")
    line_ids = fields.One2many("g2p.payment.reissue.line", "wizard_id", "Payments")
    chosen_count = fields.Integer("Payments to Issue Again", compute="_compute_chosen")
    chosen_amount = fields.Monetary("Amount", compute="_compute_chosen")
    left_out_count = fields.Integer("Left Out", compute="_compute_chosen")

    @api.depends("line_ids.chosen", "line_ids.left_out", "line_ids.amount")
    def _compute_chosen(self):
        for wizard in self:
            chosen = wizard.line_ids.filtered("chosen")
            wizard.chosen_count = len(chosen)
            wizard.chosen_amount = sum(chosen.mapped("amount"))
            wizard.left_out_count = len(wizard.line_ids.filtered("left_out"))

    @api.model
    def _open(self, cycle, payments):
        """The action that shows this wizard for payments of one cycle."""
        if not payments:
            raise UserError(_("There is nothing to issue again: no payment has failed."))
        facts = self._facts(cycle, payments)
        lines = [
            {
                "payment_id": payment.id,
                "chosen": not left_out and (payment.same_data_may_work or bool(changed)),
                "left_out": left_out,
                "changed": changed,
                "amount": payment.entitlement_id.initial_amount,
            }
            for payment, (left_out, changed) in facts.items()
        ]
        # Those that can be paid again first.
        lines.sort(key=lambda line: bool(line["left_out"]))
        wizard = self.create(
            {"cycle_id": cycle.id, "line_ids": [fields.Command.create(line) for line in lines]}
        )
        return {
            "type": "ir.actions.act_window",
            "name": _("Re-issue Failed Payments"),
            "res_model": self._name,
            "view_mode": "form",
            "res_id": wizard.id,
            "target": "new",
        }

    @api.model
    def _facts(self, cycle, payments):
        """Payment to (why it is left out or False, what changed since or False); a handful of queries."""
        manager = cycle._hub_manager()
        if not manager:
            raise UserError(
                _(
                    "The program no longer pays through a payment gateway. Give it the payment manager "
                    "Payment Hub again, then issue its payments again."
                )
            )
        left_out = payments._why_not_reissued()
        payees = manager._payee_values(payments.partner_id)
        return {
            payment: (
                left_out.get(payment, False),
                " ".join(payment._changed_since(payees[payment.partner_id.id], manager)) or False,
            )
            for payment in payments
        }

    def action_reissue(self):
        """New payments for the chosen lines, in new batches that need approval like any other."""
        self.ensure_one()
        check_role(self.env, MAKERS, _("Only a program manager may issue payments again."))
        chosen = self.line_ids.filtered("chosen")
        if not chosen:
            raise UserError(_("Choose at least one payment to issue again."))
        facts = self._facts(self.cycle_id, chosen.payment_id)
        moved = chosen.filtered(lambda line: line.left_out or facts[line.payment_id] != (False, line.changed))
        if moved:
            raise UserError(
                _(
                    "%(count)s of the chosen payments have changed since this list was made, for example "
                    "%(names)s. Close it and open it again.",
                    count=len(moved),
                    names=", ".join(moved[:_NAMED].mapped("payment_id.name")),
                )
            )
        return self.cycle_id._hub_manager().prepare_payments(self.cycle_id, chosen.payment_id.entitlement_id)


class PaymentReissueLine(models.TransientModel):
    _name = "g2p.payment.reissue.line"
    _description = "Failed Payment to Issue Again"

    wizard_id = fields.Many2one(
        "g2p.payment.reissue.wizard", required=True, readonly=True, ondelete="cascade"
    )
    payment_id = fields.Many2one("g2p.payment", required=True, readonly=True, ondelete="cascade")
    chosen = fields.Boolean("Issue Again", help="Whether a new payment is made in the place of this one.")
    partner_id = fields.Many2one(related="payment_id.partner_id", string="Beneficiary")
    amount = fields.Monetary(readonly=True, help="What the new payment would pay.")
    currency_id = fields.Many2one(related="wizard_id.currency_id")
    failure_type = fields.Selection(related="payment_id.failure_type")
    failure_reason = fields.Char(related="payment_id.failure_reason")
    failure_advice = fields.Char(related="payment_id.failure_advice")
    same_data_may_work = fields.Boolean(related="payment_id.same_data_may_work")
    changed = fields.Char("Changed Since", readonly=True, help="What the new payment would have different.")
    left_out = fields.Char(readonly=True, help="Why it cannot be issued again now.")
