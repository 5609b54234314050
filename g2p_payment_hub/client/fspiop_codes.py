"""Mojaloop's error codes and what to do about each: one table (FSPIOP 1.1, "Error Codes").

Payment Hub EE passes these codes on from a Mojaloop switch, so the table stands in the common part.

The same code means other things at other steps. Before the transfer step no money can move, so the only
question is who mends what. At the transfer step a code ends the payment only when it surely speaks of this
transfer. When a transfer is asked for, or its bytes are sent a second time, a code may speak of the question,
or of the second copy, so that few codes end anything then.
"""

import re
from enum import Enum
from typing import NamedTuple

from .outcomes import FailureType

_CODE = re.compile(r"[0-9]{4}")


class Verdict(str, Enum):
    """Say what comes next. Each but ASK says that this attempt will never pay."""

    FAILED = "failed"  # a person decides
    TRY_AGAIN = "try_again"  # later, as a new attempt
    NEW_QUOTE = "new_quote"  # at once, as a new attempt
    PAUSE_BATCH = "pause_batch"  # the next payments would fare the same: a person first
    ASK = "ask"  # nobody knows: ask for the transfer, and never make another one


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


class Row(NamedTuple):
    """Verdict by step. Tell from the failure type if a new attempt with the same data makes sense: see
    `outcomes.SAME_DATA_MAY_WORK`."""

    before: Verdict  # before money can move: looking up, quoting, registering
    transfer: Verdict  # at the step with which money moves
    ask: Verdict  # when it is asked for or its bytes are sent again
    failure_type: FailureType


