"""Starts the peers and says where they are, as one line of JSON."""

import errno
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

from lifetime import Lifetime

from . import keys, ports, programs, settings
from .control import Control
from .payees import HUB, PAYEE_FSP

_READY_SECONDS = 60
_TRIES = 3


class Peers:
    """The three programs, and what a client needs to know about them."""

    def __init__(self, options, folder):
        port = ports.choose(programs.PORTS, folder / "ports.json")
        url = lambda name: f"http://{programs.ADDRESS}:{port[name]}"  # noqa: E731
        makers = (programs.redis, programs.toolkit, programs.connector)
        self._children = {child.name: child for child in (make(options, folder, port) for make in makers)}
        self._patience = options.step_seconds + 1
        self.address = (programs.ADDRESS, port["control"])
        self.info = {
            "connector_url": url("connector"),
            "callback_url": url("callbacks"),
            "toolkit_url": url("toolkit"),
            "admin_url": url("admin"),
            "control_url": url("control"),
            "dfsp": options.dfsp,
            "hub": HUB,
            "payee_fsp": PAYEE_FSP,
            "step_seconds": options.step_seconds,
            "keys": str(folder / "keys") if options.jws else None,
            "state": str(folder),
            "pid": os.getpid(),
        }

    def start(self):
        for child in self._children.values():
            child.start()
        self._wait_until_ready()

    def act(self, name, do):
        """Kill, start, freeze or thaw redis, toolkit or connector; started, it is ready afterwards."""
        child = self._children[name]
        {"kill": child.kill, "start": child.start, "freeze": child.freeze, "thaw": child.thaw}[do]()
        if do == "start":
            self._wait_until_ready(child)

    def bring_back(self, before_asking):
        """Everything runs and works; an adapter can be stuck although it still answers its first page."""
        for child in self._children.values():
            if child.is_running():
                child.thaw()
        self.start()
        before_asking()
        if not self._adapter_works():
            self.act("connector", "kill")
            self.act("connector", "start")

    def _adapter_works(self):
        """Asked for a transfer that nobody knows, it comes back with the hub's answer."""
        try:
            urllib.request.urlopen(
                f"{self.info['connector_url']}/transfers/{uuid.uuid4()}", timeout=self._patience
            )
        except urllib.error.HTTPError as error:
            return json.load(error).get("statusCode") == "3208"
        except OSError:
            return False

    def end(self):
        for child in self._children.values():
            child.kill()

    def _wait_until_ready(self, *children):
        until = time.monotonic() + _READY_SECONDS
        for child in children or self._children.values():
            child.wait_until_ready(until)


def main():
    options = settings.parse()
    folder = (options.state or Path(tempfile.mkdtemp(prefix="mojaloop_peers_"))).absolute()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    keys.ensure(folder / "keys", options.dfsp)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_arguments: sys.exit(0))
    lifetime = Lifetime(options)
    peers = None
    try:
        peers, control = start(options, folder)
        print(json.dumps(peers.info), flush=True)
        while not lifetime.is_over():
            control.handle_request()
    finally:
        if peers:
            peers.end()
        if not options.state:
            shutil.rmtree(folder, ignore_errors=True)


def start(options, folder):
    """Everything running; with other ports when somebody was quicker to take one."""
    for attempt in range(1, _TRIES + 1):
        peers = Peers(options, folder)
        try:
            control = Control(peers, folder, peers.address)
            peers.start()
            return peers, control
        except (OSError, RuntimeError) as error:
            peers.end()
            (folder / "ports.json").unlink(missing_ok=True)
            if attempt == _TRIES or not _is_taken(error):
                raise


def _is_taken(error):
    """Whether a port was taken between being chosen and being listened on."""
    return "EADDRINUSE" in str(error) or getattr(error, "errno", None) == errno.EADDRINUSE


if __name__ == "__main__":
    sys.exit(main())
