"""What a CSV line says happened: status, direction and sign of the money, together."""

from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from g2p_payment_reconcile.evidence.csv_file import CsvMapping, read
from g2p_payment_reconcile.evidence.lines import EvidenceError, EvidenceStatus, Problem

PAID, FAILED, OTHER = EvidenceStatus.PAID, EvidenceStatus.FAILED, EvidenceStatus.OTHER
RETURNED, WAITING = EvidenceStatus.RETURNED, EvidenceStatus.WAITING
WORDS = {
    "paid_words": ("Completed",),
    "failed_words": ("Failed", "Cancelled"),
    "returned_words": ("Reversed",),
    "waiting_words": ("Pending",),
    "other_words": ("Opening Balance",),
}
MOBILE = CsvMapping(
    reference="Details",
    debit="Withdrawn",
    debit_sign="negative",
    credit="Paid In",
    status="Transaction Status",
    thousands_sign=",",
    fixed_currency="KES",
    **WORDS,
)
ACCOUNT = CsvMapping(
    reference="Reference",
    debit="Money Out",
    credit="Money In",
    date="Transaction Date",
    date_format="%d/%m/%Y",
    thousands_sign=",",
    fixed_currency="KES",
)


def only(header, row, mapping):
    (line,) = read(f"{header}\n{row}".encode(), mapping)
    return line


@pytest.mark.parametrize(
    ("status", "paid_in", "withdrawn", "said"),
    [
        ("Completed", "", "-50.00", PAID),
        ("Completed", "50.00", "", OTHER),
        ("Failed", "", "-50.00", FAILED),
        ("CANCELLED", "", "-50.00", FAILED),
        ("Failed", "50.00", "", OTHER),
        ("Reversed", "", "-50.00", RETURNED),
        ("Reversed", "50.00", "", RETURNED),
        ("Pending", "", "-50.00", WAITING),
        ("Opening Balance", "50.00", "-50.00", OTHER),
        ("Completed", "", "50.00", Problem.SIGN),
        ("Completed", "-50.00", "", Problem.SIGN),
        ("Completed", "5.00", "-50.00", Problem.DIRECTION),
        ("Completed", "", "", Problem.DIRECTION),
        ("Completed", "0.00", "0.00", Problem.DIRECTION),
        ("Initiated", "", "-50.00", Problem.STATUS),
        ("", "", "-50.00", Problem.STATUS),
        ("Failed", "", "", FAILED),
    ],
)
def test_status_wins_over_the_sign_of_its_columns(status, paid_in, withdrawn, said):
    header = "Details,Transaction Status,Paid In,Withdrawn"
    line = only(header, f'R1,{status},"{paid_in}","{withdrawn}"', MOBILE)
    assert (line.status or line.problem) is said
    if said in (PAID, FAILED) and withdrawn:
        assert line.amount == Decimal("50.00")


def test_money_out_and_money_in_both_positive():
    grant, deposit, neither, both = read(
        b"Transaction Date,Reference,Money Out,Money In,Balance\n"
        b'01/08/2026,R1,"1,500.00",,"98,500.00"\n'
        b'02/08/2026,R2,,"500.00","99,000.00"\n'
        b'02/08/2026,R3,,,"99,000.00"\n'
        b"02/08/2026,R4,5.00,5.00,0\n",
        ACCOUNT,
    )
    assert (grant.status, grant.amount, grant.currency) == (PAID, Decimal("1500.00"), "KES")
    assert (deposit.status, deposit.amount) == (OTHER, Decimal("500.00"))
    assert [neither.problem, both.problem] == [Problem.DIRECTION, Problem.DIRECTION]


@pytest.mark.parametrize(
    ("out_word", "in_word"),
    [("S", "H"), ("Af", "Bij"), ("DR", "CR"), ("D", "C"), ("Debit", "Credit"), ("Débito", "Crédito")],
)
def test_direction_is_told_by_a_word(out_word, in_word):
    mapping = CsvMapping(
        reference="ref", amount="amount", direction="dc", out_words=(out_word,), in_words=(in_word,)
    )
    content = (
        f"ref,amount,dc\nR1,100,{out_word}\nR2,100,{in_word.upper()}\nR3,100,?\nR4,100,\nR5,-1,{out_word}"
    )
    lines = read(content.encode(), mapping)
    assert [line.status or line.problem for line in lines] == [
        PAID,
        OTHER,
        Problem.DIRECTION,
        Problem.DIRECTION,
        Problem.SIGN,
    ]


