import hashlib
import hmac
import secrets

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.g2p_payment_hub.models.roles import GATEWAY_ADMIN

from .payment_gateway import CALLBACK_KEY

_NO_KEY = secrets.token_hex(32)


class PaymentGateway(models.Model):
    """The address by which a payment system says that there is news of what was sent through a gateway, and
    the tokens of all such addresses.

    A token is derived from the name of its address and a random key of the gateway, which lies where nobody
    can read it, and is kept nowhere. Odoo's own `database.secret` would not do: OpenG2P lets everybody read
    it. A random token whose hash is kept has to be kept itself until the file has left, and a restored backup
    knows nothing of it; this one is the same for the same attempt, ends with a new key of the gateway, and is
    gone in a neutralized copy of the database.
    """

    _inherit = "g2p.payment.gateway"

    callback_url = fields.Char(
        "Gateway's Callback Address",
        groups=GATEWAY_ADMIN,
        compute="_compute_callback_url",
        exportable=False,
        help="For payment systems that cannot be told an address with each batch: what they send elsewhere "
        "comes below this address as well, for example from a mirror in front of the connector. It ends with "
        "a new callback key.",
    )

    @api.depends("callback_base_url")
    def _compute_callback_url(self):
        for gateway in self:
            gateway.callback_url = gateway._origin._callback_address(
                f"gateway_news/{gateway._origin.id}", gateway._origin._callback_name()
            )

    def _callback_name(self):
        """In the place of a submission's key, which is longer."""
        return f"gateway {self.id}"

    def _callback_address(self, path, name):
        """The address `path` whose token is made for `name`; empty where nobody listens."""
        key = _key(self)
        if not self.callback_base_url or not key:
            return ""
        return f"{self.callback_base_url.rstrip('/')}/g2p_payment/{path}/{_token(key, name)}"

    def _believes(self, name, token, call):
        """Whether a Call with this token, to the address made for `name`, comes from the payment system."""
        key = _key(self)
        # Whether there is such an address is not to be told by the time that it takes.
        good = hmac.compare_digest(token.encode(), _token(key or _NO_KEY, name).encode())
        return good and bool(key) and self._check_callback(call)

    @api.model
    def _hear_of_news(self, gateway_id, token, call):
        gateway = self.browse(gateway_id).exists()
        if gateway._believes(gateway._callback_name(), token, call):
            gateway._hear_news(call)


def _key(gateway):
    """Return the callback key, None where it is not or cannot be read: results then come by asking.

    No method: the queue would keep what it returns."""
    try:
        return gateway._secrets().get(CALLBACK_KEY)
    except UserError:
        return None


def _token(key, name):
    return hmac.new(key.encode(), f"payment callback {name}".encode(), hashlib.sha256).hexdigest()
