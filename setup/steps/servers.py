"""Real processes for the demo and the integration tests: Odoo with queue_job's runner, and the simulators.

    environment = steps.environment.read()
    with servers.odoo(environment) as odoo:
        admin = odoo.login("admin", "admin")

Odoo works on a copy of the database that has every add-on installed. Ports are free ones, on 127.0.0.1 only.
"""

import contextlib
import dataclasses
import json
import socket
import time
import urllib.error
import urllib.request
import uuid

from . import commands, databases, odoo_process, places, processes, rpc, say

_ADDRESS = "127.0.0.1"


@dataclasses.dataclass
class Odoo:
    """A running Odoo server; `restart` after `process.kill()` is what a supervisor does after a crash."""

    environment: object
    database: str
    port: int
    process: processes.Process
    channels: str

    @property
    def url(self):
        return f"http://{_ADDRESS}:{self.port}"

    def login(self, login, password, timeout=120):
        return rpc.Client(self.url, self.database, login, password, timeout)

    def restart(self):
        self.process.stop()
        self.process = _odoo_process(self.environment, self.database, self.port, self.channels)
        wait_until_ready(self)

    def stop(self):
        self.process.stop()


@dataclasses.dataclass
class Simulator:
    """A running simulator, and the addresses that it printed when it was ready."""

    process: processes.Process
    addresses: dict

    def stop(self):
        self.process.stop()


@contextlib.contextmanager
def odoo(environment, template=None, channels="root:2", keep=False):
    """Odoo on a database of its own, both gone at the end."""
    with databases.copy(environment, template or databases.template(environment), keep) as database:
        server = start_odoo(environment, database, channels)
        try:
            yield server
        finally:
            server.stop()


def start_odoo(environment, database, channels="root:2", port=None):
    """Start Odoo on an existing database and wait until it answers."""
    port = port or free_port()
    server = Odoo(environment, database, port, _odoo_process(environment, database, port, channels), channels)
    try:
        wait_until_ready(server)
    except BaseException:
        server.stop()
        raise
    return server


def start_simulator(environment, module, *arguments, seconds=30):
    """Start a simulator and wait for the line of JSON that names its addresses."""
    log = _log(module)
    printed = log.with_suffix(".out")
    words = [environment.python, "-m", module, *arguments]
    variables = {**environment.variables(), "PYTHONUNBUFFERED": "1"}
    process = processes.Process.start(module, words, variables, log, printed)
    row = _first_line(printed, process, seconds)
    if not row:
        process.stop()
        raise say.Problem(
            f"the simulator {module} did not start within {seconds} s; its log is {log}:\n"
            f"{commands.tail(log)}"
        )
    return Simulator(process, json.loads(row))


def free_port():
    """A port that nothing listens on; it is free until somebody takes it."""
    with socket.socket() as listener:
        listener.bind((_ADDRESS, 0))
        return listener.getsockname()[1]


def port_or_free(port):
    """The port if nothing listens on it, or else a free one."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((_ADDRESS, port))
        except OSError:
            return free_port()
    return port


def wait_until_ready(server, seconds=120):
    until = time.monotonic() + seconds
    while not _answers(f"{server.url}/web/health"):
        if not server.process.is_running() or time.monotonic() > until:
            log = server.process.log
            raise say.Problem(f"Odoo did not start; its log is {log}:\n{commands.tail(log)}")
        time.sleep(0.1)


def _odoo_process(environment, database, port, channels):
    configuration = odoo_process.configuration(environment, database, http_port=port)
    words = odoo_process.command(
        environment, configuration, "--load", environment.server_wide, "--max-cron-threads=1"
    )
    variables = {**environment.variables(), "ODOO_QUEUE_JOB_CHANNELS": channels, "ODOO_RC": None}
    return processes.Process.start("odoo", words, variables, _log(f"odoo-{database}"))


def _answers(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return response.status == 200
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def _first_line(path, process, seconds):
    """The first whole line of a file that a process writes; empty when it ended or took too long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        first, end, _ = path.read_text().partition("\n")
        if end:
            return first
        if not process.is_running():
            return ""
        time.sleep(0.05)
    return ""


def _log(name):
    return places.logs() / f"{name}-{uuid.uuid4().hex[:6]}.log"
