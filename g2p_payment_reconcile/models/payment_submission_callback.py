import re
from datetime import timedelta

from odoo import api, fields, models

_VALID_FOR = timedelta(days=30)
# However often it is called, a submission is not asked for more often than this.
_AT_MOST_EVERY = timedelta(seconds=10)
_KEY = re.compile(r"[0-9a-f-]{36}")


class PaymentSubmission(models.Model):
    """The address by which a payment system says that there is news of one submission."""

    _inherit = "g2p.payment.submission"

    def _callback_url(self):
        return self.gateway_id._callback_address(f"news/{self.key}", self.key) or super()._callback_url()

    @api.model
    def _hear_of_news(self, key, token, call):
        """Makes the next question due now. Nothing else ever happens here."""
        submission = self.search([("key", "=", key)]) if _KEY.fullmatch(key) else self
        if not submission.gateway_id._believes(key, token, call):
            return
        now = fields.Datetime.now()
        # Whoever is busy with the row is asking already.
        self.env.cr.execute(
            """
            SELECT id FROM g2p_payment_submission
             WHERE id = %s AND state = 'accepted' AND started_at > %s AND next_poll_at > %s
               AND (last_polled_at IS NULL OR last_polled_at < %s)
               FOR UPDATE SKIP LOCKED
            """,
            [submission.id, now - _VALID_FOR, now, now - _AT_MOST_EVERY],
        )
        self.browse(row[0] for row in self.env.cr.fetchall())._have_news()

    def _have_news(self):
        result = super()._have_news()
        if self:
            self.sudo().next_poll_at = fields.Datetime.now()
            self.env.ref("g2p_payment_reconcile.cron_pull_outcomes").sudo()._trigger()
        return result
