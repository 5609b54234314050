"""A batch on its way from approved to its final results, with servers that die at chosen checkpoints.

`Lane` is a database, an Odoo that can die (addons/g2p_payment_crash) and a hub. `Crossing` takes one batch
across, and after a crash goes on with what a production has: a restart, queue_job, the scheduled actions, and
people.
"""

import contextlib
import dataclasses
import http.client
import itertools
import json
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from process import HubSimulator
from steps import databases, postgres, say, servers
from steps.environment import Environment
from steps.world import World

NEVER = 10_000  # the number of a pass that nothing comes to
SECONDS = 120  # for one crossing, with crash and recovery
_ADDONS = Path(__file__).resolve().parent / "addons"
# Its clock stands still except where a crossing moves it on by a second: then the hub shows what it has
# accepted, and pays; one of the payments only at the next second.
_HUB = "--start-delay 0.1 --processing 0.1 --row-time 0.1 --slow 1.2 --import-lag 0.3".split()
_SCHEDULED = (
    "g2p_payment_hub.cron_look_up",
    "g2p_payment_hub.cron_queue_forgotten",
    "g2p_payment_reconcile.cron_pull_outcomes",
)
# Payees that the hub pays, pays late, and does not find.
_ENDINGS = ("7001", "0640", "0404")
_FIGURES = {"stats_paid_transactions": 2, "stats_paid_amount": 200.0, "stats_failed_transactions": 1}
_HEAD = (
    "", "killed after", "and before", "found: batch; submissions; payments; jobs", "what brought it to its "
    "end",
    "uploads", "paid: hub / we",
)  # fmt: skip
_STATE = """
SELECT json_build_object(
    'batch', (SELECT batch_state FROM g2p_payment_batch WHERE id = {batch}),
    'submissions', (SELECT coalesce(json_agg(to_json(one) ORDER BY id), '[]') FROM (
        SELECT *, CASE state WHEN 'in_flight' THEN lease_until > now() AT TIME ZONE 'utc'
                             WHEN 'unknown' THEN no_trace AND last_look_up_at < started_at + interval '1 hour'
                  END AS is_young
          FROM g2p_payment_submission WHERE batch_id = {batch}) AS one),
    'payments', (SELECT json_agg(coalesce(status, state) ORDER BY id)
                   FROM g2p_payment WHERE batch_id = {batch}),
    'jobs', (SELECT coalesce(json_agg(method_name || ' ' || state), '[]')
               FROM queue_job WHERE state <> 'done'),
    'event', (SELECT coalesce(max(id), 0) FROM g2p_payment_event))
"""
_MOVES = """
SELECT string_agg(to_state, ' > ' ORDER BY number)
  FROM g2p_payment_event
 WHERE batch_id = {batch} AND id > {event} AND payment_id IS NULL AND from_state IS DISTINCT FROM to_state
   AND (submission_id IS NULL) = {of_batch}
"""
# Then the runner takes a job for dead.
_TEN_SECONDS_PASS = """
UPDATE queue_job SET date_enqueued = date_enqueued - interval '10 seconds'
 WHERE state IN ('enqueued', 'started')
"""
# Then the lease of a worker is over, and the time that a batch may take to show up at the hub.
_AN_HOUR_PASSES = """
UPDATE g2p_payment_submission
   SET started_at = started_at - interval '1 hour', lease_until = lease_until - interval '1 hour'
 WHERE batch_id = {batch} AND state IN ('in_flight', 'unknown')
"""


@dataclasses.dataclass(frozen=True)
class _Crashing(Environment):
    """An environment whose Odoo dies as the files in `folder` say."""

    folder: str = ""

    @classmethod
    def like(cls, environment, folder):
        values = {field.name: getattr(environment, field.name) for field in dataclasses.fields(Environment)}
        values["addons_path"] = [*environment.addons_path, str(_ADDONS)]
        values["server_wide"] = f"{environment.server_wide},g2p_payment_crash"
        return cls(**values, folder=str(folder))

    def variables(self):
        return {**super().variables(), "G2P_CRASH_FOLDER": self.folder}


class Lane:
    """One server and one hub, on which batches cross one after the other."""

    scheduled_actions = _SCHEDULED

    def __init__(self, number, odoo, hub, folder):
        self.number, self.odoo, self.hub, self._folder = number, odoo, hub, folder
        self.world = World(odoo, "admin", hub.info)
        second = self.world.add_person(
            "finance_2", "Second finance validator", ("g2p_programs.g2p_finance_validator",)
        )
        self.second_finance = second.client
        self.scheduled = [self.world.admin.ref(name) for name in self.scheduled_actions]
        self.serial = itertools.count(1)

    def sql(self, statement, **values):
        return postgres.sql(statement.format(**values), self.odoo.database)

    def arm(self, kill_at):
        """From here on checkpoints are counted, and the one with that number kills."""
        (self._folder / "passed").unlink(missing_ok=True)
        (self._folder / "kill_at").write_text(str(kill_at))

    def disarm(self):
        (self._folder / "kill_at").unlink(missing_ok=True)

    def passed(self):
        """The effects before which checkpoints were passed, in order."""
        path = self._folder / "passed"
        return path.read_text().splitlines() if path.exists() else []


