"""The keys with which secrets of gateways are encrypted: outside the database, so that a copy of it, or code
that runs in it, gives ciphertext only.

They are Fernet keys in a file of the server, one a line: the first encrypts, all decrypt. The file is named
by `g2p_payment_key_file` in Odoo's configuration or $G2P_PAYMENT_KEY_FILE; $G2P_PAYMENT_KEYS holds the keys
themselves where a file cannot be had. No model has a method that gives a key or decrypts.
"""

import builtins
import contextlib
import json
import os
import stat
import sys
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from odoo.tools import config

OPTION = "g2p_payment_key_file"
FILE_VARIABLE = "G2P_PAYMENT_KEY_FILE"
KEYS_VARIABLE = "G2P_PAYMENT_KEYS"
_MODE = 0o600
# Begins what is encrypted; anything else is from before there were keys.
_MARK = "fernet:"


class NoKeys(Exception):
    """No key can be used; `reason` is why, for `PaymentGateway._why_no_keys`."""

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


class NotReadable(Exception):
    """A secret is encrypted with none of these keys, for another gateway or name, or not at all."""


class InSandbox(Exception):
    """A template, or code that is kept in the database, asks for a secret."""


def is_sealed(text):
    return (text or "").startswith(_MARK)


def seal(text, *about):
    """Encrypt `text`; it opens only together with the same `about`. Raise NoKeys."""
    content = json.dumps([*about, text]).encode()
    return _MARK + _cipher(read()).encrypt(content).decode()


def unseal(sealed, *about):
    """Decrypt what `seal` gave. Raise InSandbox, NoKeys or NotReadable."""
    check_not_in_sandbox()
    return _unseal(sealed, about, read())


def check(sealed, *about):
    """Raise NoKeys or NotReadable unless `unseal` could decrypt; tell nothing of the secret."""
    _unseal(sealed, about, read())


def seal_anew(sealed, *about):
    """Encrypt with the first key what any of them decrypts, and what is not encrypted yet."""
    return seal(unseal(sealed, *about) if is_sealed(sealed) else sealed, *about)


def needs_only_first(sealed, *about):
    """Return whether the first key alone decrypts."""
    try:
        _unseal(sealed, about, read()[:1])
    except NotReadable:
        return False
    return True


def _unseal(sealed, about, keys):
    if not is_sealed(sealed):
        raise NotReadable
    try:
        content = json.loads(_cipher(keys).decrypt(sealed.removeprefix(_MARK).encode()))
    except InvalidToken:
        raise NotReadable from None
    *meant_for, text = content
    if meant_for != list(about):
        raise NotReadable
    return text


def _cipher(keys):
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError:
        raise NoKeys("broken") from None


def check_not_in_sandbox():
    """Odoo's sandboxes let code of templates and server actions call methods of any model, by any user's
    rights, and refuse only names with two underscores. Such code runs without Python's own builtins."""
    frame = sys._getframe()
    while frame:
        if frame.f_builtins is not vars(builtins):
            raise InSandbox
        frame = frame.f_back


# The keys themselves


def read():
    """Return the keys, the one that encrypts first. Raise NoKeys."""
    given = os.environ.get(KEYS_VARIABLE)
    if given is None:
        path = key_file()
        if not path:
            raise NoKeys("none")
        given = _content(path)
    keys = given.replace(",", " ").split()
    if not keys:
        raise NoKeys("broken")
    return keys


def key_file():
    """Return the path of the key file, whether it is there or not; None where nobody named one."""
    path = os.environ.get(FILE_VARIABLE) or config.get(OPTION)
    return Path(path) if path else None


def _content(path):
    """A file that others on the server can read is as good as none."""
    try:
        with path.open(encoding="ascii") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & ~_MODE:
                raise NoKeys("open")
            return file.read()
    except FileNotFoundError:
        raise NoKeys("missing") from None
    except (OSError, ValueError):
        raise NoKeys("broken") from None


def new_key():
    return Fernet.generate_key().decode()


def write(keys):
    """Replace the key file in one step: whoever reads it sees the old keys or the new ones."""
    path = key_file().resolve()
    beside = path.with_name(f".{path.name}.new")
    with contextlib.suppress(FileNotFoundError):
        beside.unlink()
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE), "w", encoding="ascii") as file:
        file.write("".join(f"{key}\n" for key in keys))
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(FileNotFoundError):
        owner = path.stat()
        # Made by root, it still has to be readable by the user of the server.
        if (owner.st_uid, owner.st_gid) != (os.getuid(), os.getgid()):
            os.chown(beside, owner.st_uid, owner.st_gid)
    os.replace(beside, path)
    _sync_folder(path.parent)


def _sync_folder(folder):
    """After a power cut the old file must not be back: the database would be encrypted with a key that is
    nowhere."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
