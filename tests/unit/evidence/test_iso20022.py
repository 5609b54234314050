"""Bank statements and status reports in every version that is read; files that are broken or hostile."""

import re
from datetime import date
from decimal import Decimal
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from messages import camt, document, element, entry, notification, pain, status, text, transaction

from g2p_payment_reconcile.evidence.iso20022 import CAMT_053, CAMT_054, PAIN_002, VERSIONS, read
from g2p_payment_reconcile.evidence.lines import (
    MAX_BYTES,
    EvidenceError,
    EvidenceStatus,
    FailureType,
    Problem,
)
from g2p_payment_reconcile.evidence.references import first_reference


def lines(content):
    return read(content)[1]


def only(content):
    (line,) = lines(content)
    return line


@pytest.mark.parametrize("version", VERSIONS[CAMT_053])
def test_a_payment_in_every_version_of_the_statement(version):
    single = transaction("R1", "100.00", iban="DE02120300000000202051", name="Amina", version=version)
    content = camt(entry(single, own="bank-1", version=version), version=version)
    kind, (line,), accounts = read(content)
    assert (kind, accounts) == (CAMT_053, ["our-account"])
    assert (line.status, line.reference, line.remote_reference) == (EvidenceStatus.PAID, "R1", "bank-1")
    assert (line.amount, line.currency, line.happened_on) == (Decimal("100.00"), "USD", date(2026, 3, 2))
    assert (line.payee, line.payee_name) == ("DE02120300000000202051", "Amina")
    assert line.problem is None
    assert line.raw.startswith("<Ntry") and "R1" in line.raw


@pytest.mark.parametrize("version", VERSIONS[PAIN_002])
def test_a_payment_in_every_version_of_the_status_report(version):
    told = status("R1", "ACSC", iban="DE02120300000000202051", name="Amina", own="bank-1", version=version)
    kind, (line,), accounts = read(pain(told, version=version))
    assert (kind, accounts) == (PAIN_002, [])
    assert (line.status, line.remote_status) == (EvidenceStatus.PAID, "ACSC")
    assert (line.reference, line.remote_reference) == ("R1", "bank-1")
    assert (line.amount, line.currency) == (Decimal("100.00"), "USD")
    assert (line.payee, line.payee_name) == ("DE02120300000000202051", "Amina")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, EvidenceStatus.PAID),
        ({"status": "PDNG"}, EvidenceStatus.WAITING),
        ({"status": "INFO"}, EvidenceStatus.WAITING),
        ({"indicator": "CRDT"}, EvidenceStatus.OTHER),
        ({"indicator": "CRDT", "reversal": "true"}, EvidenceStatus.RETURNED),
        ({"indicator": "CRDT", "reversal": "false"}, EvidenceStatus.OTHER),
        ({"indicator": "CRDT", "code": "RRTN"}, EvidenceStatus.RETURNED),
        ({"indicator": "CRDT", "code": "STDO"}, EvidenceStatus.OTHER),
        ({"indicator": "DBIT", "reversal": "true"}, EvidenceStatus.OTHER),
        ({"indicator": "CRDT", "reversal": "true", "status": "PDNG"}, EvidenceStatus.WAITING),
    ],
)
def test_what_an_entry_says(values, expected):
    assert only(camt(entry(**values))).status is expected


def test_what_is_not_booked_is_not_paid_in_old_versions_either():
    assert only(camt(entry(status="PDNG", version=2), version=2)).status is EvidenceStatus.WAITING


@pytest.mark.parametrize("version", [2, 8])
def test_a_return_has_its_date_and_reason(version):
    single = transaction("R1", "100.00", returned="AC04", information="account closed", version=version)
    returned = entry(single, indicator="CRDT", booked_on="2026-03-09", version=version)
    line = only(camt(returned, version=version))
    assert (line.status, line.failure_type) == (EvidenceStatus.RETURNED, FailureType.RETURNED)
    assert (line.reason_code, line.reason, line.happened_on) == ("AC04", "account closed", date(2026, 3, 9))


