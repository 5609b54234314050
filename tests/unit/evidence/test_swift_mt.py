"""MT940 and MT942: the same rules as for camt."""

from datetime import date
from decimal import Decimal

import pytest

from g2p_payment_reconcile.evidence.bank_file import is_bank_message, read
from g2p_payment_reconcile.evidence.lines import (
    EvidenceError,
    EvidenceStatus,
    FailureType,
    FaultKind,
    Problem,
)

OURS = "5huIthym2YGBCHCYzwF9h4"


def statement(*entries, currency="USD", kind="940"):
    opening = (
        f":60F:C261101{currency}1000,00" if kind == "940" else f":34F:{currency}0,00\n:13D:2611021200+0300"
    )
    closing = [f":62F:C261102{currency}900,00"] if kind == "940" else []
    head = [
        f"{{1:F01BANKXXXXAXXX0000000000}}{{2:I{kind}CLNTXXXXXXXXN}}{{4:",
        ":20:S1",
        ":25:KE123",
        ":28C:7/1",
    ]
    return "\n".join([*head, opening, *entries, *closing, "-}"]).encode()


def entry(mark="D", amount="100,00", kind="NTRF", reference="NONREF", own="B1", details="", further=""):
    texts = [f":61:2611021102{mark}{amount}{kind}{reference}" + (f"//{own}" if own else "")]
    return "\n".join([*texts, *([further] if further else []), *([f":86:{details}"] if details else [])])


def only(*entries, **values):
    content = statement(*entries, **values)
    assert is_bank_message(content)
    (line,) = read(content).lines
    return line


def test_an_entry_of_a_statement():
    message = read(statement(entry(details=f"/EREF/{OURS}/NAME/Amina Wanjiru/IBAN/KE99")))
    (line,) = message.lines
    assert (message.kind, message.accounts) == ("mt940", ["KE123"])
    assert (line.status, line.reference, line.remote_reference) == (EvidenceStatus.PAID, OURS, "B1")
    assert (line.amount, line.currency, line.happened_on) == (Decimal(100), "USD", date(2026, 11, 2))
    assert (line.payee, line.payee_name, line.remote_status) == ("KE99", "Amina Wanjiru", "D NTRF")
    assert line.raw.startswith(":61:") and OURS in line.raw


@pytest.mark.parametrize(
    ("mark", "kind", "details", "expected"),
    [
        ("D", "NTRF", "", EvidenceStatus.PAID),
        ("d", "NTRF", "", EvidenceStatus.PAID),
        ("C", "NTRF", "", EvidenceStatus.OTHER),
        ("RD", "NTRF", "", EvidenceStatus.RETURNED),
        ("RC", "NTRF", "", EvidenceStatus.OTHER),
        ("C", "NRTI", "", EvidenceStatus.RETURNED),
        ("C", "NTRF", "/RTRN/AC04/", EvidenceStatus.RETURNED),
        ("C", "NTRF", "159?00RETOURE", EvidenceStatus.RETURNED),
        ("D", "NCHG", "", EvidenceStatus.FEE),
        ("D", "NCOM", "", EvidenceStatus.FEE),
        ("D", "NMSC", "808?00ENTGELT", EvidenceStatus.FEE),
        ("RD", "NCHG", "", EvidenceStatus.FEE),
        ("ED", "NTRF", "", EvidenceStatus.WAITING),
        ("EC", "NTRF", "", EvidenceStatus.WAITING),
    ],
)
def test_what_an_entry_says(mark, kind, details, expected):
    assert only(entry(mark, kind=kind, details=details)).status is expected


def test_an_interim_report_tells_booked_from_expected():
    found = read(statement(entry(), entry("ED"), entry(details="166?00SEPA?20EREF+X"), kind="942"))
    assert found.kind == "mt942"
    expected = [EvidenceStatus.PAID, EvidenceStatus.WAITING, EvidenceStatus.WAITING]
    assert [line.status for line in found.lines] == expected
    assert found.lines[0].currency == "USD"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"reference": "OWN-1"}, "OWN-1"),
        ({"details": f"/EREF/{OURS[:9]}\n{OURS[9:]}/REMI/x"}, OURS),
        ({"details": f"166?00SEPA?20EREF+{OURS[:12]}?21{OURS[12:]}SVWZ+aid?31KE9?32AMINA"}, OURS),
        ({"details": f"166<00SEPA<20EREF+{OURS}<21SVWZ+aid"}, OURS),
        ({"details": "166?00SEPA?20EREF+NOTPROVIDED?21KREF+K1"}, "K1"),
        ({"details": "/EREF/NOTPROVIDED/", "reference": "OWN-1"}, "OWN-1"),
        ({"details": "/ROC/OWN-2/"}, "OWN-2"),
        ({}, ""),
        ({"reference": OURS + "-LONG-ER"}, OURS + "-LONG-ER"),
    ],
)
def test_where_our_reference_stands(values, expected):
    assert only(entry(**values)).reference == expected


