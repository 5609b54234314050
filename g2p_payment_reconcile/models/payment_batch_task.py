from odoo import _, models

DECIDE = "g2p_payment_reconcile.activity_decide"
CONFIRM = "g2p_payment_reconcile.activity_confirm_decision"


class PaymentBatch(models.Model):
    """Who decides exceptions, and who confirms decisions, is called until nothing waits for them."""

    _inherit = "g2p.payment.batch"

    def _call_for_decisions(self):
        """Calls who sees to it that exceptions are decided, and who can confirm a decision; whether there is
        something left of either."""
        self.ensure_one()
        not_closed = [("batch_id", "=", self.id), ("state", "!=", "closed")]
        exceptions = self.env["g2p.payment.exception"].sudo()
        left = exceptions._read_group(not_closed, ["state", "proposed_by_id"])
        nobody = self.env["res.users"]
        self._keep_called(
            DECIDE,
            self._owners() if left else nobody,
            _("Decide the exceptions of %s", self.name),
            _("Payments of this batch do not fit what was approved. Open Exceptions on the batch."),
        )
        deciders = nobody.union(*(user for state, user in left if state == "proposed"))
        self._keep_called(
            CONFIRM,
            # Who has decided the only ones that wait can confirm none.
            (self._finance_users() - (deciders if len(deciders) == 1 else nobody)) if deciders else nobody,
            _("Confirm decisions about %s", self.name),
            _("Decisions about money wait for a second person. Open Exceptions on the batch."),
        )
        return bool(left)
