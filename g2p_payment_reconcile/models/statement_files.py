"""A statement as a file: sections of rows, written as CSV and as a spreadsheet. Plain Python.

A cell is text, an int, or a Decimal with the digits of its currency. Spreadsheet programs run text that looks
like a formula; such text gets an apostrophe in front. Numbers are numbers and stay as they are.
"""

import csv
import io
from decimal import Decimal
from typing import NamedTuple

import xlsxwriter

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_WIDEST = 60


class Section(NamedTuple):
    """`columns` are the headings; each of `rows` has as many cells."""

    title: str
    columns: list
    rows: list


def guarded(cell):
    """The cell as it may stand in a file that people open with a spreadsheet program."""
    if isinstance(cell, str) and cell.lstrip(" ").startswith(_STARTS_A_FORMULA):
        return f"'{cell}"
    return cell


def to_csv(sections):
    """UTF-8 with the mark by which spreadsheet programs know it; an empty line between sections."""
    text = io.StringIO()
    writer = csv.writer(text)
    for number, section in enumerate(sections):
        if number:
            writer.writerow([])
        writer.writerow([guarded(section.title)])
        writer.writerow(map(guarded, section.columns))
        writer.writerows(map(_csv_cell, row) for row in section.rows)
    return text.getvalue().encode("utf-8-sig")


def _csv_cell(cell):
    return f"{cell:f}" if isinstance(cell, Decimal) else guarded(cell)


def to_xlsx(sections):
    """A sheet for each section."""
    content = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(content, options) as book:
        bold = book.add_format({"bold": True})
        formats = {}
        for section in sections:
            sheet = book.add_worksheet(_sheet_name(section.title))
            sheet.freeze_panes(1, 0)
            sheet.write_row(0, 0, map(guarded, section.columns), bold)
            for number, row in enumerate(section.rows, start=1):
                for column, cell in enumerate(row):
                    _write(book, sheet, formats, number, column, cell)
            for column, width in enumerate(_widths(section)):
                sheet.set_column(column, column, width)
    return content.getvalue()


def _write(book, sheet, formats, row, column, cell):
    if isinstance(cell, str):
        sheet.write_string(row, column, guarded(cell))
    elif isinstance(cell, Decimal):
        digits = max(-cell.as_tuple().exponent, 0)
        if digits not in formats:
            formats[digits] = book.add_format({"num_format": "#,##0" + "." * bool(digits) + "0" * digits})
        sheet.write_number(row, column, cell, formats[digits])
    else:
        sheet.write_number(row, column, cell)


def _widths(section):
    columns = zip(section.columns, *section.rows, strict=True)
    return [min(max(len(str(cell)) for cell in column) + 2, _WIDEST) for column in columns]


def _sheet_name(title):
    """What a spreadsheet takes for a name."""
    return "".join(" " if letter in r"[]:*?/\'" else letter for letter in title)[:31]
