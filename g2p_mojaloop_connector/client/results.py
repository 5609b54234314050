"""What a worker is to do with one transfer, and what came of it: what is known, as columns of its row.

A no counts when it was said twice, the second time with nothing else under way: npm's connector 18.0.2 keeps
the parameters of all requests in one place, so that an answer to a single step can go to whoever waits for
another. Its other ways, and newer connectors, mix nothing up; before money can move their first no counts.
Once it may have moved, no connector is trusted that far: the transfer is asked for, and another id takes its
place only after its expiry. A yes needs no second time, because the fulfilment fits one transfer only.
"""

import logging
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from odoo.addons.g2p_payment_hub.client.errors import GatewayError, NotSent, OutcomeUnknown, Refused
from odoo.addons.g2p_payment_hub.client.outcomes import SAME_DATA_MAY_WORK, FailureType
from odoo.addons.g2p_payment_hub.client.references import derived_uuid

from . import bodies, transfer_state
from .catalogue import Step, StepFailed, Verdict, rule
from .ids import TransferIds
from .orders import STEP_BY_STEP, Order, Terms
from .parties import Payee
from .quotes import Quote
from .transfer_state import Transfer, TransferState

_logger = logging.getLogger(__name__)

# How often looking up and quoting is tried before a payment fails, and after how many seconds again.
MAX_TRIES = 8
WAITS = (5, 15, 60, 300)
# So long after its expiry the hub may still come to know of a transfer.
GRACE = timedelta(seconds=30)
FEE = "fee"  # our own code beside the hub's: more than what was approved
_TAKEN = "3106"  # the hub has this id, with another content


class Task(NamedTuple):
    """What a worker has to know of one transfer. `turn` grows with each run, `tries` with each failure,
    `asks` with each question; `taken`: the hub has said that it has this id with another content. `heard`: it
    has said no once; then `error` is what it said: step, code and description. `next_id`: the id that another
    attempt would have, empty when there will be none. `may_send`: whether the same bytes may be sent again.
    """

    id: int
    state: str
    transfer_id: str
    turn: int
    tries: int
    asks: int
    taken: bool
    heard: bool
    order: Order
    terms: Terms
    next_id: str = ""
    body: str = ""
    may_send: bool = True
    error: tuple[str, str, str] = ("", "", "")

    def ids(self) -> TransferIds:
        """The transfer's id stays; each turn has a quote of its own."""
        return TransferIds(str(derived_uuid("mojaloop quote", self.transfer_id, self.turn)), self.transfer_id)

    def sent(self) -> transfer_state.Order:
        return bodies.order_of(self.body)

    def first_no(self) -> StepFailed | None:
        """Return the code of the refusal. When asked again, a hub says only that the transfer is over."""
        step, code, description = self.error
        if not self.heard or step not in (Step.TRANSFER.value, Step.RESEND.value):
            return None
        return StepFailed(Step.TRANSFER, code, description)

    def may_resend(self) -> bool:
        """Return True if the same may be sent again: not after a code of which nobody knows the meaning, and
        not after it was refused a second time."""
        no, refused_again = self.first_no(), self.error[0] == Step.RESEND.value
        return self.may_send and (no is None or no.is_listed and not refused_again)

    def is_over(self) -> bool:
        """Whether the time in which what is written down may leave has passed."""
        return now() >= self.sent().expiration

    def settled_at(self) -> datetime:
        """Return when the hub can no longer come to know of what is written down."""
        return self.sent().expiration + GRACE


class Result(NamedTuple):
    """`row`: the columns of the transfer that are now known. `payee`: who may be quoted now; `quote`: what
    may be transferred now. `again`: another attempt may be made. `pause`: why the other payments of the batch
    would fare the same before a person has mended it. `trouble`: why they would fare the same for a while.
    `answered`: whether the scheme said anything when it was asked for this one; None when it was not asked.
    """

    task: Task
    row: dict[str, Any]
    payee: Payee | None = None
    quote: Quote | None = None
    again: bool = False
    pause: StepFailed | GatewayError | None = None
    trouble: GatewayError | None = None
    answered: bool | None = None

    def after(self, said: Any) -> "Result":
        """This, when `said` is what the scheme was heard to say of the transfer."""
        return self._replace(answered=not isinstance(said, OutcomeUnknown))


