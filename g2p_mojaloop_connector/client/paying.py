"""One payment's way through the scheme, as the steps of a worker: from what is known of it to what is known
then.

`begin` asks, looks up and quotes: no money moves, and it may be repeated. `transfer` sends what `begin` has
brought and somebody has written down. `ask` finds out what became of it. Each returns a Result and raises
nothing: what a worker cannot tell is a result as well.

A no counts when it was said twice, the second time with nothing else under way: npm's connector 18.0.2 keeps
the parameters of all requests in one place, so that an answer can go to whoever waits for another. A yes
needs no second time, because the fulfilment fits one transfer only.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from odoo.addons.g2p_payment_hub.client.errors import GatewayError, NotSent, OutcomeUnknown, Reason, Refused
from odoo.addons.g2p_payment_hub.client.outcomes import FailureType
from odoo.addons.g2p_payment_hub.client.references import derived_uuid

from . import bodies, transfer_state
from .catalogue import Step, StepFailed, Verdict
from .connector import Connector
from .ids import TransferIds
from .orders import Order, Terms
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
_NOT_KNOWN = "3208"


class Task(NamedTuple):
    """What a worker has to know of one transfer. `turn` grows with each run, `tries` with each failure,
    `asks` with each question; `taken`: the hub has said that it has this id with another content. `heard`: it
    has said no once; then `error` is what it said: step, code and description."""

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
    body: str = ""
    error: tuple[str, str, str] = ("", "", "")

    def ids(self) -> TransferIds:
        """The transfer's id stays; each turn has a quote of its own."""
        return TransferIds(str(derived_uuid("mojaloop quote", self.transfer_id, self.turn)), self.transfer_id)

    def sent(self) -> transfer_state.Order:
        return bodies.order_of(self.body)

    def first_no(self) -> StepFailed | None:
        """With which code the transfer was refused. Asked for it again, a hub says only that it is over."""
        step, code, description = self.error
        if not self.heard or not code or step not in (Step.TRANSFER.value, Step.RESEND.value):
            return None
        return StepFailed(Step.TRANSFER, code, description)


class Result(NamedTuple):
    """`row`: the columns of the transfer that are now known. `quote`: what may be transferred now. `again`:
    another attempt may be made. `pause`: why the other payments of the batch would fare the same before a
    person has mended it. `trouble`: why they would fare the same for a while."""

    task: Task
    row: dict[str, Any]
    quote: Quote | None = None
    again: bool = False
    pause: StepFailed | GatewayError | None = None
    trouble: GatewayError | None = None


def _no(task: Task, result: Result, meanwhile: str) -> Result:
    """The result when this is the second no; until then the payment is `meanwhile`."""
    if task.heard:
        return result
    row = {**result.row, "state": meanwhile, "heard": True}
    return Result(task, row, pause=result.pause)


def left_over(task: Task) -> Result:
    """A task that was not begun any more."""
    return _result(task, task.state if task.state != "transferring" else "unknown")


def not_sent(task: Task) -> Result:
    """A transfer that was not begun any more: it surely did not leave."""
    return _result(task, "waiting")


# Before money can move


def begin(connector: Connector, task: Task) -> Result:
    """Asks whether the scheme knows the id, as it may after a backup was restored, and only then goes on."""
    said = _said(connector.ask, task, task.transfer_id, Step.ASK)
    if isinstance(said, Transfer):
        return _known(task, said)
    if not _is_not_known(said):
        return _cannot_say_whether_known(task, said)
    try:
        return _quoted(connector, task)
    except StepFailed as error:
        return _step_failed(task, error)
    except GatewayError as error:
        return _not_answered(task, error)
    except Exception as error:  # whatever it is, nothing has left: try again, and not for ever
        _logger.exception("transfer %s: beginning ended in an error", task.transfer_id)
        return _try_again(task, "", "", type(error).__name__)


def is_known(connector: Connector, transfer_id: str) -> bool:
    """Whether the scheme knows this transfer. OutcomeUnknown or NotSent while it cannot tell."""
    try:
        connector.ask(transfer_id)
    except StepFailed as error:
        if _is_not_known(error):
            return False
        if error.verdict is Verdict.ASK:
            raise OutcomeUnknown(Reason.SERVER_ERROR, str(error)) from error
    return True


