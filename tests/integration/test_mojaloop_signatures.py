"""Signatures: what is signed here is valid for Mojaloop's own components, and the other way round."""

import json
import threading
import urllib.error
import urllib.request
from datetime import datetime, timezone
from decimal import Decimal
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import plain_addons  # noqa: F401
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from node_jws import LIBRARIES, NodeJws
from peers import MojaloopPeers, usual_payee

from odoo.addons.g2p_mojaloop_connector.client import bodies, jws, keys
from odoo.addons.g2p_mojaloop_connector.client.connector import Connector
from odoo.addons.g2p_mojaloop_connector.client.ids import transfer_ids
from odoo.addons.g2p_mojaloop_connector.client.parties import Party
from odoo.addons.g2p_mojaloop_connector.client.settings import ConnectorSettings, limits_for
from odoo.addons.g2p_mojaloop_connector.client.transfer_state import TransferState, state_of
from odoo.addons.g2p_payment_hub.client.instructions import Instruction

KEY, OTHER = keys.new_key(2048), keys.new_key(2048)
PUBLIC = keys.public_key(KEY)
DATE = "Thu, 01 Jan 2026 00:00:00 GMT"
HEADERS = {"FSPIOP-Source": "userdfsp", "FSPIOP-Destination": "payeefsp", "Date": DATE}
NOTE = 'José 😀 \u2028 \u0001 "quoted" \\ / <&>'
BODY = {
    "quoteId": "q1",
    "note": NOTE,
    "amount": {"currency": "USD", "amount": "100"},
    "list": [1, None, True, {}],
}
URIS = ["/transfers", "/quotes/q1", "/parties/MSISDN/27713803912", "/transfers/t1/error", "/bulkTransfers/b1"]
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NAMES = TEXTS.filter(lambda text: not text.isdigit() and text != "__proto__")
VALUES = st.recursive(
    TEXTS | st.booleans() | st.none() | st.integers(-(2**53) + 1, 2**53 - 1),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=10,
)
BODIES = st.dictionaries(NAMES, VALUES, min_size=1, max_size=5)


class Components:
    """The library that signs and checks signatures in Mojaloop's own software."""

    def __init__(self, node):
        self._node = node

    def sign(self, url, headers, body):
        """All headers of a PUT as they would send it."""
        return self._node.sign("PUT", url, headers, json.dumps(body), KEY)

    def objection(self, headers, body, key=PUBLIC):
        """Why they would not take it, or None."""
        return self._node.validate(headers, json.dumps(body), {headers["FSPIOP-Source"]: key})


@pytest.fixture(scope="module", params=LIBRARIES)
def components(request, mojaloop_software):
    with NodeJws(mojaloop_software, request.param) as node:
        yield Components(node)


def signed(body=BODY, headers=HEADERS, uri="/quotes/q1", method="PUT", key=KEY):
    return {**headers, **jws.sign(method, uri, headers, body, keys.load_key(key))}


class TestSignedHere:
    @pytest.mark.parametrize("uri", URIS)
    @pytest.mark.parametrize("without", [(), ("Date",), ("FSPIOP-Destination",)])
    def test_is_valid_there(self, components, uri, without):
        headers = {name: value for name, value in HEADERS.items() if name not in without}
        assert components.objection(signed(headers=headers, uri=uri), BODY) is None

    @settings(max_examples=150, deadline=None)
    @given(body=BODIES)
    def test_whatever_the_body(self, components, body):
        assert components.objection(signed(body), body) is None

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("FSPIOP-Destination", "mallory"),
            ("Date", "Fri, 02 Jan 2026 00:00:00 GMT"),
            (jws.URI, "/quotes/q2"),
            (jws.METHOD, "POST"),
        ],
    )
    def test_changed_on_the_way_it_is_not(self, components, name, value):
        assert components.objection({**signed(), name: value}, BODY)
        assert components.objection(signed(), {**BODY, "note": "another"})
        assert components.objection(signed(), BODY, keys.public_key(OTHER))


