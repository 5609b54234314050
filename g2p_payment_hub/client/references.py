"""Names that we give to things the other side must recognise: derived, so that the same thing
always gets the same name, and never drawn."""

import hashlib
import json
import re
import unicodedata
import uuid

from stdnum.iso7064 import mod_37_36

_NAMESPACE = uuid.UUID("5ed0ba5b-3d25-5c94-9b3f-6f0f7a0d5c11")
_BASE_62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# Crockford's base 32: no I, L, O and U, so that nothing is taken for another letter or digit.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# Begins with letters, so that no spreadsheet takes a reference for a number.
PREFIX = "G2P"
LENGTH = 24  # Payment Hub EE quotes a longer value, and then pays the quoted text
_NOT_CARRIED = re.compile("[^0-9A-Za-z]")
_READ_AS = str.maketrans("OIL", "011")


def derived_uuid(*parts: object) -> uuid.UUID:
    """UUID version 5 of the parts' texts."""
    return uuid.uuid5(_NAMESPACE, _text(parts))


def derived_reference(*parts: object) -> str:
    """Name a payment so that banks carry it: capitals and digits, none like another, with a check character.

    Return 24 characters, of which 20 are a hash of the parts (100 bits).
    """
    number = int.from_bytes(hashlib.sha256(_NAMESPACE.bytes + _text(parts).encode()).digest(), "big")
    body = PREFIX + _digits(number, ALPHABET, LENGTH - len(PREFIX) - 1)
    return body + mod_37_36.calc_check_digit(body, ALPHABET)


def former_reference(*parts: object) -> str:
    """Name a payment as before version 1.2.0: 22 letters and digits of both cases, a UUID in base 62."""
    return _digits(derived_uuid(*parts).int, _BASE_62, 22)


def normal_form(text: str) -> str:
    """Return what is left of a reference by any bank: capitals and digits; O reads as 0, I and L as 1.

    Of two references that are told apart by nothing else, a bank's writing does not say which is meant.
    """
    return read_as(_NOT_CARRIED.sub("", unicodedata.normalize("NFKC", text)))


def read_as(plain: str) -> str:
    """Return ASCII letters and digits in the one way in which we read them."""
    return plain.upper().translate(_READ_AS)


def is_well_formed(reference: str) -> bool:
    """Check the form of a reference as `derived_reference` makes them, with its check character."""
    return (
        len(reference) == LENGTH
        and reference.startswith(PREFIX)
        and set(reference) <= set(ALPHABET)
        and mod_37_36.checksum(reference, ALPHABET) == 1
    )


def _text(parts: tuple[object, ...]) -> str:
    return json.dumps([str(part) for part in parts])


def _digits(number: int, alphabet: str, count: int) -> str:
    """The last `count` digits of the number in the base of the alphabet."""
    digits = []
    for _position in range(count):
        number, rest = divmod(number, len(alphabet))
        digits.append(alphabet[rest])
    return "".join(reversed(digits))
