import hashlib
import hmac
from datetime import timedelta

from odoo import api, fields, models

_VALID_FOR = timedelta(days=30)
# However often it is called, a submission is not asked for more often than this.
_AT_MOST_EVERY = timedelta(seconds=10)
_KEY_LENGTH = 36


class PaymentSubmission(models.Model):
    """The address by which a payment system says that there is news of one submission."""

    _inherit = "g2p.payment.submission"

    def _callback_url(self):
        base = self.gateway_id.callback_base_url
        if not base:
            return super()._callback_url()
        return f"{base.rstrip('/')}/g2p_payment/news/{self.key}/{self._callback_token(self.key)}"

    @api.model
    def _callback_token(self, key):
        """Known only to the payment system and to whoever holds the database's secret: it is kept nowhere."""
        secret = self.env["ir.config_parameter"].sudo().get_param("database.secret")
        return hmac.new(secret.encode(), f"payment callback {key}".encode(), hashlib.sha256).hexdigest()

    @api.model
    def _is_callback_token(self, key, token):
        return hmac.compare_digest(token.encode(), self._callback_token(key).encode())

    @api.model
    def _hear_of_news(self, key, token):
        """Makes the next question due now. Nothing else ever happens here."""
        if len(key) > _KEY_LENGTH or not self._is_callback_token(key, token):
            return
        now = fields.Datetime.now()
        # Whoever is busy with the row is asking already.
        self.env.cr.execute(
            """
            SELECT id FROM g2p_payment_submission
             WHERE key = %s AND state = 'accepted' AND started_at > %s AND next_poll_at > %s
               AND (last_polled_at IS NULL OR last_polled_at < %s)
               FOR UPDATE SKIP LOCKED
            """,
            [key, now - _VALID_FOR, now, now - _AT_MOST_EVERY],
        )
        submission = self.browse(row[0] for row in self.env.cr.fetchall())
        submission._have_news()

    def _have_news(self):
        result = super()._have_news()
        if self:
            self.sudo().next_poll_at = fields.Datetime.now()
            self.env.ref("g2p_payment_reconcile.cron_pull_outcomes").sudo()._trigger()
        return result
