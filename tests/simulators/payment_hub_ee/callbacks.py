"""Callbacks to X-CallbackURL (ph-ee-bulk-processor v1.13.1, SendCallbackWorker and SendCallbackRoute)."""

import json
import ssl
import threading
import time
import urllib.error
import urllib.request

from .reports import Reports

PHASES = (20, 40, 60, 80, 100)
THRESHOLD = 95
MESSAGE = "The Batch Aggregation API was complete with : {}"


class Callbacks:
    """Watches batches that asked for a callback; one POST, unsigned, never repeated."""

    def __init__(self, hub, faults):
        self.hub, self.settings, self.faults = hub, hub.settings, faults
        self.reports = Reports(hub)
        self._lock = threading.Lock()

    def start(self):
        if self.settings.callbacks != "off":
            threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            time.sleep(0.05)
            for batch in list(self.hub.batches.values()):
                self._check(batch)

    def _check(self, batch):
        """`checks` counts what happened: it stops at the last one, or when the callback is out."""
        if not batch["callback_url"] or not batch["parts"]:
            return
        state = self.hub.callback_state(batch["batch_id"])
        if state["done"]:
            return
        started = batch["parts"][0]["at"] - self.settings.import_lag
        due = started + (state["checks"] + 1) * self.settings.callback_delay
        if self.hub.clock.now() >= due:
            state["checks"] += 1
            self._send_if_due(batch, state, self._rate(batch))

    def _rate(self, batch):
        with self.hub.lock:
            counters = self.reports.recount(batch)
        return counters["successful"] * 100 // counters["total"] if counters["total"] else 0

    def _send_if_due(self, batch, state, rate):
        if self.settings.callbacks == "phases":
            return self._send_phases(batch, state, rate)
        exhausted = state["checks"] >= self.settings.callback_checks
        if rate >= THRESHOLD or exhausted:
            self._done(batch, state)
            if rate >= PHASES[0]:
                self._deliver(batch, rate)

    def _send_phases(self, batch, state, rate):
        """As before v1.13: one for each phase that has been reached."""
        for phase in PHASES[len(state["phases"]) :]:
            if phase <= rate:
                state["phases"].append(phase)
                self._deliver(batch, phase)
        if rate >= 100:
            self._done(batch, state)

    def _done(self, batch, state):
        state["done"] = True
        self.hub.journal.write("callback", {"batch_id": batch["batch_id"], **state})

    def _deliver(self, batch, rate):
        """Through the callback faults, to the receiver."""
        faults = self.faults.take_callback()
        rates = [rate] * (0 if "callback_lost" in faults else 3 if "callback_repeated" in faults else 1)
        if "callback_backwards" in faults:
            rates = [100, 40]
        kind = "text/plain" if "callback_untyped" not in faults else None
        for value in rates:
            self.send(batch["callback_url"], self.body(batch, value), kind)

    def body(self, batch, rate):
        return {
            "clientCorrelationId": self.reports.correlation(batch),
            "batchId": batch["batch_id"],
            "message": MESSAGE.format(rate),
        }

    def send(self, url, body, content_type="text/plain"):
        """POST; the receiver's certificate is not looked at, as in the original. Returns what is noted."""
        text = body if isinstance(body, str) else json.dumps(body)
        note = {"at": self.hub.clock.now(), "body": text, "status": _post(url, text, content_type)}
        self.hub.sent_callbacks.append(note)
        return note


def _post(url, text, content_type):
    """The status, or the name of what went wrong."""
    context = ssl._create_unverified_context()
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), _NoRedirect())
    try:
        request = urllib.request.Request(f"{url}?bridgeEndpoint=true", text.encode(), method="POST")
        if content_type:
            request.add_header("Content-Type", content_type)
        with opener.open(request, timeout=10) as response:
            return response.status
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, ValueError) as error:
        return type(error).__name__


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments):
        return None
