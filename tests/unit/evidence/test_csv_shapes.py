"""The shapes of CSV files from real life: commas, quotes, dates, amounts, headers."""

from datetime import date
from decimal import Decimal
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g2p_payment_reconcile.evidence import csv_date
from g2p_payment_reconcile.evidence.csv_file import CsvMapping, read
from g2p_payment_reconcile.evidence.csv_rows import Rows
from g2p_payment_reconcile.evidence.lines import EvidenceError, EvidenceStatus, Problem

SIGNED = CsvMapping(reference="ref", amount="amount", date="day", paid_sign="negative", thousands_sign=",")


def lines_of(text, mapping=SIGNED, **values):
    return read(text.encode(), mapping.model_copy(update=values))


def amount_of(text, **values):
    (line,) = lines_of(f"ref;amount;day\nR1;{text};", delimiter=";", **values)
    return line.amount if line.problem is None else line.problem


def day_of(text, date_format):
    (line,) = lines_of(f"ref;amount;day\nR1;-1;{text}", delimiter=";", date_format=date_format)
    return line.happened_on if line.problem is None else line.problem


def found(lines):
    return [(line.number, line.reference, line.status or line.problem) for line in lines]


class TestCommas:
    def test_header_ends_with_a_comma(self):
        lines = lines_of("day,ref,amount,\n2026-01-15,R1,-100.00\n2026-01-16,R2,-5.00,")
        assert found(lines) == [(2, "R1", EvidenceStatus.PAID), (3, "R2", EvidenceStatus.PAID)]

    def test_rows_end_with_a_comma(self):
        lines = lines_of("day,ref,amount\n2026-01-15,R1,-100.00,\n2026-01-16,R2,-5.00,")
        assert [line.amount for line in lines] == [Decimal("100.00"), Decimal("5.00")]

    def test_one_row_with_a_comma_too_many_is_left_out(self):
        text = "ref,amount,day\nR1,-1.00,2026-01-15\nR2,-1,000.00,\nR3,-2.00,2026-01-15"
        assert [line.status or line.problem for line in lines_of(text)] == [
            EvidenceStatus.PAID,
            Problem.CELLS,
            EvidenceStatus.PAID,
        ]

    def test_a_cell_beyond_the_header_is_for_a_person(self):
        assert lines_of("ref,amount,day\nR1,-1,000,5")[0].problem is Problem.CELLS


class TestQuotes:
    def test_a_bad_quote_costs_its_line(self):
        text = (
            '"day","ref","text","amount"\n'
            '"2026-06-01","R1","PAID BY "THE ISSUER" INC","-52.80"\n'
            '"2026-06-01","R2","grant","-100.00"\n'
        )
        assert found(lines_of(text)) == [(2, "R1", Problem.QUOTES), (3, "R2", EvidenceStatus.PAID)]

    def test_a_quote_never_closed_costs_its_line(self):
        rows = [f"R{number},-1," for number in range(200)]
        rows[3] = 'R3,"-1,'
        lines = lines_of("\n".join(["ref,amount,day", *rows]))
        assert [line.reference for line in lines] == [f"R{number}" for number in range(200)]
        assert [line.number for line in lines if line.problem] == [5]

    def test_rows_between_two_bad_quotes_are_for_a_person(self):
        lines = lines_of('ref,amount,day\nR1,"-1,\nR2,-2,\nR3,-3,"\nR4,-4,')
        assert [line.reference for line in lines] == ["R1", "R2", "R3", "R4"]
        assert {line.number for line in lines if line.status is EvidenceStatus.PAID} <= {3, 4, 5}
        assert not {"R1"} & {line.reference for line in lines if line.status}

    def test_a_text_that_looks_like_a_row_pays_nothing(self):
        text = 'ref,amount,day\n"x\nR9,-100,\ny",-5,2026-01-01\nR2,-2,'
        lines = lines_of(text)
        assert [line.reference for line in lines if line.status is EvidenceStatus.PAID] == ["R2"]
        assert {line.problem for line in lines} == {Problem.QUOTES, None}

    def test_a_text_over_two_lines_is_one_cell(self):
        (line,) = read(
            'ref\tamount\ttext\r\nR1\t-1,00\t"first\nsecond"\r\n'.encode("utf-16"),
            CsvMapping(
                encoding="utf-16",
                delimiter="\t",
                decimal_sign=",",
                reference="ref",
                amount="amount",
                reason="text",
                paid_sign="negative",
            ),
        )
        assert (line.status, line.amount, line.reason) == (EvidenceStatus.PAID, 1, "first\nsecond")


