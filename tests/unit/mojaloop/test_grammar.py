"""What a payment may say. The patterns are written down here a second time, from FSPIOP 1.1 and the
connector's schemas, so that ours cannot drift unnoticed."""

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_connector import instruction

from odoo.addons.g2p_mojaloop_connector.client import grammar
from odoo.addons.g2p_mojaloop_connector.client.grammar import Change, Problem, normalised, problems

AMOUNT = re.compile(r"([0]|([1-9][0-9]{0,17}))([.][0-9]{0,3}[1-9])?")
NAME = re.compile(r"(?!\s*$)[\w .,'-]{1,128}", re.ASCII)
AMOUNTS = st.decimals(min_value="0.0001", max_value=10**18 - 1, places=4, allow_nan=False)


class TestAmounts:
    @pytest.mark.parametrize(
        ("amount", "text"),
        [("100.00", "100"), ("1.10", "1.1"), ("0.1000", "0.1"), ("1E+2", "100"), ("1e-4", "0.0001")],
    )
    def test_one_way_to_write_it(self, amount, text):
        assert grammar.amount_text(Decimal(amount)) == text

    @pytest.mark.parametrize(
        "amount", ["0", "-1", "1.00001", "1234567890123456789", "NaN", "Infinity", "-0.00"]
    )
    def test_not_an_amount(self, amount):
        with pytest.raises(ValueError, match="not an amount"):
            grammar.amount_text(Decimal(amount))

    @given(AMOUNTS)
    def test_written_and_read_it_is_the_same_to_the_last_digit(self, amount):
        text = grammar.amount_text(amount)
        assert AMOUNT.fullmatch(text)
        assert grammar.amount_of(text) == amount

    @given(AMOUNTS, st.integers(0, 6))
    def test_zeros_at_the_end_say_nothing(self, amount, zeros):
        longer = Decimal(f"{amount:f}" + "0" * zeros)
        assert grammar.amount_text(longer) == grammar.amount_text(amount)

    @given(st.decimals(allow_nan=False, allow_infinity=False))
    def test_what_has_no_problem_can_be_written(self, amount):
        if not problems(instruction(amount=amount)):
            assert AMOUNT.fullmatch(grammar.amount_text(amount))

    @pytest.mark.parametrize("text", ["100.00", "01", "+1", "1e3", "", 100, 1.5, None, "١٠"])
    def test_somebody_elses_amount_has_the_same_grammar(self, text):
        with pytest.raises(ValueError, match="not an amount"):
            grammar.amount_of(text)

    @pytest.mark.parametrize(
        ("amount", "currency", "found"),
        [
            ("1.11", "USD", []),
            ("1.111", "USD", [Problem.AMOUNT_DECIMALS]),
            ("1.111", "TND", []),
            ("1.1", "RWF", [Problem.AMOUNT_DECIMALS]),
            ("1.00", "RWF", []),
            ("0", "USD", [Problem.AMOUNT_NOT_POSITIVE]),
            ("-1", "USD", [Problem.AMOUNT_NOT_POSITIVE]),
            ("1E+18", "USD", [Problem.AMOUNT_TOO_LARGE]),
            ("1", "usd", [Problem.NO_CURRENCY]),
        ],
    )
    def test_problems(self, amount, currency, found):
        assert problems(instruction(amount=Decimal(amount), currency=currency)) == found


