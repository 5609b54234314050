"""The batch file: nothing in it that the hub would reject, swallow or mangle."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from instructions import PAYER, instruction

from g2p_payment_hub.client import csv_file
from g2p_payment_hub.client.csv_file import (
    Problem,
    amount_text,
    parse,
    plain_note,
    problems,
    render,
    row_bytes,
)
from g2p_payment_hub.client.instructions import Instruction, Payer, digest

GOLDEN = "\n".join(
    (
        "id,request_id,payment_mode,payer_identifier_type,payer_identifier,"
        "payee_identifier_type,payee_identifier,amount,currency,note",
        "0,0aBcDeFgHiJkLmNoPqRsTu,mojaloop,MSISDN,123456789,MSISDN,27713800001,120,USD,Cycle 1 - May 2026",
        "1,1aBcDeFgHiJkLmNoPqRsTu,mojaloop,MSISDN,123456789,MSISDN,27713800002,7,USD,",
    )
)


OTHER = {
    "reference": "1aBcDeFgHiJkLmNoPqRsTu",
    "payee_identifier": "27713800002",
    "amount": Decimal(7),
    "note": "",
}
identifiers = st.from_regex(r"[A-Za-z0-9@._:/-]{1,64}", fullmatch=True)
instructions = st.builds(
    Instruction,
    reference=st.from_regex(r"[A-Za-z0-9-]{1,24}", fullmatch=True),
    payee_identifier_type=st.from_regex(r"[A-Za-z0-9_]{1,24}", fullmatch=True),
    payee_identifier=identifiers,
    amount=st.integers(1, 10**18 - 1).map(Decimal),
    currency=st.from_regex(r"[A-Z]{3}", fullmatch=True),
    note=st.text().map(plain_note),
)
dfsps = st.none() | st.from_regex(r"[A-Za-z0-9_]{1,24}", fullmatch=True)
files = st.builds(
    lambda rows, dfsp: [row.model_copy(update={"payee_dfsp": dfsp or ""}) for row in rows],
    st.lists(instructions, max_size=6, unique_by=(lambda one: one.reference, csv_file.look_alike)),
    dfsps,
)
payers = st.builds(
    Payer, identifier_type=st.sampled_from(["", "MSISDN"]), identifier=st.just("") | identifiers
)


class TestRender:
    def test_golden(self):
        text = render([instruction(), instruction(**OTHER)], PAYER, "mojaloop")
        assert text == GOLDEN
        assert digest(text) == digest(GOLDEN)

    def test_institution_of_the_payee(self):
        """In the column that the hub's row splitter takes by its position, the thirteenth."""
        header, row = render([instruction(payee_dfsp="lion")], PAYER, "mojaloop").split("\n")
        assert header == GOLDEN.split("\n")[0] + ",program_shortcode,cycle,payee_dfsp_id"
        assert row == GOLDEN.split("\n")[1] + ",,,lion"

    def test_institution_of_some_payees_only(self):
        with pytest.raises(ValueError, match="institution"):
            render([instruction(payee_dfsp="lion"), instruction(**OTHER)], PAYER, "mojaloop")

    def test_payer_may_be_empty(self):
        assert render([instruction()], Payer(), "gsma").split("\n")[1].split(",")[2:5] == ["gsma", "", ""]

    @given(files, payers)
    def test_there_and_back(self, rows, payer):
        text = render(rows, payer, "mojaloop")
        assert parse(text) == rows
        assert text.isascii() and not text.endswith("\n") and "\r" not in text and '"' not in text
        assert len({line.count(",") for line in text.split("\n")}) == 1

    @given(files, payers)
    def test_size_is_never_underestimated(self, rows, payer):
        sizes = sum(row_bytes(row, payer, "mojaloop") for row in rows)
        assert len(render(rows, payer, "mojaloop").encode()) <= len(csv_file.DFSP_HEADER) + sizes

    @pytest.mark.parametrize(
        "payer",
        [
            Payer(identifier="123,456"),
            Payer(identifier_type="MS\nISDN"),
            Payer(identifier='"1"'),
            Payer(identifier="\u0661"),
        ],
    )
    def test_payer_that_would_move_the_columns(self, payer):
        with pytest.raises(ValueError):
            render([instruction()], payer, "mojaloop")

    @pytest.mark.parametrize("mode", ["", "mojaloop,x", "closed loop", "MOJALOOP"])
    def test_mode_that_is_none(self, mode):
        with pytest.raises(ValueError):
            render([instruction()], PAYER, mode)

    def test_a_row_with_a_problem(self):
        with pytest.raises(ValueError, match="amount_decimals"):
            render([instruction(amount=Decimal("1.5"))], PAYER, "mojaloop")

    def test_one_reference_twice(self):
        with pytest.raises(ValueError, match="reference"):
            render([instruction(), instruction(payee_identifier="27713800002")], PAYER, "mojaloop")

    def test_look_alikes(self):
        """The hub would pay the first and call the second a duplicate."""
        twin = instruction(reference="1aBcDeFgHiJkLmNoPqRsTu", amount=Decimal("120"), note="")
        with pytest.raises(ValueError, match="payee"):
            render([instruction(), twin], PAYER, "mojaloop")

    def test_largest_file(self):
        rows = [instruction(reference=f"{number}", payee_identifier=f"{number}") for number in range(2000)]
        with pytest.raises(ValueError, match="larger"):
            render(rows, PAYER, "mojaloop")

    @pytest.mark.parametrize(
        "text",
        [
            "",
            GOLDEN.replace("id,", "ID,", 1),
            GOLDEN.replace("\n1,", "\n2,"),
            GOLDEN + "\n",
            GOLDEN.replace("120", "120.0"),
            GOLDEN.replace("120", "0120"),
            GOLDEN.replace("120", "\u0661\u0662\u0660"),
            GOLDEN.replace("27713800001", "2771,3800001"),
            GOLDEN.replace("27713800001", '"27713800001"'),
            GOLDEN.replace("USD", "usd"),
        ],
    )
    def test_parse_takes_nothing_else(self, text):
        with pytest.raises(ValueError):
            parse(text)