class TestDays:
    @pytest.mark.parametrize(
        ("text", "date_format"),
        [
            ("2019-12-02T07:31:15Z", "%Y-%m-%d"),
            ("2019-12-02T07:31:15.678Z", "%Y-%m-%d"),
            ("2019-12-02 07:31:15.123456789 +0300", "%Y-%m-%d"),
            ("2019-12-02T23:59:59-05:00", "%Y-%m-%d"),
            ("2019-12-02T23:59:59+03", "%Y-%m-%d"),
            ("02.12.2019 11:14:40", "%d.%m.%Y"),
            ("02.12.2019 11:14", "%d.%m.%Y"),
            ("02/12/19", "%d/%m/%y"),
            ("02-12-2019 16:02:11", "%d-%m-%Y"),
            ("12/02/2019 4:02 PM", "%m/%d/%Y"),
            ("12/02/2019 4:02:11 p.m. EAT", "%m/%d/%Y"),
            ("2-Dec-2019", "%d-%b-%Y"),
            ("Mon Dec 02 07:31:15 EAT 2019", "%a %b %d %H:%M:%S %Z %Y"),
            ("Mon Dec 02 07:31:15 GMT+03:00 2019", "%a %b %d %H:%M:%S %Z %Y"),
            ("20191202", "%Y%m%d"),
            ("20191202073115", "%Y%m%d%H%M%S"),
            ("02-12-2019 16:02:11", "%Y-%m-%d | %d-%m-%Y"),
            ("2019-12-02 16:02:11", "%Y-%m-%d | %d-%m-%Y"),
        ],
    )
    def test_the_day_that_is_written(self, text, date_format):
        assert csv_date.is_usable(date_format)
        assert day_of(text, date_format) == date(2019, 12, 2)

    @pytest.mark.parametrize(
        ("text", "date_format"),
        [
            ("02/12/2019", "%d/%m/%y"),
            ("02/12/19", "%d/%m/%Y"),
            ("02/12/85", "%d/%m/%y"),
            ("2019111", "%Y%m%d"),
            ("31/02/2026", "%d/%m/%Y"),
            ("03/04/2026", "%d/%m/%Y | %m/%d/%Y"),
            ("2026-01-01 x", "%Y-%m-%d"),
            ("2026-01-01T", "%Y-%m-%d"),
        ],
    )
    def test_a_doubtful_day_is_for_a_person(self, text, date_format):
        assert day_of(text, date_format) is Problem.DATE

    def test_two_formats_that_agree_are_one_day(self):
        assert day_of("04/04/2026", "%d/%m/%Y | %m/%d/%Y") == date(2026, 4, 4)

    @pytest.mark.parametrize(
        "date_format",
        [
            "",
            "%d.%m",
            "%d.%m.%Y.%d",
            "%Y-%m-%d |",
            "%x",
            "%c",
            "dd.mm.yyyy",
            "%d.%m.%y.%Y",
            "%",
            "%Y%",
            "%Y-%j-%d",
            "%U %Y %d %m",
        ],
    )
    def test_a_format_that_names_no_day_is_refused(self, date_format):
        assert not csv_date.is_usable(date_format)

    @pytest.mark.parametrize(
        "date_format", ["%d %B %Y", "%Y/%j", "%d.%m.%Y %H:%M:%S.%f %z", "%I:%M %p %d.%m.%y"]
    )
    def test_a_format_shows_an_example(self, date_format):
        assert csv_date.is_usable(date_format)
        assert csv_date.read(csv_date.example(date_format), date_format) == date(2026, 12, 31)

    @given(st.text("%dmbyYHMSfzZpjUx.|/- 0T", max_size=12), st.text("0123456789:./-TZ +", max_size=20))
    def test_any_format_reads_a_day_or_raises_unreadable(self, date_format, text):
        csv_date.is_usable(date_format)
        assert day_of(text, date_format) is None or day_of(text, date_format)


