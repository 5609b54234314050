"""The control port: what the hub did, and what it is to do. Plain JSON, loopback only."""

import json

from .web import Response, Routes, answer

COLUMNS = ("batch_id", "tenant", "correlation_id", "file_name", "stored_name", "institution", "program",
           "received", "rows", "total_amount", "verdict", "started", "job_key")  # fmt: skip


class ControlApi:
    def __init__(self, hub, faults, callbacks, info):
        self.hub, self.faults, self.callbacks, self.info = hub, faults, callbacks, info
        self._routes = Routes(
            ("GET", "/info", lambda _request: answer(200, self.info)),
            ("GET", "/ledger", self._ledger),
            ("GET", "/batches", self._batches),
            ("GET", "/requests", lambda _request: answer(200, list(hub.requests))),
            ("GET", "/faults", lambda _request: answer(200, faults.listed())),
            ("POST", "/faults", self._add_faults),
            ("DELETE", "/faults", self._clear_faults),
            ("GET", "/callbacks", lambda _request: answer(200, list(hub.sent_callbacks))),
            ("POST", "/callbacks", self._send_callback),
            ("GET", "/plan", lambda _request: answer(200, hub.plan.parts)),
            ("POST", "/plan", self._add_plan),
            ("GET", "/clock", lambda _request: answer(200, hub.clock.state())),
            ("POST", "/clock", self._change_clock),
            ("POST", "/reset", self._reset),
        )

    def __call__(self, request):
        try:
            return self._routes(request) or answer(404, {"error": "no such resource"})
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            return answer(400, {"error": f"{type(error).__name__}: {error}"})

    def _ledger(self, request):
        """?batch_id=, ?request_id=, ?payee= narrow it."""
        rows = self.hub.ledger()
        for name, value in request.query.items():
            rows = [row for row in rows if row[name] == value]
        return answer(200, rows)

    def _batches(self, _request):
        """Every batch that was accepted, imported or not, with the ids of its parts."""
        batches = list(self.hub.batches.values())
        shown = [
            {**{name: batch.get(name) for name in COLUMNS}, "parts": [part["id"] for part in batch["parts"]]}
            for batch in batches
        ]
        return answer(200, shown)

    def _add_faults(self, request):
        self.faults.add(json.loads(request.body))
        return answer(200, self.faults.listed())

    def _clear_faults(self, _request):
        self.faults.clear()
        return answer(200, [])

    def _send_callback(self, request):
        """{"url"?, "batch_id"?, "rate"?, "body"?, "content_type"?, "times"?}: true, forged or repeated."""
        asked = json.loads(request.body)
        batch = self.hub.batches.get(asked.get("batch_id"))
        url = asked.get("url") or batch["callback_url"]
        body = asked["body"] if "body" in asked else self.callbacks.body(batch, asked.get("rate", 100))
        kind = asked.get("content_type", "text/plain")
        notes = [self.callbacks.send(url, body, kind) for _time in range(asked.get("times", 1))]
        return answer(200, notes)

    def _add_plan(self, request):
        self.hub.add_plan(json.loads(request.body))
        return answer(200, self.hub.plan.parts)

    def _change_clock(self, request):
        self.hub.change_clock(json.loads(request.body))
        return answer(200, self.hub.clock.state())

    def _reset(self, _request):
        self.faults.clear()
        self.hub.reset()
        return Response(204)