class TestIdentifiers:
    @pytest.mark.parametrize(
        "written", ["+27 713 803 912", "27713803912", "(27) 713-803-912", " 27.713.803.912 "]
    )
    def test_one_way_to_write_a_phone_number(self, written):
        assert grammar.normalised_identifier("MSISDN", written) == "27713803912"

    @given(st.sampled_from(grammar.ID_TYPES), st.text(max_size=140))
    def test_normalising_twice_changes_nothing(self, id_type, value):
        once = grammar.normalised_identifier(id_type, value)
        assert grammar.normalised_identifier(id_type, once) == once

    @given(st.sampled_from(grammar.ID_TYPES), st.text(max_size=140), st.text(max_size=140))
    def test_what_has_no_problem_is_one_segment_of_a_path(self, id_type, value, sub_id):
        """As it is: neither a connector nor a hub has to decode it, and no other path comes of it."""
        if grammar.identifier_problems(id_type, value, sub_id):
            return
        for segment in (value, sub_id):
            assert not re.search(r"[^!-~]|[/?#%\\]", segment)
            assert segment not in (".", "..")

    @pytest.mark.parametrize(
        ("id_type", "value", "found"),
        [
            ("MSISDN", "27713803912", []),
            ("MSISDN", "0713803912", [Problem.MSISDN]),
            ("MSISDN", "2771380391200000", [Problem.MSISDN]),
            ("MSISDN", "+27713803912", [Problem.MSISDN]),
            ("EMAIL", "a@b.example", []),
            ("EMAIL", "a.example", [Problem.EMAIL]),
            ("IBAN", "GB82WEST12345698765432", []),
            ("IBAN", "GB82WEST12345698765433", [Problem.IBAN]),
            ("ACCOUNT_ID", "x" * 128, []),
            ("ACCOUNT_ID", "x" * 129, [Problem.PAYEE_TOO_LONG]),
            ("ALIAS", "", [Problem.NO_PAYEE]),
            ("ALIAS", "my shop", [Problem.PAYEE_CHARACTERS]),
            ("ALIAS", "José", [Problem.PAYEE_CHARACTERS]),
            ("ALIAS", "../quotes", [Problem.PAYEE_CHARACTERS]),
            ("ALIAS", "..", [Problem.PAYEE_CHARACTERS]),
            ("PASSPORT", "1", [Problem.PAYEE_TYPE]),
            ("PERSONAL_ID/PASSPORT", "AB123", []),
            ("PERSONAL_ID/PASS PORT", "AB123", [Problem.PAYEE_TYPE]),
        ],
    )
    def test_problems(self, id_type, value, found):
        assert problems(instruction(payee_identifier_type=id_type, payee_identifier=value)) == found

    def test_blanks_go_only_where_they_mean_nothing(self):
        assert (
            grammar.normalised_identifier("IBAN", " gb82 WEST 1234 5698 7654 32") == "GB82WEST12345698765432"
        )
        assert grammar.normalised_identifier("ACCOUNT_ID", "12 345") == "12345"
        assert grammar.normalised_identifier("ALIAS", " my shop ") == "my shop"

    def test_a_plus_does_not_make_another_party(self):
        assert grammar.same_identifier("MSISDN", "27713803912", "+27713803912")
        assert not grammar.same_identifier("MSISDN", "27713803912", "27713803913")
        assert not grammar.same_identifier("ALIAS", "shop", "Shop")


class TestNotesAndNames:
    def test_what_was_changed_is_told(self):
        before = instruction(payee_identifier="+27 713 803 912", note=" Help\nfor  you ", payee_dfsp="bank ")
        after, changes = normalised(before)
        assert changes == [
            Change("payee_identifier", "+27 713 803 912", "27713803912"),
            Change("note", " Help\nfor  you ", "Help for you"),
            Change("payee_dfsp", "bank ", "bank"),
        ]
        assert (after.payee_identifier, after.note, after.payee_dfsp) == (
            "27713803912",
            "Help for you",
            "bank",
        )
        assert not problems(after)

    def test_nothing_changed(self):
        assert normalised(instruction(note="José & Co 😀")) == (instruction(note="José & Co 😀"), [])

    def test_a_long_note_is_cut(self):
        after, changes = normalised(instruction(note="x" * 129))
        assert (len(after.note), len(changes)) == (128, 1)
        assert problems(instruction(note="x" * 129)) == [Problem.NOTE_TOO_LONG]

    @pytest.mark.parametrize("note", ["\x00", "a\x07b", "\ud800"])
    def test_what_no_note_can_carry(self, note):
        assert problems(instruction(note=note)) == [Problem.NOTE_CHARACTERS]

    @given(st.text(max_size=300))
    def test_a_normalised_note_fits(self, note):
        after, _changes = normalised(instruction(note=note))
        assert set(problems(after)) <= {Problem.NOTE_CHARACTERS}
        assert normalised(after) == (after, [])

    @pytest.mark.parametrize(
        ("name", "shown"), [("José & Co", "Jose Co"), ("نور", ""), ("O'Neil-Smith, Jr.", "O'Neil-Smith, Jr.")]
    )
    def test_names_are_ascii(self, name, shown):
        assert grammar.display_name(name) == shown

    @given(st.text(max_size=300))
    def test_a_name_that_is_sent_is_one(self, name):
        shown = grammar.display_name(name)
        assert not shown or NAME.fullmatch(shown)

    @pytest.mark.parametrize("dfsp", ["x" * 33, "a/b", "bänk"])
    def test_institutions(self, dfsp):
        assert problems(instruction(payee_dfsp=dfsp)) == [Problem.DFSP]