class TestSignedThere:
    @pytest.mark.parametrize("uri", URIS)
    @pytest.mark.parametrize("without", [(), ("date",), ("fspiop-destination",)])
    def test_is_valid_here(self, components, uri, without):
        headers = {name.lower(): value for name, value in HEADERS.items() if name.lower() not in without}
        made = components.sign(f"http://hub.example/base{uri}", headers, BODY)
        verify(made, json.dumps(BODY), f"/base{uri}")

    @settings(max_examples=150, deadline=None)
    @given(body=BODIES)
    def test_whatever_the_body(self, components, body):
        headers = {name.lower(): value for name, value in HEADERS.items()}
        made = components.sign("http://hub.example/quotes/q1", headers, body)
        verify(made, json.dumps(body, indent=1), "/quotes/q1")

    def test_changed_on_the_way_it_is_not(self, components):
        headers = {name.lower(): value for name, value in HEADERS.items()}
        made = components.sign("http://hub.example/quotes/q1", headers, BODY)
        for name in ("fspiop-source", "fspiop-destination", "date", "fspiop-uri", "fspiop-http-method"):
            with pytest.raises(jws.Forged):
                verify({**made, name: "changed"}, json.dumps(BODY), "/quotes/q1")
        with pytest.raises(jws.Forged):
            verify(made, json.dumps({**BODY, "note": "another"}), "/quotes/q1")
        with pytest.raises(jws.Forged):
            verify(made, json.dumps(BODY), "/quotes/q1", OTHER)


def verify(headers, text, target, key=KEY):
    jws.verify("PUT", target, headers, text.encode(), keys.load_public_key(keys.public_key(key)))


@pytest.fixture(scope="module")
def peers(mojaloop_software):
    """Everybody signs, and checks signatures."""
    with MojaloopPeers(mojaloop_software, "--jws", "--step-seconds", 3) as peers:
        yield peers


@pytest.fixture
def listener(peers):
    """What the hub calls back, (method, path, headers, body), while it calls us instead of the adapter."""
    heard = []

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append((self.command, self.path, dict(self.headers), body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_arguments):
            pass

    settings = administer(peers, "GET")["runtime"]
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        administer(peers, "PUT", {**settings, "CALLBACK_ENDPOINT": f"http://127.0.0.1:{server.server_port}"})
        yield heard
        administer(peers, "PUT", settings)
        server.shutdown()


def administer(peers, method, value=None):
    """The Toolkit's settings."""
    data = None if value is None else json.dumps(value).encode()
    url = peers.info["admin_url"] + "/api/config/user"
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=20) as answer:
        text = answer.read()
    return json.loads(text) if text[:1] == b"{" else None


def send(url, method, path, headers, text, kind="quotes"):
    """(status, error code) of a request as the scheme knows them."""
    media = f"application/vnd.interoperability.{kind}+json;version=1"
    everything = {**headers, "Content-Type": f"{media}.1"}
    if method == "POST":
        everything["Accept"] = media
    request = urllib.request.Request(url + path, text.encode(), everything, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, ""
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())["errorInformation"]["errorCode"]


