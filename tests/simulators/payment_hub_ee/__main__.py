"""Starts the hub and says where it is, as one line of JSON."""

import json
import os
import secrets
import shutil
import signal
import sys
import tempfile
import threading
from pathlib import Path

from lifetime import Lifetime

from . import keys, settings
from .bulk_api import BulkApi
from .callbacks import Callbacks
from .control_api import ControlApi
from .faults import Faults
from .hub import Hub
from .journal import Journal
from .oauth import CLIENT_ID, CLIENT_SECRET, Tokens
from .operations_api import OperationsApi
from .server import Server, logged


def main():
    options = settings.parse()
    folder = Path(options.state or tempfile.mkdtemp(prefix="payment_hub_ee_")).absolute()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_arguments: stop.set())
    signal.signal(signal.SIGINT, lambda *_arguments: stop.set())
    lifetime = Lifetime(options)
    info = start(options, folder)
    print(json.dumps(info), flush=True)
    while not stop.wait(0.2) and not lifetime.is_over():
        pass
    if not options.state:
        shutil.rmtree(folder, ignore_errors=True)


def start(options, folder):
    """Everything up and listening; returns what a client needs to know."""
    signing_key = keys.ensure_signing_pair(folder)
    certificate = folder / "hub_certificate.pem"
    password = ensure_password(folder, options.password)
    budgets = settings.json_file(options.budget, settings.BUDGETS)
    hub = Hub(options, Journal(folder / "journal.jsonl"), budgets)
    hub.plan.add(settings.json_file(options.plan, {}))
    faults = Faults(options.seed)
    faults.add(settings.json_file(options.faults, []))
    tokens = Tokens(keys.ensure_token_key(folder), hub.clock, options, password)
    callbacks = Callbacks(hub, faults)
    info = {}
    applications = {
        "bulk": BulkApi(hub, signing_key, certificate.read_text()),
        "operations": OperationsApi(hub, tokens),
        "control": ControlApi(hub, faults, callbacks, info),
    }
    info.update(listen(applications, hub, faults, options, folder))
    info.update(
        ca_file=None if options.no_tls else str(folder / "ca.pem"),
        client_private_key_file=str(folder / "client_private_key.pem"),
        hub_certificate_file=str(certificate),
        tenant=next(iter(options.tenants)),
        tenants=list(options.tenants),
        username=options.username,
        password=password,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        state=str(folder),
        pid=os.getpid(),
    )
    callbacks.start()
    return info


def listen(applications, hub, faults, options, folder):
    """{"bulk_url": ...}; the ports of the last run are taken again where they are free."""
    tls = None if options.no_tls else keys.ensure_tls(folder, options.certificate)
    ports_file = folder / "ports.json"
    remembered = json.loads(ports_file.read_text()) if ports_file.exists() else {}
    servers = {}
    for name, application in applications.items():
        port = getattr(options, f"{name}_port")
        ports = [port] if port else [remembered.get(name, 0), 0]
        common = (
            {"now": hub.clock.shown}
            if name == "control"
            else {"tls": tls, "broken": faults, "log": note_in(hub), "now": hub.clock.shown}
        )
        servers[name] = bind(name, ports, application, common)
    ports_file.write_text(json.dumps({n: s.server_address[1] for n, s in servers.items()}))
    for server in servers.values():
        server.start()
    return {f"{name}_url": server.url for name, server in servers.items()}


def bind(name, ports, application, common):
    for port in ports:
        try:
            return Server(name, port, application, **common)
        except OSError:
            if port == ports[-1]:
                raise


def note_in(hub):
    def note(request, taken):
        entry = {**logged(request, taken), "at": hub.clock.now()}
        hub.requests.append(entry)
        return entry

    return note


def ensure_password(folder, given):
    path = folder / "password"
    if given or not path.exists():
        path.touch(mode=0o600)
        path.write_text(given or secrets.token_urlsafe(18))
    return path.read_text()


if __name__ == "__main__":
    sys.exit(main())
