"""The kept secrets as rows, for migrations and the command: no model is needed, and none can call this."""

from . import secret_keys
from .models.payment_gateway_secret import REFERENCES, TOKEN

_TABLE = "g2p_payment_gateway_secret"


def exists(cr):
    cr.execute("SELECT to_regclass(%s) IS NOT NULL", [_TABLE])
    return cr.fetchone()[0]


def seal_all(cr):
    """Encrypt every secret with the first key; return how many, and the rows that no key decrypts.

    Access tokens go: they are asked for anew. Raise NoKeys."""
    # Nobody keeps a secret with an older key meanwhile.
    cr.execute("LOCK TABLE g2p_payment_gateway_secret IN SHARE ROW EXCLUSIVE MODE")
    cr.execute("DELETE FROM g2p_payment_gateway_secret WHERE starts_with(name, %s)", [TOKEN])
    rows = _rows(cr)
    if rows:
        secret_keys.read()  # or it is told for each of them
    lost = []
    for identity, gateway, name, value in rows:
        try:
            sealed = secret_keys.seal_anew(value, gateway, name)
        except secret_keys.NotReadable:
            lost.append((gateway, name))
            continue
        cr.execute("UPDATE g2p_payment_gateway_secret SET value = %s WHERE id = %s", [sealed, identity])
    return len(rows) - len(lost), lost


def not_by_the_first_key(cr):
    """Return the rows that the first key alone does not decrypt."""
    return [
        (gateway, name)
        for _identity, gateway, name, value in _rows(cr)
        if not secret_keys.needs_only_first(value, gateway, name)
    ]


def _rows(cr):
    cr.execute(
        "SELECT id, gateway_id, name, value FROM g2p_payment_gateway_secret"
        " WHERE name <> %s AND NOT starts_with(name, %s) ORDER BY gateway_id, name",
        [REFERENCES, TOKEN],
    )
    return cr.fetchall()
