"""Processes that outlive the command that started them, known by number and start time.

A process number is given to another program once its owner has ended; together with the start time it is
unique, so nothing is ever ended that was not started here.
"""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

from . import places, say

_SECONDS_TO_END = 20


class Process:
    """A program in a process group of its own, with its output in a log file."""

    def __init__(self, name, pid, started, log, popen=None):
        self.name, self.pid, self.started, self.log, self._popen = name, pid, started, Path(log), popen

    @classmethod
    def start(cls, name, words, environment, log, printed=None):
        """Its errors go to the log, and what it prints too, or to a file of its own."""
        with open(log, "ab") as errors, open(printed or log, "ab") as output:
            popen = subprocess.Popen(
                [str(word) for word in words],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                env={
                    **os.environ,
                    **{key: str(value) for key, value in environment.items() if value is not None},
                },
                cwd="/",
                start_new_session=True,
            )
        return cls(name, popen.pid, _start_time(popen.pid), log, popen)

    def is_running(self):
        if self._popen is not None and self._popen.poll() is not None:
            return False
        return _start_time(self.pid) == self.started

    def stop(self, seconds=_SECONDS_TO_END):
        """Ask it to end, and end it after the given seconds; True when it was running."""
        if not self.is_running():
            return False
        self._signal(signal.SIGTERM)
        if not self._wait(seconds):
            self._signal(signal.SIGKILL)
            self._wait(5)
        return True

    def kill(self):
        """End it at once, the way a crash does."""
        if self.is_running():
            self._signal(signal.SIGKILL)
            self._wait(5)

    def _signal(self, number):
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return

    def _wait(self, seconds):
        until = time.monotonic() + seconds
        while self.is_running():
            if time.monotonic() > until:
                return False
            time.sleep(0.05)
        return True


def remember(process):
    """Write the process down, for setup/stop."""
    record = {"name": process.name, "pid": process.pid, "started": process.started, "log": str(process.log)}
    _file(process.name).write_text(json.dumps(record))


def remembered():
    """The processes written down, running or not; Odoo is the first."""
    found = []
    for path in sorted(_folder().glob("*.json"), key=lambda path: (path.stem != "odoo", path.stem)):
        record = json.loads(path.read_text())
        found.append(Process(record["name"], record["pid"], record["started"], record["log"]))
    return found


def stop_remembered():
    """End what was written down, Odoo before the systems it talks to; gives the names of those that ran."""
    stopped = []
    for process in remembered():
        if process.stop():
            stopped.append(process.name)
            say.line(f"stopped {process.name} (process {process.pid})")
        _file(process.name).unlink(missing_ok=True)
    return stopped


def end_all_with(variable, value):
    """End every process that was started with the variable set to this value, however far down."""
    wanted = f"{variable}={value}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                os.kill(int(folder.name), signal.SIGKILL)
        except OSError:
            continue  # it ended meanwhile, or is another user's


def _folder():
    folder = places.run_folder() / "processes"
    folder.mkdir(exist_ok=True)
    return folder


def _file(name):
    return _folder() / f"{name}.json"


def _start_time(pid):
    """Clock ticks since the machine started, from the kernel; None for a process that ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else int(fields[19])
