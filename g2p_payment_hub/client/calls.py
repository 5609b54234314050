"""A call of a payment system, which says that there is news."""

from collections.abc import Mapping
from typing import NamedTuple


class Call(NamedTuple):
    """As it came: `path` without a query, `headers` without regard to case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