def result(task: Task, state: str, **columns: Any) -> Result:
    row = {"id": task.id, "before": task.state, "state": state, "tries": task.tries, "asks": task.asks}
    row["heard"] = False
    return Result(task, {**row, **{name: _plain(value) for name, value in columns.items()}})


def left_over(task: Task) -> Result:
    """A task that was not begun any more."""
    return _nothing_new(task, result(task, task.state if task.state != "transferring" else "unknown"))


def not_sent(task: Task) -> Result:
    """A transfer that was not begun any more: it surely did not leave."""
    return result(task, "waiting")


def unknown(task: Task, error: Exception) -> Result:
    """An error of ours while this one was judged, and of no other: it is asked for."""
    _logger.error("transfer %s: judging it ended in an error", task.transfer_id, exc_info=error)
    return result(task, "unknown", **next_ask(task), **_error("", type(error).__name__, ""))


def _no(task: Task, last: Result, meanwhile: str) -> Result:
    """The result when this is the second no, or none that could be another's; until then the payment is
    `meanwhile`."""
    if task.heard or task.terms.flow != STEP_BY_STEP:
        return last
    row = {**last.row, "state": meanwhile, "heard": True}
    return Result(task, row, pause=last.pause)


def _nothing_new(task: Task, one: Result) -> Result:
    """What brought no word of the scheme's leaves the no that was heard, and what it said."""
    if not task.heard:
        return one
    return one._replace(row={**one.row, "heard": True, **_error(*task.error)})


# Before money can move


def offered(task: Task, quote: Quote) -> Result:
    """What is offered may be transferred, unless it costs more than was approved."""
    facts = _quote_facts(quote)
    if quote.exceeds(limit_absolute=task.terms.allowed_fee(quote.amount)):
        error = _error(Step.QUOTE.value, FEE, f"{quote.cost} {quote.currency}")
        return result(task, "failed", **facts, **error, failure_type=FailureType.LIMIT.value)
    return result(task, "transferring", **facts)._replace(quote=quote)


def ready(one: Result, body: str, **columns: Any) -> Result:
    """With the body that is to be written down."""
    task = one.task._replace(body=body, state="transferring", heard=False)
    row = {**one.row, "body": body, "expires_at": _plain(task.sent().expiration), **columns}
    return one._replace(task=task, row=row)


def _quote_facts(quote: Quote) -> dict[str, Any]:
    names = ("transfer_amount", "payee_amount", "fee", "commission")
    payee = quote.payee
    told = " ".join(filter(None, (payee.first_name, payee.middle_name, payee.last_name)))
    return {
        "quote_id": quote.quote_id,
        "payee_fsp": payee.fsp_id,
        "payee_name": payee.name or told or None,
        "currency": quote.currency,
        "condition": quote.condition,
        **{name: str(getattr(quote, name)) for name in names if getattr(quote, name) is not None},
    }


def not_begun(task: Task, error: Exception) -> Result:
    """An error before anything was sent that could move money: nothing has left."""
    if isinstance(error, StepFailed):
        return step_failed(task, error)
    if isinstance(error, GatewayError):
        return not_answered(task, error)
    _logger.error("transfer %s: beginning ended in an error", task.transfer_id, exc_info=error)
    return _try_again(task, "", "", type(error).__name__)


def step_failed(task: Task, error: StepFailed) -> Result:
    facts = (error.step.value, error.code, error.description)
    if error.verdict is Verdict.FAILED:
        failed = result(task, "failed", **_error(*facts), failure_type=error.failure_type.value)
        return _no(task, failed, "waiting")
    if error.verdict is Verdict.PAUSE_BATCH:
        return result(task, "waiting", **_error(*facts))._replace(pause=error)
    if error.verdict is Verdict.ASK:
        return _may_have_paid(task, error)
    return _try_again(task, *facts)


