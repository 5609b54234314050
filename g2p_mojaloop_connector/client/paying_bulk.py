"""Many payments' way through the scheme in bulk: one bulk for each institution of payees.

Each payment is asked for and looked up by itself, as in `paying`; then all of one institution are quoted in
one exchange and transferred in another, and each has an ending of its own. What a bulk's answer leaves open
is asked for one by one.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from odoo.addons.g2p_payment_hub.client.errors import OutcomeUnknown, Reason

from .bulk import Bulk, BulkIds, BulkItem, bulk_ids, bulk_transfer_id_of, parts
from .catalogue import Step, StepFailed
from .connector import Connector
from .paying import BEGIN_SECONDS, TRANSFER_SECONDS, by_itself, said_to, unless_known
from .quotes import Quote
from .results import (
    Result,
    Task,
    left_over,
    not_begun,
    not_sent,
    now,
    offered,
    ready,
    result,
    sent,
    step_failed,
    unknown,
)
from .workers import Workers


class _Part(NamedTuple):
    """What is quoted together: the same payments as items and as tasks."""

    ids: BulkIds
    items: list[BulkItem]
    tasks: list[Task]


# Before money can move


def begin_all(workers: Workers, tasks: list[Task], alone: bool = False) -> list[Result]:
    found = workers.run(find, tasks, BEGIN_SECONDS, left_over, alone)
    quoted = workers.run(quote, list(_parts(found)), BEGIN_SECONDS, _left_over, alone)
    # Who is quoted was asked for and looked up just now.
    heard = [one._replace(answered=True) for part in quoted for one in part]
    return [one for one in found if not one.payee] + heard


@by_itself
def find(connector: Connector, task: Task) -> Result:
    return unless_known(connector, task, _found)


def _found(connector: Connector, task: Task) -> Result:
    order = task.order
    payee = connector.lookup(order.id_type, order.id_value, order.id_sub_value)
    return result(task, "waiting")._replace(payee=payee)


def _parts(found: list[Result]) -> Iterator[_Part]:
    tasks = {one.task.order.reference: one.task for one in found}
    items = (BulkItem(one.payee, one.task.order.instruction(), one.task.ids()) for one in found if one.payee)
    for part in parts(items):
        mine = [tasks[item.instruction.reference] for item in part]
        yield _Part(bulk_ids(mine[0].transfer_id, mine[0].turn), part, mine)


def _left_over(part: _Part) -> list[Result]:
    return [left_over(task) for task in part.tasks]


def quote(connector: Connector, part: _Part) -> list[Result]:
    """What may leave has its part of the bulk as body."""
    bulk = connector.bulk()
    try:
        quotes = bulk.quotes(part.items, part.ids, now())
    except Exception as error:  # whatever it is, nothing has left
        return [not_begun(task, error) for task in part.tasks]
    judged = [_judged(task, quotes[task.order.reference]) for task in part.tasks]
    return _ready(bulk, part.ids, judged)


def _judged(task: Task, said: Quote | StepFailed) -> Result:
    try:
        return offered(task, said) if isinstance(said, Quote) else step_failed(task, said)
    except Exception as error:  # whatever it is, nothing has left
        return not_begun(task, error)


def _ready(bulk: Bulk, ids: BulkIds, judged: list[Result]) -> list[Result]:
    """Whoever does not fit in waits for another bulk."""
    bodies = bulk.transfer_bodies([one.quote for one in judged if one.quote], ids, now())
    return [_with_part(one, ids, bodies.get(one.task.transfer_id)) if one.quote else one for one in judged]


def _with_part(one: Result, ids: BulkIds, body: str | None) -> Result:
    return ready(one, body, bulk_transfer_id=ids.bulk_transfer_id) if body else left_over(one.task)


# The money


def transfer_all(workers: Workers, tasks: list[Task], alone: bool = False) -> list[Result]:
    bulks: dict[str, list[Task]] = {}
    for task in tasks:
        bulks.setdefault(bulk_transfer_id_of(task.body), []).append(task)
    done = workers.run(transfer, list(bulks.values()), TRANSFER_SECONDS, _not_sent, alone)
    return [one for bulk in done for one in bulk]


def _not_sent(tasks: list[Task]) -> list[Result]:
    return [not_sent(task) for task in tasks]


def transfer(connector: Connector, tasks: list[Task]) -> list[Result]:
    """Sends what is written down of one bulk, once."""
    if tasks[0].is_over():
        return _not_sent(tasks)
    bodies = [task.body for task in tasks]
    said = said_to(connector.bulk().transfer, tasks[0], bodies, Step.TRANSFER)
    return [_sent(task, said) for task in tasks]


def _sent(task: Task, said: Any) -> Result:
    try:
        return sent(task, _of(task, said), first=True)
    except Exception as error:  # whatever it is, it may have left
        return unknown(task, error)


def _of(task: Task, said: Any) -> Any:
    """An error is about all of them. One of which nothing was said may have been paid."""
    if isinstance(said, Exception):
        return said
    return said.get(task.transfer_id) or OutcomeUnknown(Reason.NOT_UNDERSTOOD, "nothing was said of this one")
