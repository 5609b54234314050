"""The hub's memory: batches, transfers, money moved, and the requests that came in."""

import itertools
import threading
from collections import defaultdict, deque

from .clock import Clock
from .outcomes import Plan
from .pipeline import Pipeline, new_id, total_amount

KEPT_REQUESTS = 20_000


class Hub:
    """Everything behind the three ports. Changes go through here and into the journal."""

    def __init__(self, settings, journal, budgets):
        self.settings, self.journal, self.budgets = settings, journal, budgets
        self.lock = threading.RLock()
        self.plan = Plan(suffixes=not settings.no_payee_numbers)
        self.requests = deque(maxlen=KEPT_REQUESTS)
        self.clock = Clock()
        self._forget()
        for entry in journal.replay():
            self._restore(entry["kind"], entry["value"])

    def _forget(self):
        self.batches, self.counters = {}, {}
        self.transfers = defaultdict(list)
        self.by_transaction, self.by_correlation = defaultdict(list), defaultdict(list)
        self.seen, self.sent_callbacks = set(), []
        self._callback_states = {}
        self.last_number = 0
        self.numbers = itertools.count(1)

    # -- what survives ---------------------------------------------------------------------------------

    def _restore(self, kind, value):
        if kind == "batch":
            self._remember(value)
        elif kind == "counters":
            self.counters[value["id"]] = value
        elif kind == "callback":
            self._callback_states[value["batch_id"]] = value
        elif kind == "plan":
            self.plan.add(value)
        elif kind == "clock":
            self.clock.restore(value)

    def _remember(self, batch):
        """Take a batch into the indexes; a later version of it (after its authorization) wins."""
        self.batches[batch["batch_id"]] = batch
        for transfer in batch["transfers"]:
            tenant = batch["tenant"]
            self.transfers[tenant].append(transfer)
            self.by_transaction[tenant, transfer["transaction_id"]].append(transfer)
            self.by_correlation[tenant, transfer["correlation_id"]].append(transfer)
            self.seen.add((tenant, transfer["request_id"]))
            self.last_number = max(self.last_number, transfer["id"])
        self.last_number = max(self.last_number, batch["id"])
        self.numbers = itertools.count(self.last_number + 1)

    def reset(self):
        """As new, except for keys and credentials."""
        with self.lock:
            self._forget()
            self.plan.clear()
            self.clock.reset()
            self.requests.clear()
            self.journal.clear()

    def add_plan(self, parts):
        with self.lock:
            self.plan.add(parts)
            self.journal.write("plan", parts)

    def change_clock(self, changes):
        self.clock.change(**changes)
        self.journal.write("clock", self.clock.state())

    def callback_state(self, batch_id):
        """What happened so far of the callback of a batch; the caller changes it."""
        empty = {"checks": 0, "phases": [], "done": False}
        return self._callback_states.setdefault(batch_id, empty)

    # -- batches ---------------------------------------------------------------------------------------

    def accept(self, upload, text, rows):
        """Start a batch. `upload` gives tenant, correlation_id, file_name, institution, program,
        callback_url; `text` is the file as it was rewritten, `rows` its rows. Returns the record."""
        with self.lock:
            batch = self._new_batch(upload, rows)
            entry = self.plan.batch(batch["correlation_id"], batch["file_name"])
            batch["verdict"] = self._verdict(entry, rows)
            if entry.get("start") == "never":
                batch["started"], batch["appears"] = False, None
            elif batch["verdict"] is None:
                batch["text"] = text
            else:
                self._start(batch, text, batch["received"])
            self._keep(batch)
        return batch

    def authorize(self, job_key, status):
        """The verdict of an authorization that is waited for; unknown ones are taken without a word."""
        with self.lock:
            for batch in self.batches.values():
                if batch["job_key"] == job_key and batch["verdict"] is None and "text" in batch:
                    batch["verdict"] = status
                    self._start(batch, batch.pop("text"), self.clock.now())
                    self._keep(batch)
                    return

    def _new_batch(self, upload, rows):
        number, now = next(self.numbers), self.clock.now()
        self.last_number = number
        return {
            "id": number,
            "batch_id": new_id(),
            **upload,
            "stored_name": f"{new_id()}_{upload['file_name']}",
            "received": now,
            "appears": now + self.settings.import_lag,
            "note": None,
            "job_key": str(2251799813685248 + number * 7 + 3),
            "key": 2251799813685248 + number * 7,
            "rows": len(rows),
            "total_amount": f"{total_amount(rows):f}",
            "modes": "",
            "started": True,
            "parts": [],
            "transfers": [],
            "payments": [],
        }

    def _verdict(self, entry, rows):
        """'Y' goes on, None waits, anything else ends the batch without a trace."""
        settings = self.settings
        planned = entry.get("authorization")
        if planned or settings.authorization == "hold":
            return None if planned in (None, "hold") else planned
        amount = total_amount(rows) if settings.authorization_sees == "total" else 0
        refused = settings.authorization == "mock" and amount >= settings.authorization_limit
        return "N" if refused else "Y"

    def _start(self, batch, text, moment):
        if batch["verdict"] == "Y":
            Pipeline(self.settings, self.plan, self.numbers, self.seen).run(batch, text, moment)

    def _keep(self, batch):
        self.journal.write("batch", batch)
        self._remember(batch)

    # -- looking ---------------------------------------------------------------------------------------

    def batch(self, tenant, batch_id):
        """A batch that the operations application knows by now, else None."""
        batch = self.batches.get(batch_id)
        if not batch or batch["tenant"] != tenant or batch["appears"] is None:
            return None
        return batch if batch["appears"] <= self.clock.now() else None

    def known_batches(self, tenant):
        return [batch for batch_id in list(self.batches) if (batch := self.batch(tenant, batch_id))]

    def store_counters(self, counters):
        """What an aggregate call leaves in the database, for the calls that do not compute."""
        before = self.counters.get(counters["id"], {})
        self.counters[counters["id"]] = counters
        if {**before, "completed_at": 0} != {**counters, "completed_at": 0}:
            self.journal.write("counters", counters)

    def ledger(self):
        """Every movement of money up to now."""
        now = self.clock.now()
        payments = (entry for batch in list(self.batches.values()) for entry in batch["payments"])
        return sorted((entry for entry in payments if entry["at"] <= now), key=lambda entry: entry["at"])
