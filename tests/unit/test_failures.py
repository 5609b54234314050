"""What Payment Hub EE's reasons for not paying mean, and what may be tried again."""

import pytest
from scripted_hub import transfer

from g2p_payment_hub.client import answers, failures
from g2p_payment_hub.client.outcomes import SAME_DATA_MAY_WORK, FailureType, OutcomeStatus


@pytest.mark.parametrize(
    ("code", "kind", "again"),
    [
        ("PayeeNotFound", FailureType.PAYEE_UNKNOWN, False),
        ("payeenotfound", FailureType.PAYEE_UNKNOWN, False),
        ("PayeeFSPIdNotFound", FailureType.PAYEE_UNKNOWN, False),
        ("InactiveAccountStatus", FailureType.ACCOUNT_CLOSED, False),
        ("PayerInsufficientBalance", FailureType.INSUFFICIENT_FUNDS, True),
        ("ExtInternalServerError", FailureType.TECHNICAL, True),
        ("PayerNotFound", FailureType.TECHNICAL, True),
        ("PayeeCurrencyInvalid", FailureType.REJECTED, False),
        ("SomethingNew", FailureType.OTHER, False),
        ("", FailureType.OTHER, False),
    ],
)
def test_each_code_has_its_type(code, kind, again):
    row = transfer("ref-1", status="FAILED", errorInformation={"errorCode": code, "errorDescription": "x"})
    outcome = answers.outcome(row, "ref-1")
    assert (outcome.status, outcome.reason_code, outcome.failure_type) == (OutcomeStatus.FAILED, code, kind)
    assert (kind in SAME_DATA_MAY_WORK) is again


def test_a_row_that_the_hub_dropped_as_a_look_alike():
    row = transfer("ref-1", status="FAILED", errorInformation="Duplicate transaction.")
    assert answers.outcome(row, "ref-1").failure_type is FailureType.DUPLICATE
    assert FailureType.DUPLICATE in SAME_DATA_MAY_WORK


@pytest.mark.parametrize(
    "code",
    [
        "TransactionExists",
        "TimeOut",
        "CommunicationError",
        "DestinationCommunicationError",
        "ConnectionReset",
        "TIMEOUT",
        "transactionexists",
    ],
)
def test_what_may_have_been_paid_is_no_failure(code):
    row = transfer("ref-1", status="FAILED", errorInformation={"errorCode": code})
    outcome = answers.outcome(row, "ref-1")
    assert (outcome.status, outcome.failure_type) == (OutcomeStatus.SUSPECT, None)


def test_what_is_paid_or_waits_has_no_type():
    for status in ("COMPLETED", "IN_PROGRESS", "EXCEPTION"):
        assert answers.outcome(transfer("ref-1", status=status), "ref-1").failure_type is None


def test_no_code_has_two_types():
    codes = [code.lower() for codes in failures._CODES.values() for code in codes]
    assert len(codes) == len(set(codes))
    assert failures.failure_type("payernotfound", "") is FailureType.TECHNICAL