class TestProblems:
    def test_none(self):
        assert problems(instruction()) == problems(instruction(), rewritten=True) == []

    @pytest.mark.parametrize(
        ("changes", "problem"),
        [
            ({"payee_identifier": ""}, Problem.NO_PAYEE),
            ({"payee_identifier": "+27713800001"}, Problem.PAYEE_CHARACTERS),
            ({"payee_identifier": "277,13"}, Problem.PAYEE_CHARACTERS),
            ({"payee_identifier": " 27713800001"}, Problem.PAYEE_CHARACTERS),
            ({"payee_identifier": "27713800001\n"}, Problem.PAYEE_CHARACTERS),
            ({"payee_identifier": "\u0662\u0667\u0667"}, Problem.PAYEE_CHARACTERS),
            ({"payee_identifier": "7" * 65}, Problem.PAYEE_CHARACTERS),
            ({"payee_identifier_type": ""}, Problem.PAYEE_TYPE),
            ({"payee_identifier_type": "Bank account"}, Problem.PAYEE_TYPE),
            ({"payee_identifier_type": "T" * 25}, Problem.PAYEE_TYPE),
            ({"amount": Decimal(0)}, Problem.AMOUNT_NOT_POSITIVE),
            ({"amount": Decimal("-1")}, Problem.AMOUNT_NOT_POSITIVE),
            ({"amount": Decimal("0.5")}, Problem.AMOUNT_DECIMALS),
            ({"amount": Decimal("10.001")}, Problem.AMOUNT_DECIMALS),
            ({"amount": Decimal(10**18)}, Problem.AMOUNT_TOO_LARGE),
            ({"amount": Decimal("1E+40")}, Problem.AMOUNT_TOO_LARGE),
            ({"currency": ""}, Problem.NO_CURRENCY),
            ({"currency": "usd"}, Problem.NO_CURRENCY),
            ({"currency": "USDT"}, Problem.NO_CURRENCY),
            ({"reference": ""}, Problem.REFERENCE),
            ({"reference": "r" * 25}, Problem.REFERENCE),
            ({"reference": "PAY/1"}, Problem.REFERENCE),
            ({"note": "May, June"}, Problem.NOTE),
            ({"note": 'the "May" cycle'}, Problem.NOTE),
            ({"note": "two\nlines"}, Problem.NOTE),
            ({"note": "caf\u00e9"}, Problem.NOTE),
            ({"note": "ends with a blank "}, Problem.NOTE),
            ({"note": "n" * 61}, Problem.NOTE),
            ({"payee_dfsp": "lion,rhino"}, Problem.DFSP),
            ({"payee_dfsp": "d" * 25}, Problem.DFSP),
        ],
    )
    def test_each(self, changes, problem):
        assert problems(instruction(**changes)) == [problem]
        with pytest.raises(ValueError):
            render([instruction(**changes)], PAYER, "mojaloop")

    def test_every_problem_can_be_found(self):
        everything = instruction(
            reference="",
            payee_identifier_type="",
            payee_identifier="",
            amount=Decimal(0),
            currency="",
            note=",",
            payee_dfsp=",",
        )
        some = instruction(payee_identifier=",", amount=Decimal("1.5"))
        large = instruction(amount=Decimal(10**20))
        found = {*problems(everything), *problems(some), *problems(large)}
        assert found == set(Problem)

    def test_rewritten_files_carry_shorter_identifiers(self):
        """Beyond 24 characters the hub writes quotes round a value, and then pays the quoted text."""
        long = instruction(payee_identifier="7" * 25)
        assert problems(long) == []
        assert problems(long, rewritten=True) == [Problem.PAYEE_CHARACTERS]
        assert problems(instruction(payee_identifier="7" * 24), rewritten=True) == []

    @given(st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-5, max_value=10**6))
    def test_amounts_are_carried_exactly_or_not_at_all(self, amount):
        if amount > 0 and amount % 1 == 0:
            assert Decimal(amount_text(amount)) == amount
        else:
            with pytest.raises(ValueError):
                amount_text(amount)


