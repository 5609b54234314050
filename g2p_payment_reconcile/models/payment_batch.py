from odoo import _, api, fields, models
from odoo.exceptions import UserError

from odoo.addons.g2p_payment_hub.models.payment_batch_guard import GUARDED
from odoo.addons.g2p_payment_hub.models.roles import LOOKERS, check_role

# Nobody writes these on a batch either.
GUARDED.update({"exception_ids", "reconciliation_ids"})


class PaymentBatch(models.Model):
    """How far the results of a batch have come, and its end when nothing is left to ask or to decide."""

    _inherit = "g2p.payment.batch"

    last_polled_at = fields.Datetime("Last Checked", compute="_compute_polling")
    next_poll_at = fields.Datetime("Next Check", compute="_compute_polling")
    poll_queued_at = fields.Datetime(
        "Queued", compute="_compute_polling", help="Since when a check waits for a worker, or is being made."
    )
    poll_answer = fields.Char(
        "Last Check", compute="_compute_polling", help="What the last question to the payment system brought."
    )
    result_deadline = fields.Datetime("Deadline", compute="_compute_polling")
    exception_ids = fields.One2many("g2p.payment.exception", "batch_id", "Exceptions", readonly=True)
    reconciliation_ids = fields.One2many(
        "g2p.payment.reconciliation", "batch_id", "Reconciliations", readonly=True
    )
    open_exception_count = fields.Integer("Exceptions to Decide", compute="_compute_open_exception_count")
    reconciliation_count = fields.Integer(
        "Number of Reconciliations", compute="_compute_open_exception_count"
    )

    def _compute_polling(self):
        for batch in self:
            accepted = batch._accepted_submission()
            batch.last_polled_at = accepted.last_polled_at
            batch.next_poll_at = batch.batch_state in ("sent", "done") and accepted.next_poll_at
            batch.poll_queued_at = accepted and accepted._queued_at()
            batch.poll_answer = accepted.poll_answer
            batch.result_deadline = batch.batch_state == "sent" and accepted.result_deadline

    @api.depends("exception_ids.state", "reconciliation_ids")
    def _compute_open_exception_count(self):
        """Everybody who sees the batch sees how many there are."""
        not_closed = [("batch_id", "in", self.ids), ("state", "!=", "closed")]
        exceptions = (
            self.env["g2p.payment.exception"].sudo()._read_group(not_closed, ["batch_id"], ["__count"])
        )
        runs = (
            self.env["g2p.payment.reconciliation"]
            .sudo()
            ._read_group([("batch_id", "in", self.ids)], ["batch_id"], ["__count"])
        )
        exceptions = {batch.id: count for batch, count in exceptions}
        runs = {batch.id: count for batch, count in runs}
        for batch in self:
            batch.open_exception_count = exceptions.get(batch.id, 0)
            batch.reconciliation_count = runs.get(batch.id, 0)

    def action_check_now(self):
        """Asks the payment system now instead of at the next turn."""
        check_role(
            self.env, LOOKERS, _("Only finance users and program managers may ask the payment system.")
        )
        asked = self.filtered(lambda batch: batch.batch_state in ("sent", "done"))
        asked._accepted_submission()._queue_questions()
        return self.gateway_id[:1]._notification(
            "success" if asked else "warning", self._asked_sentence(asked)
        )

    def _asked_sentence(self, asked):
        """Say of how many batches the payment system is asked, and why of the others it is not."""
        sentences = []
        if len(asked) == 1:
            sentences.append(_("The payment system is being asked. Reload the page in a moment."))
        elif asked:
            sentences.append(
                _("The payment system is being asked about %s batches. Reload the page later.", len(asked))
            )
        labels = dict(self._fields["batch_state"]._description_selection(self.env))
        others = (self - asked).grouped("batch_state")
        if others:
            sentences.append(
                _(
                    "Nothing is asked about what the payment system has not accepted: %s.",
                    ", ".join([f"{labels.get(state, '')} {len(same)}" for state, same in others.items()]),
                )
            )
        return " ".join(sentences)

    def action_open_exceptions(self):
        self.ensure_one()
        return self.env["g2p.payment.exception"]._list_of(self, [("batch_id", "=", self.id)])

    def action_open_reconciliations(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": _("Reconciliations of %s", self.name),
            "res_model": "g2p.payment.reconciliation",
            "view_mode": "tree,form,pivot,graph",
            "domain": [("batch_id", "=", self.id)],
        }

    def _has_statement(self):
        applied = [("batch_id", "=", self.id), ("evidence_id.state", "=", "applied")]
        lines = self.env["g2p.payment.evidence.line"].sudo()
        return super()._has_statement() or bool(lines.search_count(applied, limit=1))

    @api.model
    def _check_nothing_to_reconcile(self):
        """Raise UserError while the tables of this add-on hold what somebody waits for."""
        self = self.sudo().with_context(active_test=False)
        waiting = [
            *self.search([("batch_state", "in", ("sending", "unknown", "sent"))]).mapped("name"),
            *self.env["g2p.payment.exception"].search([("state", "!=", "closed")]).mapped("summary"),
            *self.env["g2p.payment.evidence"]
            .search([("state", "in", ("draft", "matched", "applying"))])
            .mapped("name"),
        ]
        if waiting:
            raise UserError(
                _(
                    "This add-on cannot be uninstalled yet: batches wait for their results, exceptions have "
                    "to be decided, or files to be applied or discarded. Finish these first: %s",
                    ", ".join(waiting[:5]) + (", …" if len(waiting) > 5 else ""),
                )
            )

    def _settle(self):
        """After new outcomes and decisions: OpenG2P's figures, Done once each payment has its final result
        and nothing is left to decide, Sent again when something came up after that."""
        self.ensure_one()
        self._refresh_statistics()
        to_decide = self._call_for_decisions()
        not_final = [("batch_id", "=", self.id), ("status_is_final", "=", False)]
        over = not to_decide and not self.env["g2p.payment"].sudo().search_count(not_final, limit=1)
        if self.batch_state == "sent" and over:
            self._advance("done", self._result_sentence(), batch_has_completed=True)
            self._ask_at_next_turn()
            # Finance has no access to cycles, but the cycle's readers are to know.
            self.cycle_id.sudo().message_post(
                body=_("%(batch)s: %(result)s", batch=self.name, result=self._result_sentence())
            )
            # In a transaction of its own, which sees what others write down of this cycle at the same time.
            self.env.ref("g2p_payment_reconcile.cron_mark_distributed").sudo()._trigger()
        elif self.batch_state == "done" and not over:
            why = _("Open again: something came up that a person has to decide.")
            self._advance("sent", why, batch_has_completed=False)
            self._ask_at_next_turn()

    def _settle_later(self):
        """For batches that are not locked: a job for each, which waits until nobody is at work on it."""
        for batch in self:
            batch.with_delay(
                identity_key=f"g2p_payment_reconcile.settle.{batch.id}",
                description=_("Bring %s up to date", batch.name),
            )._settle_in_job()

    def _settle_in_job(self):
        self._lock_in_job()
        self._settle()
        return self.name

    def _ask_at_next_turn(self):
        """A batch that is done is asked for less often."""
        for submission in self.sudo()._accepted_submission():
            submission.next_poll_at = submission._next_turn()

    def _result_sentence(self):
        return _(
            "%(paid)s payments paid (%(amount)s), %(failed)s failed.",
            paid=self.stats_paid_transactions,
            amount=self.batch_currency_id.format(self.stats_paid_amount),
            failed=self.stats_failed_transactions,
        )
