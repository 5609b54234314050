import hashlib

from odoo import api, fields, models

from .payment_gateway import SIGNATURE_WINDOW


class PaymentCallbackSeen(models.Model):
    """Signed calls that have been taken, so that none is taken twice. Nobody has rights here."""

    _name = "g2p.payment.callback.seen"
    _description = "Payment Callback"

    gateway_id = fields.Many2one("g2p.payment.gateway", required=True, ondelete="cascade")
    digest = fields.Char(required=True, help="SHA-256 of the signature.")
    seen_at = fields.Datetime(required=True, index=True)

    _sql_constraints = [("once", "unique(gateway_id, digest)", "This call has been taken already.")]

    @api.model
    def _is_first(self, gateway, signature):
        """Notes a call, and whether it is the first with this signature; of two at once one is."""
        self.env.cr.execute(
            """
            INSERT INTO g2p_payment_callback_seen (gateway_id, digest, seen_at) VALUES (%s, %s, %s)
                ON CONFLICT DO NOTHING
            """,
            [gateway.id, hashlib.sha256(signature.encode()).hexdigest(), fields.Datetime.now()],
        )
        return bool(self.env.cr.rowcount)

    @api.autovacuum
    def _forget(self):
        """By then their time stamp is too old for them to be taken again."""
        self.env.cr.execute(
            "DELETE FROM g2p_payment_callback_seen WHERE seen_at < %s",
            [fields.Datetime.now() - 3 * SIGNATURE_WINDOW],
        )
