"""What must survive a restart, as one JSON object a line."""

import json
import threading
from pathlib import Path


class Journal:
    """Append-only file; a last line that was cut off by a kill is ignored and overwritten."""

    def __init__(self, path):
        self._path = Path(path)
        self._lock = threading.Lock()
        self._file = None

    def replay(self):
        """The entries so far; afterwards the journal is open for more."""
        data = self._path.read_bytes() if self._path.exists() else b""
        whole = data[: data.rfind(b"\n") + 1]
        self._file = self._path.open("r+b" if self._path.exists() else "w+b")
        self._file.truncate(len(whole))
        self._file.seek(len(whole))
        return [json.loads(line) for line in whole.splitlines()]

    def write(self, kind, value):
        line = json.dumps({"kind": kind, "value": value}, separators=(",", ":")).encode() + b"\n"
        with self._lock:
            self._file.write(line)
            self._file.flush()

    def clear(self):
        with self._lock:
            self._file.truncate(0)
            self._file.seek(0)
