"""CSV files in whatever dialect a bank or hub writes them."""

import csv
import io
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g2p_payment_reconcile.evidence import lines as evidence_lines
from g2p_payment_reconcile.evidence.bookings import fingerprints
from g2p_payment_reconcile.evidence.csv_file import CsvMapping, read
from g2p_payment_reconcile.evidence.lines import (
    EvidenceError,
    EvidenceStatus,
    FailureType,
    Problem,
)
from g2p_payment_reconcile.evidence.references import first_reference

RESULT = CsvMapping(
    reference="ref",
    remote_reference="tx",
    payee="to",
    payee_name="name",
    amount="amount",
    currency="currency",
    status="status",
    date="day",
    reason_code="code",
    reason="why",
    paid_words=("Done", "paid out"),
    failed_words=("Rejected",),
    returned_words=("Returned",),
    waiting_words=("Open",),
)
HEADER = "ref,tx,to,name,amount,currency,status,day,code,why"
STATEMENT = CsvMapping(
    delimiter=";",
    decimal_sign=",",
    thousands_sign=".",
    date_format="%d.%m.%Y",
    amount="Betrag",
    date="Tag",
    reference="Verwendung",
    fixed_currency="EUR",
    paid_sign="negative",
)


def result(*rows):
    return "\n".join([HEADER, *rows]).encode()


def statement(*rows):
    return "\r\n".join(["Tag;Verwendung;Betrag", *rows]).encode()


def only(content, mapping=RESULT):
    (line,) = read(content, mapping)
    return line


def test_a_result_file():
    paid, failed, returned, waiting = read(
        result(
            "R1,t1,+27,Amina,100.50,usd,DONE,2026-03-01,,",
            "R2,t2,+28,,100,USD,rejected,,AC01,no such account",
            "R3,t3,,,100,USD,Returned,2026-03-04,AC04,",
            "R4,,,,,,Open,,,",
        ),
        RESULT,
    )
    assert (paid.number, paid.status, paid.remote_status) == (2, EvidenceStatus.PAID, "DONE")
    assert (paid.amount, paid.currency) == (Decimal("100.50"), "USD")
    assert (paid.reference, paid.remote_reference, paid.payee, paid.payee_name) == (
        "R1",
        "t1",
        "+27",
        "Amina",
    )
    assert (paid.happened_on, paid.failure_type) == (date(2026, 3, 1), None)
    assert paid.raw == "R1,t1,+27,Amina,100.50,usd,DONE,2026-03-01,,"
    assert (failed.status, failed.failure_type) == (EvidenceStatus.FAILED, FailureType.PAYEE_UNKNOWN)
    assert (failed.reason_code, failed.reason) == ("AC01", "no such account")
    assert (returned.status, returned.failure_type) == (EvidenceStatus.RETURNED, FailureType.RETURNED)
    assert (waiting.status, waiting.amount) == (EvidenceStatus.WAITING, None)


def test_a_statement_tells_by_the_sign():
    left, came = read(statement("01.03.2026;R1;-1.234,50", "02.03.2026;;99,00"), STATEMENT)
    assert (left.status, left.amount, left.currency) == (EvidenceStatus.PAID, Decimal("1234.50"), "EUR")
    assert (came.status, came.amount) == (EvidenceStatus.OTHER, Decimal("99.00"))


def test_a_zero_says_neither():
    assert only(statement("01.03.2026;R1;0,00"), STATEMENT).problem is Problem.DIRECTION


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("R1,,,,12a,USD,Done,,,", Problem.AMOUNT),
        ("R1,,,,-100,USD,Done,,,", Problem.SIGN),
        ('R1,,,,"1,000",USD,Done,,,', Problem.AMOUNT),
        ("R1,,,,1e3,USD,Done,,,", Problem.AMOUNT),
        ("R1,,,,NaN,USD,Done,,,", Problem.AMOUNT),
        ("R1,,,,\u0661\u0660\u0660,USD,Done,,,", Problem.AMOUNT),
        ("R1,,,,100,USD,Done,01.03.2026,,", Problem.DATE),
        ("R1,,,,100,USD,Success,,,", Problem.STATUS),
        ("R1,,,,100,USD,,,,", Problem.STATUS),
        ("R1,,,,100,USD,Done,,", Problem.CELLS),
        ("R1,,,,100,USD,Done,,,,", Problem.CELLS),
        ("R1,,,,100,USD,Done,,,,x", Problem.CELLS),
        ('R1,"a"b,,,100,USD,Done,,,', Problem.QUOTES),
        ('R1,"open,,,100,USD,Done,,,', Problem.QUOTES),
    ],
)
def test_a_line_that_cannot_be_read_is_kept_and_the_others_are_read(row, problem):
    before, bad, after = read(result("R0,,,,100,USD,Done,,,", row, "R2,,,,100,USD,Done,,,"), RESULT)
    assert (before.status, after.status) == (EvidenceStatus.PAID, EvidenceStatus.PAID)
    assert (bad.number, bad.status, bad.problem) == (3, None, problem)
    assert (bad.reference, bad.raw) == ("R1", row)


@pytest.mark.parametrize(
    "text", ["1.23,50", "1.2345,50", "12345.678,50", ".500,00", "1,234.50", "1.234,50,0"]
)
def test_groups_are_of_three_digits(text):
    assert only(statement(f"01.03.2026;R1;-{text}"), STATEMENT).problem is Problem.AMOUNT