def _may_have_paid(task: Task, error: StepFailed) -> Result:
    """A connector that has not waited until its quote was accepted. One that paid under an id of its own
    cannot be asked about ours."""
    ours = error.transfer_id in ("", task.transfer_id)
    facts = _error(error.step.value, error.code, error.description)
    return result(task, "unknown" if ours else "suspect", **facts, **next_ask(task))._replace(pause=error)


def not_answered(task: Task, error: GatewayError) -> Result:
    """Nothing has left, so the payment waits. That the connector itself is not there is no failure of the
    payment's, and is not counted."""
    if isinstance(error, Refused):
        return result(task, "waiting", **_error("", error.reason.value, error.detail))._replace(pause=error)
    if isinstance(error, NotSent):
        return _wait(task, task.tries, "", error.reason.value, error.detail)._replace(trouble=error)
    return _try_again(task, "", error.reason.value, error.detail)


def _try_again(task: Task, step: str, code: str, description: str) -> Result:
    tries = task.tries + 1
    if tries >= MAX_TRIES:
        technical = FailureType.TECHNICAL.value
        return result(task, "failed", **_error(step, code, description), failure_type=technical)
    return _wait(task, tries, step, code, description)


def _wait(task: Task, tries: int, step: str, code: str, description: str) -> Result:
    next_at = now() + timedelta(seconds=_wait_after(tries))
    return result(task, "waiting", tries=tries, next_at=next_at, **_error(step, code, description))


# What the scheme says of a transfer


def cannot_say_whether_known(task: Task, error: StepFailed | GatewayError) -> Result:
    """Without the scheme's word it waits, however long: to fail it would let it be paid again under another
    id, while the scheme may have paid this one before a backup was restored."""
    if isinstance(error, (Refused, NotSent)):
        return not_answered(task, error)
    if isinstance(error, StepFailed) and error.verdict is not Verdict.ASK:
        return _no(task, _failed(task, error, error_of(error)), "waiting")
    waits = _nothing_new(task, result(task, "waiting", **next_ask(task), **error_of(error)))
    return waits._replace(pause=error) if _is_about_us(error) else waits


def _is_about_us(error: Exception) -> bool:
    """Whether the scheme answers nothing at all of ours before a person has mended something."""
    if not isinstance(error, StepFailed):
        return False
    return rule(error.code, Step.LOOKUP).verdict is Verdict.PAUSE_BATCH


def known(task: Task, said: Transfer) -> Result:
    """Of a transfer whose quote is forgotten, nobody can say for which amount it was."""
    if said.claims_paid or said.contradicts_itself:
        return _no(task, result(task, "suspect", **_facts(said)), "unknown")
    if said.ended:
        failed = result(task, "failed", **_facts(said), failure_type=FailureType.REJECTED.value)
        return _no(task, failed, "unknown")
    return result(task, "unknown", **_facts(said), **next_ask(task))


def not_failed(task: Task, why: StepFailed | GatewayError) -> Result:
    """It has ended without money, and the scheme cannot say whether it knows the next attempt."""
    one = result(task, left_over(task).row["state"], **next_ask(task), **error_of(why))
    return _nothing_new(task, one._replace(row={**one.row, "heard": True}))


def sent(
    task: Task,
    said: Transfer | StepFailed | GatewayError,
    first: bool = False,
    asked_at: datetime | None = None,
) -> Result:
    """Judge what became of a transfer that may have left, by what the scheme said: when it left `first`, when
    it was asked for (`asked_at`: just before the question), or when the same was sent again."""
    if first and isinstance(said, (NotSent, Refused)):
        return not_answered(task, said)
    task = task._replace(taken=task.taken or _is_taken(said))
    facts = _facts(said) if isinstance(said, Transfer) else error_of(said)
    facts["taken"] = task.taken
    state = transfer_state.state_of(said, task.sent(), asked_at or now(), GRACE)
    if state is TransferState.PAID:
        return result(task, "committed", **facts)
    if state is TransferState.SUSPECT:
        return _no(task, result(task, "suspect", **facts), "unknown")
    if state is TransferState.FAILED:
        return _over(task, _failed(task, said, facts), asked_at)
    if state is TransferState.NEVER_HAPPENED:
        return _never_happened(task, facts)
    waits = result(task, "unknown", **next_ask(task), **facts)
    if isinstance(said, Transfer):
        return waits
    if isinstance(said, StepFailed) and said.step is not Step.ASK and not said.is_listed:
        return waits._replace(row={**waits.row, "heard": True})
    waits = _nothing_new(task, waits)
    return waits._replace(pause=said) if isinstance(said, Refused) else waits


