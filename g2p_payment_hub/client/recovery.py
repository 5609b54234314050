"""Finding the batch that an upload became whose answer was lost (ph-ee-operations-app v1.20.2).

None of the hub's traces is certain by itself: the name of the file is overwritten when the hub splits the
batch, the correlation id when it asks for authorization, and a row names its sub-batch instead of its batch.
"""

import re
from collections.abc import Collection
from datetime import datetime, timedelta

from .answers import reference_of
from .errors import OutcomeUnknown, Reason
from .instructions import BatchFile
from .operations import Operations, Row
from .outcomes import FoundTwice, Receipt

_CLOCKS_APART = timedelta(hours=1)
_NAME_OF_A_PART = re.compile(r"sub-batch-\d+\.csv$")
_NAME_OF_JSON = re.compile(r"(^|_)[0-9a-f-]{36}\.csv$")  # made up by the hub


class Search:
    """For one upload: `references` are those of its rows, `since` (with a time zone) is when it began,
    `others` are batches known to be somebody else's, and `as_json` tells that it had no name of ours."""

    def __init__(
        self,
        operations: Operations,
        batch: BatchFile,
        references: Collection[str],
        since: datetime,
        others: Collection[str] = (),
        as_json: bool = False,
    ):
        self._operations = operations
        self._batch = batch
        self._references = set(references)
        self._earliest = (since - _CLOCKS_APART).timestamp() * 1000
        self._since = since
        self._others = set(others)
        self._no_names = (_NAME_OF_A_PART, _NAME_OF_JSON) if as_json else (_NAME_OF_A_PART,)
        self._found: set[str] = set()  # batches that are ours
        self._parts: set[str] = set()  # what their rows call themselves a part of
        self._dark: set[str] = set()  # batches that show neither a name nor a row

    def receipt(self, reference_is_transaction: bool) -> Receipt | None:
        """The receipt, or None: then the hub shows no trace of it, and every batch since is another one.

        OutcomeUnknown(AMBIGUOUS) when there are two, and while it cannot be told.
        """
        # Before the batches are looked at: what is imported in between must not look like a second batch.
        traces = self._traces(reference_is_transaction)
        for row in self._operations.batches(self._since):
            self._look_at(row)
        lost = self._unexplained(traces)
        if len(self._found) > 1 or lost or "" in self._found or (self._dark and not self._found):
            seen = self._found | lost | self._dark
            if not lost and "" not in self._found and self._found:
                raise FoundTwice([Receipt(reference=batch_id) for batch_id in sorted(self._found)])
            raise OutcomeUnknown(Reason.AMBIGUOUS, ", ".join(sorted(one or "no id" for one in seen)))
        return Receipt(reference=self._found.pop()) if self._found else None

    def _traces(self, reference_is_transaction: bool) -> set[str]:
        """What our rows, anywhere in the hub, call their batch."""
        rows = self._operations.transfers_by_request(self._references)
        if reference_is_transaction:
            for reference in sorted(self._references):
                rows += self._operations.transfers_by_transaction(reference)
        return {_batch_of(row) for row in rows if reference_of(row, self._references)}

    def _look_at(self, row: Row) -> None:
        batch_id = _batch_of(row)
        if batch_id in self._others:
            return
        named = self._is_named(row)
        if not named and (self._has_another_name(row) or self._is_older(row)):
            return
        rows = [row for page in self._operations.batch_rows(batch_id) for row in page]
        if named or any(reference_of(row, self._references) for row in rows):
            self._found.add(batch_id)
            self._parts |= {_batch_of(row) for row in rows}
        elif not rows:
            self._dark.add(batch_id)

    def _is_named(self, row: Row) -> bool:
        """The hub stores a file as `<uuid>_<filename>`."""
        file_name = str(row.get("requestFile") or "")
        return (
            file_name.endswith(self._batch.filename) or row.get("correlationId") == self._batch.correlation_id
        )

    def _has_another_name(self, row: Row) -> bool:
        file_name = str(row.get("requestFile") or "")
        return bool(file_name) and not any(pattern.search(file_name) for pattern in self._no_names)

    def _is_older(self, row: Row) -> bool:
        started = row.get("startedAt")
        return isinstance(started, int) and started < self._earliest

    def _unexplained(self, traces: set[str]) -> set[str]:
        """Traces that do not lead to a batch; one that the list leaves out is known by its id alone."""
        lost = traces - self._found - self._parts
        unlisted = {batch_id for batch_id in lost if batch_id and self._operations.is_batch(batch_id)}
        self._found |= unlisted
        return lost - unlisted


def _batch_of(row: Row) -> str:
    return str(row.get("batchId") or "")
