"""The hub's time: real time plus what a test added to it, or standing still."""

import threading
import time


class Clock:
    """`now()` drives everything the hub does; `shown()` is what it writes into answers and headers."""

    def __init__(self):
        self._lock = threading.Lock()
        self.reset()

    def reset(self):
        self.restore({"offset": 0.0, "frozen_at": None, "skew": 0.0})

    def restore(self, state):
        with self._lock:
            self.offset, self.frozen_at, self.skew = state["offset"], state["frozen_at"], state["skew"]

    def now(self):
        with self._lock:
            return self._now()

    def shown(self, moment=None):
        return (self.now() if moment is None else moment) + self.skew

    def change(self, advance=0, freeze=None, skew=None):
        """Move on by seconds, stop or go on (freeze true / false), show times shifted by `skew` seconds."""
        with self._lock:
            self._advance(float(advance))
            if freeze is not None:
                self._freeze(freeze)
            if skew is not None:
                self.skew = float(skew)

    def state(self):
        with self._lock:
            return {"offset": self.offset, "frozen_at": self.frozen_at, "skew": self.skew, "now": self._now()}

    def _now(self):
        return time.time() + self.offset if self.frozen_at is None else self.frozen_at

    def _advance(self, seconds):
        if self.frozen_at is None:
            self.offset += seconds
        else:
            self.frozen_at += seconds

    def _freeze(self, freeze):
        if freeze and self.frozen_at is None:
            self.frozen_at = self._now()
        elif not freeze and self.frozen_at is not None:
            self.offset, self.frozen_at = self.frozen_at - time.time(), None
