import hashlib
import time
from datetime import timedelta

from odoo import api, fields, models

# A signed call whose time stamp is further away than this is not believed.
SIGNATURE_WINDOW = timedelta(minutes=5)


class PaymentCallbackSeen(models.Model):
    """Signed calls that have been taken, so that none is taken twice. Nobody has rights here."""

    _name = "g2p.payment.callback.seen"
    _description = "Payment Callback"

    gateway_id = fields.Many2one("g2p.payment.gateway", required=True, ondelete="cascade")
    digest = fields.Char(required=True, help="SHA-256 of what was signed.")
    seen_at = fields.Datetime(required=True, index=True)

    _sql_constraints = [("once", "unique(gateway_id, digest)", "This call has been taken already.")]

    @api.model
    def _take(self, gateway, signed, signed_at):
        """Whether a call is of these minutes and none like it was taken before; of two at once one is.

        `signed`: the bytes that its signature is good for, the time stamp among them; one content may have
        many good signatures. `signed_at`: that time stamp, in seconds since 1970."""
        if abs(time.time() - signed_at) > SIGNATURE_WINDOW.total_seconds():
            return False
        self.env.cr.execute(
            """
            INSERT INTO g2p_payment_callback_seen (gateway_id, digest, seen_at) VALUES (%s, %s, %s)
                ON CONFLICT DO NOTHING
            """,
            [gateway.id, hashlib.sha256(signed).hexdigest(), fields.Datetime.now()],
        )
        return bool(self.env.cr.rowcount)

    @api.autovacuum
    def _forget(self):
        """By then their time stamp is too old for them to be taken again."""
        self.env.cr.execute(
            "DELETE FROM g2p_payment_callback_seen WHERE seen_at < %s",
            [fields.Datetime.now() - 3 * SIGNATURE_WINDOW],
        )
