"""Do what the command g2p_payment_keys offers. Each step gives the sentences that are printed."""

import os

from odoo.sql_db import db_connect

from . import secret_keys, secret_store

SENTENCES = {
    "none": f"No key file is named. Write {secret_keys.OPTION} = PATH into Odoo's configuration.",
    "missing": "The key file is missing. Restore it from its backup, or make one with --make.",
    "open": "Others can read the key file, so it is not used. Set its mode to 0600.",
    "broken": "The key file cannot be read, or there is no key in it. Restore it from its backup.",
}


class Problem(Exception):
    """Say in a sentence why a step was not done."""


def make(_database):
    path = _file()
    if path.exists():
        raise Problem(f"{path} is there already and was left alone. To replace its key use --rotate.")
    if not path.parent.is_dir():
        raise Problem(f"There is no folder {path.parent}. Make it, then start this again.")
    secret_keys.write([secret_keys.new_key()])
    return [
        f"{path} was made, for the user {os.getuid()} of this server alone.",
        "Keep a copy of it apart from the backups of the database: without it all secrets have to be "
        "entered again.",
    ]


def rotate(database):
    path = _file()
    with _cursor(database) as cr:  # first, or a key would be made for nothing
        secret_keys.write([secret_keys.new_key(), *secret_keys.read()])
        told = _encrypt(cr)
    return [
        f"A new key is the first of {path}; the older ones still decrypt.",
        *told,
        "Copy the file to the other servers, run --encrypt for other databases, then --retire.",
    ]


def encrypt(database):
    with _cursor(database) as cr:
        return _encrypt(cr)


def retire(database):
    _file()
    with _cursor(database) as cr:
        needed = secret_store.not_by_the_first_key(cr)
    if needed:
        raise Problem(f"Older keys are still needed, so they stay: {_listed(needed)}. Use --encrypt first.")
    first, *older = secret_keys.read()
    if older:
        secret_keys.write([first])
    return [f"Keys taken away: {len(older)}. Backups of the database from before need them: keep a copy."]


def _encrypt(cr):
    sealed, lost = secret_store.seal_all(cr)
    told = [f"Secrets encrypted with the first key: {sealed}."]
    if lost:
        told.append(f"No key decrypts these, so they have to be entered again: {_listed(lost)}.")
    return told


def _listed(rows):
    return ", ".join(f"{name} of gateway {gateway}" for gateway, name in rows)


def _file():
    if os.environ.get(secret_keys.KEYS_VARIABLE) is not None:
        raise Problem(
            f"The keys stand in {secret_keys.KEYS_VARIABLE}, which this command cannot change. Put a new one "
            "in front of them there, made by this command elsewhere; then use --encrypt."
        )
    path = secret_keys.key_file()
    if not path:
        raise secret_keys.NoKeys("none")
    return path


def _cursor(database):
    if not database:
        raise Problem("Which database? Name one with -d.")
    cursor = db_connect(database).cursor()
    if not secret_store.exists(cursor):
        cursor.close()
        raise Problem(f"There are no payment gateways in the database {database}.")
    return cursor
