import logging
import re
from datetime import timedelta

from odoo import fields, models

from odoo.addons.g2p_payment_hub.models.columns import tell_written

from ..client import jws, keys
from .payment_gateway import MOJALOOP

_logger = logging.getLogger(__name__)

_ABOUT = re.compile(r"/transfers/([0-9a-f-]{36})(?:/error)?")
# However often we are called, the scheme is not asked for a transfer more often than this.
_AT_MOST_EVERY = timedelta(seconds=10)


class PaymentGateway(models.Model):
    """What the scheme's institutions send to the connector, heard here as well: who signed it (FSPIOP 1.1,
    "Signature"), and which transfer is asked for sooner because of it. Nothing in it is believed."""

    _inherit = "g2p.payment.gateway"

    mojaloop_signed_callbacks = fields.Boolean(
        "Signed Callbacks",
        default=True,
        tracking=True,
        help="Whether a call that says that there is news has to be signed by an institution whose key was "
        "fetched (FSPIOP-Signature). Switch it off only where the scheme's institutions do not sign: then "
        "the token in the address is all that protects it. A call that comes with a signature is checked "
        "either way.",
    )

    def _check_callback(self, call):
        if self.provider == MOJALOOP and not self._mojaloop_is_genuine(call):
            return False
        return super()._check_callback(call)

    def _mojaloop_is_genuine(self, call):
        if call.headers.get(jws.SIGNATURE) is None:
            return not self.mojaloop_signed_callbacks
        try:
            signed = self._mojaloop_signed(call)
        except jws.Forged as why:
            _logger.info("a callback of gateway %s is not believed: %s", self.id, why)
            return False
        return self.env["g2p.payment.callback.seen"].sudo()._take(self, signed.content, signed.at.timestamp())

    def _mojaloop_signed(self, call):
        """What its sender signed for us. Forged when it was another, for another, or at no time."""
        signed = jws.verify(call.method, call.path, call.headers, call.body, self._mojaloop_key_of(call))
        if call.headers.get(jws.DESTINATION) != self.mojaloop_dfsp_id:
            raise jws.Forged(f"{jws.DESTINATION} is somebody else")
        if not signed.at:
            raise jws.Forged(f"{jws.DATE} is not signed")
        return signed

    def _mojaloop_key_of(self, call):
        sender = [("gateway_id", "=", self.id), ("fsp", "=", call.headers.get(jws.SOURCE))]
        pem = self.env["g2p.mojaloop.peer.key"].sudo().search(sender).public_key
        if not pem:
            raise jws.Forged("no key of its sender was fetched")
        return keys.load_public_key(pem)

    def _hear_news(self, call):
        about = _ABOUT.search(call.path)
        if self.provider == MOJALOOP and about and about.end() == len(call.path):
            self._mojaloop_ask_soon(about[1])
        return super()._hear_news(call)

    def _mojaloop_ask_soon(self, transfer_id):
        """The scheme is asked for a transfer of unknown outcome; of any other, whoever works on it hears."""
        now = fields.Datetime.now()
        self.env["g2p.mojaloop.transfer"].flush_model()
        # Whoever is busy with the row is asking already.
        self.env.cr.execute(
            """
            UPDATE g2p_mojaloop_transfer SET next_at = %s
             WHERE id = (
                SELECT id FROM g2p_mojaloop_transfer
                 WHERE transfer_id = %s AND gateway_id = %s AND state = 'unknown' AND next_at > %s
                   AND write_date < %s AND (lease_until IS NULL OR lease_until < %s)
                   FOR UPDATE SKIP LOCKED
             )
            RETURNING id
            """,
            [now, transfer_id, self.id, now, now - _AT_MOST_EVERY, now],
        )
        sooner = self.env["g2p.mojaloop.transfer"].browse(row for (row,) in self.env.cr.fetchall())
        if sooner:
            tell_written(sooner, ["next_at"])
            self.env.ref("g2p_mojaloop_connector.cron_carry_on").sudo()._trigger()
