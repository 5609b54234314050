"""Amounts as banks write them: signs, brackets, currencies and words beside the number."""

import re
from decimal import Decimal
from typing import NamedTuple

from babel.core import get_global

from .csv_mapping import CsvMapping, plain, plain_words
from .lines import Problem, Unreadable

_MAX_TEXT = 100
_CODES = frozenset(get_global("all_currencies"))
_DOLLARS = "USD AUD BBD BMD BND BSD BZD CAD FJD GYD HKD JMD KYD LRD NAD NZD SBD SGD SRD TTD TWD XCD ZWL ZWG"
_PESOS = "ARS CLP COP CUP DOP MXN UYU"
# Signs as they stand beside amounts, in small letters and without a full stop. A sign of several currencies
# is compared with the currency of the line, and names none by itself.
_SIGNS = {
    "$": f"{_DOLLARS} {_PESOS} BRL CVE NIO",
    "us$": "USD",
    "\u20ac": "EUR",
    "\u00a3": "GBP EGP FKP GIP LBP SDG SHP SSP SYP",
    "\u00a5": "JPY CNY",
    "\u20b9": "INR",
    "rs": "INR LKR MUR NPR PKR SCR",
    "\u20a8": "INR LKR MUR NPR PKR SCR",
    "ksh": "KES",
    "kshs": "KES",
    "tsh": "TZS",
    "tshs": "TZS",
    "ush": "UGX",
    "ushs": "UGX",
    "sh": "KES SOS TZS UGX",
    "shs": "KES SOS TZS UGX",
    "\u20a6": "NGN",
    "\u20b5": "GHS",
    "gh\u20b5": "GHS",
    "gh\u00a2": "GHS",
    "birr": "ETB",
    "cfa": "XAF XOF",
    "fcfa": "XAF XOF",
    "frw": "RWF",
    "fbu": "BIF",
    "fc": "CDF",
    "fg": "GNF",
    "ar": "MGA",
    "kz": "AOA",
    "mt": "MZN",
    "mk": "MWK",
    "r": "ZAR",
    "r$": "BRL",
    "dh": "AED MAD",
    "dhs": "AED MAD",
    "\u20b1": "PHP",
    "rp": "IDR",
    "rm": "MYR",
    "\u0e3f": "THB",
    "\u20ab": "VND",
    "\u20ad": "LAK",
    "\u17db": "KHR",
    "\u09f3": "BDT",
    "tk": "BDT",
    "\u20ae": "MNT",
    "\u20ba": "TRY",
    "\u20b4": "UAH",
    "\u060b": "AFN",
    "s/": "PEN",
    "rd$": "DOP",
}
# All that looks like a blank or like a minus sign; marks of writing direction have no meaning in a number.
_ALIKE = str.maketrans(
    dict.fromkeys("\u00a0\u2009\u202f", " ")
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d", "-")
    | dict.fromkeys("\u200e\u200f\u061c\u202a\u202b\u202c\u2066\u2067\u2068\u2069", None)
)


class Amount(NamedTuple):
    """An amount with its sign, and what stands beside it."""

    value: Decimal
    currencies: frozenset[str] = frozenset()  # that the sign or code can mean; empty without one
    left: bool | None = None  # by a word as DR; None without one


class AmountReader:
    """Read amounts in the number format of one mapping."""

    def __init__(self, mapping: CsvMapping):
        self._decimal, self._thousands = mapping.decimal_sign, mapping.thousands_sign
        self._pattern = _pattern(mapping)
        self._out, self._in = plain_words(mapping.out_words), plain_words(mapping.in_words)

    def amount_of(self, text: str) -> Amount:
        """Return the amount. Raise Unreadable where it can be meant in more than one way."""
        found = len(text) <= _MAX_TEXT and self._pattern.fullmatch(text.translate(_ALIKE))
        if not found:
            raise Unreadable(Problem.AMOUNT, text)
        before, number, after = found.groups()
        negative, before, after = _without_sign(before, after, text)
        currencies, left = frozenset(), None
        for word in filter(None, (before, after)):
            for part in self._parts(word, text):
                if isinstance(part, bool) and left is None:
                    left = part
                elif isinstance(part, frozenset) and not currencies:
                    currencies = part
                else:
                    raise Unreadable(Problem.AMOUNT, text)
        if self._thousands:
            number = number.replace(self._thousands, "")
        value = Decimal(number.replace(self._decimal, "."))
        return Amount(-value if negative else value, currencies, left)

    def _parts(self, words: str, text: str) -> list[frozenset[str] | bool]:
        """Return what the words beside a number mean, together or each by itself."""
        together = self._meaning(words)
        if together is not None:
            return [together]
        parts = [self._meaning(word) for word in words.split()]
        if None in parts:
            raise Unreadable(Problem.AMOUNT, text)
        return parts

    def _meaning(self, word: str) -> frozenset[str] | bool | None:
        if plain(word) in self._out:
            return True
        if plain(word) in self._in:
            return False
        return currencies_of(word) or None


def currencies_of(word: str) -> frozenset[str]:
    """Return the currencies that a code or sign can mean; none where it is neither."""
    if word in _CODES:
        return frozenset({word})
    word = "".join(word.split()).rstrip(".").casefold()
    if word.upper() in _CODES:
        return frozenset({word.upper()})
    return frozenset(_SIGNS.get(word, "").split())


def _without_sign(before: str, after: str, text: str) -> tuple[bool, str, str]:
    """Return (is negative, text before, text after). Two signs are one too many: nobody knows what they mean.

    Brackets are a minus sign, as in accounting.
    """
    signs = [sign for sign in before + after if sign in "+-"]
    brackets = [sign for sign in before + after if sign in "()"]
    if brackets:
        if brackets != ["(", ")"] or "(" not in before or ")" not in after or signs:
            raise Unreadable(Problem.AMOUNT, text)
        signs = ["-"]
    if len(signs) > 1:
        raise Unreadable(Problem.AMOUNT, text)
    drop = str.maketrans("", "", "+-()")
    return signs == ["-"], before.translate(drop).strip(), after.translate(drop).strip()


def _pattern(mapping: CsvMapping) -> re.Pattern[str]:
    """Match a number whose groups can be meant in one way: 1,234,567 or, in India, 12,34,567.

    Python's Decimal takes digits of every script, this takes ASCII digits.
    """
    whole = "[0-9]{1,18}"
    if mapping.thousands_sign:
        sign = re.escape(mapping.thousands_sign)
        groups = f"[0-9]{{1,3}}(?:{sign}[0-9]{{3}})+"
        if mapping.indian_groups:
            groups = f"[0-9]{{1,2}}(?:{sign}[0-9]{{2}})*{sign}[0-9]{{3}}"
        whole = f"(?:{groups}|{whole})"
    return re.compile(rf"([^0-9]*)({whole}(?:{re.escape(mapping.decimal_sign)}[0-9]{{1,9}})?)([^0-9]*)")
