"""How Redis, the scheme adapter and the Testing Toolkit are started here."""

import json
import os
import shutil
from pathlib import Path

from . import children, ports, rules
from .payees import HUB

ADDRESS = "127.0.0.1"
PORTS = ("redis", "connector", "callbacks", "metrics", "toolkit", "admin", "control")
_SCRIPTS = Path(__file__).resolve().parent / "js"
_APIS = ("fspiop_1.0", "fspiop_1.1")


def redis(options, folder, port):
    words = [options.redis, "--bind", ADDRESS, "--port", port["redis"], "--save", "", "--appendonly", "no"]
    return children.Child(
        "redis", words, folder, folder / "redis.log", dict(os.environ), lambda: ports.answers(port["redis"])
    )


def connector(options, folder, port):
    """The scheme adapter: `connector` is for us, `callbacks` for the hub."""
    package = options.modules / "@mojaloop" / "sdk-scheme-adapter"
    keys, signs = folder / "keys", str(options.jws).lower()
    settings = {
        "OUTBOUND_LISTEN_PORT": port["connector"],
        "INBOUND_LISTEN_PORT": port["callbacks"],
        "METRICS_SERVER_LISTEN_PORT": port["metrics"],
        "CACHE_URL": f"redis://{ADDRESS}:{port['redis']}",
        "PEER_ENDPOINT": f"{ADDRESS}:{port['toolkit']}",
        "ALS_ENDPOINT": f"{ADDRESS}:{port['toolkit']}",
        "BACKEND_ENDPOINT": f"{ADDRESS}:{port['control']}",
        "DFSP_ID": options.dfsp,
        "REQUEST_PROCESSING_TIMEOUT_SECONDS": options.step_seconds,
        # POST /transfers stops and says its ids before each step that a person may want to think about.
        "AUTO_ACCEPT_PARTY": "false",
        "AUTO_ACCEPT_QUOTES": "false",
        "JWS_SIGN": signs,
        "JWS_SIGN_PUT_PARTIES": signs,
        "VALIDATE_INBOUND_JWS": signs,
        "VALIDATE_INBOUND_PUT_PARTIES_JWS": signs,
        "JWS_SIGNING_KEY_PATH": keys / "dfsp.key",
        "JWS_VERIFICATION_KEYS_DIRECTORY": keys / "of_hub",
        "LOG_INDENT": "0",
        **options.set,
    }
    variables = {**os.environ, **{name: str(value) for name, value in settings.items()}}
    variables["PEERS_ADAPTER"] = str(package)
    words = _node(options, package, "loopback.js", *(["adapter.js"] if options.mended else []))
    ready = children.answers(f"http://{ADDRESS}:{port['connector']}/")
    return children.Child("connector", words, package, folder / "connector.log", variables, ready)


def toolkit(options, folder, port):
    """The Testing Toolkit: the hub, and the banks of the payees."""
    package = options.modules / "ml-testing-toolkit"
    home = _toolkit_home(options, package, folder, port)
    words = _node(options, package, "loopback.js", "toolkit.js")
    variables = {
        **os.environ,
        "LOG_LEVEL": "error",
        "PEERS_PORTS": json.dumps({"5050": port["admin"]}),
        "PEERS_STATE": str(folder),
        "PEERS_TOOLKIT": str(package),
        "PEERS_NO_HISTORY": "1" if options.no_history else "",
    }
    admin, api = (
        children.answers(f"http://{ADDRESS}:{port[name]}/api/config/user") for name in ("admin", "toolkit")
    )
    return children.Child(
        "toolkit", words, home, folder / "toolkit.log", variables, lambda: admin() and api()
    )


def _node(options, package, *scripts):
    """A package's program, with scripts of ours loaded before it."""
    before = [word for script in scripts for word in ("-r", _SCRIPTS / script)]
    return [options.node, *before, package / "src" / "index.js"]


def _toolkit_home(options, package, folder, port):
    """The folder that it works in: its settings and rules, and the definitions of the interfaces."""
    home = folder / "toolkit"
    shutil.rmtree(home, ignore_errors=True)
    specifications = home / "spec_files"
    for name in _APIS:
        shutil.copytree(
            package / "spec_files" / "api_definitions" / name, specifications / "api_definitions" / name
        )
        _answer_participants_by_request(specifications / "api_definitions" / name / "callback_map.json")
    shutil.copytree(package / "spec_files" / "reports", specifications / "reports")
    for kind, found in {**rules.make(options.step_seconds), "forward": []}.items():
        directory = specifications / f"rules_{kind}"
        directory.mkdir()
        (directory / "config.json").write_text(json.dumps({"activeRulesFile": "default.json"}))
        (directory / "default.json").write_text(json.dumps(found, indent=1))
    system = json.loads((package / "spec_files" / "system_config.json").read_text())
    system["API_PORT"] = port["toolkit"]
    system["API_DEFINITIONS"] = [api for api in system["API_DEFINITIONS"] if api["folderPath"] in _APIS]
    (specifications / "system_config.json").write_text(json.dumps(system))
    user = json.loads((package / "spec_files" / "user_config.json").read_text())
    user.update(
        CALLBACK_ENDPOINT=f"http://{ADDRESS}:{port['callbacks']}",
        FSPID=HUB,
        DEFAULT_USER_FSPID=options.dfsp,
        TRANSFERS_VALIDATION_ILP_PACKET=True,
        TRANSFERS_VALIDATION_CONDITION=True,
        VALIDATE_INBOUND_JWS=options.jws,
        VALIDATE_INBOUND_PUT_PARTIES_JWS=options.jws,
        JWS_SIGN=options.jws,
        JWS_SIGN_PUT_PARTIES=options.jws,
        CLIENT_TLS_CREDS=[],
    )
    (specifications / "user_config.json").write_text(json.dumps(user))
    return home


def _answer_participants_by_request(path):
    """The Toolkit would call back under the first identifier of the list, which nobody waits for."""
    text = path.read_text()
    path.write_text(text.replace("{$request.body.partyList[0].partyIdentifier}", "{$request.body.requestId}"))
