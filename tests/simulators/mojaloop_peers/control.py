"""The control port: what the hub has in its books, and what is to happen to the programs. Plain JSON."""

import json
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

from .ledger import Journal
from .payees import ending

_SECONDS = 30


class Control(HTTPServer):
    """One request at a time, in the thread that started the programs: they end together with it."""

    timeout = 0.2

    def __init__(self, peers, folder, address):
        self.peers, self.folder, self.journal = peers, folder, Journal(folder / "journal.jsonl")
        super().__init__(address, _Handler)

    def answer(self, method, path, value):
        if method == "GET" and path in ("/requests", "/callbacks"):
            return self.journal.rows(path[1:-1])
        if method == "GET" and path == "/transfers":
            return self.journal.transfers()
        if method == "GET" and path == "/payments":
            return self.journal.payments()
        if method == "GET" and path == "/info":
            return self.peers.info
        if method == "POST" and path == "/processes":
            return self.peers.act(**value)
        if method == "POST" and path == "/hub":
            return self.set_hub(**value)
        if method == "POST" and path == "/names":
            (self.folder / "names.json").write_text(json.dumps(value))
            return None
        if method == "POST" and path == "/mended":
            (self.folder / "mended.json").write_text(json.dumps([ending(name) for name in value]))
            return None
        if method == "POST" and path == "/reset":
            return self.reset()
        raise LookupError(f"no such resource: {method} {path}")

    def set_hub(self, silent=False):
        """Silent, the hub goes on booking, and no callback leaves it."""
        settings = self._toolkit("GET", "/api/config/user")["runtime"]
        settings["SEND_CALLBACK_ENABLE"] = not silent
        self._toolkit("PUT", "/api/config/user", settings)

    def reset(self):
        """Everything runs, talks, and has forgotten what was."""
        self.peers.bring_back(before_asking=self.set_hub)
        for name in ("names.json", "mended.json"):
            (self.folder / name).unlink(missing_ok=True)
        for what in ("requests", "callbacks"):
            self._toolkit("DELETE", f"/api/history/{what}")

    def _toolkit(self, method, path, value=None):
        data = None if value is None else json.dumps(value).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.peers.info["admin_url"] + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=_SECONDS) as response:
            return json.load(response) if method == "GET" else None


class _Handler(BaseHTTPRequestHandler):
    timeout = 10

    def do_GET(self):
        self._answer("GET")

    def do_POST(self):
        self._answer("POST")

    def _answer(self, method):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            value, status = self.server.answer(method, self.path, json.loads(body or "null")), 200
        except LookupError as error:
            value, status = {"error": str(error)}, 404
        except (ValueError, TypeError, OSError, RuntimeError) as error:
            value, status = {"error": f"{type(error).__name__}: {error}"}, 400
        text = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_arguments):
        pass
