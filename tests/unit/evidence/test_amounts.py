"""The amount of a payment in a statement: as it was ordered, where the booking agrees."""

from decimal import Decimal

import pytest
from messages import camt, element, entry, text, transaction

from g2p_payment_reconcile.evidence.bank_file import read
from g2p_payment_reconcile.evidence.lines import EvidenceStatus


def money(value, currency="USD"):
    return text("Amt", value, Ccy=currency)


def charges(*records):
    """Of (amount, included or None)."""
    texts = [
        element("Rcrd", money(amount) + (text("ChrgInclInd", included) if included else ""))
        for amount, included in records
    ]
    return element("Chrgs", "".join(texts))


def detail(reference="R1", own=None, currency="USD", ordered=None, made=None, charged="", code=""):
    """A transaction as version 08 spells it; `ordered` and `made` are (amount, currency)."""
    details = (element("InstdAmt", money(*ordered)) if ordered else "") + (
        element("TxAmt", money(*made)) if made else ""
    )
    return element(
        "TxDtls",
        element("Refs", text("EndToEndId", reference))
        + (money(own, currency) + text("CdtDbtInd", "DBIT") if own else "")
        + (element("AmtDtls", details) if details else "")
        + code
        + charged,
    )


def told(*entries):
    return [(line.amount, line.currency) for line in read(camt(*entries)).lines]


USD_100 = (Decimal(100), "USD")


@pytest.mark.parametrize(
    ("details", "booked", "expected"),
    [
        ({"own": "100.00"}, "100.00", USD_100),
        ({"ordered": ("100", "USD")}, "100.00", USD_100),
        ({"own": "100.00", "charged": charges(("2.50", None))}, "102.50", USD_100),
        ({"own": "102.50", "ordered": ("100", "USD"), "charged": charges(("2.50", None))}, "102.50", USD_100),
        (
            {"own": "102.50", "ordered": ("100", "USD"), "charged": charges(("2.50", "true"))},
            "102.50",
            USD_100,
        ),
        ({"charged": charges(("2.50", "true"))}, "102.50", USD_100),
        ({"own": "102.50", "charged": charges(("2.50", "true"))}, "102.50", USD_100),
        ({"own": "100.00", "charged": charges(("2.50", "true"))}, "102.50", USD_100),
        ({"ordered": ("100", "USD"), "charged": charges(("2.00", None), ("0.50", None))}, "102.50", USD_100),
        # Not explained: what was booked, which a person compares with the order.
        ({"ordered": ("100", "USD")}, "90.00", (Decimal(90), "USD")),
        ({"own": "90.00", "ordered": ("100", "USD")}, "90.00", (Decimal(90), "USD")),
        (
            {"ordered": ("100", "USD"), "charged": charges(("2.50", "false"))},
            "102.50",
            (Decimal("102.5"), "USD"),
        ),
        ({"charged": charges(("2.50", None))}, "102.50", (Decimal("102.5"), "USD")),
        ({"made": ("90", "USD"), "ordered": ("100", "USD")}, "100.00", (Decimal(90), "USD")),
    ],
)
def test_amount_with_charges(details, booked, expected):
    assert told(entry(detail(**details), amount=booked)) == [expected]


@pytest.mark.parametrize(
    "details",
    [
        {"own": "92.10", "currency": "CHF", "ordered": ("100", "USD"), "made": ("100", "USD")},
        {"own": "92.10", "currency": "CHF", "ordered": ("100", "USD")},
        {"own": "92.10", "currency": "CHF", "made": ("100", "USD")},
        {"ordered": ("100", "USD")},
    ],
)
def test_exchange_is_told_in_the_ordered_currency(details):
    assert told(entry(detail(**details), amount="92.10", currency="CHF")) == [USD_100]


def test_exchange_that_made_less_than_ordered_is_what_it_made():
    less = detail(own="80.00", currency="CHF", ordered=("100", "USD"), made=("88", "USD"))
    assert told(entry(less, amount="80.00", currency="CHF")) == [(Decimal(88), "USD")]


def test_collective_entry_of_orders_that_add_up():
    details = [detail(f"R{number}", ordered=(f"{number}0", "USD")) for number in (1, 2)]
    assert told(entry(*details, amount="30.00")) == [(Decimal(10), "USD"), (Decimal(20), "USD")]


def test_collective_entry_of_orders_that_do_not_add_up():
    details = [detail(f"R{number}", ordered=(f"{number}0", "USD")) for number in (1, 2)]
    assert told(entry(*details, amount="10.00")) == [(None, ""), (None, "")]


def test_what_came_back_is_what_came_back():
    back = detail(ordered=("100", "USD"), charged=charges(("2.50", None)))
    assert told(entry(back, amount="97.50", indicator="CRDT", reversal="true")) == [(Decimal("97.5"), "USD")]


def family(code, head="ICDT"):
    return element(
        "BkTxCd",
        element("Domn", text("Cd", "PMNT") + element("Fmly", text("Cd", head) + text("SubFmlyCd", code))),
    )


def fee(code="CHRG", head="ICDT", **values):
    return entry(transaction("R1"), **values).replace("<BkTxCd></BkTxCd>", family(code, head))


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (fee(), EvidenceStatus.FEE),
        (fee(head="MDOP"), EvidenceStatus.FEE),
        (fee("COMM", indicator="CRDT", reversal="true"), EvidenceStatus.FEE),
        (fee("FEES", status="PDNG"), EvidenceStatus.FEE),
        (fee("ESCT"), EvidenceStatus.PAID),
        (
            fee().replace(family("CHRG"), "<BkTxCd><Prtry><Cd>NCHG+808</Cd></Prtry></BkTxCd>"),
            EvidenceStatus.FEE,
        ),
        (
            fee().replace(family("CHRG"), "<BkTxCd><Prtry><Cd>NTRF+166</Cd></Prtry></BkTxCd>"),
            EvidenceStatus.PAID,
        ),
    ],
)
def test_a_charge_is_no_payment(record, expected):
    (line,) = read(camt(record)).lines
    assert (line.status, line.reference) == (expected, "R1")


def test_the_code_of_a_transaction_counts_before_that_of_its_entry():
    paid = detail(own="100", code=family("ESCT"))
    charged = detail(own="1", code=family("CHRG"))
    found = read(camt(entry(paid, charged, amount="101.00", code="ESCT"))).lines
    assert [line.status for line in found] == [EvidenceStatus.PAID, EvidenceStatus.FEE]
    inside = entry(paid, amount="100").replace("<BkTxCd></BkTxCd>", family("CHRG"))
    assert read(camt(inside)).lines[0].status is EvidenceStatus.PAID
