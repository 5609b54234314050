"""What became of a transfer, from everything that can be said of one."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packets import base64url

from odoo.addons.g2p_mojaloop_connector.client import ilp, transfer_state
from odoo.addons.g2p_mojaloop_connector.client.catalogue import Step, StepFailed, Verdict
from odoo.addons.g2p_mojaloop_connector.client.transfer_state import Order, Transfer, TransferState, state_of
from odoo.addons.g2p_payment_hub.client.errors import NotSent, OutcomeUnknown, Reason, Refused

FULFILMENT = base64url(bytes(range(32)))
EXPIRES = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
GRACE = timedelta(minutes=5)
ENDED = "ABORTED ABORTED_ERROR ABORTED_REJECTED EXPIRED_PREPARED EXPIRED_RESERVED FAILED INVALID".split()
ORDER = Order(transfer_id="t1", condition=ilp.condition_of(FULFILMENT), expiration=EXPIRES)
MOMENTS = st.integers(-3600, 3600).map(lambda seconds: EXPIRES + timedelta(seconds=seconds))
MONEY = [Step.TRANSFER, Step.RESEND, Step.ASK]
TRANSFERS = st.builds(
    Transfer,
    transfer_id=st.just("t1"),
    state=st.sampled_from(["COMMITTED", "ABORTED", "RESERVED", "RECEIVED", "COMPLETED", "committed", "?"])
    | st.sampled_from(sorted(transfer_state.KNOWN_WORDS)),
    fulfilment=st.sampled_from([FULFILMENT, base64url(bytes(32)), ""]),
)
CODES = st.from_regex(r"[1-5][0-9]{3}", fullmatch=True) | st.just("") | st.just("3208")
FAILURES = st.builds(StepFailed, st.sampled_from(MONEY), CODES)
TROUBLE = st.builds(
    lambda kind, reason: kind(reason),
    st.sampled_from([NotSent, Refused, OutcomeUnknown]),
    st.sampled_from(Reason),
)
ANYTHING = TRANSFERS | FAILURES | TROUBLE


def state(said, seconds=0, **changes):
    return state_of(said, ORDER.model_copy(update=changes), EXPIRES + timedelta(seconds=seconds), GRACE)


def told(word, fulfilment=FULFILMENT):
    return Transfer(transfer_id="t1", state=word, fulfilment=fulfilment)


@given(ANYTHING, MOMENTS)
def test_paid_means_committed_or_settled_with_the_fulfilment(said, now):
    words = ("COMMITTED", "SETTLED")
    paid = isinstance(said, Transfer) and said.state in words and said.fulfilment == FULFILMENT
    assert (state_of(said, ORDER, now, GRACE) is TransferState.PAID) == paid


@given(ANYTHING, MOMENTS)
def test_a_new_attempt_needs_the_hubs_word_that_no_money_moves(said, now):
    found = state_of(said, ORDER, now, GRACE)
    if found is TransferState.FAILED:
        aborted = isinstance(said, Transfer) and said.state in ENDED and not said.fulfilment
        assert aborted or (isinstance(said, StepFailed) and said.verdict is not Verdict.ASK)
    if found is TransferState.NEVER_HAPPENED:
        assert (said.step, said.code) == (Step.ASK, "3208")
        assert now >= EXPIRES + GRACE


@given(ANYTHING, MOMENTS, st.booleans())
def test_the_same_bytes_go_again_only_while_they_are_valid(said, now, repeatable):
    order = ORDER.model_copy(update={"repeatable": repeatable})
    if state_of(said, order, now, GRACE) is TransferState.RESEND:
        assert repeatable
        assert (said.step, said.code) == (Step.ASK, "3208")
        assert now < EXPIRES


@pytest.mark.parametrize(
    ("word", "fulfilment", "expected"),
    [
        ("COMMITTED", FULFILMENT, TransferState.PAID),
        ("COMMITTED", base64url(bytes(32)), TransferState.SUSPECT),
        ("COMMITTED", "", TransferState.SUSPECT),
        ("SETTLED", FULFILMENT, TransferState.PAID),
        ("SETTLED", base64url(bytes(32)), TransferState.SUSPECT),
        ("SETTLED", "", TransferState.SUSPECT),
        ("ABORTED", "", TransferState.FAILED),
        ("ABORTED_ERROR", "", TransferState.FAILED),
        ("ABORTED_REJECTED", "", TransferState.FAILED),
        ("EXPIRED_PREPARED", "", TransferState.FAILED),
        ("EXPIRED_RESERVED", "", TransferState.FAILED),
        ("FAILED", "", TransferState.FAILED),
        ("INVALID", "", TransferState.FAILED),
        ("ABORTED", FULFILMENT, TransferState.SUSPECT),
        ("EXPIRED_RESERVED", base64url(bytes(32)), TransferState.SUSPECT),
        ("RESERVED_FORWARDED", FULFILMENT, TransferState.WAITING),
        ("RESERVED_TIMEOUT", "", TransferState.WAITING),
        ("RECEIVED_ERROR", "", TransferState.WAITING),
        ("aborted", "", TransferState.WAITING),
        ("settled", FULFILMENT, TransferState.WAITING),
        ("RESERVED", FULFILMENT, TransferState.WAITING),
        ("RECEIVED", "", TransferState.WAITING),
        ("COMPLETED", FULFILMENT, TransferState.WAITING),
    ],
)
def test_words_of_the_hub(word, fulfilment, expected):
    assert state(told(word, fulfilment)) is expected


@pytest.mark.parametrize(
    ("seconds", "repeatable", "expected"),
    [
        (-1, True, TransferState.RESEND),
        (-1, False, TransferState.WAITING),
        (0, True, TransferState.WAITING),
        (299, True, TransferState.WAITING),
        (300, True, TransferState.NEVER_HAPPENED),
        (300, False, TransferState.NEVER_HAPPENED),
    ],
)
def test_a_transfer_that_the_hub_does_not_know(seconds, repeatable, expected):
    assert state(StepFailed(Step.ASK, "3208"), seconds, repeatable=repeatable) is expected


def test_not_known_counts_only_as_an_answer_to_a_question():
    assert state(StepFailed(Step.TRANSFER, "3208"), 3600) is TransferState.WAITING
    assert state(StepFailed(Step.RESEND, "3208"), 3600) is TransferState.WAITING


@pytest.mark.parametrize(
    ("step", "code", "expected"),
    [
        (Step.TRANSFER, "5104", TransferState.FAILED),
        (Step.TRANSFER, "4001", TransferState.FAILED),
        (Step.TRANSFER, "2001", TransferState.WAITING),
        (Step.TRANSFER, "3106", TransferState.WAITING),
        (Step.RESEND, "3105", TransferState.WAITING),
        (Step.ASK, "3303", TransferState.FAILED),
        (Step.ASK, "3105", TransferState.WAITING),
    ],
)
def test_errors_of_the_hub(step, code, expected):
    assert state(StepFailed(step, code)) is expected


def test_what_is_said_of_something_else_is_a_mistake_of_the_program():
    with pytest.raises(ValueError, match="another transfer"):
        state(Transfer(transfer_id="t2", state="COMMITTED", fulfilment=FULFILMENT))
    with pytest.raises(ValueError, match="another step"):
        state(StepFailed(Step.QUOTE, "5103"))