def may_pay(connector: Connector, transfer_id: str) -> bool:
    """Whether the scheme has carried this transfer out, or still may. OutcomeUnknown or NotSent while it
    cannot tell."""
    try:
        return connector.ask(transfer_id).state != transfer_state.ABORTED
    except StepFailed as error:
        if _is_not_known(error) or error.verdict is Verdict.FAILED:
            return False
        raise OutcomeUnknown(Reason.SERVER_ERROR, str(error)) from error


def cannot_tell(_transfer_id: str) -> bool:
    raise OutcomeUnknown(Reason.TIMEOUT)


def _is_not_known(said: Any) -> bool:
    return isinstance(said, StepFailed) and said.code == _NOT_KNOWN


def _cannot_say_whether_known(task: Task, error: StepFailed | GatewayError) -> Result:
    """Without the scheme's word it waits, however long: to fail it would let it be paid again under another
    id, while the scheme may have paid this one before a backup was restored."""
    if isinstance(error, (Refused, NotSent)):
        return _not_answered(task, error)
    if isinstance(error, StepFailed) and error.verdict is Verdict.PAUSE_BATCH:
        return _step_failed(task, error)
    if isinstance(error, StepFailed) and error.verdict is Verdict.FAILED:
        return _no(task, _failed(task, error, _error_of(error)), "waiting")
    return _result(task, "waiting", **_next_ask(task), **_error_of(error))


def _known(task: Task, said: Transfer) -> Result:
    """Of a transfer whose quote is forgotten, nobody can say for which amount it was."""
    if said.state == transfer_state.COMMITTED:
        return _no(task, _result(task, "suspect", **_facts(said)), "unknown")
    if said.state == transfer_state.ABORTED:
        failed = _result(task, "failed", **_facts(said), failure_type=FailureType.REJECTED.value)
        return _no(task, failed, "unknown")
    return _result(task, "unknown", **_facts(said), **_next_ask(task))


def _quoted(connector: Connector, task: Task) -> Result:
    order = task.order
    _payee, quote = connector.offer(order.instruction(), task.ids(), _now())
    facts = _quote_facts(quote)
    if quote.exceeds(limit_absolute=task.terms.allowed_fee(quote.amount)):
        connector.decline(quote)
        error = {
            "error_step": Step.QUOTE.value,
            "error_code": FEE,
            "error_description": f"{quote.cost} {quote.currency}",
            "failure_type": FailureType.LIMIT.value,
        }
        return _result(task, "failed", **facts, **error)
    return _result(task, "transferring", **facts)._replace(quote=quote)


def ready(connector: Connector, result: Result) -> Result:
    """With the body that is to be written down, made late: its time runs from here."""
    if result.quote is None:
        return result
    task = result.task._replace(body=connector.transfer_body(result.quote, _now()))
    row = {**result.row, "body": task.body, "expires_at": _plain(task.sent().expiration)}
    return result._replace(task=task._replace(state="transferring", heard=False), row=row)


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


def _step_failed(task: Task, error: StepFailed) -> Result:
    facts = (error.step.value, error.code, error.description)
    if error.verdict is Verdict.FAILED:
        failed = _result(task, "failed", **_error(*facts), failure_type=error.failure_type.value)
        return _no(task, failed, "waiting")
    if error.verdict is Verdict.PAUSE_BATCH:
        return _result(task, "waiting", **_error(*facts))._replace(pause=error)
    return _try_again(task, *facts)


def _not_answered(task: Task, error: GatewayError) -> Result:
    """Nothing has left, so the payment waits. That the connector itself is not there is no failure of the
    payment's, and is not counted."""
    if isinstance(error, Refused):
        return _result(task, "waiting", **_error("", error.reason.value, error.detail))._replace(pause=error)
    if isinstance(error, NotSent):
        return _wait(task, task.tries, "", error.reason.value, error.detail)._replace(trouble=error)
    return _try_again(task, "", error.reason.value, error.detail)


def _try_again(task: Task, step: str, code: str, description: str) -> Result:
    tries = task.tries + 1
    if tries >= MAX_TRIES:
        technical = FailureType.TECHNICAL.value
        return _result(task, "failed", **_error(step, code, description), failure_type=technical)
    return _wait(task, tries, step, code, description)


def _wait(task: Task, tries: int, step: str, code: str, description: str) -> Result:
    next_at = _now() + timedelta(seconds=_wait_after(tries))
    return _result(task, "waiting", tries=tries, next_at=next_at, **_error(step, code, description))


# The money


def transfer(connector: Connector, task: Task) -> Result:
    """Sends what is written down, once. When it surely did not leave, the payment begins anew."""
    if _now() >= task.sent().expiration:
        return _result(task, "waiting")
    return _sent(task, _said(connector.transfer, task, task.body, Step.TRANSFER), first=True)


