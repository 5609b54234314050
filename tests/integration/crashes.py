"""A batch on its way from approved to its final results, over a server that dies at a chosen checkpoint.

`Lane` is a database, an Odoo that can die (addons/g2p_payment_crash) and a hub; `Crossing` takes one batch across
and comes back from the crash with what a production has: a restart, queue_job, the scheduled actions, people.
"""

import collections
import contextlib
import dataclasses
import http.client
import itertools
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from process import HubSimulator
from steps import databases, postgres, servers
from steps.environment import Environment
from steps.world import World

ADDONS = Path(__file__).resolve().parent / "addons"
SECONDS = 120  # for one crossing, crash and recovery included
NEVER = 10_000  # a number that no pass has
_QUICK = "--processing 0.1 --import-lag 0.1 --row-time 0.1 --start-delay 0.1 --slow 2.5 --polling-seconds 1".split()
_SCHEDULED = ("g2p_payment_hub.cron_look_up", "g2p_payment_hub.cron_queue_forgotten",
              "g2p_payment_reconcile.cron_pull_outcomes")  # fmt: skip
# Paid, paid late, and not paid: payees by what the simulator makes of their last digits.
_ENDINGS = ("7001", "0640", "0404")
_STATE = """
SELECT json_build_object(
    'batch', (SELECT batch_state FROM g2p_payment_batch WHERE id = {batch}),
    'submissions', (SELECT coalesce(json_agg(s ORDER BY s.id), '[]') FROM (
        SELECT id, state, no_trace, declared_by_id FROM g2p_payment_submission WHERE batch_id = {batch}) s),
    'payments', (SELECT json_object_agg(what, many) FROM (
        SELECT coalesce(status, state) AS what, count(*) AS many FROM g2p_payment WHERE batch_id = {batch} GROUP BY 1) p),
    'jobs', (SELECT coalesce(json_agg(method_name || ' ' || state), '[]') FROM queue_job WHERE state <> 'done'),
    'event', (SELECT coalesce(max(id), 0) FROM g2p_payment_event))
"""
_MOVES = """
SELECT CASE WHEN submission_id IS NULL THEN 'batch' ELSE 'submission' END, to_state
  FROM g2p_payment_event
 WHERE batch_id = {batch} AND id > {event} AND payment_id IS NULL AND from_state IS DISTINCT FROM to_state
 ORDER BY number
"""


@dataclasses.dataclass(frozen=True)
class Crashing(Environment):
    """An environment whose servers can die at a checkpoint; what they are told lies in `folder`."""

    folder: str = ""

    @classmethod
    def of(cls, environment, folder):
        values = {field.name: getattr(environment, field.name) for field in dataclasses.fields(environment)}
        values["addons_path"] = [*environment.addons_path, str(ADDONS)]
        values["server_wide"] = f"{environment.server_wide},g2p_payment_crash"
        return cls(**values, folder=str(folder))

    def variables(self):
        return {**super().variables(), "G2P_CRASH_FOLDER": self.folder}


class Lane:
    """One server and one hub; batches cross one after the other."""

    def __init__(self, number, odoo, hub, folder):
        self.number, self.odoo, self.hub, self.folder = number, odoo, hub, folder
        # No waiting time: what two people do comes when they are asked to, after a look-up without a trace.
        self.world = World(odoo, "admin", hub.info, recovery_minutes=0)
        self.second = self.world.add_person("finance_2", "Second", ("g2p_programs.g2p_finance_validator",)).client
        self.scheduled = [self.world.admin.ref(name) for name in _SCHEDULED]
        self.serial = itertools.count(1)

    def sql(self, statement, **values):
        return postgres.sql(statement.format(**values), self.odoo.database)

    def arm(self, kill_at):
        (self.folder / "passed").unlink(missing_ok=True)
        (self.folder / "kill_at").write_text(str(kill_at))

    def disarm(self):
        (self.folder / "kill_at").unlink(missing_ok=True)

    def passed(self):
        try:
            return (self.folder / "passed").read_text().splitlines()
        except FileNotFoundError:
            return []


@contextlib.contextmanager
def lane(environment, template, number, folder):
    environment = Crashing.of(environment, folder)
    with databases.copy(environment, template) as database, HubSimulator(*_QUICK) as hub:
        # They are triggered when their time has come, so that a crossing always passes the same checkpoints.
        postgres.sql("UPDATE ir_cron SET active = false", database)
        odoo = servers.start_odoo(environment, database)
        try:
            yield Lane(number, odoo, hub, folder)
        finally:
            odoo.stop()


