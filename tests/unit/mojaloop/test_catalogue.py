"""What each error code means at each step, by the rows of FSPIOP 1.1's list of error codes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odoo.addons.g2p_mojaloop_connector.client.catalogue import Step, StepFailed, Verdict, rule
from odoo.addons.g2p_payment_hub.client.outcomes import SAME_DATA_MAY_WORK, FailureType

BEFORE = (Step.LOOKUP, Step.QUOTE, Step.ACCOUNTS)
MONEY = (Step.TRANSFER, Step.RESEND, Step.ASK)
CODES = st.from_regex(r"[1-6][0-9]{3}", fullmatch=True)


@pytest.mark.parametrize("step", BEFORE)
@pytest.mark.parametrize(
    ("codes", "verdict"),
    [
        ("1000 1001 2000 2001 2003 2004 2005 5001", Verdict.TRY_AGAIN),
        ("3100 3101 3200 3203 3204 5100 5101 5103 5104 5106 5200 5400 4100", Verdict.FAILED),
        ("3105 3202 4001 2002 4200 4240", Verdict.PAUSE_BATCH),
        ("3106 3205 3300 3302", Verdict.NEW_QUOTE),
    ],
)
def test_before_money_can_move(step, codes, verdict):
    assert {rule(code, step).verdict for code in codes.split()} == {verdict}


@pytest.mark.parametrize(
    ("codes", "verdict"),
    [
        ("1000 1001 2000 2001 2003 2004 2005 3106 3208", Verdict.ASK),
        ("3100 3204 3300 3303 4100 5000 5100 5101 5104 5105 5106 5200 5300 5400", Verdict.FAILED),
        ("3105 3202 4001 4200 4299", Verdict.PAUSE_BATCH),
        ("5001", Verdict.TRY_AGAIN),
        ("3205 3302", Verdict.NEW_QUOTE),
    ],
)
def test_when_money_moves(codes, verdict):
    assert {rule(code, Step.TRANSFER).verdict for code in codes.split()} == {verdict}


@pytest.mark.parametrize("step", [Step.RESEND, Step.ASK])
@pytest.mark.parametrize("code", "2001 3002 3100 3105 3106 3200 3204 4000 4300 5000 5300".split())
def test_what_may_speak_of_the_question_ends_no_payment(step, code):
    """A signature that is refused today says nothing about the transfer that was accepted yesterday."""
    assert rule(code, step).verdict is Verdict.ASK


@pytest.mark.parametrize("step", [Step.RESEND, Step.ASK])
def test_what_speaks_of_the_transfer_ends_it(step):
    assert {rule(code, step).verdict for code in ("3300", "3303", "5104", "5200")} == {Verdict.FAILED}
    assert {rule(code, step).verdict for code in ("4001", "4200")} == {Verdict.PAUSE_BATCH}


@given(CODES, st.sampled_from(BEFORE))
def test_before_money_moves_nothing_is_unknown(code, step):
    assert rule(code, step).verdict is not Verdict.ASK


@given(st.text(max_size=9), st.sampled_from(MONEY))
def test_a_code_that_nobody_knows_ends_no_payment(code, step):
    known = code.isascii() and code.isdigit() and len(code) == 4
    assert known or rule(code, step).verdict is Verdict.ASK


@given(CODES, st.sampled_from([Step.RESEND, Step.ASK]))
def test_asking_ends_nothing_that_sending_would_not(code, step):
    if rule(code, Step.TRANSFER).verdict is Verdict.ASK:
        assert rule(code, step).verdict is Verdict.ASK


@given(CODES.filter(lambda code: code[2] >= "4"), st.sampled_from(Step))
def test_a_schemes_own_codes_mean_the_general_one(code, step):
    assert rule(code, step) == rule(code[:2] + "00", step)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("3204", FailureType.PAYEE_UNKNOWN),
        ("4001", FailureType.INSUFFICIENT_FUNDS),
        ("4200", FailureType.INSUFFICIENT_FUNDS),
        ("5104", FailureType.REJECTED),
        ("5400", FailureType.ACCOUNT_CLOSED),
        ("2001", FailureType.TECHNICAL),
        ("9999", FailureType.OTHER),
    ],
)
def test_kind_of_failure(code, kind):
    assert rule(code, Step.QUOTE).failure_type is kind


@pytest.mark.parametrize(
    ("codes", "may_work"),
    [("2001 3105 3303 4001 4200 5001 5200", True), ("3100 3101 3204 5103 5104 5400 9999", False)],
)
def test_whether_the_same_data_may_be_tried_again(codes, may_work):
    assert {rule(code, Step.TRANSFER).failure_type in SAME_DATA_MAY_WORK for code in codes.split()} == {
        may_work
    }


@pytest.mark.parametrize(
    ("code", "listed"),
    [("2001", True), ("5177", True), ("", False), ("9999", False), ("2006", False), ("E1", False)],
)
def test_whether_the_table_knows_a_code(code, listed):
    assert StepFailed(Step.TRANSFER, code).is_listed is listed


def test_the_error_carries_the_catalogues_word():
    failure = StepFailed(Step.QUOTE, "5103", "rejected")
    assert (failure.verdict, failure.failure_type) == rule("5103", Step.QUOTE)
    assert str(failure) == "quote: 5103 rejected"
