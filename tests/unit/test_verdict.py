"""What is written down of a payment depends on what was told of it, not on the order or how often."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g2p_payment_reconcile.models.verdict import (
    Doubt,
    FailureType,
    Outcome,
    OutcomeStatus,
    contradictions,
    judge,
    may_be_paid_yet,
    was_held,
    words,
)

PAID, FAILED, WAITING, SUSPECT, HELD = (
    OutcomeStatus.PAID,
    OutcomeStatus.FAILED,
    OutcomeStatus.WAITING,
    OutcomeStatus.SUSPECT,
    OutcomeStatus.HELD,
)
APPROVED = (Decimal(100), "USD")


def outcome(status, remote_reference="t1", amount=Decimal(100), currency="USD", **values):
    return Outcome(
        reference="p",
        status=status,
        remote_reference=remote_reference,
        amount=amount,
        currency=currency,
        **values,
    )


outcomes = st.builds(
    outcome,
    st.sampled_from(OutcomeStatus),
    remote_reference=st.sampled_from(["t1", "t1", "t2", ""]),
    amount=st.sampled_from([Decimal(100), Decimal("100.00"), Decimal(99), None]),
    currency=st.sampled_from(["USD", "USD", "EUR", ""]),
    reason=st.sampled_from(["", "No such payee", "Closed"]),
)
told = st.lists(outcomes, min_size=1, max_size=5)


@given(told, st.data())
def test_order_and_repetition_do_not_matter(said, data):
    again = data.draw(st.permutations(said + data.draw(st.lists(st.sampled_from(said), max_size=3))))
    assert judge(again, *APPROVED) == judge(said, *APPROVED)
    for status in ("paid", "failed"):
        assert contradictions(again, status, *APPROVED, "t1") == contradictions(said, status, *APPROVED, "t1")
    assert words(again) == words(said)


@given(told)
def test_paid_is_said_once_in_full_and_by_all(said):
    verdict = judge(said, *APPROVED)
    news = [one for one in said if one.status is not WAITING]
    transactions = {one.remote_reference for one in news} | {one.remote_reference for one in said} - {""}
    entirely = (
        bool(news)
        and len(transactions) == 1
        and all((one.status, one.amount, one.currency) == (PAID, *APPROVED) for one in news)
    )
    assert (verdict.status == "paid") == entirely
    if verdict.status:
        assert verdict.doubt is None
        assert verdict.outcome in said


@given(told)
def test_failed_is_said_by_all(said):
    if judge(said, *APPROVED).status == "failed":
        assert FAILED in {one.status for one in said}
        assert {one.status for one in said} <= {FAILED, WAITING}


@given(told)
def test_whatever_says_paid_is_paid_or_in_front_of_a_person(said):
    if {PAID, SUSPECT} & {one.status for one in said}:
        verdict = judge(said, *APPROVED)
        assert verdict.status == "paid" or verdict.doubt


@given(told)
def test_what_made_it_final_does_not_contradict_it(said):
    verdict = judge(said, *APPROVED)
    if verdict.status:
        assert not contradictions(said, verdict.status, *APPROVED, verdict.outcome.remote_reference)


@pytest.mark.parametrize(
    ("said", "status", "doubt"),
    [
        ([outcome(PAID)], "paid", None),
        ([outcome(PAID), outcome(WAITING)], "paid", None),
        ([outcome(PAID, reason="x"), outcome(PAID)], "paid", None),
        ([outcome(PAID), outcome(WAITING, "t2")], None, Doubt.TWICE),
        ([outcome(PAID), outcome(PAID, "t2")], None, Doubt.TWICE),
        ([outcome(PAID, amount=Decimal(99)), outcome(PAID)], None, Doubt.TWICE),
        ([outcome(PAID, amount=Decimal(99))], None, Doubt.MONEY),
        ([outcome(PAID, amount=None)], None, Doubt.MONEY),
        ([outcome(PAID, currency="EUR")], None, Doubt.MONEY),
        ([outcome(PAID), outcome(FAILED)], None, Doubt.CONTRADICTORY),
        ([outcome(FAILED), outcome(SUSPECT)], None, Doubt.SUSPECT),
        ([outcome(FAILED)], "failed", None),
        ([outcome(FAILED), outcome(WAITING)], "failed", None),
        ([outcome(FAILED), outcome(WAITING, "t2")], None, None),
        ([outcome(WAITING)], None, None),
        ([outcome(FAILED, failure_type=FailureType.RETURNED)], None, Doubt.RETURNED),
        ([outcome(PAID), outcome(FAILED, failure_type=FailureType.RETURNED)], None, Doubt.RETURNED),
        ([outcome(PAID, "t2"), outcome(FAILED, failure_type=FailureType.RETURNED)], None, Doubt.TWICE),
        ([outcome(WAITING, "t2"), outcome(FAILED, failure_type=FailureType.RETURNED)], None, Doubt.TWICE),
        ([outcome(SUSPECT), outcome(PAID)], None, Doubt.SUSPECT),
        ([outcome(SUSPECT), outcome(PAID, "t2")], None, Doubt.TWICE),
        ([outcome(SUSPECT), outcome(WAITING, "t2")], None, Doubt.TWICE),
    ],
)
def test_verdicts(said, status, doubt):
    verdict = judge(said, *APPROVED)
    assert (verdict.status, verdict.doubt) == (status, doubt)


@pytest.mark.parametrize(
    ("status", "said", "doubt"),
    [
        ("paid", outcome(PAID), None),
        ("paid", outcome(PAID, ""), None),
        ("paid", outcome(WAITING, "t2"), None),
        ("paid", outcome(FAILED), Doubt.LATE),
        ("paid", outcome(FAILED, failure_type=FailureType.RETURNED), Doubt.RETURNED),
        ("failed", outcome(FAILED, failure_type=FailureType.RETURNED), None),
        ("paid", outcome(PAID, "t2"), Doubt.TWICE),
        ("paid", outcome(PAID, amount=Decimal(99)), Doubt.MONEY),
        ("failed", outcome(FAILED, "t2"), None),
        ("failed", outcome(PAID), Doubt.LATE),
        ("failed", outcome(SUSPECT, "t2"), Doubt.SUSPECT),
    ],
)
def test_what_speaks_against_a_final_result(status, said, doubt):
    against = contradictions([outcome(WAITING), said], status, *APPROVED, "t1")
    assert against == ([(doubt, said)] if doubt else [])


def test_each_thing_that_speaks_against_it_is_named():
    said = [outcome(PAID), outcome(PAID, "t2"), outcome(FAILED, "t3"), outcome(PAID, amount=Decimal(99))]
    against = contradictions(said, "paid", *APPROVED, "t1")
    assert {doubt for doubt, _outcome in against} == {Doubt.TWICE, Doubt.LATE, Doubt.MONEY}


def test_a_payment_called_done_without_proof_is_open():
    held = outcome(HELD)
    assert judge([held, held], *APPROVED) == (None, held, None, None)
    assert not contradictions([held], "failed", *APPROVED)
    assert was_held("\n".join(words([held]))) and not was_held("\n".join(words([outcome(PAID)])))
    assert not was_held(None)


@pytest.mark.parametrize(
    ("other", "doubt"),
    [
        (outcome(FAILED), Doubt.CONTRADICTORY),
        (outcome(HELD, "t2"), Doubt.TWICE),
        (outcome(WAITING, "t2"), Doubt.TWICE),
        (outcome(PAID, "t2"), Doubt.TWICE),
        (outcome(SUSPECT, "t2"), Doubt.TWICE),
        (outcome(SUSPECT), Doubt.SUSPECT),
    ],
)
def test_what_speaks_against_a_held_payment_is_for_a_person(other, doubt):
    verdict = judge([outcome(HELD), other], *APPROVED)
    assert (verdict.status, verdict.doubt) == (None, doubt)


class TestGivenUp:
    """Payments that were given up, and that the payment system has all the same."""

    @pytest.mark.parametrize("status", [WAITING, HELD])
    def test_open_at_the_payment_system_may_be_paid_yet(self, status):
        assert may_be_paid_yet([outcome(FAILED, "t0"), outcome(status)], [])

    def test_failed_there_is_over(self):
        assert not may_be_paid_yet([outcome(FAILED)], [])

    def test_held_is_over_once_people_decided_in_view_of_it(self):
        """Its word never changes, and would hold the new payment for ever."""
        known = words([outcome(HELD)])
        assert not may_be_paid_yet([outcome(HELD)], known)
        assert may_be_paid_yet([outcome(HELD), outcome(HELD, "t2")], known)

    def test_under_way_is_open_whatever_people_decided(self):
        assert may_be_paid_yet([outcome(WAITING)], words([outcome(WAITING)]))