class Crossing:
    """One batch of three payments, from Send to its final results."""

    def __init__(self, lane, faults=()):
        self.lane, self.world = lane, lane.world
        lane.hub.reset()
        number = next(lane.serial)
        self.payees = [f"2{lane.number}{number:05d}{ending}" for ending in _ENDINGS]
        self.cycle = self.world.add_cycle(f"Crossing {number}")
        self.world.entitle(self.payees, cycle=self.cycle)
        self.world.prepare(self.cycle)
        (self.batch,) = self.world.batches(cycle=self.cycle)
        self.world.approve([self.batch])
        self.checkpoint, self.found, self.did = "", None, []
        if faults:
            lane.hub.faults(*faults)

    def go(self, kill_at=NEVER):
        """Across, dying at the pass with that number; what came of it as a row of the table."""
        self.lane.arm(kill_at)
        try:
            until = time.monotonic() + SECONDS
            while not self._is_over():
                assert time.monotonic() < until, f"not over after {SECONDS} s: {self.checkpoint}, {self.state()}"
                self._step()
        finally:
            self.lane.disarm()
        return self

    def state(self):
        return json.loads(self.lane.sql(_STATE, batch=self.batch))

    def _is_over(self):
        state = self.state()
        return state["batch"] == "done" and not state["jobs"] and self.lane.odoo.process.is_running()

    def _step(self):
        """What a person or the clock does next."""
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
            self.world.send([self.batch])
        elif state["batch"] == "unknown" and last["no_trace"]:
            self._decide(last)
        else:
            for action in self.lane.scheduled:
                self.world.admin.button("ir.cron", [action], "method_direct_trigger")

    def _decide(self, submission):
        if not submission["declared_by_id"]:
            self._note("declared missing")
            model = "g2p.payment.submission.declare.wizard"
            values = {"submission_id": submission["id"], "reason": "The operator of the hub has no such file."}
            self.world.finance.button(model, [self.world.finance.create(model, values)], "action_declare")
        else:
            self._note("confirmed")
            self.lane.second.button("g2p.payment.submission", [submission["id"]], "action_confirm_not_received")

    def _note(self, what):
        if self.found:
            self.did.append(what)

    def _wait_for_death(self):
        until = time.monotonic() + 10
        while self.lane.odoo.process.is_running():
            assert time.monotonic() < until, "the server does not answer, but lives"
            time.sleep(0.05)

    def come_back(self):
        """What a supervisor does after a crash."""
        assert not self.found, f"died without being told to, after {self.checkpoint}"
        self.lane.disarm()
        self.checkpoint = self.lane.passed()[-1] if not self.checkpoint else self.checkpoint
        self.found = self.state()
        # queue_job takes a job for dead ten seconds after it was handed out: they are over.
        self.lane.sql("UPDATE queue_job SET date_enqueued = date_enqueued - interval '1 minute' WHERE date_enqueued IS NOT NULL AND state <> 'done'")
        self.lane.odoo.restart()

    # What has to be true whatever happened

    def check(self):
        payments = self.world.payments("status", "amount_paid", "account_number", cycle=self.cycle)
        ledger = self.lane.hub.ledger()
        assert len(payments) == len(self.payees)
        twice = [payee for payee, many in collections.Counter(row["payee"] for row in ledger).items() if many > 1]
        assert not twice, f"paid twice: {twice}"
        ours = {(one["name"], int(one["amount_paid"])) for one in payments if one["status"] == "paid"}
        theirs = {(row["request_id"], int(row["amount"])) for row in ledger}
        assert ours == theirs and len(ours) == 2, (ours, theirs)
        assert sorted(one["status"] for one in payments) == ["failed", "paid", "paid"]
        assert len(self.lane.hub.batches()) == 1, "more than one upload was accepted"
        states = [one["state"] for one in self.state()["submissions"]]
        assert states.count("accepted") == 1 and set(states) <= {"accepted", "not_received", "not_sent"}, states
        verdict = self.world.finance.button("g2p.payment.batch", [self.batch], "action_verify_events")
        assert verdict["params"]["type"] == "success", verdict
        assert self.lane.sql("SELECT count(*) FROM queue_job WHERE state <> 'done'") == "0"
        self.paid = len(theirs), len(ours)
        return self
