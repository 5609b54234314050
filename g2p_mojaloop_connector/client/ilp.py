"""Interledger versions 1 and 4 as far as a payer needs them: reading a packet, and whether a fulfilment fits.

The payee's side makes packet, condition and fulfilment; the payer passes the first two on as they are.
"""

import hashlib
import json
import re
from decimal import Decimal
from typing import Any, NamedTuple

from . import base64url

_PAYMENT, _PREPARE = 1, 12  # types of packets: of version 1, and of version 4
_MAX_PACKET = 32768
_HASH = re.compile(r"[A-Za-z0-9_-]{43}")
_EXPIRY = re.compile(rb"[0-9]{17}")  # YYYYMMDDHHMMSSmmm
_MOST_DECIMALS = 4  # of any currency


class Packet(NamedTuple):
    """Hold what a packet says.

    `transaction` is the object that it carries: transactionId, quoteId, payee, payer,
    amount, ... Only version 4 has a `condition`, and an exact `amount` in the currency's smallest unit."""

    transaction: dict[str, Any]
    condition: str | None = None
    amount: int | None = None

    def agrees_with(self, amount: Decimal, condition: str) -> bool:
        """Return False if the head of the packet is for another amount or condition.

        How many decimals a currency has is told by more than one table, so any number of them will do.
        Version 1 has nothing to compare: Mojaloop's own SDK calculates the amount in floating point, so that
        4.35 USD is 4349999999994 there.
        """
        if self.amount is None:
            return True
        units = [amount.scaleb(decimals) for decimals in range(_MOST_DECIMALS + 1)]
        return self.condition == condition and self.amount in units


def read(packet: str) -> Packet:
    """Return what a packet says. Raise ValueError on anything else."""
    if len(packet) > _MAX_PACKET:
        raise ValueError("the packet is too long")
    reader = _Reader(_decoded(packet))
    kind = reader.octet()
    if kind not in (_PAYMENT, _PREPARE):
        raise ValueError("not a payment packet")
    content = _Reader(reader.variable())
    amount, condition = int.from_bytes(content.take(8), "big"), None
    if kind == _PREPARE:
        if not _EXPIRY.fullmatch(content.take(17)):
            raise ValueError("the packet has no expiry")
        condition = base64url.encode(content.take(32))
    content.variable()  # the address
    transaction = _transaction(content.variable())
    return Packet(transaction, condition, amount if kind == _PREPARE else None)


def _transaction(data: bytes) -> dict[str, Any]:
    try:
        carried = json.loads(_decoded(data.decode("ascii")))
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