def test_direction_and_sign_must_agree():
    mapping = CsvMapping(
        reference="ref",
        amount="amount",
        paid_sign="negative",
        direction="dc",
        out_words=("D",),
        in_words=("C",),
    )
    lines = read(b"ref,amount,dc\nR1,-5,D\nR2,5,D\nR3,5,C\nR4,-5,\nR5,0,D", mapping)
    assert [line.status or line.problem for line in lines] == [
        PAID,
        Problem.DIRECTION,
        OTHER,
        PAID,
        Problem.AMOUNT,
    ]


def test_direction_stands_beside_the_amount():
    mapping = CsvMapping(reference="ref", amount="amount", out_words=("DR",), in_words=("CR",))
    lines = read(b"ref,amount\nR1,100.00 DR\nR2,100.00CR\nR3,100.00\nR4,100.00 DR CR", mapping)
    assert [line.status or line.problem for line in lines] == [
        PAID,
        OTHER,
        Problem.DIRECTION,
        Problem.AMOUNT,
    ]


def test_money_that_left_may_be_positive():
    mapping = CsvMapping(reference="ref", amount="amount", paid_sign="positive")
    lines = read(b"ref,amount\nR1,5\nR2,-5", mapping)
    assert [line.status for line in lines] == [PAID, OTHER]


@pytest.mark.parametrize(
    ("amount", "debit", "said"),
    [
        ("-5", "5", PAID),
        ("", "5", PAID),
        ("-5", "", PAID),
        ("-6", "5", Problem.AMOUNT),
        ("5", "5", Problem.DIRECTION),
    ],
)
def test_amount_and_money_out_must_agree(amount, debit, said):
    mapping = CsvMapping(amount="a", debit="b", paid_sign="negative")
    line = only("a,b", f"{amount or chr(32)},{debit}", mapping)
    assert (line.status or line.problem) is said


def test_kinds_tell_fees_from_payments():
    mapping = MOBILE.model_copy(
        update={"kind": "Type", "kind_words": ("Payment",), "other_words": ("Charge",)}
    )
    header = "Details,Transaction Status,Paid In,Withdrawn,Type"
    lines = [
        only(header, f"R1,{status},,{amount},{kind}", mapping)
        for status, amount, kind in [
            ("Completed", "-5", "payment"),
            ("Completed", "-5", "Charge"),
            ("whatever", "x", "Charge"),
            ("Completed", "-5", "Airtime"),
            ("Completed", "-5", ""),
        ]
    ]
    assert [line.status or line.problem for line in lines] == [PAID, OTHER, OTHER, Problem.KIND, Problem.KIND]


def test_no_rule_for_the_direction_pays_nothing():
    mapping = CsvMapping(reference="ref", amount="amount")
    lines = read(b"ref,amount\nR1,5\nR2,-5", mapping)
    assert [line.problem for line in lines] == [Problem.DIRECTION, Problem.SIGN]


def test_paid_with_a_reason_is_for_a_person():
    mapping = CsvMapping(
        status="s",
        reason="why",
        amount="a",
        paid_words=("OK",),
        failed_words=("KO",),
        paid_has_no_reason=True,
    )
    lines = read(b"s,why,a\nOK,,1\nOK,no such account,1\nKO,no such account,1", mapping)
    assert [line.status or line.problem for line in lines] == [PAID, Problem.PAID_WITH_REASON, FAILED]


def test_failed_for_a_doubtful_reason_is_for_a_person():
    mapping = CsvMapping(
        status="s", reason_code="why", amount="a", failed_words=("KO",), doubtful_codes=("TimeOut",)
    )
    lines = read(b"s,why,a\nKO,timeout,1\nKO,NoFunds,1", mapping)
    assert [line.status or line.problem for line in lines] == [Problem.DOUBTFUL, FAILED]


@pytest.mark.parametrize(
    "why",
    [
        "2004",
        "TimeOut",
        "Error: 2004 (server timed out)",
        '{"error":{"errorCode":"2004"}}',
        '{"errorDescription":"timeout"}',
    ],
)
def test_a_doubtful_reason_without_a_code_is_for_a_person(why):
    mapping = CsvMapping(
        has_header=False,
        column_count=3,
        json_cells=True,
        status="1",
        amount="2",
        reason_code="3.errorCode",
        reason="3.errorDescription",
        failed_words=("KO",),
        doubtful_codes=("TimeOut", "2004"),
    )
    doubtful, failed = read(f"KO,1,{why}\nKO,1,no such payee".encode(), mapping)
    assert (doubtful.problem, failed.status) == (Problem.DOUBTFUL, FAILED)


