"""What Payment Hub EE's reasons for not paying mean, and what may be tried again."""

import json

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


@pytest.mark.parametrize("information", ["TimeOut", '"CommunicationError"', [{"errorCode": "TIMEOUT"}]])
def test_the_bare_word_of_a_doubt_is_one(information):
    row = transfer("ref-1", status="FAILED", errorInformation=information)
    assert answers.outcome(row, "ref-1").status is OutcomeStatus.SUSPECT


NUMBERS = [
    ("3204", FailureType.PAYEE_UNKNOWN),
    ("4001", FailureType.INSUFFICIENT_FUNDS),
    ("4200", FailureType.INSUFFICIENT_FUNDS),
    ("5104", FailureType.REJECTED),
    ("5150", FailureType.REJECTED),
    ("5200", FailureType.LIMIT),
    ("5400", FailureType.ACCOUNT_CLOSED),
    ("3303", FailureType.TECHNICAL),
    ("3105", FailureType.TECHNICAL),
]
# One shape for each way in which the hub's importers keep what the switch has said.
SHAPES = [
    lambda code: {"errorCode": code, "errorDescription": "x"},
    lambda code: {"errorCode": int(code)},
    lambda code: {"errorInformation": {"errorCode": code, "errorDescription": "x"}},
    lambda code: json.dumps({"errorInformation": {"errorCode": code, "errorDescription": "x"}}),
    lambda code: json.dumps({"errorInformation": json.dumps({"errorCode": f" {code} "})}),
    lambda code: {"errorInformation": {"errorInformation": {"errorCode": code}}},
    lambda code: code,
    int,
    lambda code: [{"errorCode": code, "errorDescription": "x"}],
    lambda code: {"errorCategory": "System", "errors": [{"errorCode": code, "errorDescription": "x"}]},
    lambda code: json.dumps({"errorInformation": {"errors": [{"errorCode": code}]}}),
    lambda code: f"{code} Internal Server Error",
    lambda code: f"{code}: x",
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("code", "kind"), NUMBERS)
def test_numbers_mean_what_they_mean_at_mojaloop(code, kind, shape):
    outcome = answers.outcome(transfer("ref-1", status="FAILED", errorInformation=shape(code)), "ref-1")
    assert (outcome.status, outcome.reason_code, outcome.failure_type) == (OutcomeStatus.FAILED, code, kind)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "code", "1000 1001 1040 2000 2001 2003 2004 2005 2099 3106 3208 9999 2006 1002".split()
)
def test_an_error_of_the_switch_itself_is_doubtful(code, shape):
    """Nobody heard what became of the transfer, or nobody knows what the number means."""
    outcome = answers.outcome(transfer("ref-1", status="FAILED", errorInformation=shape(code)), "ref-1")
    assert (outcome.status, outcome.reason_code, outcome.failure_type) == (OutcomeStatus.SUSPECT, code, None)


@pytest.mark.parametrize("status", ["IN_PROGRESS", "UNKNOWN", "EXCEPTION"])
def test_a_number_ends_nothing_that_waits(status):
    row = transfer("ref-1", status=status, errorInformation={"errorCode": "2004"})
    assert answers.outcome(row, "ref-1").status is OutcomeStatus.WAITING


def test_what_is_paid_or_waits_has_no_type():
    for status in ("COMPLETED", "IN_PROGRESS", "EXCEPTION"):
        assert answers.outcome(transfer("ref-1", status=status), "ref-1").failure_type is None


def test_no_code_has_two_types():
    codes = [code.lower() for codes in failures._CODES.values() for code in codes]
    assert len(codes) == len(set(codes))
    assert failures.failure_type("payernotfound", "") is FailureType.TECHNICAL
