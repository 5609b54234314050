"""Runs a simulator as a process for tests and demonstrations.

    with HubSimulator("--import-lag", "0.1") as hub:
        requests.post(hub.info["bulk_url"] + "/batchtransactions", verify=hub.info["ca_file"], ...)
        hub.ledger()

Needs only the standard library here, and `cryptography` in the interpreter that runs the simulator.
"""

import json
import os
import selectors
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent


class Process:
    """`python -m module` with the options, which says where it is with one line of JSON.

    The state folder is made once per object and kept until `stop()` with forget, or the end of the `with`
    block; so `kill()` and then `start()` is a restart, on the same ports.
    """

    module = ""

    def __init__(self, *options, state=None, python=sys.executable, ready_seconds=20):
        self._options, self._python, self._ready_seconds = options, python, ready_seconds
        self._own_state = state is None
        self.state = Path(state or tempfile.mkdtemp(prefix=f"{self.module}_"))
        self._process = None
        self.info = {}

    def __enter__(self):
        return self.start()

    def __exit__(self, *_details):
        self.stop()
        if self._own_state:
            shutil.rmtree(self.state, ignore_errors=True)

    # -- the process -----------------------------------------------------------------------------------

    def start(self):
        """Start and wait until it says where it is; `info` is what it said."""
        command = [self._python, "-m", self.module, "--state", str(self.state), *map(str, self._options)]
        environment = {**os.environ, "PYTHONPATH": str(HERE)}
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
        line = self._first_line()
        if not line:
            self.kill()
            raise RuntimeError(f"{self.module} did not start (exit {self._process.returncode})")
        self.info = json.loads(line)
        return self

    def _first_line(self):
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            return self._process.stdout.readline() if selector.select(self._ready_seconds) else b""

    def stop(self):
        """End it in good order."""
        self._end(lambda: self._process.terminate())

    def kill(self):
        """End it as a power cut would."""
        self._end(lambda: self._process.kill())

    def _end(self, how):
        if self._process and self._process.poll() is None:
            how()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._process:
            self._process.stdout.close()

    # -- the control port ------------------------------------------------------------------------------

    def control(self, method, path, value=None, query=None):
        url = self.info["control_url"] + path
        url += f"?{urllib.parse.urlencode(query)}" if query else ""
        data = None if value is None else json.dumps(value).encode()
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                body = response.read()
        except urllib.error.HTTPError as error:
            raise ValueError(error.read().decode()) from error
        return json.loads(body) if body else None


class HubSimulator(Process):
    """Options are those of `python -m payment_hub_ee --help`."""

    module = "payment_hub_ee"

    def ledger(self, **narrow):
        """Money that moved: dicts with batch_id, request_id, payee, amount, currency, at ..."""
        return self.control("GET", "/ledger", query=narrow)

    def batches(self):
        return self.control("GET", "/batches")

    def requests(self, path=None):
        """What was received, oldest first; `path` narrows to requests whose path contains it."""
        return [entry for entry in self.control("GET", "/requests") if not path or path in entry["path"]]

    def faults(self, *entries):
        """Switch faults on: dicts, or names of faults to happen once. Without any: switch all off."""
        if not entries:
            return self.control("DELETE", "/faults")
        entries = [{"fault": entry} if isinstance(entry, str) else entry for entry in entries]
        return self.control("POST", "/faults", entries)

    def plan(self, **parts):
        """plan(rows={request_id or payee: outcome}, batches={...}, accounts={...})"""
        return self.control("POST", "/plan", parts)

    def clock(self, **changes):
        """clock(advance=seconds), clock(freeze=True), clock(skew=seconds); without any: as it stands."""
        return self.control("POST", "/clock", changes) if changes else self.control("GET", "/clock")

    def send_callback(self, **what):
        return self.control("POST", "/callbacks", what)

    def callbacks(self):
        return self.control("GET", "/callbacks")

    def reset(self):
        """Forget batches, money, plan, faults, clock; keys and credentials stay."""
        self.control("POST", "/reset")

    def wait_paid(self, count, **narrow):
        """The ledger as soon as it has at least `count` entries."""
        end = time.monotonic() + 20
        while len(ledger := self.ledger(**narrow)) < count and time.monotonic() < end:
            time.sleep(0.05)
        return ledger