class TestAmounts:
    @pytest.mark.parametrize(
        ("text", "settings"),
        [
            ("-$1234.5", {}),
            ("$-1234.50", {}),
            ("-1,234.50 USD", {}),
            ("USD -1,234.50", {}),
            ("US$ (1,234.50)", {}),
            ("(US$1,234.50)", {}),
            ("1,234.50-", {}),
            ("1,234.50 -", {}),
            ("\u22121,234.50", {}),
            ("\u20131,234.50", {}),
            ("\u200e-1,234.50\u200f", {}),
            ("-1.234,50 $", {"decimal_sign": ",", "thousands_sign": "."}),
            ("-1 234,50", {"decimal_sign": ",", "thousands_sign": " "}),
            ("-1\u202f234,50\u00a0USD", {"decimal_sign": ",", "thousands_sign": " "}),
        ],
    )
    def test_signs_and_currencies_beside_a_number(self, text, settings):
        assert amount_of(text, fixed_currency="USD", **settings) == Decimal("1234.5")

    @pytest.mark.parametrize(
        "text",
        [
            "--21.78",
            "--$21.78",
            "-$-21.78",
            "-(21.78)",
            "(-21.78)",
            "(21.78",
            "21.78)",
            ")21.78(",
            "-21.78-",
            "+-21.78",
            "-21.78 USD USD",
            "-21.78 net",
            "-21.78e2",
            "-1.234.50",
            "-1,23",
            "-,5",
            "-.5",
            "-5.",
            "-5%",
            "=-5",
            "-\u0665",
            "- 5 6",
        ],
    )
    def test_what_can_be_meant_in_two_ways_is_for_a_person(self, text):
        assert amount_of(text, fixed_currency="USD") is Problem.AMOUNT

    @pytest.mark.parametrize(
        ("text", "amount"),
        [
            ("-1,00,000.00", Decimal(100000)),
            ("-12,34,56,789", Decimal(123456789)),
            ("-1,000.50", Decimal("1000.50")),
            ("-100000", Decimal(100000)),
            ("Rs. -1,00,000", Decimal(100000)),
            ("-100,000.00", Problem.AMOUNT),
            ("-1,0,000", Problem.AMOUNT),
            ("-1,00,00", Problem.AMOUNT),
            ("-1,000,000", Problem.AMOUNT),
            ("-123,45,678", Problem.AMOUNT),
        ],
    )
    def test_indian_groups(self, text, amount):
        assert amount_of(text, indian_groups=True, fixed_currency="INR") == amount

    def test_indian_groups_are_not_read_as_western(self):
        assert amount_of("-1,00,000.00") is Problem.AMOUNT

    @pytest.mark.parametrize(
        ("sign", "currency"),
        [
            ("KSh", "KES"),
            ("KES", "KES"),
            ("\u20b9", "INR"),
            ("Tshs.", "TZS"),
            ("\u20ac", "EUR"),
            ("GH\u20b5", "GHS"),
            ("XOF", "XOF"),
        ],
    )
    def test_the_sign_names_the_currency(self, sign, currency):
        (line,) = lines_of(f"ref;amount;day\nR1;-{sign} 5;", delimiter=";")
        assert (line.amount, line.currency) == (5, currency)
        (line,) = lines_of(f"ref;amount;day\nR1;-{sign} 5;", delimiter=";", fixed_currency="USD")
        assert line.problem is Problem.CURRENCY

    def test_a_sign_of_several_currencies_names_none(self):
        (line,) = lines_of("ref;amount;day\nR1;-$5;", delimiter=";")
        assert (line.amount, line.currency) == (5, "")

    @given(
        st.integers(1, 10**14),
        st.sampled_from(
            [(".", ""), (",", ""), (".", ","), (",", "."), (",", " "), (".", "'"), (".", "indian")]
        ),
        st.sampled_from(["-{}", "{}-", "({})", "\u2212{}", "-EUR {}", "-{} \u20ac", "EUR ({})"]),
    )
    def test_what_is_written_is_read(self, cents, signs, shape):
        decimal_sign, thousands = signs
        whole = str(cents // 100)
        if thousands == "indian":
            head, tail = whole[:-3], whole[-3:]
            pairs = [head[max(end - 2, 0) : end] for end in range(len(head), 0, -2)][::-1]
            whole, thousands_sign = ",".join([*pairs, tail]), ","
        else:
            whole, thousands_sign = f"{cents // 100:,}".replace(",", thousands), thousands
        text = shape.format(f"{whole}{decimal_sign}{cents % 100:02}")
        settings = {"decimal_sign": decimal_sign, "thousands_sign": thousands_sign}
        read_amount = amount_of(text, indian_groups=thousands == "indian", fixed_currency="EUR", **settings)
        assert read_amount == Decimal(cents).scaleb(-2)


class TestHeaders:
    NUMBERED = CsvMapping(
        has_header=False, column_count=3, reference="1", amount="2", date="3", paid_sign="negative"
    )

    def test_columns_by_number(self):
        lines = lines_of("R1,-1,2026-01-01\nR2,-2,2026-01-02,\nR3,-3", self.NUMBERED)
        assert found(lines) == [
            (1, "R1", EvidenceStatus.PAID),
            (2, "R2", Problem.CELLS),
            (3, "R3", Problem.CELLS),
        ]

    @pytest.mark.parametrize("number", ["0", "4", "-1", "x", "1.x", "\u0663"])
    def test_a_number_of_no_column_is_refused(self, number):
        mapping = self.NUMBERED.model_copy(update={"amount": number})
        with pytest.raises(EvidenceError) as caught:
            lines_of("R1,-1,", mapping)
        assert (caught.value.problem, caught.value.detail) == (Problem.NO_COLUMN, number)

    def test_the_header_is_found_below_other_lines(self):
        text = 'Organization Name:,"ACME "X" Ltd"\nPeriod,June\n\nref,amount,day\nR1,-1,\n'
        assert found(lines_of(text, find_header=True)) == [(5, "R1", EvidenceStatus.PAID)]

    def test_a_header_that_is_nowhere_names_the_missing_column(self):
        with pytest.raises(EvidenceError) as caught:
            lines_of("a,b\n1,2", find_header=True)
        assert (caught.value.problem, caught.value.detail) == (Problem.NO_COLUMN, "ref")

    @pytest.mark.parametrize(
        ("mark", "encoding"), [("\ufeff", "utf-8"), ("", "utf-16"), ("\ufeff", "utf-16-be")]
    )
    def test_a_byte_order_mark_wins(self, mark, encoding):
        content = f"{mark}ref,amount,day\nR1,-1,".encode(encoding)
        (line,) = read(content, SIGNED.model_copy(update={"encoding": "cp1252"}))
        assert line.reference == "R1"


class TestObjects:
    MAPPING = CsvMapping(
        has_header=False,
        column_count=4,
        json_cells=True,
        reference="1",
        status="2",
        reason_code="3.errorCode",
        reason="3.errorDescription",
        amount="4",
        empty_words=("null",),
        paid_words=("COMPLETED",),
        failed_words=("FAILED",),
        paid_has_no_reason=True,
    )

    @pytest.mark.parametrize(
        ("error", "code", "reason"),
        [
            ('{"errorCode":"NoFunds","errorDescription":"a, \\"b\\", c"}', "NoFunds", 'a, "b", c'),
            ('"{\\"errorCode\\":\\"NoFunds\\",\\"errorDescription\\":\\"a, b\\"}"', "NoFunds", "a, b"),
            ('{\\"errorCode\\":\\"NoFunds\\",\\"errorDescription\\":\\"a, b\\"}', "NoFunds", "a, b"),
            ('"{""errorCode"":""NoFunds"",""errorDescription"":""a, b""}"', "NoFunds", "a, b"),
            ('{"errorInformation":{"errorCode":"3,1","errorDescription":"a}, b"}}', "3,1", "a}, b"),
            ('{"x":{}}', "", '{"x":{}}'),
            ("Duplicate transaction.", "", "Duplicate transaction."),
            ("null", "", ""),
            ('{"errorCode":"a\\u0000b","errorDescription":"\\ud800"}', "a\ufffdb", "\ufffd"),
        ],
    )
    def test_an_object_with_commas_is_one_cell(self, error, code, reason):
        (line,) = lines_of(f"R1,FAILED,{error},7,", self.MAPPING)
        assert (line.status, line.amount) == (EvidenceStatus.FAILED, 7)
        assert (line.reason_code, line.reason) == (code, reason)

    @pytest.mark.parametrize(
        ("error", "problem"),
        [('{"errorCode":"TimeO', Problem.JSON), ("{a,b}", Problem.CELLS), ("x, y", Problem.CELLS)],
    )
    def test_a_broken_object_is_for_a_person(self, error, problem):
        rows = [f"R1,FAILED,{error},7,", "R2,COMPLETED,null,7,", "R3,COMPLETED,null,7,"]
        first, *others = lines_of("\n".join(rows), self.MAPPING)
        assert first.problem is problem
        assert [line.status for line in others] == [EvidenceStatus.PAID, EvidenceStatus.PAID]

    def test_completed_with_an_error_is_for_a_person(self):
        (line,) = lines_of('R1,COMPLETED,{"odd":1},7', self.MAPPING)
        assert line.problem is Problem.PAID_WITH_REASON


class TestLimits:
    """Files that are made to take long."""

    def test_many_open_quotes_are_read_line_by_line(self):
        lines = lines_of("ref,amount,day\n" + 'R,"-1,\n' * 2000)
        assert not [line for line in lines if line.status is EvidenceStatus.PAID]
        assert len(lines) == 2000

    def test_long_cells_are_for_a_person(self):
        for cells in ("R1,-1,2026-01-01" + " " * 90_000 + "x", "R1,-" + "1" * 90_000 + ","):
            assert lines_of("ref,amount,day\n" + cells)[0].problem in (Problem.DATE, Problem.AMOUNT)
        text = "R1,COMPLETED,{" + "}," * 60_000
        assert lines_of(text, TestObjects.MAPPING)[0].problem is Problem.QUOTES
        text = "R1,COMPLETED," + '{"a":' * 19_000 + "},7"
        assert lines_of(text, TestObjects.MAPPING)[0].problem

    def test_a_file_of_blank_lines_is_refused(self):
        with pytest.raises(EvidenceError) as caught:
            lines_of("ref,amount,day\n" + "\n" * 1_000_001)
        assert caught.value.problem is Problem.TOO_MANY_LINES


class TestColumns:
    def test_number_and_name_in_one_column(self):
        mapping = SIGNED.model_copy(update={"payee": "to", "payee_separator": "-"})
        rows = ["254700000001 - AMINA A", "2547****0111 - AMINA B", "254700000002", ""]
        lines = lines_of("ref,amount,day,to\n" + "\n".join(f"R,-1,,{row}" for row in rows), mapping)
        assert [(line.payee, line.payee_name) for line in lines] == [
            ("254700000001", "AMINA A"),
            ("", "2547****0111 AMINA B"),
            ("254700000002", ""),
            ("", ""),
        ]

    def test_a_uuid_in_the_column_of_both_is_theirs(self):
        theirs = "6f1d7a52-0c1e-4b52-9d8e-0a1b2c3d4e5f"
        mapping = SIGNED.model_copy(update={"remote_reference": "ref", "uuid_is_theirs": True})
        lines = lines_of(f"ref,amount,day\nOURS1,-1,\n{theirs},-1,", mapping)
        assert [(line.reference, line.remote_reference) for line in lines] == [("OURS1", ""), ("", theirs)]

    def test_a_column_named_twice_is_both_references(self):
        mapping = SIGNED.model_copy(update={"remote_reference": "ref"})
        (line,) = lines_of("ref,amount,day\nOURS1,-1,", mapping)
        assert (line.reference, line.remote_reference) == ("OURS1", "OURS1")

    def test_words_for_nothing_are_empty(self):
        (line,) = lines_of("ref,amount,day\nR1,-1,N/A", empty_words=("n/a", "null"))
        assert (line.happened_on, line.problem) == (None, None)


def test_many_rows_are_read_in_linear_time():
    rows = Rows("R1,-1.00\n" * 60_000, CsvMapping())
    begun = process_time()
    assert sum(1 for _row in rows) == 60_000
    assert process_time() - begun < 3
