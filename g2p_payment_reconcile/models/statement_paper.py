"""A statement on paper: sections cut into tables that have room on a page, and numbered pages. Plain Python.

Of the two builds of wkhtmltopdf, Debian's repeats no headings on the next page and prints no page numbers.
"""

import io
from decimal import Decimal
from math import ceil
from typing import NamedTuple

from reportlab.pdfgen import canvas

from odoo.tools.pdf import PdfFileReader, PdfFileWriter

# What has room on a page across, in the letters of the template.
_LETTERS, _LINES = 150, 40
_MARGIN, _FONT = 28, ("Helvetica", 6.5)


class Table(NamedTuple):
    """A section, or so much of it as has room on a page. `width` and `widths` are percent, of the page and of
    the table."""

    title: str
    columns: list
    rows: list
    width: int
    widths: list


def is_amount(cell):
    return not isinstance(cell, str)


def shown(cell):
    return f"{cell:,}" if isinstance(cell, Decimal) else str(cell)


def tables(section):
    """The section as one Table or more, each under headings of its own."""
    letters = _letters(section)
    parts = _parts(section.rows, letters)
    width = min(ceil(100 * sum(letters) / _LETTERS), 100)
    widths = [round(100 * one / sum(letters), 2) for one in letters]
    titles = [section.title]
    if len(parts) > 1:
        titles = [f"{section.title} ({number} / {len(parts)})" for number in range(1, len(parts) + 1)]
    return [
        Table(title, section.columns, rows, width, widths) for title, rows in zip(titles, parts, strict=True)
    ]


def _letters(section):
    """How many letters of each column have room in a line. Amounts are never cut; of the texts the longest go
    on in the next line."""
    columns = list(zip(section.columns, *section.rows, strict=True))
    wanted = [max(len(shown(cell)) for cell in (*name.split(), *cells)) + 2 for name, *cells in columns]
    amounts = [any(map(is_amount, column)) for column in columns]
    room = _LETTERS - sum(letters for letters, amount in zip(wanted, amounts, strict=True) if amount)
    texts = [letters for letters, amount in zip(wanted, amounts, strict=True) if not amount]
    widest = next((one for one in range(max(texts, default=0), 0, -1) if _sum(texts, one) <= room), 1)
    return [
        letters if amount else min(letters, widest) for letters, amount in zip(wanted, amounts, strict=True)
    ]


def _sum(letters, widest):
    return sum(min(one, widest) for one in letters)


def _parts(rows, letters):
    """The rows in lists that have room on a page each; one empty list when there are none."""
    parts, lines = [[]], 0
    for row in rows:
        height = max(ceil(len(shown(cell)) / room) for cell, room in zip(row, letters, strict=True))
        if parts[-1] and lines + height > _LINES:
            parts.append([])
            lines = 0
        parts[-1].append(row)
        lines += height
    return parts


def numbered(stream, text):
    """The PDF with `text`, and which page of how many it is, at the foot of each page."""
    printed = PdfFileReader(stream, strict=False)
    feet = _feet(printed, text)
    writer = PdfFileWriter()
    for number in range(printed.numPages):
        writer.addPage(printed.getPage(number))
        writer.getPage(number).mergePage(feet.getPage(number))
    result = io.BytesIO()
    writer.write(result)
    return result


def _feet(printed, text):
    content = io.BytesIO()
    paper = canvas.Canvas(content)
    for number in range(printed.numPages):
        *_corner, width, height = map(float, printed.getPage(number).mediaBox)
        paper.setPageSize((width, height))
        paper.setFont(*_FONT)
        paper.drawString(_MARGIN, _MARGIN / 2, text)
        paper.drawRightString(width - _MARGIN, _MARGIN / 2, f"{number + 1} / {printed.numPages}")
        paper.showPage()
    paper.save()
    return PdfFileReader(content, strict=False)