@contextlib.contextmanager
def lane(environment, number, folder, make=Lane, other_end=lambda: HubSimulator(*_HUB)):
    with databases.copy(environment, databases.template(environment)) as database, other_end() as hub:
        # `Crossing` triggers them one at a time, so that every crossing passes the same checkpoints.
        postgres.sql("UPDATE ir_cron SET active = false", database)
        odoo = servers.start_odoo(_Crashing.like(environment, folder), database)
        try:
            yield make(number, odoo, hub, folder)
        finally:
            odoo.stop()


class Crossing:
    """One approved batch on its way to its final results. `go` takes it there, `row` tells how it went."""

    endings = _ENDINGS

    def __init__(self, lane, faults=()):
        self.lane, self.world = lane, lane.world
        number = next(lane.serial)
        # Numbers that exist: the real OpenG2P looks.
        self.payees = [f"276{lane.number}{number:03d}{ending}" for ending in self.endings]
        self.passed, self.passed_until_sent = [], None
        self._begin, self.place = "Send is pressed", None
        self._found, self._did, self._jobs = [], [], []
        self._event = NEVER * NEVER
        self._checks, self._scheduled = 0, itertools.cycle(lane.scheduled)
        self._make_other_end_new()
        self.cycle = self.world.add_cycle(f"Crossing {number}")
        self.world.entitle(self.payees, cycle=self.cycle)
        self.world.prepare(self.cycle)
        (self.batch,) = self.world.batches(cycle=self.cycle)
        self.world.approve([self.batch])
        if faults:
            lane.hub.faults(*faults)

    def _make_other_end_new(self):
        self.lane.hub.reset()
        self.lane.hub.clock(freeze=True)
        # The log-in at the hub is part of every crossing.
        self.lane.sql("DELETE FROM g2p_payment_gateway_secret WHERE name LIKE 'token %'")

    def send(self):
        self.world.send([self.batch])

    def go(self, *kills):
        """To the end; dies at the pass with the first number, and after the restart at that with the next."""
        self._kills = list(kills)
        self._arm()
        until = time.monotonic() + SECONDS
        try:
            while not self._is_over() or self._is_dying():
                assert time.monotonic() < until, f"not over after {SECONDS} s: {self.passed}, {self.state()}"
                self._step()
        finally:
            self.lane.disarm()
        self.passed = self.lane.passed()
        return self

    def state(self):
        return json.loads(self.lane.sql(_STATE, batch=self.batch))

    def _is_over(self):
        state = self.state()
        if state["batch"] == "sent" and self.passed_until_sent is None:
            self.passed_until_sent = len(self.lane.passed())
        return state["batch"] == "done" and not state["jobs"] and self.lane.odoo.process.is_running()

    def _arm(self):
        self._kill_at = self._kills.pop(0) if self._kills else NEVER
        self.lane.arm(self._kill_at)

    def _is_dying(self):
        """The last transaction of a request ends after the batch is seen at its end, and kills as well."""
        self.lane.disarm()
        time.sleep(0.1)
        if len(self.lane.passed()) < self._kill_at:
            return False
        self._wait_for_death()
        return True

    def _step(self):
        """What the clock or people do next."""
        if not self.lane.odoo.process.is_running():
            self.come_back()
        try:
            self._act(self.state())
        except (OSError, http.client.HTTPException):
            self._wait_for_death()

    def _act(self, state):
        last = state["submissions"][-1] if state["submissions"] else {}
        if state["jobs"]:
            time.sleep(0.1)
        elif state["batch"] == "approved":
            self._note("Send pressed")
            self.send()
        elif last.get("is_young"):
            self.lane.sql(_AN_HOUR_PASSES, batch=self.batch)
            self._hub_goes_on()
        elif state["batch"] == "unknown" and last["no_trace"]:
            self._decide(last)
        else:
            if state["batch"] == "sent" and (last["poll_count"] or 0) >= self._checks:
                self._checks = (last["poll_count"] or 0) + 1
                self._hub_goes_on()
            self.world.admin.button("ir.cron", [next(self._scheduled)], "method_direct_trigger")

    def _hub_goes_on(self):
        self.lane.hub.clock(advance=1)

    def _decide(self, submission):
        """Two people who have asked the operator of the hub."""
        if submission["declared_by_id"]:
            self._note("two declare it missing")
            self.lane.second_finance.button(
                "g2p.payment.submission", [submission["id"]], "action_confirm_not_received"
            )
            return
        model, client = "g2p.payment.submission.declare.wizard", self.world.finance
        values = {"submission_id": submission["id"], "reason": "Operator of the hub, by phone: no such file."}
        client.button(model, [client.create(model, values)], "action_declare")

    def _note(self, what):
        if self._found:
            self._did.append(what)

    def _wait_for_death(self):
        until = time.monotonic() + 20
        while self.lane.odoo.process.is_running():
            assert time.monotonic() < until, "the server broke a connection, and lives"
            time.sleep(0.05)

    def look(self):
        """Notes the state in which a crash left it."""
        state = self.state()
        self._found.append(state)
        self._event = min(self._event, state["event"])
        return state

    def come_back(self):
        """What a supervisor does after a crash."""
        self._jobs += [job.split()[0] for job in self.look()["jobs"]]
        self.lane.disarm()
        self._kill_at = NEVER
        self.lane.sql(_TEN_SECONDS_PASS)
        if self._kills:
            self._begin = "restart"
            self._arm()
        try:
            self.lane.odoo.restart()
        except say.Problem:  # it was to die again, and did so before it answered
            if self.lane.odoo.process.is_running() or not self.lane.passed():
                raise

    @property
    def crashes(self):
        return len(self._found)

    # Afterwards

    def check(self):
        """What has to be true, whatever happened on the way."""
        fields = ("status", "amount_paid", "account_number", "remote_reference")
        self._payments = self.world.payments(*fields, cycle=self.cycle)
        self._read_books()
        statuses = {one["account_number"]: one["status"] for one in self._payments}
        assert statuses == dict(zip(self.payees, ("paid", "paid", "failed"), strict=True))
        assert Counter(one["state"] for one in self.state()["submissions"])["accepted"] == 1
        verdict = self.world.finance.button("g2p.payment.batch", [self.batch], "action_verify_events")
        assert verdict["params"]["type"] == "success", verdict
        (figures,) = self.world.admin.read("g2p.payment.batch", [self.batch], list(_FIGURES))
        assert _FIGURES.items() <= figures.items(), figures
        assert not self.state()["jobs"]
        return self

    def _read_books(self):
        """What the hub says of it."""
        self._ledger, self._uploads = self.lane.hub.ledger(), self.lane.hub.batches()
        assert max(Counter(row["payee"] for row in self._ledger).values()) == 1, self._ledger
        assert sorted(row["payee"] for row in self._ledger) == sorted(self.payees[:2])
        assert self._paid_by_us() == {(row["request_id"], int(row["amount"])) for row in self._ledger}
        assert len(self._uploads) == 1

    def _paid_by_us(self):
        return {(one["name"], int(one["amount_paid"])) for one in self._payments if one["status"] == "paid"}

    def checkpoints(self):
        """What was passed, and what killed in the end: pairs of the effect before and the one that was to
        come."""
        return list(itertools.pairwise([self._begin, *self.passed]))

    def row(self):
        """For the table: killed after, and before (or `place`); found; recovery; uploads; paid by hub and
        us."""
        place = self.place or (self.checkpoints()[-1] if self.crashes else ("not killed", "-"))
        return (
            *place,
            " / ".join(_in_words(state) for state in self._found) or "-",
            self._recovery(),
            str(len(self._uploads)),
            f"{len(self._ledger)} / {len(self._paid_by_us())}",
        )

    def _recovery(self):
        told = [f"{job} started again" for job in self._jobs] + self._did
        for what, of_batch in (("submission", False), ("batch", True)):
            moves = self.lane.sql(_MOVES, batch=self.batch, event=self._event, of_batch=of_batch)
            told += [f"{what}: {moves}"] if moves else []
        return ", ".join(told) or "-"