def test_the_payments_of_a_collective_entry_are_lines_of_their_own():
    several = [transaction(f"R{number}", f"{number}0.00", own=f"b{number}") for number in (1, 2, 3)]
    found = lines(camt(entry(*several, amount="60.00", own="collective"), entry()))
    assert [line.number for line in found] == [1, 2, 3, 4]
    assert [line.amount for line in found] == [Decimal(10), Decimal(20), Decimal(30), Decimal(100)]
    assert [line.remote_reference for line in found] == ["b1", "b2", "b3", ""]


def test_of_a_collective_entry_the_sum_is_nobodys_amount():
    found = lines(camt(entry(transaction("R1"), transaction("R2"), amount="200.00", own="collective")))
    assert [(line.amount, line.currency, line.remote_reference) for line in found] == [(None, "", "")] * 2


def test_no_reference_is_not_a_reference():
    assert only(camt(entry(transaction("NOTPROVIDED")))).reference == ""
    assert only(camt(entry(transaction("NOTPROVIDED", instruction="R1")))).reference == "R1"


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("ACSC", EvidenceStatus.PAID),
        ("ACCC", EvidenceStatus.PAID),
        ("RJCT", EvidenceStatus.FAILED),
        ("CANC", EvidenceStatus.FAILED),
        ("ACSP", EvidenceStatus.WAITING),
        ("ACWC", EvidenceStatus.WAITING),
        ("ACWP", EvidenceStatus.WAITING),
        ("PDNG", EvidenceStatus.WAITING),
        ("BLCK", EvidenceStatus.WAITING),
        ("ZZZZ", EvidenceStatus.WAITING),
    ],
)
def test_what_a_status_says(word, expected):
    assert only(pain(status("R1", word, version=10), version=10)).status is expected


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("AC01", FailureType.PAYEE_UNKNOWN),
        ("AC04", FailureType.ACCOUNT_CLOSED),
        ("AM04", FailureType.INSUFFICIENT_FUNDS),
        ("AM02", FailureType.LIMIT),
        ("AM05", FailureType.DUPLICATE),
        ("MS03", FailureType.REJECTED),
        ("FF01", FailureType.TECHNICAL),
        ("ZZ99", FailureType.OTHER),
        (None, FailureType.OTHER),
    ],
)
def test_why_it_was_rejected(code, kind):
    line = only(pain(status("R1", "RJCT", code, "no such account")))
    assert (line.failure_type, line.reason_code, line.reason) == (kind, code or "", "no such account")


def test_a_payment_without_a_word_has_that_of_its_batch():
    found = lines(pain(status("R1", None), status("R2", "RJCT"), payment_status="ACSC"))
    assert [line.status for line in found] == [EvidenceStatus.PAID, EvidenceStatus.FAILED]


def test_a_batch_without_payments_is_a_line_that_names_none():
    line = only(pain(payment_status="RJCT"))
    assert (line.reference, line.status, line.amount) == ("our-batch", EvidenceStatus.FAILED, None)
    line = only(pain(group_status="RJCT", groups=False))
    assert (line.reference, line.status, line.amount) == ("our-message", EvidenceStatus.FAILED, None)


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("<CdtDbtInd>DBIT</CdtDbtInd>", "<CdtDbtInd>BOTH</CdtDbtInd>"),
        ("<CdtDbtInd>DBIT</CdtDbtInd>", ""),
        ("<BkTxCd></BkTxCd>", "<Surprise/>"),
        (">100.00<", ">ten<"),
        ("2026-03-02</Dt>", "2026-02-30</Dt>"),
    ],
)
def test_a_record_that_does_not_fit_its_schema_is_kept_and_the_others_are_read(good, bad):
    broken = entry().replace(good, bad)
    assert broken != entry()
    first, second, third = lines(camt(entry(transaction("R1")), broken, entry(transaction("R3"))))
    assert (first.status, third.status) == (EvidenceStatus.PAID, EvidenceStatus.PAID)
    assert (second.number, second.status, second.problem) == (2, None, Problem.SCHEMA)
    assert second.problem_detail
    assert second.raw.startswith("<Ntry")


