"""Decide about an error that Mojaloop names, by the step at which it was named.

The table of codes is the common part's: see `fspiop_codes`.
"""

from enum import Enum
from typing import NamedTuple

from odoo.addons.g2p_payment_hub.client import fspiop_codes, kept
from odoo.addons.g2p_payment_hub.client.fspiop_codes import Verdict
from odoo.addons.g2p_payment_hub.client.outcomes import FailureType


class Step(str, Enum):
    LOOKUP = "lookup"
    QUOTE = "quote"
    TRANSFER = "transfer"
    RESEND = "resend"  # the same bytes again
    ASK = "ask"
    ACCOUNTS = "accounts"


class Rule(NamedTuple):
    """Whether a new attempt with the same data makes sense follows from the kind: SAME_DATA_MAY_WORK."""

    verdict: Verdict
    failure_type: FailureType


def rule(code: str, step: Step) -> Rule:
    """Return what the table says of a code at this step."""
    row = fspiop_codes.row(code)
    if step is Step.TRANSFER:
        verdict = row.transfer
    else:
        verdict = row.ask if step in (Step.RESEND, Step.ASK) else row.before
    return Rule(verdict, row.failure_type)


class StepFailed(Exception):
    """The other side said no to a step, in words of Mojaloop's.

    `code` is its error code, or "" where the connector kept that to itself; `description` is free of payees;
    `verdict` and `failure_type` are the catalogue's. `transfer_id` where the connector chose it.
    """

    def __init__(
        self, step: Step, code: str, description: str = "", judged: Rule | None = None, transfer_id: str = ""
    ):
        code, description = kept.text(code), kept.text(description)
        super().__init__(f"{step.value}: {code} {description}".strip())
        self.step = step
        self.code = code
        self.description = description
        self.verdict, self.failure_type = judged or rule(code, step)
        self.transfer_id = transfer_id

    @property
    def is_listed(self) -> bool:
        """True if the table knows the code."""
        return fspiop_codes.is_listed(self.code)
