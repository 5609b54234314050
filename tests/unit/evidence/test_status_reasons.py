"""Reasons in status reports: of a group, several of one transaction, and of a whole message."""

import pytest
from messages import element, pain, status, text

from g2p_payment_reconcile.evidence.bank_file import read
from g2p_payment_reconcile.evidence.lines import EvidenceStatus, FailureType


def reason(code, *texts):
    return element(
        "StsRsnInf",
        element("Rsn", text("Cd", code)) + "".join(text("AddtlInf", told) for told in texts),
    )


def lines(content):
    return read(content.encode()).lines


def with_group_reason(content, *reasons, after="</GrpSts>"):
    message = content.decode()
    assert after in message
    return message.replace(after, after + "".join(reasons), 1)


def test_reason_of_the_message_counts_for_its_transactions():
    content = pain(status("R1", None), status("R2", None, "AC04"), group_status="RJCT")
    found = lines(with_group_reason(content, reason("AM04", "no funds")))
    assert [(line.reason_code, line.failure_type) for line in found] == [
        ("AM04", FailureType.INSUFFICIENT_FUNDS),
        ("AC04", FailureType.ACCOUNT_CLOSED),
    ]
    assert found[0].reason == "no funds"


def test_reason_of_a_payment_information_counts_before_the_message():
    content = pain(status("R1", None), group_status="PART", payment_status="RJCT")
    message = with_group_reason(content, reason("NARR")).encode()
    found = lines(with_group_reason(message, reason("AG01"), after="</PmtInfSts>"))
    assert [(line.status, line.reason_code) for line in found] == [(EvidenceStatus.FAILED, "AG01")]


def test_reason_of_a_rejected_group_is_not_for_what_was_paid():
    content = pain(status("R1", "ACSC"), status("R2", "RJCT"), group_status="PART")
    found = lines(with_group_reason(content, reason("AM04")))
    assert [(line.status, line.reason_code) for line in found] == [
        (EvidenceStatus.PAID, ""),
        (EvidenceStatus.FAILED, "AM04"),
    ]


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (["NARR", "AC04"], "AC04"),
        (["MS03", "XY99", "BE04"], "BE04"),
        (["XY99", "MS03"], "MS03"),
        (["MS03", "AG02"], "AG02"),
        (["FF01", "AM04"], "AM04"),
        (["AC04", "AM05"], "AM05"),
        (["AC01", "AM04"], "AC01"),
    ],
)
def test_the_most_telling_of_several_reasons_wins(codes, expected):
    told = status("R1", "RJCT").replace(
        "</TxSts>", "</TxSts>" + "".join(reason(code, f"about {code}") for code in codes)
    )
    (line,) = lines(pain(told).decode())
    assert line.reason_code == expected
    assert all(f"about {code}" in line.reason for code in codes)
    assert all(code in line.reason for code in codes if code != expected)


def test_a_rejected_message_without_transactions_names_its_batch():
    (line,) = lines(with_group_reason(pain(group_status="RJCT", groups=False), reason("FF01", "bad file")))
    assert (line.reference, line.status, line.reason_code) == ("our-message", EvidenceStatus.FAILED, "FF01")
    (line,) = lines(with_group_reason(pain(payment_status="RJCT"), reason("FF01"), after="</PmtInfSts>"))
    assert (line.reference, line.reason_code) == ("our-batch", "FF01")
    nameless = pain(payment_status="RJCT").decode().replace("our-batch", "NOTPROVIDED")
    assert lines(nameless)[0].reference == "our-message"
