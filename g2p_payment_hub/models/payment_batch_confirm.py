import hashlib

from odoo import _, api, fields, models
from odoo.exceptions import UserError

from .roles import APPROVERS, check_role


class PaymentBatch(models.Model):
    """Where the payment system's word does not say that money moved, a person says so."""

    _inherit = "g2p.payment.batch"

    closed_loop_confirmed_by_id = fields.Many2one(
        "res.users",
        "Money Confirmed by",
        readonly=True,
        copy=False,
        help="Who said that the money moved, where the payment system's word is not enough.",
    )
    needs_confirmation = fields.Boolean(compute="_compute_needs_confirmation")
    confirmation_summary = fields.Char(
        compute="_compute_confirmation_summary", help="How many payments over how much would be confirmed."
    )

    @api.depends("batch_state", "closed_loop_confirmed_by_id", "gateway_id", "approved_settings")
    def _compute_needs_confirmation(self):
        for batch in self:
            batch.needs_confirmation = (
                batch.batch_state == "sent"
                and not batch.closed_loop_confirmed_by_id
                and batch.gateway_id._confirms_payments(batch)
            )

    @api.depends("needs_confirmation", "payment_ids.status", "payment_ids.amount_issued")
    def _compute_confirmation_summary(self):
        for batch in self:
            batch.confirmation_summary = batch.needs_confirmation and batch._confirmation_sentence()

    def _to_confirm(self):
        """Return the number and the sum of the payments without a result."""
        waiting = [("batch_id", "=", self.id), ("status_is_final", "=", False)]
        ((count, amount),) = (
            self.env["g2p.payment"].sudo()._read_group(waiting, [], ["__count", "amount_issued:sum"])
        )
        return count, amount or 0

    def _confirmation_sentence(self):
        count, amount = self._to_confirm()
        return _(
            "To confirm: the money of %(count)s payments over %(amount)s moved. Each of them is then paid as "
            "soon as the payment system calls it completed.",
            count=count,
            amount=self.batch_currency_id.format(amount),
        )

    def _check_statement(self):
        """Raise UserError if the sum is above the approved limit and no statement was attached."""
        limit, (_count, amount) = self.gateway_id.sudo()._confirm_limit(self), self._to_confirm()
        if self.batch_currency_id.compare_amounts(amount, limit) > 0 and not self._has_statement():
            raise UserError(
                _(
                    "%(amount)s cannot be confirmed without a statement; the limit is %(limit)s. Attach the "
                    "bank's statement to this batch, or have it applied as evidence.",
                    amount=self.batch_currency_id.format(amount),
                    limit=self.batch_currency_id.format(limit),
                )
            )

    def _has_statement(self):
        """Hook: return True if there is a statement about this batch."""
        return bool(self._attached_statements())

    def _attached_statements(self):
        """Return the files that people attached since the approval: nothing had moved before."""
        return (
            self.env["ir.attachment"]
            .sudo()
            .search(
                [
                    ("res_model", "=", self._name),
                    ("res_id", "=", self.id),
                    ("res_field", "=", False),
                    ("type", "=", "binary"),
                    ("file_size", ">", 0),
                    ("create_date", ">=", self.approved_at),
                ],
                order="id",
            )
        )

    def action_confirm_money(self):
        """A finance user other than the approver says that the money of this batch moved."""
        self.ensure_one()
        check_role(self.env, APPROVERS, _("Only a finance validator may confirm that the money moved."))
        self.env.user._check_somebody()
        self._lock()
        if not self.needs_confirmation:
            raise UserError(_("This batch needs no confirmation."))
        if self.env.user in self.maker_ids + self.approved_by_id:
            raise UserError(_("You prepared or approved this batch, so another finance user must confirm."))
        self._check_statement()
        count, amount = self._to_confirm()
        self.sudo().closed_loop_confirmed_by_id = self.env.uid
        why = _(
            "Confirmed that the money of %(count)s payments over %(amount)s moved.",
            count=count,
            amount=self.batch_currency_id.format(amount),
        )
        self._message_log(body=why)
        state, digest = self.batch_state, self._statement_digest()
        self._record([{"from_state": state, "to_state": state, "why": why, "digest": digest}])

    def _statement_digest(self):
        """Return SHA-256 over the attached statements, so that the audit trail names what was seen."""
        whole = hashlib.sha256()
        files = self._attached_statements()
        for attachment in files:
            whole.update(attachment.raw or b"")
        return whole.hexdigest() if files else False