def test_a_number_of_fspiop_means_what_its_table_says():
    mapping = CsvMapping(
        status="s", reason_code="why", amount="a", failed_words=("KO",), doubtful_codes=("2004",)
    )
    lines = read(b"s,why,a\nKO,1234,1\nKO,3204,1\nKO,4001,1\nKO,NoFunds,1", mapping)
    assert [line.status or line.problem for line in lines] == [Problem.DOUBTFUL, FAILED, FAILED, FAILED]
    lines = read(b"s,why,a\nKO,1234,1", mapping.model_copy(update={"doubtful_codes": ("TimeOut",)}))
    assert lines[0].status is FAILED, "no number of FSPIOP is named: the bank's own"


TEXTS = ["", "0", "0.00", "5", "-5", "5-", "(5)", "--5", "5 DR", "5 CR", "KSh 5", "$5", "x", "1,00"]
WORD = ["", "Completed", "Failed", "Reversed", "Pending", "D", "C", "Fee", "Pay", "x"]
columns = st.fixed_dictionaries(
    {
        name: st.sampled_from(["", name])
        for name in ("amount", "debit", "credit", "status", "direction", "kind", "currency", "date")
    }
)


@given(
    columns,
    st.sampled_from(["", "negative", "positive"]),
    st.sampled_from(["negative", "positive"]),
    st.booleans(),
    st.fixed_dictionaries(
        {
            **{name: st.sampled_from(TEXTS) for name in ("amount", "debit", "credit")},
            **{name: st.sampled_from(WORD) for name in ("status", "direction", "kind")},
            "currency": st.sampled_from(["", "KES", "USD"]),
            "date": st.sampled_from(["", "2026-01-01", "x"]),
        }
    ),
)
def test_nothing_is_paid_without_an_explicit_rule(mapped, paid_sign, debit_sign, with_words, row):
    assume(any(row.values()))
    mapping = CsvMapping(
        **mapped,
        paid_sign=paid_sign,
        debit_sign=debit_sign,
        out_words=("D", "DR") if with_words else (),
        in_words=("C", "CR") if with_words else (),
        kind_words=("Pay",),
        **{**WORDS, "other_words": ("Fee",)},
    )
    line = only(",".join(row), ",".join(f'"{cell}"' for cell in row.values()), mapping)
    assert (line.status is None) == (line.problem is not None)
    if line.status is not PAID:
        return
    shown = {name: row[name] if mapped[name] else "" for name in row}
    left = [
        shown["amount"]
        and paid_sign == "negative"
        and shown["amount"][0] + shown["amount"][-1] in ("-5", "()", "5-"),
        shown["amount"] and paid_sign == "positive" and "5" in shown["amount"],
        "5" in shown["debit"],
        shown["direction"] == "D" and with_words,
        with_words and any("DR" in shown[name] for name in ("amount", "debit", "credit")),
    ]
    came = [
        shown["direction"] == "C",
        any("CR" in shown[name] for name in ("amount", "debit", "credit")),
        "5" in shown["credit"],
    ]
    assert not any(came)
    assert any(left) or (shown["status"] == "Completed" and not mapping.tells_direction())
    if mapped["status"]:
        assert shown["status"] == "Completed"
    if mapped["kind"]:
        assert shown["kind"] == "Pay"
    assert "--" not in "".join(shown.values())


@given(
    st.binary(max_size=200),
    columns,
    st.booleans(),
    st.booleans(),
    st.sampled_from(["utf-8-sig", "utf-16", "cp1252"]),
)
def test_any_bytes_give_lines_or_an_evidence_error(content, mapped, has_header, json_cells, encoding):
    numbers = {name: str(index + 1) for index, name in enumerate(mapped) if mapped[name]}
    mapping = CsvMapping(
        **(mapped if has_header else {**dict.fromkeys(mapped, ""), **numbers}),
        has_header=has_header,
        column_count=len(mapped),
        json_cells=json_cells,
        encoding=encoding,
        paid_words=("Completed",),
    )
    for head in (b"", ",".join(mapped).encode() + b"\n"):
        try:
            lines = read(head + content, mapping)
        except EvidenceError:
            continue
        assert all((line.status is None) == (line.problem is not None) for line in lines)