def _in_words(state):
    submissions = " ".join(one["state"] for one in state["submissions"]) or "none"
    payments = " ".join(f"{many} {what}" for what, many in sorted(Counter(state["payments"]).items()))
    return f"{state['batch']}; {submissions}; {payments}; {', '.join(state['jobs']) or 'no job'}"


def everywhere(lanes, numbers, first=(), faults=(), make=Crossing):
    """Number to the crossing that was killed there, on all lanes; ends with one that came through unharmed.

    `first` are crashes that come before the one with the number.
    """
    crossings, enough = {}, threading.Event()

    def work(lane):
        try:
            while not enough.is_set() and (number := next(numbers, None)):
                crossings[number] = make(lane, faults).go(*first, number).check()
                if crossings[number].crashes <= len(first):
                    enough.set()
        except BaseException:
            enough.set()
            raise

    with ThreadPoolExecutor(len(lanes)) as pool:
        for done in [pool.submit(work, lane) for lane in lanes]:
            done.result()
    unharmed = [number for number, crossing in crossings.items() if crossing.crashes <= len(first)]
    return {number: crossings[number] for number in crossings if number <= min(unharmed, default=number)}


def print_table(capsys, title, crossings):
    rows = [_HEAD, *[(str(number), *crossing.row()) for number, crossing in sorted(crossings.items())]]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    with capsys.disabled():
        print(f"\n\n{title}\n")
        for row in rows:
            print("|", " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)), "|")
            if row is _HEAD:
                print("|", " | ".join("-" * width for width in widths), "|")
