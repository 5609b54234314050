"""Where this server can die: right before each of its effects on the world outside.

A process that dies leaves behind what it has committed and what it has told others, nothing else. All commits
and all requests go through one place each. Watching these places covers every checkpoint of the code without
naming any, and those that are added later: dying anywhere between two effects leaves the same as dying at the
end of that stretch, with everything done that can be lost.

The folder $G2P_CRASH_FOLDER has two files: `kill_at` holds the number of the pass that kills; while it is
there, each pass adds a line to `passed`. Without it nothing is counted.
"""

import os
import re
import signal
import sys
import threading
from pathlib import Path

from requests.adapters import HTTPAdapter

from odoo.sql_db import Cursor

from odoo.addons.queue_job.jobrunner.runner import Database

# Other transactions change nothing of payments and their jobs: a log-in, settings, the hub's access token.
_CHANGES = re.compile(
    r'(?:INSERT INTO|UPDATE|DELETE FROM)\s+"?(?:g2p_((?:payment(?!_gateway)|mojaloop)\w*)|queue_(job))\b',
    re.IGNORECASE,
)
# Requests of the Mojaloop connector leave from threads, which begin in its client.
_OURS = re.compile(r"odoo\.addons\.g2p_(?:payment|mojaloop)\w*\.(?:models|client\.paying\w*)\b")
# The part of a path that names one batch or transfer. A UUID need not have three digits in a row.
_NAMES_ONE = re.compile(r"/[^/]*(?:\d{3}|(?:-[0-9a-f]{4}){3}-)[^/]*")
_ONE_AT_A_TIME = threading.Lock()


def watch():
    Cursor.execute = _execute(Cursor.execute)
    Cursor.commit = _commit(Cursor.commit)
    Cursor.rollback = _rollback(Cursor.rollback)
    HTTPAdapter.send = _send(HTTPAdapter.send)
    # The runner works without Odoo's cursors.
    Database.set_job_enqueued = _set_job_enqueued(Database.set_job_enqueued)


def reach(effect):
    """Passes the checkpoint before an effect, or dies there."""
    folder = Path(os.environ["G2P_CRASH_FOLDER"])
    with _ONE_AT_A_TIME:
        try:
            kill_at = int((folder / "kill_at").read_text())
        except FileNotFoundError:
            return
        with open(folder / "passed", "a+") as passed:
            passed.write(f"{effect}\n")
            passed.seek(0)
            number = len(passed.readlines())
        if number == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


def _execute(original):
    def execute(self, query, *args, **kwargs):
        text = getattr(query, "code", query)
        text = text.decode() if isinstance(text, bytes) else str(text)
        for found in _CHANGES.finditer(text):
            self.__dict__.setdefault("_crash_changes", set()).add(found[1] or found[2])
        return original(self, query, *args, **kwargs)

    return execute


def _commit(original):
    def commit(self):
        self.flush()
        changes = self.__dict__.pop("_crash_changes", None)
        if changes:
            names = sorted(name.removeprefix("payment_") for name in changes)
            reach(f"{_where()}: commit {', '.join(names)}")
        return original(self)

    return commit


def _rollback(original):
    def rollback(self):
        self.__dict__.pop("_crash_changes", None)
        return original(self)

    return rollback


def _send(original):
    def send(self, request, *args, **kwargs):
        if "/queue_job/" not in request.url:  # there the runner starts a job
            reach(f"{_where()}: {request.method} {_resource(request.path_url)}")
        return original(self, request, *args, **kwargs)

    return send


def _set_job_enqueued(original):
    def set_job_enqueued(self, uuid):
        reach("runner: hand out a job")
        return original(self, uuid)

    return set_job_enqueued


def _resource(path):
    """The path without what differs between one crossing and the next."""
    return _NAMES_ONE.sub("/*", path.partition("?")[0])


def _where():
    """Our innermost method on the stack; or else the queue job or the remote call whose transaction ends."""
    frame, method = sys._getframe(2), None
    while frame:
        module, name, local = frame.f_globals.get("__name__", ""), frame.f_code.co_name, frame.f_locals
        if _OURS.match(module) and name != "_own_transaction":
            method = method or name
        job = local.get("job")
        if module == "odoo.addons.queue_job.controllers.main" and hasattr(job, "method_name"):
            return f"job {job.method_name}, {method or job.state}"
        if name == "execute_cr":
            return "scheduled action" if local["obj"] == "ir.cron" else f"{local['obj']}.{local['method']}"
        frame = frame.f_back
    return method or "end of a request"
