"""What to do about an error that Mojaloop names: one table (FSPIOP 1.1, "Error Codes").

The same code means other things at other steps. Before the transfer step no money can move, so the only
question is who mends what. At the transfer step a code ends the payment only when it surely speaks of this
transfer. When a transfer is asked for, or its bytes are sent a second time, a code may speak of the question,
or of the second copy, so that few codes end anything then.
"""

from enum import Enum
from typing import NamedTuple

from odoo.addons.g2p_payment_hub.client.outcomes import FailureType


class Step(str, Enum):
    LOOKUP = "lookup"
    QUOTE = "quote"
    TRANSFER = "transfer"
    RESEND = "resend"  # the same bytes again
    ASK = "ask"
    ACCOUNTS = "accounts"


class Verdict(str, Enum):
    """What next. Each but ASK says that this attempt will never pay."""

    FAILED = "failed"  # a person decides
    TRY_AGAIN = "try_again"  # later, as a new attempt
    NEW_QUOTE = "new_quote"  # at once, as a new attempt
    PAUSE_BATCH = "pause_batch"  # the next payments would fare the same: a person first
    ASK = "ask"  # nobody knows: ask for the transfer, and never make another one


class Rule(NamedTuple):
    """`same_data`: whether trying again without changing anything about the payment makes sense."""

    verdict: Verdict
    failure_type: FailureType
    same_data: bool


_FAILED, _TRY, _QUOTE, _PAUSE, _ASK = (
    Verdict.FAILED,
    Verdict.TRY_AGAIN,
    Verdict.NEW_QUOTE,
    Verdict.PAUSE_BATCH,
    Verdict.ASK,
)
_TECHNICAL, _UNKNOWN, _REJECTED, _LIMIT, _CLOSED, _FUNDS = (
    FailureType.TECHNICAL,
    FailureType.PAYEE_UNKNOWN,
    FailureType.REJECTED,
    FailureType.LIMIT,
    FailureType.ACCOUNT_CLOSED,
    FailureType.INSUFFICIENT_FUNDS,
)


class _Row(NamedTuple):
    before: Verdict  # at LOOKUP, QUOTE and ACCOUNTS
    transfer: Verdict  # at TRANSFER
    ask: Verdict  # at RESEND and ASK
    failure_type: FailureType
    same_data: bool


