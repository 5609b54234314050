"""What came of a run of pytest, read from the file that steps.pytest_tally wrote."""

import dataclasses
import json

_WORST_LAST = ("passed", "skipped", "failed")


@dataclasses.dataclass
class Tally:
    passed: int = 0
    failed: int = 0
    skipped: list = dataclasses.field(default_factory=list)
    finished: bool = False  # pytest came to its own end

    def __add__(self, other):
        return Tally(
            self.passed + other.passed,
            self.failed + other.failed,
            self.skipped + other.skipped,
            self.finished and other.finished,
        )

    def summary(self):
        """One line; a skipped test proves nothing, so it counts as failed."""
        return f"total: {self.passed} passed, {self.failed + len(self.skipped)} failed"

    def is_good(self):
        return self.passed > 0 and not self.failed and not self.skipped


def read(path):
    """The worst outcome of each test counts: a test may pass and its tear-down fail."""
    outcomes, details, finished = {}, {}, False
    for row in path.read_text().splitlines() if path.exists() else ():
        nodeid, outcome, detail = json.loads(row)
        if outcome == "finished":
            finished = True
            continue
        worst = max(outcome, outcomes.get(nodeid, "passed"), key=_WORST_LAST.index)
        outcomes[nodeid] = worst
        details.setdefault(nodeid, detail)
    counts = list(outcomes.values())
    skipped = [f"{nodeid}: {details[nodeid]}" for nodeid, outcome in outcomes.items() if outcome == "skipped"]
    return Tally(counts.count("passed"), counts.count("failed"), skipped, finished)
