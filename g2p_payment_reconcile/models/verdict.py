"""From what a payment system tells of one payment to what we write down. Plain Python."""

import json
from collections.abc import Collection, Sequence
from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from odoo.addons.g2p_payment_hub.client.outcomes import FailureType, Outcome, OutcomeStatus


class Doubt(str, Enum):
    """Why a person has to look: the type of a payment exception."""

    SUSPECT = "suspect"
    CONTRADICTORY = "contradictory"
    TWICE = "twice"
    MONEY = "money"
    LATE = "late"
    RETURNED = "returned"


class Verdict(NamedTuple):
    """`status` is "paid", "failed" or None while it is open; with a doubt it is always None.

    `outcome` is what is written down, `about` the one that the doubt is about, where that is another.
    """

    status: str | None
    outcome: Outcome
    doubt: Doubt | None = None
    about: Outcome | None = None


def judge(outcomes: Sequence[Outcome], amount: Decimal, currency: str) -> Verdict:
    """One verdict from everything told of one payment, in whatever order and however often.

    `amount` and `currency` are what was approved. Paid means paid once, in full, and nothing said against it.
    """
    said = _distinct(outcomes)
    paid, failed, suspect, held = (
        [one for one in said if one.status is status]
        for status in (
            OutcomeStatus.PAID,
            OutcomeStatus.FAILED,
            OutcomeStatus.SUSPECT,
            OutcomeStatus.HELD,
        )
    )
    waiting = [one for one in said if one.status is OutcomeStatus.WAITING]
    if suspect:
        return _doubtful(suspect[0], Doubt.SUSPECT, paid + held + waiting)
    returned = next((one for one in failed if kind(one) == "returned"), None)
    if returned:
        return _doubtful(returned, Doubt.RETURNED, paid + held + waiting)
    if paid and failed:
        return Verdict(None, paid[0], Doubt.CONTRADICTORY)
    if paid and len(said) > 1:
        return Verdict(None, paid[0], Doubt.TWICE, next(one for one in said if one is not paid[0]))
    if paid:
        agrees = _is_money(paid[0], amount, currency)
        return Verdict("paid", paid[0]) if agrees else Verdict(None, paid[0], Doubt.MONEY)
    if held and failed:
        return Verdict(None, held[0], Doubt.CONTRADICTORY, failed[0])
    if held:
        other = next(
            (one for one in held + waiting if one.remote_reference != held[0].remote_reference), None
        )
        return Verdict(None, held[0], Doubt.TWICE, other) if other else Verdict(None, held[0])
    if failed and not waiting:
        return Verdict("failed", failed[0])
    return Verdict(None, waiting[0])


def _doubtful(doubted: Outcome, doubt: Doubt, others: list[Outcome]) -> Verdict:
    """What has paid, or may yet, under another reference is not hidden behind the doubt about the first: who
    decides only that one would have it paid again."""
    same = {doubted.remote_reference, ""}
    other = next((one for one in others if one.remote_reference not in same), None)
    return Verdict(None, doubted, Doubt.TWICE, other) if other else Verdict(None, doubted, doubt)


def contradictions(
    outcomes: Sequence[Outcome], status: str, amount: Decimal, currency: str, remote_reference: str = ""
) -> list[tuple[Doubt, Outcome]]:
    """Everything that speaks against a status that is final already.

    `remote_reference` names the payment that the status came from: another one was made as well.
    """
    against = (
        (_against(one, status, amount, currency, remote_reference), one) for one in _distinct(outcomes)
    )
    return [(doubt, one) for doubt, one in against if doubt]


def _against(
    one: Outcome, status: str, amount: Decimal, currency: str, remote_reference: str
) -> Doubt | None:
    final = OutcomeStatus(status)
    if one.status in (OutcomeStatus.WAITING, OutcomeStatus.HELD):
        return None
    if one.status is OutcomeStatus.SUSPECT:
        return Doubt.SUSPECT
    if one.status is not final:
        return Doubt.RETURNED if kind(one) == "returned" else Doubt.LATE
    if one.status is OutcomeStatus.PAID and len({one.remote_reference, remote_reference} - {""}) > 1:
        return Doubt.TWICE
    if one.status is OutcomeStatus.PAID and not _is_money(one, amount, currency):
        return Doubt.MONEY
    return None


def may_be_paid_yet(outcomes: Sequence[Outcome], known: Collection[str]) -> bool:
    """Return True if what counts as failed here is not over there: it is under way, whatever people decided,
    or held open, which proves nothing either way, and people have not decided in view of that.

    `known` are the `words` that they had before them.
    """
    return any(
        outcome.status is OutcomeStatus.WAITING
        or (outcome.status is OutcomeStatus.HELD and word(outcome) not in known)
        for outcome in outcomes
    )


def words(outcomes: Sequence[Outcome]) -> list[str]:
    """What was said, one text for each distinct word, to know it again."""
    return [word(one) for one in _distinct(outcomes)]


def was_held(last_words: str | None) -> bool:
    """Return True if the payment system called the payment done in its last answer, without proof."""
    return any(json.loads(said)[0] == OutcomeStatus.HELD.value for said in (last_words or "").splitlines())


def word(one: Outcome) -> str:
    amount = "" if one.amount is None else f"{one.amount.normalize():f}"
    return json.dumps([kind(one), one.remote_reference, amount, one.currency])


def said_again(outcomes: Sequence[Outcome], last_words: Sequence[str]) -> list[Outcome]:
    """What had been said of a transaction before the last answer, was not in that, and is said again: money
    that was paid, came back, and was paid once more under the same number.

    `last_words` are the `words` of the last answer.
    """
    last: dict[str, set[str]] = {}
    for said in last_words:
        told_kind, reference, *_money = json.loads(said)
        last.setdefault(reference, set()).add(told_kind)
    waiting = {OutcomeStatus.WAITING.value}
    return [
        one
        for one in outcomes
        if kind(one) not in waiting | last.get(one.remote_reference, set())
        and last.get(one.remote_reference, set()) - waiting
    ]


def kind(one: Outcome) -> str:
    """Its status, and "returned" for money that came back."""
    came_back = one.status is OutcomeStatus.FAILED and one.failure_type is FailureType.RETURNED
    return "returned" if came_back else one.status.value


def _is_money(outcome: Outcome, amount: Decimal, currency: str) -> bool:
    # invariant: paid-as-approved
    return (outcome.amount, outcome.currency) == (amount, currency)


def _distinct(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Each thing that was said once, in an order of its own. That a payment is waiting is old news once
    something else is said of it; what waits under another reference is another payment."""
    distinct = {}
    for one in sorted(outcomes, key=lambda one: one.model_dump_json()):
        distinct.setdefault((one.remote_reference, kind(one), one.amount, one.currency), one)
    said = {one.remote_reference for one in distinct.values() if one.status is not OutcomeStatus.WAITING}
    old_news = said | {""} if said else set()
    return [
        one
        for one in distinct.values()
        if one.status is not OutcomeStatus.WAITING or one.remote_reference not in old_news
    ]
