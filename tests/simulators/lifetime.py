"""How long a simulator runs: until it is told to end, its time is up, or those whom it serves are gone."""

import os
import time
from pathlib import Path


class Lifetime:
    """Made when the simulator starts; options are those of its command line."""

    def __init__(self, options):
        self._parent = os.getppid()
        self._outlive_parent = options.outlive_parent
        self._followed = options.follow
        self._end = time.monotonic() + options.max_seconds if options.max_seconds else None

    def is_over(self):
        orphaned = os.getppid() != self._parent and not self._outlive_parent
        return orphaned or self._is_late() or self._is_left_alone()

    def _is_late(self):
        return self._end is not None and time.monotonic() > self._end

    def _is_left_alone(self):
        """Return True if the process that is followed has begun and ended."""
        if self._followed is None or not self._followed.exists():
            return False
        number = self._followed.read_text().strip()
        return number.isdecimal() and not _runs(number)


def _runs(number):
    """Return False for a process that ended and was not yet buried, too."""
    try:
        status = Path("/proc", number, "stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def add_options(add):
    add("--max-seconds", type=float, default=3600, help="ends by itself after this; 0 does not")
    add("--outlive-parent", action="store_true", help="goes on when the process that started it is gone")
    add("--follow", type=Path, metavar="FILE", help="ends when the process numbered in this file is gone")
