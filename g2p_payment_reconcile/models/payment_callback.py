import hashlib
import hmac
import secrets
from datetime import timedelta

from odoo import api, fields, models

from .payment_gateway import CALLBACK_KEY

_VALID_FOR = timedelta(days=30)
# However often it is called, a submission is not asked for more often than this.
_AT_MOST_EVERY = timedelta(seconds=10)
_KEY_LENGTH = 36


class PaymentSubmission(models.Model):
    """The address by which a payment system says that there is news of one submission.

    Its token is derived from the submission's key and a random key of the gateway, which lies where nobody
    can read it, and is kept nowhere. Odoo's own `database.secret` would not do: OpenG2P lets everybody read
    it. A random token whose hash is kept has to be kept itself until the file has left, and a restored backup
    knows nothing of it; this one is the same for the same attempt, ends with a new key of the gateway, and is
    gone in a neutralized copy of the database.
    """

    _inherit = "g2p.payment.submission"

    def _callback_url(self):
        base, token = self.gateway_id.callback_base_url, self._callback_token()
        if not base or not token:
            return super()._callback_url()
        return f"{base.rstrip('/')}/g2p_payment/news/{self.key}/{token}"

    def _callback_token(self):
        """Known only to the payment system; False without a key of the gateway."""
        key = self.gateway_id._secrets().get(CALLBACK_KEY)
        return bool(key) and _token(key, self.key)

    @api.model
    def _hear_of_news(self, key, token, headers, body, path):
        """Makes the next question due now. Nothing else ever happens here."""
        submission = self.search([("key", "=", key)]) if len(key) <= _KEY_LENGTH else self
        # Whether there is such a submission is not to be told by the time that it takes.
        expected = submission._callback_token() if submission else False
        good = hmac.compare_digest(token.encode(), (expected or _token(_NO_KEY, key)).encode())
        if not (good and expected and submission.gateway_id._check_callback(headers, body, path)):
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


_NO_KEY = secrets.token_hex(32)


def _token(key, submission_key):
    return hmac.new(key.encode(), f"payment callback {submission_key}".encode(), hashlib.sha256).hexdigest()
