"""The chain of hashes that the events of a batch form. Plain Python."""

import hashlib
import json
from decimal import Decimal
from typing import NamedTuple

# The columns that a row's hash covers, beside the hash of the row before.
HASHED = (
    "number",
    "batch_id",
    "submission_id",
    "payment_id",
    "user_id",
    "happened_at",
    "from_state",
    "to_state",
    "why",
    "digest",
    "remote_reference",
)


class Trail(NamedTuple):
    """Sum up the events of a batch: `broken` is the first that does not fit, 0 when all of them do."""

    batch_id: int
    count: int
    broken: int


def seed(batch_id):
    """Return what the first event of a batch has for the hash of the event before."""
    return hashlib.sha256(f"g2p.payment.event|{batch_id}".encode()).hexdigest()


def chained(previous, value):
    """Return the hash of an event, given as a dict of its columns, that follows the hash `previous`."""
    facts = [str(value.get(name) or "") for name in HASHED]
    amount = value.get("amount_paid")
    if amount is not None:  # events of earlier versions have none, and keep their hashes
        facts.append(f"{Decimal(amount).normalize():f}")
    return hashlib.sha256(json.dumps([previous, *facts]).encode()).hexdigest()


def followed(batch_id, events, head):
    """Return the Trail of a batch: its events in their order, and the hash that it has for the last."""
    previous, count, last_id = seed(batch_id), 0, 0
    for event in events:
        count += 1
        expected = (count, previous, chained(previous, event))
        # The ids show the order of events of several batches about one payment, and grow within a batch.
        if (event["number"], event["previous_hash"], event["hash"]) != expected or event["id"] <= last_id:
            return Trail(batch_id, count, count)
        previous, last_id = event["hash"], event["id"]
    return Trail(batch_id, count, 0 if (head or seed(batch_id)) == previous else count + 1)