class TestAmounts:
    @pytest.mark.parametrize(
        ("amount", "text"),
        [
            ("120", "120"),  # JPY
            ("120.00", "120"),  # USD
            ("120.000", "120"),  # KWD
            ("1E+3", "1000"),
            ("999999999999999999", "999999999999999999"),
        ],
    )
    def test_currencies_of_no_two_and_three_decimals(self, amount, text):
        assert amount_text(Decimal(amount)) == text

    @pytest.mark.parametrize("amount", ["0.5", "120.01", "120.001", "0", "-3", "NaN", "Infinity"])
    def test_what_cannot_be_carried(self, amount):
        with pytest.raises(ValueError):
            amount_text(Decimal(amount))


class TestNotes:
    @given(st.text())
    def test_plain_note_is_always_carryable(self, text):
        note = plain_note(text)
        assert Problem.NOTE not in problems(instruction(note=note))
        assert plain_note(note) == note

    def test_what_is_kept(self):
        assert plain_note(' "Cash", for  the caf\u00e9:\n 2/2 ') == "Cash for the caf : 2/2"


class TestLookAlike:
    """Equal keys exactly where the hub joins the four columns to equal texts."""

    def hub_key(self, one):
        cells = render([one], PAYER, "mojaloop").split("\n")[1].split(",")
        return cells[6] + cells[5] + cells[7] + cells[8]

    @given(instructions)
    def test_is_the_hub_s(self, one):
        assert csv_file.look_alike(one) == self.hub_key(one)

    def test_joined_without_a_separator(self):
        one = instruction(payee_identifier="12", payee_identifier_type="3X")
        other = instruction(payee_identifier="123", payee_identifier_type="X")
        assert csv_file.look_alike(one) == csv_file.look_alike(other)

    def test_reference_note_and_written_zeros_do_not_matter(self):
        other = instruction(reference="x", note="", amount=Decimal("120"))
        assert csv_file.look_alike(other) == csv_file.look_alike(instruction())

    @pytest.mark.parametrize("amount", ["1.5", "0", "-2.50"])
    def test_of_rows_with_problems(self, amount):
        assert csv_file.look_alike(instruction(amount=Decimal(amount)))
