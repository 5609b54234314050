"""What became of a transfer: one pure function from everything that is known at a moment.

         transfer sent
               |
 +-------------+-----------------+--------------------+----------------------+
 | COMMITTED, SETTLED and its    | ABORTED and the    | RESERVED, RECEIVED,  | 3208 when asked:
 | fulfilment                    | like, or a code    | a word of which we   | the hub knows nothing
 | fits      | does not fit      | that ends it       | know nothing,        |
 |           |                   |                    | no answer, 504, ...  |
 v           v                   v                    v                      v
PAID      SUSPECT             FAILED               WAITING        RESEND, WAITING, NEVER_HAPPENED
                                                   ask again      before and after its expiry, and
                                                                  a while later
An end without money that comes with a fulfilment is SUSPECT as well: the fulfilment is what pays.
"""

from datetime import datetime, timedelta
from enum import Enum

from pydantic import BaseModel, ConfigDict

from odoo.addons.g2p_payment_hub.client.errors import GatewayError
from odoo.addons.g2p_payment_hub.client.kept import Moment, Text

from . import ilp
from .catalogue import Step, StepFailed, Verdict

COMMITTED = "COMMITTED"
# The hub's own words beside those of FSPIOP (central-ledger, table transferState): old hubs tell them.
PAID_WORDS = frozenset({COMMITTED, "SETTLED"})
ENDED_WORDS = frozenset(
    {
        "ABORTED",
        "ABORTED_ERROR",
        "ABORTED_REJECTED",
        "EXPIRED_PREPARED",
        "EXPIRED_RESERVED",
        "FAILED",
        "INVALID",
    }
)
OPEN_WORDS = frozenset(
    {
        "RECEIVED",
        "RECEIVED_ERROR",
        "RECEIVED_FULFIL",
        "RECEIVED_FULFIL_DEPENDENT",
        "RECEIVED_PREPARE",
        "RECEIVED_REJECT",
        "RESERVED",
        "RESERVED_FORWARDED",
        "RESERVED_TIMEOUT",
    }
)
KNOWN_WORDS = PAID_WORDS | ENDED_WORDS | OPEN_WORDS
_NO_SUCH_TRANSFER = "3208"


class Transfer(BaseModel):
    """What the hub says of a transfer. `state` is its word; `completed_at` has a time zone."""

    model_config = ConfigDict(frozen=True)

    transfer_id: str
    state: Text
    fulfilment: Text = ""
    completed_at: Moment = None

    @property
    def claims_paid(self) -> bool:
        """True if the hub says that money has moved, with proof or without."""
        return self.state in PAID_WORDS

    @property
    def ended(self) -> bool:
        """True if the hub says that money will not move, and nothing beside it says otherwise."""
        return self.state in ENDED_WORDS and not self.fulfilment

    @property
    def contradicts_itself(self) -> bool:
        return self.state in ENDED_WORDS and bool(self.fulfilment)


class Order(BaseModel):
    """What was sent, as far as it is needed to judge what became of it. `expiration` has a time zone;
    `repeatable` tells whether the connector sends the very same again when it is asked to."""

    model_config = ConfigDict(frozen=True)

    transfer_id: str
    condition: str
    expiration: datetime
    repeatable: bool = True


class TransferState(str, Enum):
    PAID = "paid"
    FAILED = "failed"  # money will not move; what may be done next says the verdict, if there is one
    WAITING = "waiting"  # ask again later
    SUSPECT = "suspect"  # paid, says the hub, and cannot prove it: for a person
    RESEND = "resend"  # the same bytes may be sent again, and the outcome stays unknown
    NEVER_HAPPENED = "never_happened"  # a new attempt may be made


def state_of(
    said: Transfer | StepFailed | GatewayError, order: Order, now: datetime, grace: timedelta
) -> TransferState:
    """`said` is what `Connector.transfer` or `ask` returned or raised; `grace` is how long after its expiry
    the hub may still come to know of a transfer, by clocks that differ or a queue that was slow."""
    if isinstance(said, Transfer):
        return _told(said, order)
    if isinstance(said, StepFailed):
        return _refused(said, order, now, grace)
    # Nothing was sent or nobody knows: of the exchange, and not of any sent before.
    return TransferState.WAITING


def _told(transfer: Transfer, order: Order) -> TransferState:
    if transfer.transfer_id != order.transfer_id:
        raise ValueError("told of another transfer")
    if transfer.claims_paid:
        # invariant: fulfilment-fits
        fits = ilp.fulfils(transfer.fulfilment, order.condition)
        return TransferState.PAID if fits else TransferState.SUSPECT
    if transfer.contradicts_itself:
        return TransferState.SUSPECT
    return TransferState.FAILED if transfer.ended else TransferState.WAITING


def _refused(failure: StepFailed, order: Order, now: datetime, grace: timedelta) -> TransferState:
    if failure.step not in (Step.TRANSFER, Step.RESEND, Step.ASK):
        raise ValueError("told of another step")
    if is_not_known(failure):
        return _unknown_to_the_hub(order, now, grace)
    return TransferState.WAITING if failure.verdict is Verdict.ASK else TransferState.FAILED


def is_not_known(said: object) -> bool:
    """Return True if the hub was asked for the transfer, and said that it has none of this id."""
    return isinstance(said, StepFailed) and said.step is Step.ASK and said.code == _NO_SUCH_TRANSFER


def _unknown_to_the_hub(order: Order, now: datetime, grace: timedelta) -> TransferState:
    if now < order.expiration:
        return TransferState.RESEND if order.repeatable else TransferState.WAITING
    return TransferState.NEVER_HAPPENED if now >= order.expiration + grace else TransferState.WAITING
