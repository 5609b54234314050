"""CSV statements and result files, read as a mapping says."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from .lines import MAX_BYTES, MAX_LINES, MAX_RAW, EvidenceError, EvidenceLine, EvidenceStatus, Problem
from .reasons import failure_type

_COLUMNS = (
    "reference",
    "remote_reference",
    "payee",
    "payee_name",
    "amount",
    "currency",
    "status",
    "date",
    "reason_code",
    "reason",
)

# What stands between thousands where a blank is meant: the one that breaks no line, wide and narrow.
_BLANKS = str.maketrans("\u00a0\u202f", "  ")


class CsvMapping(BaseModel):
    """How a file is to be read.

    The names of columns are those of its first line after `skip_lines`; "" where it has none. Without a
    column for the status, the amount's sign says it: what left the account is negative.
    """

    model_config = ConfigDict(frozen=True)

    encoding: str = "utf-8-sig"
    delimiter: str = ","
    skip_lines: int = 0
    decimal_sign: str = "."
    thousands_sign: str = ""
    date_format: str = "%Y-%m-%d"
    reference: str = ""
    remote_reference: str = ""
    payee: str = ""
    payee_name: str = ""
    amount: str
    currency: str = ""
    status: str = ""
    date: str = ""
    reason_code: str = ""
    reason: str = ""
    fixed_currency: str = ""
    paid_words: tuple[str, ...] = ()
    failed_words: tuple[str, ...] = ()
    returned_words: tuple[str, ...] = ()
    waiting_words: tuple[str, ...] = ()

    def words(self) -> dict[str, EvidenceStatus]:
        return {
            _plain(word): status
            for status, words in (
                (EvidenceStatus.PAID, self.paid_words),
                (EvidenceStatus.FAILED, self.failed_words),
                (EvidenceStatus.RETURNED, self.returned_words),
                (EvidenceStatus.WAITING, self.waiting_words),
            )
            for word in words
        }


class _Row(NamedTuple):
    number: int  # line of the file where it begins
    cells: list[str]
    raw: str


class _Unreadable(Exception):
    def __init__(self, problem: Problem, detail: str):
        super().__init__(problem, detail)
        self.problem, self.detail = problem, detail


def read(content: bytes, mapping: CsvMapping) -> list[EvidenceLine]:
    """The lines of the file. EvidenceError when it cannot be read at all; a line that cannot is among the
    lines, with its problem."""
    if len(content) > MAX_BYTES:
        raise EvidenceError(Problem.TOO_LARGE)
    rows = _rows(_text(content, mapping.encoding), mapping)
    header = next(rows, None)
    if header is None:
        raise EvidenceError(Problem.EMPTY)
    positions = _positions(header, mapping)
    reader = _Reader(mapping, positions, len(header.cells))
    lines = []
    for row in rows:
        if len(lines) == MAX_LINES:
            raise EvidenceError(Problem.TOO_MANY_LINES, row.number)
        lines.append(reader.line(row))
    if not lines:
        raise EvidenceError(Problem.EMPTY)
    return lines


def _text(content: bytes, encoding: str) -> str:
    try:
        text = content.decode(encoding)
    except UnicodeError as error:
        before = content[: getattr(error, "start", 0)]
        raise EvidenceError(Problem.ENCODING, before.count(b"\n") + 1) from error
    if "\0" in text:
        raise EvidenceError(Problem.ENCODING, text[: text.index("\0")].count("\n") + 1)
    return text


def _rows(text: str, mapping: CsvMapping) -> Iterator[_Row]:
    """What is not blank, from the header on."""
    recorded: list[str] = []

    def physical_lines() -> Iterator[str]:
        for line in io.StringIO(text, newline=""):
            recorded.append(line)
            yield line

    source = physical_lines()
    for _line in range(mapping.skip_lines):
        next(source, None)
    recorded.clear()
    reader = csv.reader(source, delimiter=mapping.delimiter, strict=True)
    while True:
        number = mapping.skip_lines + reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise EvidenceError(Problem.QUOTES, number, str(error)) from error
        if cells is None:
            return
        raw = "".join(recorded).rstrip("\r\n")
        recorded.clear()
        if any(cell.strip() for cell in cells):
            yield _Row(number, cells, raw)


def _positions(header: _Row, mapping: CsvMapping) -> dict[str, int]:
    """Our name of a column to its place."""
    names = [name.strip() for name in header.cells]
    positions = {}
    for ours in _COLUMNS:
        theirs = getattr(mapping, ours).strip()
        if not theirs:
            continue
        if theirs not in names:
            raise EvidenceError(Problem.NO_COLUMN, header.number, theirs)
        if names.count(theirs) > 1:
            raise EvidenceError(Problem.COLUMN_TWICE, header.number, theirs)
        positions[ours] = names.index(theirs)
    return positions


class _Reader:
    def __init__(self, mapping: CsvMapping, positions: dict[str, int], width: int):
        self._mapping, self._positions, self._width = mapping, positions, width
        self._words = mapping.words()
        self._number = _number_pattern(mapping.decimal_sign, mapping.thousands_sign)

    def line(self, row: _Row) -> EvidenceLine:
        cell = {ours: self._cell(row, place) for ours, place in self._positions.items()}
        texts = {
            name: cell.get(name, "")
            for name in ("reference", "remote_reference", "payee", "payee_name", "reason")
        }
        values = {
            **texts,
            "number": row.number,
            "currency": (cell.get("currency") or self._mapping.fixed_currency).upper(),
            "remote_status": cell.get("status", ""),
            "reason_code": cell.get("reason_code", ""),
            "raw": row.raw[:MAX_RAW],
        }
        try:
            if len(row.cells) != self._width:
                raise _Unreadable(Problem.CELLS, str(len(row.cells)))
            amount = self._amount(cell["amount"])
            status = self._status(cell.get("status"), amount)
            return EvidenceLine(
                **values,
                amount=amount if amount is None else abs(amount),
                status=status,
                happened_on=self._date(cell.get("date", "")),
                failure_type=failure_type(status, values["reason_code"]),
            )
        except _Unreadable as error:
            return EvidenceLine(**values, problem=error.problem, problem_detail=error.detail[:100])

    def _cell(self, row: _Row, place: int) -> str:
        return row.cells[place].strip() if place < len(row.cells) else ""

    def _amount(self, text: str) -> Decimal | None:
        if not text:
            return None
        text = text.translate(_BLANKS)
        if not self._number.fullmatch(text):
            raise _Unreadable(Problem.AMOUNT, text)
        plain = text.replace(self._mapping.thousands_sign, "") if self._mapping.thousands_sign else text
        amount = Decimal(plain.replace(self._mapping.decimal_sign, "."))
        if "status" in self._positions and amount < 0:
            raise _Unreadable(Problem.AMOUNT, text)
        return amount

    def _status(self, word: str | None, amount: Decimal | None) -> EvidenceStatus:
        if word is None:
            if not amount:
                raise _Unreadable(Problem.AMOUNT, "")
            return EvidenceStatus.PAID if amount < 0 else EvidenceStatus.OTHER
        status = self._words.get(_plain(word))
        if status is None:
            raise _Unreadable(Problem.STATUS, word)
        return status

    def _date(self, text: str) -> date | None:
        if not text:
            return None
        try:
            return datetime.strptime(text, self._mapping.date_format).date()
        except ValueError as error:
            raise _Unreadable(Problem.DATE, text) from error


def _number_pattern(decimal_sign: str, thousands_sign: str) -> re.Pattern[str]:
    """Only what can be meant in one way: groups of three digits, and of all that Python's Decimal takes only
    ASCII digits."""
    group = re.escape(thousands_sign)
    whole = rf"(?:[0-9]{{1,3}}(?:{group}[0-9]{{3}})+|[0-9]{{1,18}})" if thousands_sign else "[0-9]{1,18}"
    return re.compile(rf"[+-]?{whole}(?:{re.escape(decimal_sign)}[0-9]{{1,9}})?")


def _plain(word: str) -> str:
    return " ".join(word.split()).casefold()