_TABLE = {
    # Communication and servers: later it may work; at the transfer step nobody knows.
    "1000": _Row(_TRY, _ASK, _ASK, _TECHNICAL, True),
    "1001": _Row(_TRY, _ASK, _ASK, _TECHNICAL, True),
    "2000": _Row(_TRY, _ASK, _ASK, _TECHNICAL, True),
    "2001": _Row(_TRY, _ASK, _ASK, _TECHNICAL, True),
    "2002": _Row(_PAUSE, _PAUSE, _ASK, _TECHNICAL, True),  # not implemented
    "2003": _Row(_TRY, _ASK, _ASK, _TECHNICAL, True),
    "2004": _Row(_TRY, _ASK, _ASK, _TECHNICAL, True),
    "2005": _Row(_TRY, _ASK, _ASK, _TECHNICAL, True),
    # The request itself. 3001, 3002 and 3105 are about versions, addresses and keys, the same for every
    # payment.
    "3000": _Row(_FAILED, _FAILED, _ASK, _TECHNICAL, False),
    "3001": _Row(_PAUSE, _PAUSE, _ASK, _TECHNICAL, True),
    "3002": _Row(_PAUSE, _PAUSE, _ASK, _TECHNICAL, True),
    "3003": _Row(_FAILED, _FAILED, _ASK, _TECHNICAL, False),
    "3100": _Row(_FAILED, _FAILED, _ASK, _TECHNICAL, False),
    "3101": _Row(_FAILED, _FAILED, _ASK, _TECHNICAL, False),
    "3102": _Row(_FAILED, _FAILED, _ASK, _TECHNICAL, False),
    "3103": _Row(_FAILED, _FAILED, _ASK, _TECHNICAL, False),
    "3104": _Row(_FAILED, _FAILED, _ASK, _TECHNICAL, False),
    "3105": _Row(_PAUSE, _PAUSE, _ASK, _TECHNICAL, True),
    "3106": _Row(
        _PAUSE, _ASK, _ASK, _TECHNICAL, False
    ),  # our id with another content: the first may have paid
    "3107": _Row(_FAILED, _FAILED, _ASK, _TECHNICAL, False),
    # Somebody or something is not known.
    "3200": _Row(_FAILED, _FAILED, _ASK, _UNKNOWN, False),
    "3201": _Row(_FAILED, _FAILED, _ASK, _UNKNOWN, False),
    "3202": _Row(_PAUSE, _PAUSE, _ASK, _TECHNICAL, True),  # the payer's institution: ourselves
    "3203": _Row(_FAILED, _FAILED, _ASK, _UNKNOWN, False),
    "3204": _Row(_FAILED, _FAILED, _ASK, _UNKNOWN, False),
    "3205": _Row(_QUOTE, _QUOTE, _ASK, _TECHNICAL, True),
    "3206": _Row(_FAILED, _FAILED, _ASK, _TECHNICAL, True),
    "3207": _Row(_FAILED, _FAILED, _ASK, _TECHNICAL, True),
    "3208": _Row(_TRY, _ASK, _ASK, _TECHNICAL, True),  # this transfer: see transfer_state
    "3209": _Row(_QUOTE, _ASK, _ASK, _TECHNICAL, True),
    "3210": _Row(_TRY, _ASK, _ASK, _TECHNICAL, True),
    # Expired. On a transfer the hub has then let go of the money.
    "3300": _Row(_QUOTE, _FAILED, _FAILED, _TECHNICAL, True),
    "3301": _Row(_QUOTE, _FAILED, _ASK, _TECHNICAL, True),
    "3302": _Row(_QUOTE, _QUOTE, _ASK, _TECHNICAL, True),
    "3303": _Row(_QUOTE, _FAILED, _FAILED, _TECHNICAL, True),
    # The payer's side. Of a question, these may say that we may not ask.
    "4000": _Row(_FAILED, _FAILED, _ASK, _TECHNICAL, True),
    "4001": _Row(_PAUSE, _PAUSE, _PAUSE, _FUNDS, True),
    "4100": _Row(_FAILED, _FAILED, _ASK, _REJECTED, True),
    "4101": _Row(_FAILED, _FAILED, _ASK, _REJECTED, True),
    "4102": _Row(_FAILED, _FAILED, _ASK, _REJECTED, True),
    "4103": _Row(_FAILED, _FAILED, _ASK, _REJECTED, True),
    "4200": _Row(_FAILED, _FAILED, _FAILED, _LIMIT, True),
    "4300": _Row(_FAILED, _FAILED, _ASK, _TECHNICAL, True),
    "4400": _Row(_FAILED, _FAILED, _ASK, _TECHNICAL, True),
    # The payee's side.
    "5000": _Row(_FAILED, _FAILED, _ASK, _REJECTED, True),
    "5001": _Row(_TRY, _TRY, _TRY, _FUNDS, True),  # the payee's institution is out of liquidity
    "5100": _Row(_FAILED, _FAILED, _FAILED, _REJECTED, False),
    "5101": _Row(_FAILED, _FAILED, _FAILED, _REJECTED, False),
    "5102": _Row(_FAILED, _FAILED, _FAILED, _REJECTED, False),
    "5103": _Row(_FAILED, _FAILED, _FAILED, _REJECTED, False),
    "5104": _Row(_FAILED, _FAILED, _FAILED, _REJECTED, False),
    "5105": _Row(_FAILED, _FAILED, _FAILED, _REJECTED, False),
    "5106": _Row(_FAILED, _FAILED, _FAILED, _REJECTED, False),
    "5200": _Row(_FAILED, _FAILED, _FAILED, _LIMIT, True),
    "5300": _Row(_FAILED, _FAILED, _ASK, _REJECTED, False),
    "5400": _Row(_FAILED, _FAILED, _ASK, _CLOSED, False),
}
# A code that nobody wrote down. Before the transfer step a person may simply try again.
_OTHER = _Row(_FAILED, _ASK, _ASK, FailureType.OTHER, True)


def rule(code: str, step: Step) -> Rule:
    row = _TABLE.get(_general(code), _OTHER)
    if step is Step.TRANSFER:
        verdict = row.transfer
    else:
        verdict = row.ask if step in (Step.RESEND, Step.ASK) else row.before
    return Rule(verdict, row.failure_type, row.same_data)


def _general(code: str) -> str:
    """xx40 to xx99 are a scheme's own, and mean xx00 to everybody else."""
    own = len(code) == 4 and code.isascii() and code.isdigit() and code[2] >= "4"
    return f"{code[:2]}00" if own else code


class StepFailed(Exception):
    """The other side said no to a step, in words of Mojaloop's.

    `code` is its error code, or "" where the connector kept that to itself; `description` is free of payees;
    `verdict`, `failure_type` and `same_data` are the catalogue's. `transfer_id` where the connector chose it.
    """

    def __init__(
        self, step: Step, code: str, description: str = "", judged: Rule | None = None, transfer_id: str = ""
    ):
        super().__init__(f"{step.value}: {code} {description}".strip())
        self.step = step
        self.code = code
        self.description = description
        self.verdict, self.failure_type, self.same_data = judged or rule(code, step)
        self.transfer_id = transfer_id