def test_text_in_which_a_reference_may_stand_is_kept():
    line = only(entry(details=f"aid for march {OURS}\nsecond line", further="MORE"))
    assert OURS in line.free_text and "MORE" in line.free_text and "second line" in line.reason


def test_payee_of_the_german_structure():
    line = only(entry(details="166?00SEPA?20SVWZ+aid?30BANK?31KE99?32AMINA ?33WANJIRU"))
    assert (line.payee, line.payee_name) == ("KE99", "AMINA WANJIRU")


def test_a_return_has_its_reason():
    line = only(entry("RD", details=f"/EREF/{OURS}/RTRN/AC04/"))
    assert (line.reason_code, line.failure_type) == ("AC04", FailureType.RETURNED)


@pytest.mark.parametrize(
    ("amount", "further", "expected"),
    [
        ("100,00", "", (Decimal(100), "USD")),
        ("100,", "", (Decimal(100), "USD")),
        ("92,10", "/OCMT/EUR100,/EXCH/0,921/", (Decimal(100), "EUR")),
        ("102,50", "/OCMT/USD100,00//CHGS/USD2,50/", (Decimal(100), "USD")),
        ("90,00", "/OCMT/USD100,00/", (Decimal(90), "USD")),
    ],
)
def test_amount_as_it_was_ordered(amount, further, expected):
    line = only(entry(amount=amount, further=further))
    assert (line.amount, line.currency) == expected


@pytest.mark.parametrize("amount", ["1.000,00", "1 000,00", "1,000.00", "", "1,2,3", "-100,00", "١٠٠,٠٠"])
def test_an_amount_that_is_not_swifts_is_not_guessed(amount):
    good = entry(details="/EREF/GOOD/")
    found = read(statement(good, entry(amount=amount, details=f"/EREF/{OURS}/"), good)).lines
    assert [line.status for line in found] == [EvidenceStatus.PAID, None, EvidenceStatus.PAID]
    assert (found[1].problem, found[1].reference, found[1].amount) == (Problem.SCHEMA, OURS, None)
    assert (found[1].fault.element, found[1].fault.line) == (":61:", 8)


def test_a_misspelt_field_is_not_lost():
    found = read(statement(entry(), entry().replace(":61:", ":6l:"), entry(own="B3"))).lines
    assert [line.status for line in found] == [EvidenceStatus.PAID, None, EvidenceStatus.PAID]
    assert found[1].fault.kind is FaultKind.UNKNOWN


def test_a_time_of_day_does_not_end_the_text():
    line = only(entry(details=f"PAID AT\n:12:30 REF\n{OURS}"))
    assert (line.problem, OURS in line.free_text) == (None, True)


def test_without_a_currency_no_amount_is_taken_for_ours():
    content = statement(entry()).replace(b":60F:", b":60F:X").replace(b":62F:", b":62F:X")
    (line,) = read(content).lines
    assert (line.amount, line.currency) == (Decimal(100), "")


def test_several_statements_have_their_own_currency():
    content = statement(entry()) + b"\r\n" + statement(entry(), currency="KES").replace(b"\n", b"\r\n")
    assert [line.currency for line in read(content).lines] == ["USD", "KES"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252"])
def test_letters_of_the_payees_name(encoding):
    content = statement(entry(details="/NAME/Peña")).decode().encode(encoding)
    assert read(content).lines[0].payee_name == "Peña"


def test_a_statement_without_entries_is_empty():
    with pytest.raises(EvidenceError) as caught:
        read(statement())
    assert caught.value.problem is Problem.EMPTY


def test_payees_are_not_in_the_log(caplog):
    caplog.set_level("INFO")
    read(statement(entry(amount="x", details="/NAME/Amina Secret"), entry(details="/NAME/Amina Secret")))
    assert "Amina" not in caplog.text
