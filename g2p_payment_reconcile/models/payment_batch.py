from odoo import _, fields, models

LOOKERS = (
    "g2p_programs.g2p_finance_validator",
    "g2p_programs.g2p_program_manager",
    "g2p_registry_base.group_g2p_admin",
)


class PaymentBatch(models.Model):
    _inherit = "g2p.payment.batch"

    last_polled_at = fields.Datetime("Last Checked", compute="_compute_polling")
    next_poll_at = fields.Datetime("Next Check", compute="_compute_polling")
    poll_answer = fields.Char(
        "Last Check", compute="_compute_polling", help="What the last question to the payment system brought."
    )

    def _compute_polling(self):
        for batch in self:
            accepted = batch.submission_ids.filtered(lambda one: one.state == "accepted")[:1]
            batch.last_polled_at = accepted.last_polled_at
            batch.next_poll_at = batch.batch_state == "sent" and accepted.next_poll_at
            batch.poll_answer = accepted.poll_answer

    def action_check_now(self):
        """Asks the payment system now instead of at the next turn."""
        self._check_role(LOOKERS, _("Only finance users and program managers may ask the payment system."))
        accepted = self.submission_ids.filtered(lambda one: one.state == "accepted")
        accepted._queue_pull()
        return self.gateway_id[:1]._notification(
            "success", _("The payment system is being asked. Reload the page in a moment.")
        )

    def _settle(self):
        """After new outcomes: OpenG2P's figures, and Done once each payment has its final result."""
        self.ensure_one()
        self._refresh_statistics()
        if self.batch_state == "sent" and all(self.payment_ids.mapped("status_is_final")):
            self._advance("done", self._result_sentence(), batch_has_completed=True)
            # Finance has no access to cycles, but the cycle's readers are to know.
            self.cycle_id.sudo().message_post(
                body=_("%(batch)s: %(result)s", batch=self.name, result=self._result_sentence())
            )
            # In a transaction of its own, which sees what others write down of this cycle at the same time.
            self.env.ref("g2p_payment_reconcile.cron_mark_distributed").sudo()._trigger()

    def _result_sentence(self):
        return _(
            "%(paid)s payments paid (%(amount)s), %(failed)s failed.",
            paid=self.stats_paid_transactions,
            amount=self.batch_currency_id.format(self.stats_paid_amount),
            failed=self.stats_failed_transactions,
        )
