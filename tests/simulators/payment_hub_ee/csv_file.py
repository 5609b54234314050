"""The batch file as ph-ee-bulk-processor v1.13.1 reads, rewrites and splits it.

Three readers disagree with each other there, and a client has to please all three: a header check that cuts
at commas (ProcessorStartRoute), a proper CSV reader that maps by column name (FileProcessingRoute), and a
splitter that cuts lines at commas and maps by position (TransactionParser).
"""

import csv
import io
import re

from .multipart import lines_of

COLUMNS = (
    "id", "request_id", "payment_mode", "payer_identifier_type", "payer_identifier",
    "payee_identifier_type", "payee_identifier", "amount", "currency", "note",
    "program_shortcode", "cycle", "payee_dfsp_id", "batch_id", "account_number",
)  # fmt: skip
# TransactionParser: column -> how many cells the line must have before that column is believed.
POSITIONS = {
    "request_id": 2, "payment_mode": 3, "payer_identifier_type": 5, "payer_identifier": 6,
    "payee_identifier_type": 7, "payee_identifier": 8, "amount": 9, "currency": 10, "note": 11,
    "program_shortcode": 12, "cycle": 13, "payee_dfsp_id": 14,
}  # fmt: skip
POSITION = {name: (COLUMNS.index(name), cells) for name, cells in POSITIONS.items()}
JAVA_DOUBLE = re.compile(r"[+-]?(NaN|Infinity|(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[fFdD]?)")
JAVA_INTEGER = re.compile(r"[+-]?\d+")


class RowError(Exception):
    """A file that the reader gives up on: the sender gets 200 and nothing in it."""


def header_is_known(text):
    """Each cell of the first line one of the names, exactly; none is required; an empty file passes."""
    lines = lines_of(text)
    cells = lines[0].split(",") if lines else []
    while len(cells) > 1 and cells[-1] == "":
        cells.pop()
    return all(cell in COLUMNS for cell in cells)


def read_rows(text):
    """List of dicts over COLUMNS (None where the file has no such column)."""
    try:
        return [_row(names, cells) for names, cells in _cells(text)]
    except csv.Error as error:
        raise RowError(str(error)) from error


def _cells(text):
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    names = next(reader, None)
    if not names:
        raise RowError("Empty header line")
    for cells in reader:
        if len(cells) > len(names):
            raise RowError("Too many entries")
        yield names, cells


def _row(names, cells):
    row = dict.fromkeys(COLUMNS)
    row.update(zip(names, cells, strict=False))
    row["id"] = java_integer(row["id"])
    if row["amount"] is None or not is_java_double(row["amount"]):
        raise RowError(f"For input string: {row['amount']!r}")
    return row


def java_integer(text):
    """An int property read from a cell: nothing is 0, blanks around are fine, anything else must fit."""
    text = (text or "").strip()
    if not text:
        return 0
    if not JAVA_INTEGER.fullmatch(text) or not -(2**31) <= int(text) < 2**31:
        raise RowError(f"Cannot deserialize value of type int from {text!r}")
    return int(text)


def is_java_double(text):
    return bool(JAVA_DOUBLE.fullmatch(text.strip()))


def write_rows(rows):
    """The file as the hub rewrites it: all fifteen columns, cells quoted where its writer is in doubt."""
    lines = [",".join(COLUMNS)]
    lines += [",".join(_written(row[name]) for name in COLUMNS) for row in rows]
    return "\n".join(lines) + "\n"


def _written(value):
    """Longer than 24 characters, or any character below '-', and the cell gets quotes."""
    if value is None or isinstance(value, int):
        return "" if value is None else str(value)
    if len(value) > 24 or any(char < "-" for char in value):
        return '"' + value.replace('"', '""') + '"'
    return value


def split_lines(text):
    """The rows as the splitter sees them: cut at each comma, quotes kept, the last known cell dropped."""
    return [_split_line(line) for line in lines_of(text)[1:]]


def _split_line(line):
    parts = line.split(",")
    row = dict.fromkeys(COLUMNS)
    for name, (index, cells) in POSITION.items():
        if len(parts) >= cells:
            row[name] = parts[index]
    if parts[0] and not JAVA_INTEGER.fullmatch(parts[0]):
        raise RowError(f"For input string: {parts[0]!r}")
    row["id"] = int(parts[0] or 0)
    return row
