import contextlib
import json

from odoo.modules import module
from odoo.tools import config

from .. import secret_keys
from ..client.auth import Slot, Token, TokenCache
from .payment_gateway_secret import TOKEN


class GatewayTokens(TokenCache):
    """Access tokens of a gateway, shared by all workers of all servers, encrypted as its secrets are.

    Whoever needs a token locks its row; the others wait for the one answer instead of logging in as well.
    In a transaction of its own, because ours may be rolled back while the token goes on being valid.
    """

    def __init__(self, gateway):
        super().__init__()
        self._registry = gateway.env.registry
        self._gateway_id = gateway.id

    @contextlib.contextmanager
    def slot(self, key):
        if config["test_enable"] or module.current_test:
            with super().slot(key) as slot:  # tests roll back everything
                yield slot
            return
        name = TOKEN + key
        with self._registry.cursor() as cr:
            before = self._unsealed(self._locked(cr, name), name)
            slot = Slot(_loaded(before))
            yield slot
            if slot.token and _dumped(slot.token) != before:
                self._keep(cr, name, _dumped(slot.token))

    def _unsealed(self, sealed, name):
        """A token that cannot be read, as after its key is gone, is asked for anew."""
        try:
            return secret_keys.unseal(sealed, self._gateway_id, name)
        except (secret_keys.NoKeys, secret_keys.NotReadable):
            return "{}"

    def _keep(self, cr, name, text):
        """Without a key on this server each who needs a token asks for one."""
        with contextlib.suppress(secret_keys.NoKeys):
            cr.execute(
                "UPDATE g2p_payment_gateway_secret SET value = %s WHERE gateway_id = %s AND name = %s",
                [secret_keys.seal(text, self._gateway_id, name), self._gateway_id, name],
            )

    def _locked(self, cr, name):
        # Odoo's own level would keep showing the row as it was before the wait for its lock.
        cr.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
        cr.execute(
            """
            INSERT INTO g2p_payment_gateway_secret (gateway_id, name, value) VALUES (%s, %s, '{}')
            ON CONFLICT (gateway_id, name) DO NOTHING
            """,
            [self._gateway_id, name],
        )
        cr.execute(
            "SELECT value FROM g2p_payment_gateway_secret WHERE gateway_id = %s AND name = %s FOR UPDATE",
            [self._gateway_id, name],
        )
        return cr.fetchone()[0]


def _loaded(text):
    values = json.loads(text)
    return Token(**values) if values else None


def _dumped(token):
    secret = {name: getattr(token, name).get_secret_value() for name in ("access", "refresh")}
    return json.dumps({**secret, "renew_at": token.renew_at})
