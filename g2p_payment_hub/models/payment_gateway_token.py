import contextlib
import json

from odoo.modules import module
from odoo.tools import config

from ..client.auth import Slot, Token, TokenCache


class GatewayTokens(TokenCache):
    """Access tokens of a gateway, shared by all workers of all servers.

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
        with self._registry.cursor() as cr:
            before = self._locked(cr, f"token {key}")
            slot = Slot(_loaded(before))
            yield slot
            if slot.token and _dumped(slot.token) != before:
                cr.execute(
                    "UPDATE g2p_payment_gateway_secret SET value = %s WHERE gateway_id = %s AND name = %s",
                    [_dumped(slot.token), self._gateway_id, f"token {key}"],
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
