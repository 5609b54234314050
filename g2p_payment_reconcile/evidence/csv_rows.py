"""The rows of a CSV file: where each begins and ends, and its cells."""

import csv
import io
import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

from .csv_mapping import CsvMapping
from .lines import MAX_LINES, EvidenceError, Problem

_MAX_LINES = 5 * MAX_LINES  # of the file: blank ones, and those within a text, are no rows
_MAX_SPAN = 50  # lines of the file in one row; more of them is a quote that was never closed
_MAX_LINE = 100_000  # characters of a line with objects
_MAX_JSON = 20  # closing brackets at which an object is looked for
_QUOTED = re.compile(r'\s*"((?:[^"]|"")*)"')
_BYTE_ORDER_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


class Row(NamedTuple):
    number: int  # line of the file where the row begins
    cells: list[str]
    raw: str
    raw_lines: int  # of the file
    broken: str = ""  # what is wrong with its quotes


def text_of(content: bytes, encoding: str) -> str:
    """Return the text. A byte order mark is believed more than the setting."""
    for mark, marked in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            encoding = marked
    try:
        text = content.decode(encoding)
    except UnicodeError as error:
        before = content[: getattr(error, "start", 0)]
        raise EvidenceError(Problem.ENCODING, before.count(b"\n") + 1) from error
    if "\0" in text:
        raise EvidenceError(Problem.ENCODING, text[: text.index("\0")].count("\n") + 1)
    return text


class Rows:
    """The rows that are not blank, one after the other.

    A wrong quote costs the line it stands in, and no other. `width` is the number of columns, once known.
    """

    def __init__(self, text: str, mapping: CsvMapping):
        if max(text.count("\n"), text.count("\r")) > _MAX_LINES:
            raise EvidenceError(Problem.TOO_MANY_LINES, _MAX_LINES)
        self._lines = list(io.StringIO(text, newline=""))
        self._mapping = mapping
        self.width = 0

    def __iter__(self) -> Iterator[Row]:
        position = self._mapping.skip_lines
        while position < len(self._lines):
            found = self._rows_at(position)
            position += sum(row.raw_lines for row in found)
            for row in found:
                if any(cell.strip() for cell in row.cells) or row.broken:
                    yield row

    def _rows_at(self, position: int) -> list["Row"]:
        """Return the row that begins there, or what stands there instead of it."""
        line = self._lines[position]
        if self._mapping.json_cells and "{" in line:
            if len(line) > _MAX_LINE:
                return [self._broken(position, "line too long")]
            cells = _cells_with_json(line.rstrip("\r\n"), self._mapping.delimiter)
            return [self._row(position, 1, cells)]
        reader = csv.reader(
            self._lines[position : position + _MAX_SPAN],
            delimiter=self._mapping.delimiter,
            strict=True,
        )
        try:
            cells = next(reader)
        except csv.Error as error:
            return [self._broken(position, str(error))]
        if reader.line_num > 1:
            if len(cells) < self.width:
                return [self._broken(position, "quote not closed")]
            if self._hides_rows(position, reader.line_num, len(cells)):
                # Either a text that looks like rows, or rows between two wrong quotes: nobody knows.
                lines = range(position, position + reader.line_num)
                return [self._broken(line, "quote over several rows") for line in lines]
        return [self._row(position, reader.line_num, cells)]

    def _hides_rows(self, position: int, count: int, width: int) -> bool:
        """Return True if lines inside one row look like rows of their own."""
        width = max(self.width or width, 2)
        first, *middle, last = (
            line.count(self._mapping.delimiter) + 1 >= width
            for line in self._lines[position : position + count]
        )
        return any(middle) or (first and last)

    def _row(self, position: int, count: int, cells: list[str]) -> Row:
        raw = "".join(self._lines[position : position + count]).rstrip("\r\n")
        return Row(position + 1, cells, raw, count)

    def _broken(self, position: int, why: str) -> Row:
        """Keep the cells as far as they can be told: one may name a payment."""
        line = self._lines[position]
        try:
            cells = next(csv.reader([line], delimiter=self._mapping.delimiter), [])
        except csv.Error:
            cells = []
        return self._row(position, 1, cells)._replace(broken=why)


def unpacked(text: str) -> Any:
    """Return the object of a JSON text, escaped once more or not; None where there is none."""
    value = text.strip()
    for _level in range(3):
        escaped_without_its_quotes = value.startswith('{\\"')
        try:
            value = json.loads(f'"{value}"' if escaped_without_its_quotes else value)
        except (ValueError, RecursionError):
            return None
        if not isinstance(value, str):
            return value if isinstance(value, dict) else None
        value = value.strip()
    return None


def _cells_with_json(line: str, delimiter: str) -> list[str]:
    """Split a line in which an object stands as it is, with its commas and quotes."""
    cells = []
    rest: str | None = line
    while rest is not None:
        cell, end = _first_cell(rest, delimiter)
        cells.append(cell)
        rest = rest[end + 1 :] if end < len(rest) else None
    return cells


def _first_cell(rest: str, delimiter: str) -> tuple[str, int]:
    """Return the first cell, and where it ends."""
    if end := _json_end(rest, delimiter):
        return rest[:end], end
    quoted = _QUOTED.match(rest)
    if quoted and rest[quoted.end() : quoted.end() + 1] in ("", delimiter):
        return quoted[1].replace('""', '"'), quoted.end()
    end = rest.find(delimiter)
    end = len(rest) if end < 0 else end
    return rest[:end], end


def _json_end(rest: str, delimiter: str) -> int:
    """Return where the object at the beginning ends; 0 where there is none."""
    if not rest.lstrip().startswith(("{", '"{')):
        return 0
    for bracket in islice(re.finditer(r'\}"?', rest), _MAX_JSON):
        end = bracket.end()
        if rest[end : end + 1] in ("", delimiter) and unpacked(rest[:end]) is not None:
            return end
    return 0