@pytest.mark.parametrize("blank", [" ", "\u00a0", "\u202f"])
def test_every_blank_between_thousands(blank):
    mapping = STATEMENT.model_copy(update={"thousands_sign": " ", "encoding": "utf-8-sig"})
    line = only(f"Tag;Verwendung;Betrag\n01.03.2026;R1;-1{blank}234,50".encode(), mapping)
    assert (line.status, line.amount) == (EvidenceStatus.PAID, Decimal("1234.50"))
    assert only(f"Tag;Verwendung;Betrag\n01.03.2026;R1;-1{blank}23,50".encode(), mapping).problem


def test_lines_before_the_header_and_blank_lines():
    mapping = RESULT.model_copy(update={"skip_lines": 2})
    content = b"Bank of Test\nStatement 7\n" + result("", "R1,,,,100,USD,Done,,,", ",,,,,,,,,")
    assert [(line.number, line.reference) for line in read(content, mapping)] == [(5, "R1")]


def test_a_text_over_several_lines():
    first, second = read(result('R1,,,,100,USD,Done,,,"one\ntwo"', "R2,,,,100,USD,Done,,,"), RESULT)
    assert (first.number, first.reason, second.number) == (2, "one\ntwo", 4)
    assert first.raw == 'R1,,,,100,USD,Done,,,"one\ntwo"'


@pytest.mark.parametrize(
    ("content", "problem", "line", "detail"),
    [
        (b"", Problem.EMPTY, 0, ""),
        (result(), Problem.EMPTY, 0, ""),
        (b"ref,amount\nR1,100", Problem.NO_COLUMN, 1, "tx"),
        (HEADER.replace("tx", "ref").encode(), Problem.COLUMN_TWICE, 1, "ref"),
        (result("R1,,,,100,USD,Done,,,\xe9").decode().encode("latin-1"), Problem.ENCODING, 2, ""),
        (result("R1,\0,,,100,USD,Done,,,"), Problem.ENCODING, 2, ""),
        (b'ref,"tx"x\nR1,1', Problem.QUOTES, 1, None),
        (b"x" * (evidence_lines.MAX_BYTES + 1), Problem.TOO_LARGE, 0, ""),
    ],
)
def test_files_that_cannot_be_read(content, problem, line, detail):
    if problem is Problem.COLUMN_TWICE:
        content = content.replace(b"ref,ref", b"ref,tx,ref")
    with pytest.raises(EvidenceError) as caught:
        read(content, RESULT)
    assert (caught.value.problem, caught.value.line) == (problem, line)
    assert detail is None or caught.value.detail == detail


@given(st.binary(max_size=300))
def test_nothing_else_is_raised(content):
    with pytest.raises(EvidenceError):
        read(content, RESULT)


cells = st.text(
    # A text with line breaks and delimiters looks like rows: see test_csv_shapes.
    st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp")),
    min_size=1,
    max_size=20,
).map(str.strip)
dates = st.dates(date(1970, 1, 1), date(2099, 12, 31))


@given(
    st.lists(
        st.tuples(cells, cells, st.integers(0, 10**14), dates, st.sampled_from(["Done", "Rejected"])),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from([(".", ""), (",", ""), (".", ","), (",", "."), (",", " "), (".", "'")]),
    st.sampled_from(["utf-8-sig", "utf-8", "utf-16"]),
    st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%Y%m%d"]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_what_is_in_the_file_is_what_is_read(rows, delimiter, signs, encoding, date_format, newline):
    decimal_sign, thousands_sign = signs
    mapping = CsvMapping(
        encoding=encoding,
        delimiter=delimiter,
        decimal_sign=decimal_sign,
        thousands_sign=thousands_sign,
        date_format=date_format,
        reference="ref",
        payee="to",
        amount="amount",
        date="day",
        status="status",
        fixed_currency="USD",
        paid_words=("Done",),
        failed_words=("Rejected",),
    )
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=newline)
    writer.writerow(["ref", "to", "amount", "day", "status"])
    for reference, payee, cents, day, word in rows:
        amount = f"{cents // 100:{',' if thousands_sign else ''}}".replace(",", thousands_sign)
        writer.writerow(
            [reference, payee, f"{amount}{decimal_sign}{cents % 100:02}", day.strftime(date_format), word]
        )
    found = read(out.getvalue().encode(encoding), mapping)
    assert [
        (line.reference, line.payee, line.amount, line.happened_on, line.remote_status, line.problem)
        for line in found
    ] == [
        (first_reference(reference), payee, Decimal(cents).scaleb(-2), day, word, None)
        for reference, payee, cents, day, word in rows
    ]


def test_the_same_line_in_two_files_has_the_same_fingerprint():
    january = read(result("R1,t1,,,100,USD,Done,2026-01-31,,", "R2,t2,,,100,USD,Done,2026-01-31,,"), RESULT)
    february = read(result("R9,t9,,,5,USD,Done,2026-02-01,,", "R2,t2,,,100,USD,Done,2026-01-31,,"), RESULT)
    assert set(fingerprints(january)) & set(fingerprints(february)) == {fingerprints(january)[1]}


def test_two_bookings_that_look_the_same_are_two_unless_the_bank_says_that_they_are_one():
    row = "R1,,,,100,USD,Done,2026-01-31,,"
    assert len(set(fingerprints(read(result(row, row), RESULT)))) == 2
    assert fingerprints(read(result(row), RESULT))[0] in fingerprints(read(result(row, row), RESULT))
    named = row.replace("R1,", "R1,t1")
    assert len(set(fingerprints(read(result(named, named), RESULT)))) == 1


@given(st.integers(0, 500))
def test_no_day_is_read_as_another(days):
    day = date(2026, 1, 1) + timedelta(days=days)
    line = only(statement(f"{day:%d.%m.%Y};R1;-1,00"), STATEMENT)
    assert line.happened_on == day
