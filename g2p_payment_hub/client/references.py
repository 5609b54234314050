"""Names that we give to things the other side must recognise: derived, so that the same thing
always gets the same name, and never drawn."""

import json
import uuid

_NAMESPACE = uuid.UUID("5ed0ba5b-3d25-5c94-9b3f-6f0f7a0d5c11")
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def derived_uuid(*parts: object) -> uuid.UUID:
    """UUID version 5 of the parts' texts."""
    return uuid.uuid5(_NAMESPACE, json.dumps([str(part) for part in parts]))


def derived_reference(*parts: object) -> str:
    """22 letters and digits: a UUID of the parts in base 62, short enough for every payment system."""
    number = derived_uuid(*parts).int
    digits = []
    for _position in range(22):
        number, rest = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[rest])
    return "".join(reversed(digits))