def _over(task: Task, failed: Result, asked_at: datetime | None) -> Result:
    """Accept that a transfer which has left is over.

    A no that its answer named is confirmed by asking for it, in every flow. Another id moves money a second
    time if this one does after all, so the hub has to say so when it cannot come to know of it any more.
    """
    if not (asked_at or task.heard):
        return Result(task, {**failed.row, "state": "unknown", "heard": True}, pause=failed.pause)
    if task.heard:
        failed = failed._replace(pause=None)  # it paused the batch when it was said first
    if failed.again and not (asked_at and asked_at >= task.settled_at()):
        meanwhile = {
            "state": "unknown",
            "heard": True,
            **next_ask(task),
            "next_at": _plain(task.settled_at()),
        }
        return Result(task, {**failed.row, **meanwhile}, pause=failed.pause)
    return _no(task, failed, "unknown")


def _failed(task: Task, said: Any, facts: dict[str, Any]) -> Result:
    """The scheme will never carry out this transfer."""
    no = said if isinstance(said, StepFailed) else task.first_no()
    if no is None:
        return result(task, "failed", **facts, failure_type=FailureType.REJECTED.value)
    failed = result(task, "failed", **{**facts, **error_of(no)}, failure_type=no.failure_type.value)
    pause = no if no.verdict is Verdict.PAUSE_BATCH else None
    # A code that the table does not know says nothing of another attempt: people decide.
    again = no.verdict is not Verdict.FAILED and no.failure_type in SAME_DATA_MAY_WORK
    return failed._replace(again=again, pause=pause)


def _never_happened(task: Task, facts: dict[str, Any]) -> Result:
    """The scheme does not know it, and its time is over. The same id is used again, because an id of which
    the scheme has heard after all protects from paying twice; another one only where the scheme will not take
    it. What was refused when it was sent has its end in that refusal.
    """
    if task.first_no():
        return _failed(task, None, facts)
    if task.taken:
        technical = FailureType.TECHNICAL.value
        return result(task, "failed", **facts, failure_type=technical)._replace(again=True)
    return _try_again(task, facts["error_step"], facts["error_code"], facts["error_description"])


def _is_taken(said: Any) -> bool:
    return isinstance(said, StepFailed) and said.step is not Step.ASK and said.code == _TAKEN


# Columns


def _plain(value: Any) -> Any:
    """PostgreSQL's timestamps here have no zone, and are UTC."""
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).replace(tzinfo=None).isoformat(" ")
    return value


def _facts(said: Transfer) -> dict[str, Any]:
    return {
        "transfer_state": said.state,
        "fulfilment": said.fulfilment or None,
        "completed_at": said.completed_at,
    }


def error_of(said: Exception) -> dict[str, Any]:
    if isinstance(said, StepFailed):
        return _error(said.step.value, said.code, said.description)
    return _error("", said.reason.value, said.detail)


def _error(step: str, code: str, description: str) -> dict[str, Any]:
    return {
        "error_step": step or None,
        "error_code": code or None,
        "error_description": description or None,
    }


def next_ask(task: Task) -> dict[str, Any]:
    asks = task.asks + 1
    return {"asks": asks, "next_at": now() + timedelta(seconds=_wait_after(asks))}


def _wait_after(times: int) -> int:
    return WAITS[min(max(times, 1), len(WAITS)) - 1]


def now() -> datetime:
    return datetime.now(timezone.utc)
