"""What names a booking, and which lines are the same one."""

from datetime import date
from decimal import Decimal

import pytest

from g2p_payment_reconcile.evidence.bookings import fingerprints, tell_apart
from g2p_payment_reconcile.evidence.lines import EvidenceLine, EvidenceStatus
from g2p_payment_reconcile.evidence.references import counts, first_reference, is_filler

OURS = "5huIthym2YGBCHCYzwF9h4"
OTHER = "G2P12EJJ8QBA3AB19W8Q6FX3"


def line(own="", reference=OURS, day=2, **values):
    return EvidenceLine(
        **{
            "number": 1,
            "reference": reference,
            "remote_reference": own,
            "amount": Decimal("100.00"),
            "currency": "USD",
            "status": EvidenceStatus.PAID,
            "happened_on": date(2026, 11, day),
            **values,
        }
    )


@pytest.mark.parametrize(
    "text",
    ["", "-", ".", "...", "0", "000000", "0101", "N/A", "n.a.", "NA", "None", "NULL", "nonref", "NON REF"]
    + ["NOTPROVIDED", "Not provided", "NOT-PROVIDED", "unknown", "XXXX", "99999999", "123456789", "keine"]
    + [
        "Sans référence",
        "NO INFORMADO",
        "não informado",
        "EREF+NOTPROVIDED",
        "REF: 000",
        "'NONREF",
        "ØØ",
        "?",
    ],
)
def test_fillers(text):
    assert is_filler(text)
    assert tell_apart([line(text)]) == [False]


@pytest.mark.parametrize(
    "text", ["b1", "FT26305ABCD", "2026-11-0017", "R7", "NOTES4711", "100200300", OURS, OTHER]
)
def test_no_fillers(text):
    assert not is_filler(text)
    assert first_reference("NOTPROVIDED", f" {text} ", "x") == text


def test_nothing_but_fillers_is_no_reference():
    assert first_reference("NONREF", None, "--") == ""


@pytest.mark.parametrize("text", ["1", "17", "0042", "000009999", "2026"])
def test_a_running_number_names_no_booking(text):
    assert counts(text)
    assert tell_apart([line(text)]) == [False]


@pytest.mark.parametrize("text", ["20261102", "02.11.2026", "261102", OURS, OURS.upper(), f"EREF {OURS}"])
def test_the_day_and_our_own_reference_name_no_booking(text):
    assert tell_apart([line(text)]) == [False]


def test_the_banks_own_number_names_its_booking():
    assert tell_apart([line("FT1"), line("FT2"), line("FT1")]) == [True, True, True]


@pytest.mark.parametrize(
    "other",
    [
        {"reference": OTHER},
        {"day": 3},
        {"amount": Decimal("7.00")},
        {"currency": "EUR"},
        {"status": EvidenceStatus.RETURNED},
    ],
)
def test_a_number_that_lines_share_which_differ_names_none(other):
    assert tell_apart([line("B7"), line("b-7", **other), line("B8")]) == [False, False, True]


def test_a_number_that_two_transactions_of_one_entry_share_names_none():
    assert tell_apart([line("B7", entry_number=1), line("B7", entry_number=1)]) == [False, False]
    assert tell_apart([line("B7", entry_number=1), line("B7", entry_number=2)]) == [True, True]


def test_other_things_under_its_number_leave_a_booking_its_name():
    told = [
        line("B7"),
        line("B7", status=EvidenceStatus.WAITING, day=1),
        line("B7", status=None, amount=None),
    ]
    assert tell_apart(told)[0]


@pytest.mark.parametrize("own", ["NONREF", "", "17"])
def test_equal_lines_are_two_bookings_unless_named(own):
    assert len(set(fingerprints([line(own), line(own)]))) == 2
    assert len(set(fingerprints([line("FT1"), line("FT1")]))) == 1


def test_the_running_number_of_a_file_is_not_what_a_line_says():
    january, both = [line("2")], [line("1", day=1), line("2", day=1), line("3")]
    assert fingerprints(january)[0] == fingerprints(both)[2]


def test_what_is_known_about_a_line_is_not_what_it_says():
    told = line("FT1", free_text="x", statement="s", entry_number=4, raw="y")
    assert fingerprints([told]) == fingerprints([line("FT1")])