class Test23Signatures:
    """Case 23 of the contract."""

    def test_23_everybody_signs_and_is_paid(self, peers):
        payer = Party(id_type="ACCOUNT_ID", id_value="12345")
        limits = limits_for(3)
        values = {
            "url": peers.info["connector_url"],
            "dfsp_id": "userdfsp",
            "payer": payer,
            "step_timeout": 3,
        }
        asked = Instruction(
            reference="P1",
            payee_identifier_type="MSISDN",
            payee_identifier=usual_payee(),
            amount=Decimal("4.35"),
            currency="USD",
            note="José 😀",
        )
        now = datetime.now(timezone.utc)
        with Connector(ConnectorSettings(limits=limits, **values)) as connector:
            _payee, quote = connector.offer(asked, transfer_ids("P1", 1), now)
            body = connector.transfer_body(quote, now)
            said = connector.transfer(body)
        assert state_of(said, bodies.order_of(body), now, now - now) is TransferState.PAID

    def test_23_the_hubs_callbacks_verify_here(self, peers, listener, eventually):
        """A quote, by a listener of our own."""
        key = keys.load_key((Path(peers.info["keys"]) / "dfsp.key").read_text())
        headers = {**HEADERS, "Date": format_datetime(datetime.now(timezone.utc), usegmt=True)}
        made = {**headers, **jws.sign("POST", "/quotes", headers, quote_request(), key)}
        assert (
            send(peers.info["toolkit_url"], "POST", "/quotes", made, jws.canonical(quote_request()))[0] == 202
        )
        eventually(lambda: listener, 10)
        method, path, given, body = listener[0]
        assert path == f"/quotes/{quote_request()['quoteId']}"
        hub = keys.load_public_key((Path(peers.info["keys"]) / "of_hub" / "hub.pem").read_text())
        jws.verify(method, path, given, body, hub)
        for changed in (body.replace(b"USD", b"EUR", 1), body[:-1], b"{}"):
            with pytest.raises(jws.Forged):
                jws.verify(method, path, given, changed, hub)
        with pytest.raises(jws.Forged):
            jws.verify(method, path, given, body, keys.load_public_key(PUBLIC))

    def test_23_the_hub_takes_what_is_signed_here_and_nothing_else(self, peers):
        key = keys.load_key((Path(peers.info["keys"]) / "dfsp.key").read_text())
        headers = {**HEADERS, "Date": format_datetime(datetime.now(timezone.utc), usegmt=True)}
        made = {**headers, **jws.sign("POST", "/quotes", headers, quote_request(), key)}
        text = jws.canonical(quote_request())
        url = peers.info["toolkit_url"]
        assert send(url, "POST", "/quotes", made, text) == (202, "")
        assert send(url, "POST", "/quotes", made, text.replace("José", "Jose")) == (400, "3105")
        by_another = {
            **headers,
            **jws.sign("POST", "/quotes", headers, quote_request(), keys.load_key(OTHER)),
        }
        assert send(url, "POST", "/quotes", by_another, text) == (400, "3105")
        assert send(url, "POST", "/quotes", headers, text)[0] == 400

    def test_23_the_adapter_takes_callbacks_of_the_hub_only(self, peers):
        key = keys.load_key((Path(peers.info["keys"]) / "hub.key").read_text())
        body = {"transferState": "COMMITTED", "completedTimestamp": "2026-01-02T03:04:05.678Z"}
        path = "/transfers/6f0f7a0d-5c11-4c94-9b3f-5ed0ba5b3d25"
        date = format_datetime(datetime.now(timezone.utc), usegmt=True)
        headers = {"FSPIOP-Source": "hub", "FSPIOP-Destination": "userdfsp", "Date": date}
        url = peers.info["callback_url"]
        genuine = {**headers, **jws.sign("PUT", path, headers, body, key)}
        forged = {**headers, **jws.sign("PUT", path, headers, body, keys.load_key(OTHER))}
        assert send(url, "PUT", path, genuine, jws.canonical(body), "transfers") == (200, "")
        assert send(url, "PUT", path, forged, jws.canonical(body), "transfers") == (400, "3105")
        assert send(url, "PUT", path, headers, jws.canonical(body), "transfers")[0] == 400


def quote_request():
    payer = {"partyIdType": "ACCOUNT_ID", "partyIdentifier": "12345", "fspId": "userdfsp"}
    payee = {"partyIdType": "MSISDN", "partyIdentifier": usual_payee(), "fspId": "payeefsp"}
    quote_id, transfer_id = transfer_ids("P2", 1)
    return {
        "quoteId": quote_id,
        "transactionId": transfer_id,
        "payer": {"partyIdInfo": payer},
        "payee": {"partyIdInfo": payee},
        "amountType": "RECEIVE",
        "amount": {"currency": "USD", "amount": "100"},
        "transactionType": {"scenario": "TRANSFER", "initiator": "PAYER", "initiatorType": "BUSINESS"},
        "note": "José 😀",
    }
