"""Where this server can die: before and after each of its effects on the world outside.

A process that dies leaves behind what it has committed and what it has told others, nothing else. All commits and
all requests go through one place each. Watching these two covers every checkpoint there is without naming any, and
those that are added later: dying anywhere in between leaves the same as dying at the checkpoint before.

The folder $G2P_CRASH_FOLDER has two files: `kill_at` holds the number of the pass that kills; while it is there,
each pass adds a line to `passed`. Without it nothing is counted.
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

# Transactions that change nothing of payments and jobs (a log-in, a session) are not part of the road.
_CHANGES = re.compile(r'(?:INSERT INTO|UPDATE|DELETE FROM)\s+"?(g2p_payment\w*|queue_job)\b', re.IGNORECASE)
_ONE_AT_A_TIME = threading.Lock()


def watch():
    Cursor.execute = _execute(Cursor.execute)
    Cursor.commit = _commit(Cursor.commit)
    Cursor.rollback = _rollback(Cursor.rollback)
    HTTPAdapter.send = _send(HTTPAdapter.send)
    # The runner works without Odoo's cursors.
    Database.set_job_enqueued = _set_job_enqueued(Database.set_job_enqueued)


def reach(name):
    """Passes the checkpoint, or dies in it."""
    folder = Path(os.environ["G2P_CRASH_FOLDER"])
    with _ONE_AT_A_TIME:
        try:
            kill_at = int((folder / "kill_at").read_text())
        except FileNotFoundError:
            return
        with open(folder / "passed", "a+") as passed:
            passed.write(f"{name}\n")
            passed.seek(0)
            number = len(passed.readlines())
        if number == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


def _execute(original):
    def execute(self, query, *args, **kwargs):
        text = getattr(query, "code", query)
        text = text.decode() if isinstance(text, bytes) else str(text)
        if _CHANGES.search(text):
            self._crash_changes = True
        return original(self, query, *args, **kwargs)

    return execute


def _commit(original):
    def commit(self):
        self.flush()
        changes = self.__dict__.pop("_crash_changes", False)
        where = changes and _where()
        if changes:
            reach(f"before commit, {where}")
        result = original(self)
        if changes:
            reach(f"after commit, {where}")
        return result

    return commit


def _rollback(original):
    def rollback(self):
        self.__dict__.pop("_crash_changes", None)
        return original(self)

    return rollback


def _send(original):
    def send(self, request, *args, **kwargs):
        if "/queue_job/" in request.url:  # the runner starts a job
            return original(self, request, *args, **kwargs)
        name = f"{request.method} {_resource(request.path_url)}, {_where()}"
        reach(f"before {name}")
        response = original(self, request, *args, **kwargs)
        reach(f"after {name}")
        return response

    return send


def _set_job_enqueued(original):
    def set_job_enqueued(self, uuid):
        original(self, uuid)
        reach("after job handed out by the runner")

    return set_job_enqueued


def _resource(path):
    """The path without what differs between one batch or transfer and the next."""
    return re.sub(r"/[^/]*\d{3}[^/]*", "/*", path.partition("?")[0])


def _where():
    """Our innermost method on the stack, or the queue job or remote call whose transaction ends."""
    frame, method, job = sys._getframe(2), None, None
    while frame:
        module, local = frame.f_globals.get("__name__", ""), frame.f_locals
        if not method and _is_ours(module) and frame.f_code.co_name != "_own_transaction":
            method = frame.f_code.co_name
        if module == "odoo.addons.queue_job.controllers.main" and getattr(local.get("job"), "method_name", None):
            job = local["job"]
            return f"job {job.method_name}: {method}" if method else f"job {job.method_name} {job.state}"
        if frame.f_code.co_name == "execute_cr":
            return f"{local['obj']}.{local['method']}"
        frame = frame.f_back
    return method or "elsewhere"


def _is_ours(module):
    return re.match(r"odoo\.addons\.g2p_(payment|mojaloop)\w*\.models\.", module)
