"""What to do about an error that Mojaloop names: one table (FSPIOP 1.1, "Error Codes").

The same code means other things at other steps. Before the transfer step no money can move, so the only
question is who mends what. At the transfer step a code ends the payment only when it surely speaks of this
transfer. When a transfer is asked for, or its bytes are sent a second time, a code may speak of the question,
or of the second copy, so that few codes end anything then.
"""

from enum import Enum
from typing import NamedTuple

from odoo.addons.g2p_payment_hub.client import kept
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
    """Whether a new attempt with the same data makes sense follows from the kind: SAME_DATA_MAY_WORK."""

    verdict: Verdict
    failure_type: FailureType


_FAILED, _TRY, _QUOTE, _PAUSE, _ASK = (
    Verdict.FAILED,
    Verdict.TRY_AGAIN,
    Verdict.NEW_QUOTE,
    Verdict.PAUSE_BATCH,
    Verdict.ASK,
)
_TECHNICAL, _OTHER, _DUPLICATE, _UNKNOWN, _REJECTED, _LIMIT, _CLOSED, _FUNDS = (
    FailureType.TECHNICAL,
    FailureType.OTHER,
    FailureType.DUPLICATE,
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


_TABLE = {
    # Communication and servers: later it may work; at the transfer step nobody knows.
    "1000": _Row(_TRY, _ASK, _ASK, _TECHNICAL),
    "1001": _Row(_TRY, _ASK, _ASK, _TECHNICAL),
    "2000": _Row(_TRY, _ASK, _ASK, _TECHNICAL),
    "2001": _Row(_TRY, _ASK, _ASK, _TECHNICAL),
    "2002": _Row(_PAUSE, _PAUSE, _ASK, _TECHNICAL),  # not implemented
    "2003": _Row(_TRY, _ASK, _ASK, _TECHNICAL),
    "2004": _Row(_TRY, _ASK, _ASK, _TECHNICAL),
    "2005": _Row(_TRY, _ASK, _ASK, _TECHNICAL),
    # The request itself. 3001, 3002 and 3105 are about versions, addresses and keys, the same for every
    # payment.
    "3000": _Row(_FAILED, _FAILED, _ASK, _OTHER),
    "3001": _Row(_PAUSE, _PAUSE, _ASK, _TECHNICAL),
    "3002": _Row(_PAUSE, _PAUSE, _ASK, _TECHNICAL),
    "3003": _Row(_FAILED, _FAILED, _ASK, _OTHER),
    "3100": _Row(_FAILED, _FAILED, _ASK, _OTHER),
    "3101": _Row(_FAILED, _FAILED, _ASK, _OTHER),
    "3102": _Row(_FAILED, _FAILED, _ASK, _OTHER),
    "3103": _Row(_FAILED, _FAILED, _ASK, _OTHER),
    "3104": _Row(_FAILED, _FAILED, _ASK, _OTHER),
    "3105": _Row(_PAUSE, _PAUSE, _ASK, _TECHNICAL),
    # Our id, another content. Of a quote a restored backup has forgotten the first; the next turn has another
    # id. Of a transfer the first may have paid.
    "3106": _Row(_QUOTE, _ASK, _ASK, _DUPLICATE),
    "3107": _Row(_FAILED, _FAILED, _ASK, _OTHER),
    # Somebody or something is not known.
    "3200": _Row(_FAILED, _FAILED, _ASK, _UNKNOWN),
    "3201": _Row(_FAILED, _FAILED, _ASK, _UNKNOWN),
    "3202": _Row(_PAUSE, _PAUSE, _ASK, _TECHNICAL),  # the payer's institution: ourselves
    "3203": _Row(_FAILED, _FAILED, _ASK, _UNKNOWN),
    "3204": _Row(_FAILED, _FAILED, _ASK, _UNKNOWN),
    "3205": _Row(_QUOTE, _QUOTE, _ASK, _TECHNICAL),
    "3206": _Row(_FAILED, _FAILED, _ASK, _TECHNICAL),
    "3207": _Row(_FAILED, _FAILED, _ASK, _TECHNICAL),
    "3208": _Row(_TRY, _ASK, _ASK, _TECHNICAL),  # this transfer: see transfer_state
    "3209": _Row(_QUOTE, _ASK, _ASK, _TECHNICAL),
    "3210": _Row(_TRY, _ASK, _ASK, _TECHNICAL),
    # Expired. On a transfer the hub has then let go of the money.
    "3300": _Row(_QUOTE, _FAILED, _FAILED, _TECHNICAL),
    "3301": _Row(_QUOTE, _FAILED, _ASK, _TECHNICAL),
    "3302": _Row(_QUOTE, _QUOTE, _ASK, _TECHNICAL),
    "3303": _Row(_QUOTE, _FAILED, _FAILED, _TECHNICAL),
    # The payer's side. Of a question, these may say that we may not ask.
    "4000": _Row(_FAILED, _FAILED, _ASK, _TECHNICAL),
    "4001": _Row(_PAUSE, _PAUSE, _PAUSE, _FUNDS),
    "4100": _Row(_FAILED, _FAILED, _ASK, _REJECTED),
    "4101": _Row(_FAILED, _FAILED, _ASK, _REJECTED),
    "4102": _Row(_FAILED, _FAILED, _ASK, _REJECTED),
    "4103": _Row(_FAILED, _FAILED, _ASK, _REJECTED),
    "4200": _Row(_FAILED, _FAILED, _FAILED, _LIMIT),
    "4300": _Row(_FAILED, _FAILED, _ASK, _TECHNICAL),
    "4400": _Row(_FAILED, _FAILED, _ASK, _TECHNICAL),
    # The payee's side.
    "5000": _Row(_FAILED, _FAILED, _ASK, _REJECTED),
    "5001": _Row(_TRY, _TRY, _TRY, _FUNDS),  # the payee's institution is out of liquidity
    "5100": _Row(_FAILED, _FAILED, _FAILED, _REJECTED),
    "5101": _Row(_FAILED, _FAILED, _FAILED, _REJECTED),
    "5102": _Row(_FAILED, _FAILED, _FAILED, _REJECTED),
    "5103": _Row(_FAILED, _FAILED, _FAILED, _REJECTED),
    "5104": _Row(_FAILED, _FAILED, _FAILED, _REJECTED),
    "5105": _Row(_FAILED, _FAILED, _FAILED, _REJECTED),
    "5106": _Row(_FAILED, _FAILED, _FAILED, _REJECTED),
    "5200": _Row(_FAILED, _FAILED, _FAILED, _LIMIT),
    "5300": _Row(_FAILED, _FAILED, _ASK, _REJECTED),
    "5400": _Row(_FAILED, _FAILED, _ASK, _CLOSED),
}
# A code that nobody wrote down. Before the transfer step no money moved.
_NOT_LISTED = _Row(_FAILED, _ASK, _ASK, _OTHER)


def rule(code: str, step: Step) -> Rule:
    row = _TABLE.get(_general(code), _NOT_LISTED)
    if step is Step.TRANSFER:
        verdict = row.transfer
    else:
        verdict = row.ask if step in (Step.RESEND, Step.ASK) else row.before
    return Rule(verdict, row.failure_type)


def _general(code: str) -> str:
    """xx40 to xx99 are a scheme's own, and mean xx00 to everybody else."""
    own = len(code) == 4 and code.isascii() and code.isdigit() and code[2] >= "4"
    return f"{code[:2]}00" if own else code


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