def ask(connector: Connector, task: Task) -> Result:
    said = _said(connector.ask, task, task.transfer_id, Step.ASK)
    if not task.body:
        return _asked_without_body(task, said)
    state = transfer_state.state_of(said, task.sent(), _now(), GRACE)
    if state is TransferState.RESEND:
        return _sent(task, _said(connector.resend, task, task.body, Step.RESEND))
    return _sent(task, said)


def _said(send: Callable[[str], Transfer], task: Task, argument: str, step: Step) -> Any:
    try:
        return send(argument)
    except (StepFailed, GatewayError) as error:
        return error
    except Exception as error:  # whatever it is, it may have left
        _logger.exception("transfer %s: %s ended in an error", task.transfer_id, step.value)
        return GatewayError(Reason.NOT_UNDERSTOOD, type(error).__name__)


def _asked_without_body(task: Task, said: Any) -> Result:
    """One that the scheme knew before we had sent anything."""
    if isinstance(said, Transfer):
        return _known(task, said)
    if _is_not_known(said):
        return _result(task, "waiting")
    return _result(task, "unknown", **_next_ask(task), **_error_of(said))


def _sent(task: Task, said: Any, first: bool = False) -> Result:
    """What became of a transfer that may have left, by what the scheme said."""
    if first and isinstance(said, (NotSent, Refused)):
        return _not_answered(task, said)
    task = task._replace(taken=task.taken or _is_taken(said))
    facts = _facts(said) if isinstance(said, Transfer) else _error_of(said)
    facts["taken"] = task.taken
    state = transfer_state.state_of(said, task.sent(), _now(), GRACE)
    if state is TransferState.PAID:
        return _result(task, "committed", **facts)
    if state is TransferState.SUSPECT:
        return _no(task, _result(task, "suspect", **facts), "unknown")
    if state is TransferState.FAILED:
        return _no(task, _failed(task, said, facts), "unknown")
    if state is TransferState.NEVER_HAPPENED:
        return _never_happened(task, facts)
    return _result(task, "unknown", **_next_ask(task), **facts)


def _failed(task: Task, said: Any, facts: dict[str, Any]) -> Result:
    """The scheme will never carry out this transfer."""
    no = said if isinstance(said, StepFailed) else task.first_no()
    if no is None:
        return _result(task, "failed", **facts, failure_type=FailureType.REJECTED.value)
    result = _result(task, "failed", **{**facts, **_error_of(no)}, failure_type=no.failure_type.value)
    pause = no if no.verdict is Verdict.PAUSE_BATCH else None
    return result._replace(again=no.verdict is not Verdict.FAILED, pause=pause)


def _never_happened(task: Task, facts: dict[str, Any]) -> Result:
    """The scheme does not know it, and its time is over. The same id is used again, because an id of which
    the scheme has heard after all protects from paying twice; another one only where the scheme will not take
    it.
    """
    if task.taken:
        technical = FailureType.TECHNICAL.value
        return _result(task, "failed", **facts, failure_type=technical)._replace(again=True)
    return _try_again(task, facts["error_step"], facts["error_code"], facts["error_description"])


def _is_taken(said: Any) -> bool:
    return isinstance(said, StepFailed) and said.step is not Step.ASK and said.code == _TAKEN


# Rows


def _result(task: Task, state: str, **columns: Any) -> Result:
    row = {"id": task.id, "before": task.state, "state": state, "tries": task.tries, "asks": task.asks}
    row["heard"] = False
    return Result(task, {**row, **{name: _plain(value) for name, value in columns.items()}})


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


def _error_of(said: Exception) -> dict[str, Any]:
    if isinstance(said, StepFailed):
        return _error(said.step.value, said.code, said.description)
    return _error(Step.TRANSFER.value, said.reason.value, said.detail)


def _error(step: str, code: str, description: str) -> dict[str, Any]:
    return {
        "error_step": step or None,
        "error_code": code or None,
        "error_description": description or None,
    }


def _next_ask(task: Task) -> dict[str, Any]:
    asks = task.asks + 1
    return {"asks": asks, "next_at": _now() + timedelta(seconds=_wait_after(asks))}


def _wait_after(times: int) -> int:
    return WAITS[min(max(times, 1), len(WAITS)) - 1]


def _now() -> datetime:
    return datetime.now(timezone.utc)
