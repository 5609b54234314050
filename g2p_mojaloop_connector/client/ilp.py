"""Interledger version 1 as far as a payer needs it: reading a packet, and whether a fulfilment fits.

The payee's side makes packet, condition and fulfilment; the payer passes the first two on as they are.
"""

import hashlib
import json
import re
from typing import Any

from . import base64url

_PAYMENT = 1  # the packet's type
_MAX_PACKET = 32768
_HASH = re.compile(r"[A-Za-z0-9_-]{43}")


def transaction(packet: str) -> dict[str, Any]:
    """The transaction that a packet carries: transactionId, quoteId, payee, payer, amount, ...

    ValueError on anything else. The amount in the packet's head is not told: Mojaloop's own SDK calculates it
    in floating point, so that 4.35 USD is 4349999999994 there; the transaction has it as text.
    """
    if len(packet) > _MAX_PACKET:
        raise ValueError("the packet is too long")
    reader = _Reader(_decoded(packet))
    if reader.octet() != _PAYMENT:
        raise ValueError("not a payment packet")
    content = _Reader(reader.variable())
    content.take(8)
    content.variable()
    try:
        carried = json.loads(_decoded(content.variable().decode("ascii")))
    except (UnicodeDecodeError, RecursionError) as error:
        raise ValueError("the packet carries no transaction") from error
    if not isinstance(carried, dict):
        raise ValueError("the packet carries no transaction")
    return carried


class _Reader:
    """OER (ITU-T X.696), as far as packets use it. ValueError when there is less than announced."""

    def __init__(self, data: bytes):
        self._data = data

    def take(self, size: int) -> bytes:
        if size > len(self._data):
            raise ValueError("the packet is too short")
        taken, self._data = self._data[:size], self._data[size:]
        return taken

    def octet(self) -> int:
        return self.take(1)[0]

    def variable(self) -> bytes:
        size = self.octet()
        if size & 0x80:
            size = int.from_bytes(self.take(size & 0x7F), "big")
        return self.take(size)


def is_condition(text: object) -> bool:
    """Whether it is base64url of 32 bytes, as conditions and fulfilments are."""
    return isinstance(text, str) and _HASH.fullmatch(text) is not None


def condition_of(fulfilment: str) -> str:
    """The condition that this fulfilment opens. ValueError when it is not 32 bytes of base64url."""
    if not is_condition(fulfilment):
        raise ValueError("not a fulfilment")
    return base64url.encode(hashlib.sha256(_decoded(fulfilment)).digest())


def fulfils(fulfilment: str, condition: str) -> bool:
    return is_condition(fulfilment) and condition_of(fulfilment) == condition


def _decoded(text: str) -> bytes:
    """Padding is optional, as in Mojaloop's own readers."""
    return base64url.decode(text.rstrip("="))
