"""Our references as banks write them: in capitals, broken, between other words, with a slip. Plain Python."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate, chain
from typing import NamedTuple

from odoo.addons.g2p_payment_hub.client.references import PREFIX, read_as

# A reference with one slip of the pen still has its first or its last letters; so has one that was cut.
PIECE = 11
_SHORTEST = 22  # a reference from before version 1.2.0 of the hub's add-on
# All that is no letter or digit parts two words.
_READ = bytes(
    ord(read_as(chr(byte))) if byte < 128 and chr(byte).isalnum() else ord(" ") for byte in range(256)
)


class Named(NamedTuple):
    """Ids of the payments that texts name: in whole, and those that they almost name."""

    whole: frozenset[int]
    almost: frozenset[int]


NOBODY = Named(frozenset(), frozenset())


class Spelling:
    """The texts of one line in which one of our references may stand, however the bank writes it."""

    def __init__(self, texts: Iterable[str]):
        texts = set(texts)
        alone = (text for text in texts if not any(text in other for other in texts if text != other))
        self._texts = tuple(map(_plain, alone))

    def pieces(self) -> Iterator[str]:
        """Beginnings and ends of what may be a reference, by which payments are looked for."""
        return chain.from_iterable(_pieces(text.split()) for text in self._texts)

    def named(self, payments: Mapping[str, Iterable[tuple[int, str]]]) -> Named:
        """Of the payments that were found by each piece, as (id, normal form), those that are meant."""
        if not payments:
            return NOBODY
        found = {payment for piece in self.pieces() if piece in payments for payment in payments[piece]}
        if not found:
            return NOBODY
        wholes = [text.replace(" ", "") for text in self._texts]
        whole = {payment for payment, form in found if any(form in text for text in wholes)}
        return Named(frozenset(whole), frozenset({payment for payment, _form in found} - whole))


def _plain(text: str) -> str:
    """The words of the text, each in its normal form, with blanks between them."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return plain.encode("ascii", "replace").translate(_READ).decode("ascii")


def _pieces(tokens: list[str]) -> list[str]:
    """A reference begins and ends where a word does; in a long word, and one that is known by its first
    letters, it may begin anywhere."""
    whole = "".join(tokens)
    last = len(whole) - PIECE
    if last < 0:
        return []
    edges = list(accumulate(map(len, tokens), initial=0))
    found = [whole[edge : edge + PIECE] for edge in edges if edge <= last]
    found += [whole[edge - PIECE : edge] for edge in edges if edge >= PIECE]
    for edge, token in zip(edges, tokens, strict=False):
        if len(token) > _SHORTEST:
            found += [whole[place : place + PIECE] for place in range(edge, edge + len(token) - PIECE + 1)]
    if PREFIX in whole:
        begins = [match.start() for match in re.finditer(PREFIX, whole)]
        found += [whole[begin : begin + PIECE] for begin in begins if begin <= last]
    return found
