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
    distinct = list({(one.remote_reference, one.status): one for one in outcomes}.values())
    paid = [one for one in distinct if one.status is OutcomeStatus.PAID]
    failed = [one for one in distinct if one.status is OutcomeStatus.FAILED]
    suspect = [one for one in distinct if one.status is OutcomeStatus.SUSPECT]
    if suspect:
        return Verdict(None, suspect[0], Doubt.SUSPECT)
    if paid and failed:
        return Verdict(None, paid[0], Doubt.CONTRADICTORY)
    if len(paid) > 1:
        return Verdict(None, paid[0], Doubt.TWICE)
    if paid and len(distinct) == 1:
        money_agrees = (paid[0].amount, paid[0].currency) == (amount, currency)
        return Verdict("paid", paid[0]) if money_agrees else Verdict(None, paid[0], Doubt.MONEY)
    if failed and len(failed) == len(distinct):
        return Verdict("failed", failed[0])
    return Verdict(None, distinct[0])


def contradicts(outcomes: Sequence[Outcome], status: str) -> Outcome | None:
    """The outcome, if any, that speaks against a status that is final already."""
    opposite = OutcomeStatus.FAILED if status == "paid" else OutcomeStatus.PAID
    return next((one for one in outcomes if one.status is opposite), None)
