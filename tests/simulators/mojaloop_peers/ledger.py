"""What the Toolkit wrote down, read back: requests, callbacks, and the transfers that it booked."""

import json
import time


class Journal:
    def __init__(self, path):
        self._path = path

    def rows(self, kind):
        if not self._path.exists():
            return []
        rows = (json.loads(line) for line in self._path.read_text().splitlines())
        return [row for row in rows if row["kind"] == kind]

    def payments(self):
        """The transfers that are committed."""
        return [row for row in self.transfers() if row["state"] == "COMMITTED"]

    def transfers(self):
        """Every transfer that the hub has in its books, once for each id, with its state at this moment."""
        now = time.time() * 1000
        return [
            {**row, "state": row["state"] if now >= row["due"] else "RESERVED"}
            for row in self.rows("transfer")
        ]