TABLE = {
    # Communication and servers: later it may work; at the transfer step nobody knows.
    "1000": Row(_TRY, _ASK, _ASK, _TECHNICAL),
    "1001": Row(_TRY, _ASK, _ASK, _TECHNICAL),
    "2000": Row(_TRY, _ASK, _ASK, _TECHNICAL),
    "2001": Row(_TRY, _ASK, _ASK, _TECHNICAL),
    "2002": Row(_PAUSE, _PAUSE, _ASK, _TECHNICAL),  # not implemented
    "2003": Row(_TRY, _ASK, _ASK, _TECHNICAL),
    "2004": Row(_TRY, _ASK, _ASK, _TECHNICAL),
    "2005": Row(_TRY, _ASK, _ASK, _TECHNICAL),
    # The request itself. 3001, 3002 and 3105 are about versions, addresses and keys, the same for every
    # payment.
    "3000": Row(_FAILED, _FAILED, _ASK, _OTHER),
    "3001": Row(_PAUSE, _PAUSE, _ASK, _TECHNICAL),
    "3002": Row(_PAUSE, _PAUSE, _ASK, _TECHNICAL),
    "3003": Row(_FAILED, _FAILED, _ASK, _OTHER),
    "3100": Row(_FAILED, _FAILED, _ASK, _OTHER),
    "3101": Row(_FAILED, _FAILED, _ASK, _OTHER),
    "3102": Row(_FAILED, _FAILED, _ASK, _OTHER),
    "3103": Row(_FAILED, _FAILED, _ASK, _OTHER),
    "3104": Row(_FAILED, _FAILED, _ASK, _OTHER),
    "3105": Row(_PAUSE, _PAUSE, _ASK, _TECHNICAL),
    # Our id, another content. Of a quote a restored backup has forgotten the first; the next turn has another
    # id. Of a transfer the first may have paid.
    "3106": Row(_QUOTE, _ASK, _ASK, _DUPLICATE),
    "3107": Row(_FAILED, _FAILED, _ASK, _OTHER),
    # Somebody or something is not known.
    "3200": Row(_FAILED, _FAILED, _ASK, _UNKNOWN),
    "3201": Row(_FAILED, _FAILED, _ASK, _UNKNOWN),
    "3202": Row(_PAUSE, _PAUSE, _ASK, _TECHNICAL),  # the payer's institution: ourselves
    "3203": Row(_FAILED, _FAILED, _ASK, _UNKNOWN),
    "3204": Row(_FAILED, _FAILED, _ASK, _UNKNOWN),
    "3205": Row(_QUOTE, _QUOTE, _ASK, _TECHNICAL),
    "3206": Row(_FAILED, _FAILED, _ASK, _TECHNICAL),
    "3207": Row(_FAILED, _FAILED, _ASK, _TECHNICAL),
    "3208": Row(_TRY, _ASK, _ASK, _TECHNICAL),  # this transfer: see transfer_state
    "3209": Row(_QUOTE, _ASK, _ASK, _TECHNICAL),
    "3210": Row(_TRY, _ASK, _ASK, _TECHNICAL),
    # Expired. On a transfer the hub has then let go of the money.
    "3300": Row(_QUOTE, _FAILED, _FAILED, _TECHNICAL),
    "3301": Row(_QUOTE, _FAILED, _ASK, _TECHNICAL),
    "3302": Row(_QUOTE, _QUOTE, _ASK, _TECHNICAL),
    "3303": Row(_QUOTE, _FAILED, _FAILED, _TECHNICAL),
    # The payer's side. Of a question, these may say that we may not ask.
    "4000": Row(_FAILED, _FAILED, _ASK, _TECHNICAL),
    "4001": Row(_PAUSE, _PAUSE, _PAUSE, _FUNDS),
    "4100": Row(_FAILED, _FAILED, _ASK, _REJECTED),
    "4101": Row(_FAILED, _FAILED, _ASK, _REJECTED),
    "4102": Row(_FAILED, _FAILED, _ASK, _REJECTED),
    "4103": Row(_FAILED, _FAILED, _ASK, _REJECTED),
    "4200": Row(_PAUSE, _PAUSE, _PAUSE, _FUNDS),  # the net debit cap, since hub release 14
    "4300": Row(_FAILED, _FAILED, _ASK, _TECHNICAL),
    "4400": Row(_FAILED, _FAILED, _ASK, _TECHNICAL),
    # The payee's side.
    "5000": Row(_FAILED, _FAILED, _ASK, _REJECTED),
    "5001": Row(_TRY, _TRY, _TRY, _FUNDS),  # the payee's institution is out of liquidity
    "5100": Row(_FAILED, _FAILED, _FAILED, _REJECTED),
    "5101": Row(_FAILED, _FAILED, _FAILED, _REJECTED),
    "5102": Row(_FAILED, _FAILED, _FAILED, _REJECTED),
    "5103": Row(_FAILED, _FAILED, _FAILED, _REJECTED),
    "5104": Row(_FAILED, _FAILED, _FAILED, _REJECTED),
    "5105": Row(_FAILED, _FAILED, _FAILED, _REJECTED),
    "5106": Row(_FAILED, _FAILED, _FAILED, _REJECTED),
    "5200": Row(_FAILED, _FAILED, _FAILED, _LIMIT),
    "5300": Row(_FAILED, _FAILED, _ASK, _REJECTED),
    "5400": Row(_FAILED, _FAILED, _ASK, _CLOSED),
}
# A code that nobody wrote down. Before the transfer step no money moved.
NOT_LISTED = Row(_FAILED, _ASK, _ASK, _OTHER)


def row(code: str) -> Row:
    """Return what a code means; NOT_LISTED for one that is not in the table."""
    return TABLE.get(_general(code), NOT_LISTED)


def is_listed(code: str) -> bool:
    """Return True if the table knows the code."""
    return _general(code) in TABLE


def is_code(text: str) -> bool:
    """Return True for a code in the form of FSPIOP: four digits."""
    return _CODE.fullmatch(text) is not None


def _general(code: str) -> str:
    """Return the general code of a scheme's own: xx40 to xx99 mean xx00 to everybody else."""
    return f"{code[:2]}00" if is_code(code) and code[2] >= "4" else code
