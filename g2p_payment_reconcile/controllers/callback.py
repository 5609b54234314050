import collections
import logging
import time

from psycopg2 import OperationalError

from odoo import http

from odoo.addons.g2p_payment_hub.client.calls import Call

from .body import CallbackDispatcher, Unread, read_body

_logger = logging.getLogger(__name__)

# Calls that one process looks at in so many seconds. What is passed over is learnt by asking all the same.
CALLS, SECONDS = 100, 10
_OF_BATCH = "/g2p_payment/news/<string:key>/<string:token>"
_OF_GATEWAY = "/g2p_payment/gateway_news/<int:gateway_id>/<string:token>"
_ANYBODY = {
    "type": CallbackDispatcher.routing_type,
    "auth": "public",
    "methods": ["POST", "PUT"],
    "csrf": False,  # no session, no form, nothing believed
    "save_session": False,
}


class PaymentCallback(http.Controller):
    """Where a payment system may say that there is news of a submission, or of a gateway.

    Payment Hub EE can neither sign nor authenticate, calls late, early, twice or never, and says only a
    percentage. So nothing that is sent is believed: an address that only the payment system knows makes the
    next question due. Where the sender can sign, the gateway also checks that (`_check_callback`).
    """

    _recent = collections.deque()

    @http.route([_OF_BATCH, _OF_BATCH + "/<path:rest>"], **_ANYBODY)
    def news(self, key, token, **_parameters):
        return self._hear("g2p.payment.submission", key, token)

    @http.route([_OF_GATEWAY, _OF_GATEWAY + "/<path:rest>"], **_ANYBODY)
    def gateway_news(self, gateway_id, token, **_parameters):
        return self._hear("g2p.payment.gateway", gateway_id, token)

    def _hear(self, model, name, token):
        request = http.request.httprequest
        try:
            if self._has_time():
                call = Call(request.method, request.path, request.headers, read_body(http.request))
                self._take(http.request.env[model].sudo(), name, token, call)
        except Unread as why:
            _logger.info("a callback was passed over: %s", why)
        # The same short answer for good and bad: whoever guesses learns nothing.
        return http.request.make_response("", status=202)

    def _take(self, listeners, name, token, call):
        try:
            with http.request.env.cr.savepoint():
                listeners._hear_of_news(name, token, call)
        except OperationalError:
            _logger.info("a callback came while its submission was being changed: whoever does that asks")
        except Exception:  # pylint: disable=broad-except  # the caller is told nothing, also of our errors
            _logger.exception("a callback could not be taken")

    def _has_time(self):
        now = time.monotonic()
        while self._recent and self._recent[0] < now - SECONDS:
            self._recent.popleft()
        if len(self._recent) >= CALLS:
            return False
        self._recent.append(now)
        return True