@pytest.mark.parametrize(
    "amount", ["NaN", "Infinity", "-100.00", "1E+999999", "1e18", "1e-19", "0.0000000001"]
)
def test_what_is_no_amount(amount):
    line = only(camt(entry(amount=amount)))
    assert (line.status, line.amount, line.problem) == (None, None, Problem.AMOUNT)


def test_a_year_of_five_digits_is_no_date():
    line = only(camt(entry(booked_on="12026-03-02")))
    assert (line.status, line.happened_on) == (EvidenceStatus.PAID, None)


@given(st.data())
def test_whatever_stands_in_a_field_each_record_is_a_line(data):
    good = camt(
        entry(transaction("R1", "100.00", iban="DE02120300000000202051", returned="AC04")), entry()
    ).decode()
    places = [match.span(1) for match in re.finditer(r">([^<>]+)<", good)]
    start, end = data.draw(st.sampled_from(places[5:]))
    texts = st.text(st.characters(min_codepoint=32, max_codepoint=0x24F), max_size=30)
    numbers = st.from_regex(r"[+-]?[0-9]{1,25}([.][0-9]{1,25})?([eE][+-]?[0-9]{1,6})?", fullmatch=True)
    text = escape(data.draw(st.one_of(texts, numbers)))
    assert len(lines((good[:start] + text + good[end:]).encode())) == 2


def test_a_status_that_its_version_does_not_know_is_not_guessed():
    line = only(pain(status("R1", "ACCC", version=3), version=3))
    assert (line.status, line.problem) == (None, Problem.SCHEMA)


HOSTILE = """<?xml version="1.0"?>
<!DOCTYPE Document [{}]>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">&a;</Document>"""


@pytest.mark.parametrize(
    "declarations",
    [
        "",
        '<!ENTITY a "once">',
        '<!ENTITY a SYSTEM "file:///etc/hostname">',
        '<!ENTITY b "' + "x" * 1000 + '"><!ENTITY a "' + "&b;" * 1000 + '">',
        "".join(f'<!ENTITY a{n} "{f"&a{n + 1};" * 10}">' for n in range(1, 9))
        + '<!ENTITY a9 "x"><!ENTITY a "&a1;">',
        '<!ENTITY % a SYSTEM "http://127.0.0.1:9/x"> %a;',
    ],
)
def test_entities_are_refused(declarations):
    with pytest.raises(EvidenceError) as caught:
        read(HOSTILE.replace("{}", declarations).encode())
    assert caught.value.problem in (Problem.DOCTYPE, Problem.NOT_XML)


def test_a_deep_file_is_refused():
    with pytest.raises(EvidenceError) as caught:
        read(document("camt.053.001.08", "<a>" * 5000 + "</a>" * 5000))
    assert caught.value.problem is Problem.NOT_XML


def test_a_comment_does_not_cut_an_amount():
    assert only(camt(entry().replace(">100.00<", ">100<!-- -->0.00<"))).amount == Decimal(1000)


@pytest.mark.parametrize(
    ("content", "problem", "line"),
    [
        (b"", Problem.NOT_XML, 1),
        (b"<a>\n<b>\n</a>", Problem.NOT_XML, 3),
        (b'<?xml version="1.0" encoding="nonsense"?><a/>', Problem.NOT_XML, None),
        (b"\xff\xfe\x00", Problem.NOT_XML, None),
        (b"<Document/>", Problem.MESSAGE, 1),
        (document("camt.053.001.99", ""), Problem.MESSAGE, 1),
        (document("camt.052.001.08", ""), Problem.EMPTY, 0),
        (document("camt.029.001.09", ""), Problem.CANCELLATION, 1),
        (document("pain.001.001.09", ""), Problem.ORDER, 1),
        (document("pain.002.001.02", ""), Problem.MESSAGE, 1),
        (camt(), Problem.EMPTY, 0),
        (b"x" * (MAX_BYTES + 1), Problem.TOO_LARGE, 0),
    ],
)
def test_files_that_cannot_be_read(content, problem, line):
    with pytest.raises(EvidenceError) as caught:
        read(content)
    assert caught.value.problem is problem
    assert line is None or caught.value.line == line


