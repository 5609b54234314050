"""One payment's way through the scheme, as the steps of a worker: from what is known of it to what is known
then.

`begin` asks, looks up and quotes: no money moves, and it may be repeated. `transfer` sends what `begin` has
brought and somebody has written down. `ask` finds out what became of it. Each returns a Result and raises
nothing: what a worker cannot tell is a result as well.
"""

import functools
import logging
from collections.abc import Callable, Iterable
from typing import Any

from odoo.addons.g2p_payment_hub.client.errors import GatewayError, OutcomeUnknown, Reason

from . import transfer_state
from .catalogue import Step, StepFailed, Verdict
from .connector import Connector
from .results import (
    GRACE,
    Result,
    Task,
    cannot_say_whether_known,
    error_of,
    known,
    left_over,
    next_ask,
    not_begun,
    not_failed,
    not_sent,
    now,
    offered,
    result,
    sent,
    unknown,
)
from .results import ready as with_body
from .transfer_state import Transfer, TransferState, is_not_known
from .workers import Workers

_logger = logging.getLogger(__name__)

# Steps that have not begun after so many seconds do not begin any more, so that every step ends before its
# lease.
BEGIN_SECONDS, TRANSFER_SECONDS = 30, 30
Work = Callable[[Connector, Task], Result]


def by_itself(work: Work) -> Work:
    """An error of ours is one transfer's alone: neighbours come to their ends, and it is asked for."""

    @functools.wraps(work)
    def done(connector: Connector, task: Task) -> Result:
        try:
            return work(connector, task)
        except Exception as error:  # whatever it is, it may have left
            return unknown(task, error)

    return done


# Before money can move


def begin_all(workers: Workers, tasks: list[Task], alone: bool = False) -> list[Result]:
    """What may leave has a body then, made late: its time runs from there."""
    begun = workers.run(begin, tasks, BEGIN_SECONDS, left_over, alone)
    return [_ready(workers.connection(), one) if one.quote else one for one in begun]


def _ready(connector: Connector, one: Result) -> Result:
    try:
        return with_body(one, connector.transfer_body(one.quote, now()))
    except Exception as error:  # whatever it is, nothing has left
        return not_begun(one.task, error)


@by_itself
def begin(connector: Connector, task: Task) -> Result:
    return unless_known(connector, task, _quoted)


def unless_known(connector: Connector, task: Task, go_on: Work) -> Result:
    """Asks whether the scheme knows the id, as it may after a backup was restored, and only then goes on."""
    said = said_to(connector.ask, task, task.transfer_id, Step.ASK)
    if isinstance(said, Transfer):
        one = _ended(connector, known(task, said))
    elif not is_not_known(said):
        one = _ended(connector, cannot_say_whether_known(task, said))
    else:
        one = _begun(connector, task, go_on)
    return one.after(said)


def _begun(connector: Connector, task: Task, go_on: Work) -> Result:
    try:
        return go_on(connector, task)
    except Exception as error:  # whatever it is, nothing has left: try again, and not for ever
        return not_begun(task, error)


def _ended(connector: Connector, one: Result) -> Result:
    """Fails only when the scheme knows nothing of the next attempt either. A database restored from a backup
    has forgotten that one, and what fails may be paid again under another name; so the next attempt begins,
    with a question of its own."""
    task = one.task
    if one.row["state"] != "failed" or one.again or not task.next_id:
        return one
    said = said_to(connector.ask, task, task.next_id, Step.ASK)
    if is_not_known(said):
        return one
    if isinstance(said, Transfer) or (isinstance(said, StepFailed) and said.verdict is not Verdict.ASK):
        return one._replace(again=True)
    return not_failed(task, said)


def is_known(connector: Connector, transfer_ids: Iterable[str]) -> str | bool | GatewayError:
    """The first of these attempts at a payment that the scheme knows; False when it knows none; or why it
    cannot tell."""
    return _first_of(connector, transfer_ids, ended_count=True)


def may_pay(connector: Connector, transfer_ids: Iterable[str]) -> str | bool | GatewayError:
    """The first of these that the scheme has carried out, or still may; False when there is none; or why it
    cannot tell."""
    return _first_of(connector, transfer_ids, ended_count=False)


def _first_of(
    connector: Connector, transfer_ids: Iterable[str], ended_count: bool
) -> str | bool | GatewayError:
    """A scheme may refuse an attempt without keeping it, and carry out the next one."""
    for transfer_id in transfer_ids:
        try:
            ended = connector.ask(transfer_id).ended
        except StepFailed as error:
            if is_not_known(error):
                continue
            if error.verdict is Verdict.ASK:
                return OutcomeUnknown(Reason.SERVER_ERROR, str(error))
            ended = True
        except GatewayError as error:
            return error
        if ended_count or not ended:
            return transfer_id
    return False


def not_asked(_transfer_ids: Iterable[str]) -> None:
    """Nothing is known of one for which there was no time."""


def _quoted(connector: Connector, task: Task) -> Result:
    _payee, quote = connector.offer(task.order.instruction(), task.ids(), now())
    judged = offered(task, quote)
    if judged.quote is None:
        connector.decline(quote)
    return judged


# The money


def transfer_all(workers: Workers, tasks: list[Task], alone: bool = False) -> list[Result]:
    return workers.run(transfer, tasks, TRANSFER_SECONDS, not_sent, alone)


@by_itself
def transfer(connector: Connector, task: Task) -> Result:
    """Sends what is written down, once. When it surely did not leave, the payment begins anew."""
    if task.is_over():
        return not_sent(task)
    return sent(task, said_to(connector.transfer, task, task.body, Step.TRANSFER), first=True)


def ask_all(workers: Workers, tasks: list[Task], alone: bool = False) -> list[Result]:
    return workers.run(ask, tasks, BEGIN_SECONDS, left_over, alone)


@by_itself
def ask(connector: Connector, task: Task) -> Result:
    """Ask what became of it. An answer counts as of the moment before the question: it may take longer than
    the hub needs to come to know of a transfer."""
    asked_at = now()
    said = said_to(connector.ask, task, task.transfer_id, Step.ASK)
    if not task.body:
        return _ended(connector, _asked_without_body(task, said)).after(said)
    state = transfer_state.state_of(said, task.sent(), asked_at, GRACE)
    if state is TransferState.RESEND and task.may_resend():
        said = said_to(connector.resend, task, task.body, Step.RESEND)
        return _ended(connector, sent(task, said)).after(said)
    return _ended(connector, sent(task, said, asked_at=asked_at)).after(said)


def said_to(send: Callable[[Any], Any], task: Task, argument: Any, step: Step) -> Any:
    """What `send(argument)` returns or raises."""
    try:
        return send(argument)
    except (StepFailed, GatewayError) as error:
        return error
    except Exception as error:  # whatever it is, it may have left
        _logger.exception("transfer %s: %s ended in an error", task.transfer_id, step.value)
        return GatewayError(Reason.NOT_UNDERSTOOD, type(error).__name__)


def _asked_without_body(task: Task, said: Any) -> Result:
    """One that the scheme knew, or may have paid, before we had sent anything."""
    if isinstance(said, Transfer):
        return known(task, said)
    if is_not_known(said):
        return result(task, "waiting")
    return result(task, "unknown", **next_ask(task), **error_of(said))
