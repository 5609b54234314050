"""One exchange at a time about one party, and about one transfer.

npm's sdk-scheme-adapter 18.0.2 waits for the hub's answers by the name of what they are about. When two of
them come under one name at the same moment, it lets go of the first and stumbles over the second: from then
on it hears nothing at all, every step of everybody's ends in a time-out, until it is started anew.
"""

import contextlib
import threading
import zlib
from collections.abc import Iterator

_LOCKS = 1024


class Turns:
    """Turns of this process; `turn` is what another kind, between processes, overrides."""

    def __init__(self) -> None:
        # Not one for each name: these would pile up. Strangers that share one wait without need, not long.
        self._locks = [threading.Lock() for _number in range(_LOCKS)]

    @contextlib.contextmanager
    def turn(self, name: str) -> Iterator[None]:
        """Waits until nobody else has a turn of this name."""
        with self._locks[zlib.crc32(name.encode()) % _LOCKS]:
            yield
