"""From what a payment system tells of one payment to what we write down. Plain Python."""

from collections.abc import Sequence
from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from odoo.addons.g2p_payment_hub.client.outcomes import Outcome, OutcomeStatus


class Doubt(str, Enum):
    """Why a person has to look, as a key for a translated sentence."""

    SUSPECT = "suspect"
    CONTRADICTORY = "contradictory"
    TWICE = "twice"
    MONEY = "money"
    LATE = "late"


class Verdict(NamedTuple):
    """`status` is "paid", "failed" or None while it is open; with a doubt it is always None."""

    status: str | None
    outcome: Outcome
    doubt: Doubt | None = None


def judge(outcomes: Sequence[Outcome], amount: Decimal, currency: str) -> Verdict:
    """One verdict from everything told of one payment, in whatever order and however often.

    `amount` and `currency` are what was approved. Paid means paid once, in full, and nothing said against it.
    """
    said = _distinct(outcomes)
    paid, failed, suspect = (
        [one for one in said if one.status is status]
        for status in (OutcomeStatus.PAID, OutcomeStatus.FAILED, OutcomeStatus.SUSPECT)
    )
    waiting = [one for one in said if one.status is OutcomeStatus.WAITING]
    if suspect:
        return Verdict(None, suspect[0], Doubt.SUSPECT)
    if paid and failed:
        return Verdict(None, paid[0], Doubt.CONTRADICTORY)
    if paid and len(said) > 1:
        return Verdict(None, paid[0], Doubt.TWICE)
    if paid:
        agrees = _is_money(paid[0], amount, currency)
        return Verdict("paid", paid[0]) if agrees else Verdict(None, paid[0], Doubt.MONEY)
    if failed and not waiting:
        return Verdict("failed", failed[0])
    return Verdict(None, waiting[0])


def contradicts(
    outcomes: Sequence[Outcome], status: str, amount: Decimal, currency: str, remote_reference: str = ""
) -> Verdict | None:
    """What speaks against a status that is final already, if anything; `status` is then None.

    `remote_reference` names the payment that the status came from: another one was made as well.
    """
    final = OutcomeStatus(status)
    for one in _distinct(outcomes):
        if one.status is OutcomeStatus.SUSPECT:
            return Verdict(None, one, Doubt.SUSPECT)
        if one.status not in (final, OutcomeStatus.WAITING):
            return Verdict(None, one, Doubt.LATE)
        if one.status is OutcomeStatus.PAID and len({one.remote_reference, remote_reference} - {""}) > 1:
            return Verdict(None, one, Doubt.TWICE)
        if one.status is OutcomeStatus.PAID and not _is_money(one, amount, currency):
            return Verdict(None, one, Doubt.MONEY)
    return None


def _is_money(outcome: Outcome, amount: Decimal, currency: str) -> bool:
    return (outcome.amount, outcome.currency) == (amount, currency)


def _distinct(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Each thing that was said once, in an order of its own. That a payment is waiting is old news once
    something else is said of it; what waits under another reference is another payment."""
    distinct = {}
    for one in sorted(outcomes, key=lambda one: one.model_dump_json()):
        distinct.setdefault((one.remote_reference, one.status, one.amount, one.currency), one)
    said = {one.remote_reference for one in distinct.values() if one.status is not OutcomeStatus.WAITING}
    old_news = said | {""} if said else set()
    return [
        one
        for one in distinct.values()
        if one.status is not OutcomeStatus.WAITING or one.remote_reference not in old_news
    ]
