"""CSV statements and result files, read as a mapping says."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import islice
from typing import NamedTuple

from odoo.addons.g2p_payment_hub.client.failures import may_have_paid
from odoo.addons.g2p_payment_hub.client.fspiop_codes import is_code
from odoo.addons.g2p_payment_hub.client.kept import marked

from . import csv_date
from .csv_amount import Amount, AmountReader, currencies_of
from .csv_mapping import CsvMapping, plain, plain_words
from .csv_rows import Row, Rows, text_of, unpacked
from .lines import (
    MAX_BYTES,
    MAX_LINES,
    MAX_RAW,
    EvidenceError,
    EvidenceLine,
    EvidenceStatus,
    Problem,
    Unreadable,
)
from .reasons import failure_type
from .references import first_reference

_COLUMNS = (
    "reference",
    "remote_reference",
    "payee",
    "payee_name",
    "amount",
    "debit",
    "credit",
    "currency",
    "status",
    "direction",
    "kind",
    "date",
    "reason_code",
    "reason",
)
_HEADER_WITHIN = 50  # rows
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MASKED = "*"
_WORD = re.compile(r"\w+")


class _Place(NamedTuple):
    """Where a value stands: the index of its cell, and the member of the object in it."""

    index: int
    member: str = ""


def read(content: bytes, mapping: CsvMapping) -> list[EvidenceLine]:
    """Return the lines of the file. A line that cannot be read is among them, with its problem.

    Raise EvidenceError where the file as a whole cannot be read.
    """
    if len(content) > MAX_BYTES:
        raise EvidenceError(Problem.TOO_LARGE)
    source = Rows(text_of(content, mapping.encoding), mapping)
    rows = iter(source)
    if mapping.has_header:
        names, places = _header(rows, mapping)
    else:
        names, places = [""] * mapping.column_count, _numbered_places(mapping)
    width = len(names)
    while mapping.has_header and width and not names[width - 1]:
        width -= 1  # a comma at the end of the header
    source.width = width
    found = list(islice(rows, MAX_LINES + 1))
    if len(found) > MAX_LINES:
        raise EvidenceError(Problem.TOO_MANY_LINES, found[-1].number)
    if not found:
        raise EvidenceError(Problem.EMPTY)
    reader = _LineReader(
        mapping, places, len(names), {width, len(names), _usual_width(found, width, len(names))}
    )
    return [reader.line(row) for row in found]


def _header(rows: Iterator[Row], mapping: CsvMapping) -> tuple[list[str], dict[str, _Place]]:
    """Return the names in the header, and the place of each of our columns."""
    first_error = None
    for row in islice(rows, _HEADER_WITHIN if mapping.find_header else 1):
        try:
            if row.broken:
                raise EvidenceError(Problem.QUOTES, row.number, row.broken)
            names = [name.strip() for name in row.cells]
            return names, _named_places(names, row.number, mapping)
        except EvidenceError as error:
            first_error = first_error or error
    raise first_error or EvidenceError(Problem.EMPTY)


def _named_places(names: list[str], number: int, mapping: CsvMapping) -> dict[str, _Place]:
    places = {}
    for ours in _COLUMNS:
        theirs, member = getattr(mapping, ours).strip(), ""
        if not theirs:
            continue
        if mapping.json_cells and theirs not in names:
            theirs, _point, member = theirs.rpartition(".")
        if theirs not in names:
            raise EvidenceError(Problem.NO_COLUMN, number, theirs or getattr(mapping, ours).strip())
        if names.count(theirs) > 1:
            raise EvidenceError(Problem.COLUMN_TWICE, number, theirs)
        places[ours] = _Place(names.index(theirs), member)
    return places


def _numbered_places(mapping: CsvMapping) -> dict[str, _Place]:
    places = {}
    for ours in _COLUMNS:
        theirs = getattr(mapping, ours).strip()
        if not theirs:
            continue
        column = mapping.column_of(theirs)
        if column is None:
            raise EvidenceError(Problem.NO_COLUMN, 1, theirs)
        places[ours] = _Place(*column)
    return places


def _usual_width(rows: list[Row], width: int, named: int) -> int:
    """Return with how many cells rows end whose last commas belong to no column.

    One such row among others is no habit of the bank: a cell too many may have moved the amount.
    """
    widths = Counter(len(row.cells) for row in rows if not any(map(str.strip, row.cells[named:])))
    usual, count = max(widths.items(), key=lambda item: item[1], default=(width, 0))
    return usual if usual > named and count > widths[width] + widths[named] else width


class _LineReader:
    """Make an EvidenceLine of each row."""

    def __init__(self, mapping: CsvMapping, places: dict[str, _Place], named: int, widths: set[int]):
        self._mapping, self._places, self._named, self._widths = mapping, places, named, widths
        self._words = mapping.words()
        self._amounts = AmountReader(mapping)
        self._out, self._in = plain_words(mapping.out_words), plain_words(mapping.in_words)
        self._other, self._kinds = plain_words(mapping.other_words), plain_words(mapping.kind_words)
        self._fspiop = any(map(is_code, mapping.doubtful_codes))
        self._empty, self._doubtful = plain_words(mapping.empty_words), plain_words(mapping.doubtful_codes)

    def line(self, row: Row) -> EvidenceLine:
        cell = {ours: self._cell(row, place) for ours, place in self._places.items()}
        self._split_payee(cell)
        self._split_reference(cell)
        names = ("reference", "remote_reference", "payee", "payee_name", "reason", "reason_code")
        values = {
            **{name: cell.get(name, "") for name in names},
            "reference": first_reference(cell.get("reference", "")),
            "free_text": " ".join(filter(None, row.cells))[:MAX_RAW],
            "number": row.number,
            "currency": _currency(cell.get("currency", "")) or self._mapping.fixed_currency.upper(),
            "remote_status": cell.get("status", ""),
            "raw": row.raw[:MAX_RAW],
        }
        try:
            self._check_cells(row)
            return EvidenceLine(**{**values, **self._facts(cell, values)})
        except Unreadable as error:
            return EvidenceLine(**values, problem=error.problem, problem_detail=error.detail[:100])

    def _facts(self, cell: dict[str, str], values: dict) -> dict:
        """Return what the line says happened. Raise Unreadable where the mapping does not explain it."""
        if self._is_other(cell):
            return {"status": EvidenceStatus.OTHER, **self._facts_if_any(cell)}
        word = self._status_word(cell)
        amount, currency, left = self._money(cell)
        status = self._status(word, left)
        if word is None and status is EvidenceStatus.PAID and not amount:
            raise Unreadable(Problem.AMOUNT, self._told(cell))
        if status is EvidenceStatus.PAID and self._mapping.paid_has_no_reason:
            if values["reason_code"] or values["reason"]:
                raise Unreadable(Problem.PAID_WITH_REASON, values["reason_code"] or values["reason"])
        if status is EvidenceStatus.FAILED and self._is_doubtful(values["reason_code"], values["reason"]):
            raise Unreadable(Problem.DOUBTFUL, values["reason_code"] or values["reason"])
        return {
            "status": status,
            "amount": amount,
            "currency": currency,
            "happened_on": self._date(cell),
            "failure_type": failure_type(status, values["reason_code"]),
        }

    def _is_doubtful(self, code: str, reason: str) -> bool:
        """Return True if the code leaves open whether money moved; without a code, if the words do.

        Where the mapping names numbers of FSPIOP, a number of which nobody knows what it means is doubtful.
        """
        told = code or reason
        if plain(told) in self._doubtful or (self._fspiop and is_code(told) and may_have_paid(told)):
            return True
        return not code and not self._doubtful.isdisjoint(_WORD.findall(plain(reason)))

    def _facts_if_any(self, cell: dict[str, str]) -> dict:
        """Return amount and day of a line that is not about a payment, as far as they can be read."""
        try:
            amount, currency, _left = self._money(cell)
            return {"amount": amount, "currency": currency, "happened_on": self._date(cell)}
        except Unreadable:
            return {}

    def _cell(self, row: Row, place: _Place) -> str:
        text = row.cells[place.index].strip() if place.index < len(row.cells) else ""
        if plain(text) in self._empty:
            return ""
        return _member(text, place.member) if place.member else text

    def _split_payee(self, cell: dict[str, str]) -> None:
        """Part "254700000001 - Amina". A number with hidden digits is nobody's number."""
        separator = self._mapping.payee_separator
        if not separator or "payee" not in cell:
            return
        payee, _separator, name = cell["payee"].partition(separator)
        cell["payee"], cell["payee_name"] = payee.strip(), cell.get("payee_name") or name.strip()
        if _MASKED in cell["payee"]:
            cell["payee_name"] = f"{cell['payee']} {cell.get('payee_name', '')}".strip()
            cell["payee"] = ""

    def _split_reference(self, cell: dict[str, str]) -> None:
        """Tell whose reference stands in a column that has ours or theirs."""
        if self._mapping.uuid_is_theirs:
            theirs = _UUID.fullmatch(cell.get("reference", ""))
            cell["reference" if theirs else "remote_reference"] = ""

    def _check_cells(self, row: Row) -> None:
        if row.broken:
            raise Unreadable(Problem.QUOTES, row.broken)
        beyond = any(cell.strip() for cell in row.cells[self._named :])
        if beyond or len(row.cells) not in self._widths:
            raise Unreadable(Problem.CELLS, str(len(row.cells)))
        for place in self._places.values():
            text = row.cells[place.index].strip()
            if place.member and text.startswith(("{", '"{')) and unpacked(text) is None:
                raise Unreadable(Problem.JSON, text)

    def _is_other(self, cell: dict[str, str]) -> bool:
        """Return True if a word says that this is not about a payment of ours."""
        words = [plain(cell[name]) for name in ("status", "direction", "kind") if cell.get(name)]
        if any(word in self._other for word in words):
            return True
        if "kind" in self._places and plain(cell["kind"]) not in self._kinds:
            raise Unreadable(Problem.KIND, cell["kind"])
        return False

    def _status_word(self, cell: dict[str, str]) -> EvidenceStatus | None:
        """Return the status that the file tells; None where it has no column for it."""
        if "status" not in self._places:
            return None
        status = self._words.get(plain(cell["status"]))
        if status is None:
            raise Unreadable(Problem.STATUS, cell["status"])
        return status

    def _status(self, word: EvidenceStatus | None, left: bool | None) -> EvidenceStatus:
        """Join the status with the direction of the money.

        A word wins over a sign, but what came in is no payment of ours, whatever became of it, unless it is
        said to have come back.
        """
        if word is EvidenceStatus.RETURNED:
            return word
        if left is False:
            return EvidenceStatus.OTHER
        if left is None and word in (None, EvidenceStatus.PAID):
            if word is None or self._mapping.tells_direction():
                raise Unreadable(Problem.DIRECTION)
        return word or EvidenceStatus.PAID

    def _money(self, cell: dict[str, str]) -> tuple[Decimal | None, str, bool | None]:
        """Return (amount without sign, currency, True if it left the account, None where nothing says so)."""
        amount, debit, credit = (self._amount(cell, name) for name in ("amount", "debit", "credit"))
        directions = {
            self._left_by_sign(amount, cell.get("amount", "")),
            self._left_by_column(debit, credit, cell),
            self._left_by_word(cell),
            *(each.left for each in (amount, debit, credit) if each),
        } - {None}
        if len(directions) > 1:
            raise Unreadable(Problem.DIRECTION, self._told(cell))
        values = {
            abs(each.value) for each in (amount, debit, credit) if each and (each.value or each is amount)
        }
        if len(values) > 1:
            raise Unreadable(Problem.AMOUNT, self._told(cell))
        currency = self._one_currency(cell, [each for each in (amount, debit, credit) if each])
        if not values and (debit or credit):
            values = {Decimal(0)}
        return values.pop() if values else None, currency, directions.pop() if directions else None

    def _amount(self, cell: dict[str, str], name: str) -> Amount | None:
        return self._amounts.amount_of(cell[name]) if cell.get(name) else None

    def _left_by_sign(self, amount: Amount | None, text: str) -> bool | None:
        if amount is None or not amount.value:
            return None
        if not self._mapping.paid_sign:
            if amount.value < 0:
                raise Unreadable(Problem.SIGN, text)
            return None
        return (amount.value < 0) == (self._mapping.paid_sign == "negative")

    def _left_by_column(self, debit: Amount | None, credit: Amount | None, cell: dict) -> bool | None:
        out, came = bool(debit and debit.value), bool(credit and credit.value)
        if out and (debit.value < 0) != (self._mapping.debit_sign == "negative"):
            raise Unreadable(Problem.SIGN, cell["debit"])
        if came and credit.value < 0:
            raise Unreadable(Problem.SIGN, cell["credit"])
        if out and came:
            raise Unreadable(Problem.DIRECTION, self._told(cell))
        return out if out or came else None

    def _left_by_word(self, cell: dict[str, str]) -> bool | None:
        word = plain(cell.get("direction", ""))
        if not word:
            return None
        if word not in self._out | self._in:
            raise Unreadable(Problem.DIRECTION, cell["direction"])
        return word in self._out

    def _told(self, cell: dict[str, str]) -> str:
        return " / ".join(
            filter(None, (cell.get(name) for name in ("amount", "debit", "credit", "direction")))
        )

    def _one_currency(self, cell: dict[str, str], amounts: list[Amount]) -> str:
        """Return the currency on which column, mapping and sign agree."""
        known = _currency(cell.get("currency", "")) or self._mapping.fixed_currency.upper()
        for amount in amounts:
            if not amount.currencies:
                continue
            if known and known not in amount.currencies:
                raise Unreadable(Problem.CURRENCY, f"{known} / {self._told(cell)}")
            if len(amount.currencies) == 1:
                (known,) = amount.currencies
        return known

    def _date(self, cell: dict[str, str]) -> date | None:
        text = cell.get("date", "")
        return csv_date.read(text, self._mapping.date_format) if text else None


def _currency(text: str) -> str:
    """Return the code; a sign of several currencies as it is."""
    currencies = currencies_of(text)
    return next(iter(currencies)) if len(currencies) == 1 else text.upper()


def _member(text: str, name: str) -> str:
    """Return a member of an object. What is said in another way is the reason in words, and no code."""
    value = unpacked(text) or {}
    if isinstance(value.get("errorInformation"), dict):
        value = value["errorInformation"]
    is_code = name.lower().endswith("code")
    return marked(str(value.get(name) or ("" if is_code else text)))
