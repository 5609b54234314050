"""What came of it: our own small vocabulary, whatever words the other side uses."""

from enum import Enum

from pydantic import BaseModel, ConfigDict

from .errors import OutcomeUnknown, Reason
from .kept import Amount, Moment, Text


class Receipt(BaseModel):
    """The system has accepted a batch; nobody has been paid yet.

    `reference` is its own name for the batch, `poll_after` the seconds it asks us to wait.
    """

    model_config = ConfigDict(frozen=True)

    reference: Text
    poll_after: int = 0


class FoundTwice(OutcomeUnknown):
    """The system has more than one batch that an upload, or the payments looked for, became."""

    def __init__(self, receipts: list[Receipt]):
        super().__init__(Reason.AMBIGUOUS, ", ".join(receipt.reference for receipt in receipts))
        self.receipts = receipts


class OutcomeStatus(str, Enum):
    WAITING = "waiting"
    PAID = "paid"
    FAILED = "failed"
    HELD = "held"  # done, says the system, but its word proves no payment: open until there is evidence
    SUSPECT = "suspect"  # paid or failed, with a sign of the opposite: for a person


class FailureType(str, Enum):
    """Why a payment failed, in words that are the same for every payment system."""

    PAYEE_UNKNOWN = "payee_unknown"
    ACCOUNT_CLOSED = "account_closed"
    LIMIT = "limit"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    TECHNICAL = "technical"
    REJECTED = "rejected"  # by a person or by the payee's institution
    DUPLICATE = "duplicate"
    NOT_SENT = "not_sent"  # cancelled or set aside before it left
    RETURNED = "returned"  # paid, and the money came back
    DECLARED = "declared"  # people decided that it was not paid
    OTHER = "other"


# After these the same payee and amount may work another time: the cause lies elsewhere, or passes.
SAME_DATA_MAY_WORK = frozenset(
    {
        FailureType.LIMIT,
        FailureType.INSUFFICIENT_FUNDS,
        FailureType.TECHNICAL,
        FailureType.DUPLICATE,
        FailureType.NOT_SENT,
        FailureType.DECLARED,
    }
)


class Outcome(BaseModel):
    """What the system says of one instruction at this moment.

    `amount` and `currency` are the system's, never copied from ours. `completed_at` is UTC. `fee` and
    `commission` are in `currency`, what the payer pays on top and what it gets back; None when not told.
    `failure_type` stands beside `reason_code`, the system's own word. Whatever the system says can be written
    down: see `kept`.
    """

    model_config = ConfigDict(frozen=True)

    reference: Text
    status: OutcomeStatus
    amount: Amount = None
    currency: Text = ""
    remote_reference: Text = ""
    remote_status: Text = ""
    reason_code: Text = ""
    reason: Text = ""
    failure_type: FailureType | None = None
    fee: Amount = None
    commission: Amount = None
    completed_at: Moment = None


class Check(BaseModel):
    """One line of a connection test: what was tried, whether it works, and what was seen.

    `reason` says why it does not work; empty when it is the other side's own words that stand in `detail`.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    ok: bool
    reason: Reason | None = None
    detail: str = ""
