"""How many batches, and which payment in which."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

Item = TypeVar("Item")


def split(
    items: Iterable[Item],
    max_rows: int,
    max_bytes: int,
    size: Callable[[Item], int],
    look_alike: Callable[[Item], Hashable],
) -> list[list[Item]]:
    """`items`, each in one batch and in order there: no batch has more than `max_rows` items, more than
    `max_bytes` of them, or two items with equal `look_alike`.

    The n-th look-alike goes into the n-th layer, and each layer is then cut to size, so the work grows
    with the number of items only. ValueError when a single item is larger than a batch may be.
    """
    if max_rows < 1:
        raise ValueError("a batch holds one row at least")
    layers: list[list[Item]] = []
    seen: Counter[Hashable] = Counter()
    for item in items:
        key = look_alike(item)
        if seen[key] == len(layers):
            layers.append([])
        layers[seen[key]].append(item)
        # invariant: look-alikes-apart
        seen[key] += 1
    return [batch for layer in layers for batch in _cut(layer, max_rows, max_bytes, size)]


def _cut(
    layer: list[Item], max_rows: int, max_bytes: int, size: Callable[[Item], int]
) -> Iterable[list[Item]]:
    batch: list[Item] = []
    filled = 0
    for item in layer:
        needed = size(item)
        if needed > max_bytes:
            raise ValueError("one row is larger than a whole batch may be")
        if batch and (len(batch) == max_rows or filled + needed > max_bytes):
            yield batch
            batch, filled = [], 0
        batch.append(item)
        filled += needed
    if batch:
        yield batch