@given(st.binary(max_size=300))
def test_nothing_else_is_raised(content):
    with pytest.raises(EvidenceError):
        read(content)


references = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=35)


@given(
    st.lists(
        st.tuples(references, st.integers(1, 10**12), st.sampled_from(["USD", "KES"])), min_size=1, max_size=8
    ),
    st.sampled_from(sorted(VERSIONS[CAMT_053])),
)
def test_what_is_in_the_file_is_what_is_read(payments, version):
    entries = [
        entry(
            transaction(reference, Decimal(cents).scaleb(-2), currency, version=version),
            amount=Decimal(cents).scaleb(-2),
            currency=currency,
            version=version,
        )
        for reference, cents, currency in payments
    ]
    found = lines(camt(*entries, version=version))
    assert [(line.reference, line.amount, line.currency) for line in found] == [
        (first_reference(reference), Decimal(cents).scaleb(-2), currency)
        for reference, cents, currency in payments
    ]


@pytest.mark.parametrize("version", VERSIONS[CAMT_054])
def test_a_notification_says_what_a_statement_says(version):
    entries = [
        entry(transaction("R1", "100.00", version=version), own="bank-1", version=version),
        entry(transaction("R2", "7.00", version=version), status="PDNG", version=version),
    ]
    kind, told, accounts = read(notification(*entries, version=version))
    assert (kind, accounts) == (CAMT_054, ["our-account"])
    stated = lines(camt(*entries, version=version))
    assert [line.status for line in told] == [EvidenceStatus.PAID, EvidenceStatus.WAITING]
    assert [line.model_dump(exclude={"raw"}) for line in told] == [
        line.model_dump(exclude={"raw"}) for line in stated
    ]


def test_the_accounts_in_the_heads():
    content = camt(entry(transaction("R1")), accounts=("DE02120300000000202051", "77-1", "77-1"))
    assert read(content).accounts == ["DE02120300000000202051", "77-1"]


def test_a_statement_of_several_accounts_is_read_whole():
    one = camt(entry(transaction("R1"))).decode()
    start, end = one.index("<Stmt>"), one.index("</BkToCstmrStmt>")
    two = one[:end] + one[start:end].replace("R1", "R2") + one[end:]
    assert [line.reference for line in lines(two.encode())] == ["R1", "R2"]


def test_supplementary_data_with_records_of_the_same_name_is_not_counted():
    """Banks put data of their own there; a record inside is not an entry of the statement."""
    envelope = element("SplmtryData", element("Envlp", element("Mine", text("Ntry", "x"))))
    found = lines(camt(entry(transaction("R1")), envelope))
    assert found[0].status is EvidenceStatus.PAID
    assert all(line.status is None for line in found[1:]), "kept for a person at most, never paid"


def test_records_in_a_banks_own_supplementary_data_are_no_payments():
    """The schema lets a bank put anything there, also names of the message itself."""
    own = element("SplmtryData", element("Envlp", "<TxDtls/><TxInfAndSts/>"))
    booked = camt(entry(transaction("R1", "100.00").replace("</TxDtls>", f"{own}</TxDtls>")))
    assert [(line.reference, line.problem) for line in lines(booked)] == [("R1", None)]
    told = status("R1", "ACSC", version=10).replace("</TxInfAndSts>", f"{own}</TxInfAndSts>")
    assert [(line.reference, line.problem) for line in lines(pain(told, version=10))] == [("R1", None)]
