"""The Connection Manager's client against a stand-in that keeps what is published, with the members, states
and errors of the service's published interface (connection-manager-api 1.6, src/api/swagger.yaml)."""

import json
from datetime import datetime, timezone

import pytest
from certificates import Authority
from loopback import answering

from odoo.addons.g2p_mojaloop_connector.client import keys
from odoo.addons.g2p_mojaloop_connector.client.connection_manager import (
    ConnectionManager,
    EnrollmentState,
    ManagerSettings,
)
from odoo.addons.g2p_mojaloop_connector.client.login import ClientCredentials
from odoo.addons.g2p_payment_hub.client.auth import TokenCache
from odoo.addons.g2p_payment_hub.client.errors import NotSent, OutcomeUnknown, Reason, Refused
from odoo.addons.g2p_payment_hub.client.http import HttpLimits

AUTHORITY = Authority()
REQUEST = keys.request(keys.new_key(2048), "userdfsp")
SECRET = "manager-s3cret"


class Manager:
    """Paths below /api; whoever asks for one needs the token of the moment."""

    def __init__(self, loopback):
        self.tokens = 0
        self.valid = set()
        self.lists = {}  # what was posted, by path, as it is listed
        self.others = {}  # answers for other paths: (status, body)
        self.server = loopback(answering(self._answer))

    def client(self, **changes):
        token_url = f"{self.server.url}/realms/dfsps/protocol/openid-connect/token"
        login = ClientCredentials(
            token_url=token_url, client_id="userdfsp", client_secret=changes.pop("secret", SECRET)
        )
        limits = HttpLimits(connect=2, read=2, total=5)
        values = {"url": f"{self.server.url}/api", "dfsp_id": "userdfsp", "login": login, "limits": limits}
        return ConnectionManager(
            ManagerSettings(ca_bundle=AUTHORITY.pem, **{**values, **changes}), TokenCache()
        )

    def _answer(self, request):
        if request.path.endswith("/token"):
            return self._token(request)
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.valid:
            return 401, {"message": "invalid token"}
        path = request.path.removeprefix("/api")
        if path in self.others:
            return self.others[path]
        if request.method == "POST":
            return 200, self._add(path, json.loads(request.body))
        listed, _slash, identifier = path.rpartition("/")
        if identifier.isdigit():
            return 200, self.lists[listed][int(identifier) - 1]
        return 200, self.lists.get(path, [])

    def _token(self, request):
        form = request.form
        assert form == {"grant_type": "client_credentials"}
        if request.headers["authorization"] != "Basic dXNlcmRmc3A6bWFuYWdlci1zM2NyZXQ=":
            return 401, {"error": "invalid_client"}
        self.tokens += 1
        self.valid = {f"token-{self.tokens}"}
        return 200, {"access_token": f"token-{self.tokens}", "expires_in": 300, "token_type": "Bearer"}

    def _add(self, path, body):
        rows = self.lists.setdefault(path, [])
        made = {"id": len(rows) + 1, **body}
        if "clientCSR" in body:
            made = {"id": len(rows) + 1, "csr": body["clientCSR"], "state": "CSR_LOADED"}
        rows.append(made)
        return {"id": made["id"]} if "csr" in made else made


@pytest.fixture
def manager(loopback):
    return Manager(loopback)


class TestCertificate:
    def test_from_the_request_to_the_signed_certificate(self, manager):
        with manager.client() as client:
            asked = client.enroll(REQUEST)
            assert (asked.state, asked.certificate) == (EnrollmentState.WAITING, "")
            manager.lists["/dfsps/userdfsp/enrollments/inbound"][0].update(
                state="CERT_SIGNED", certificate="PEM"
            )
            signed = client.enrollment(asked.enrollment_id)
        assert (signed.state, signed.certificate) == (EnrollmentState.SIGNED, "PEM")

    def test_the_same_request_is_made_once(self, manager):
        """The answer to the first may have been lost."""
        with manager.client() as client:
            assert client.enroll(REQUEST) == client.enroll(REQUEST + "\n")
            client.enroll(keys.request(keys.new_key(2048), "userdfsp"))
        assert len(manager.lists["/dfsps/userdfsp/enrollments/inbound"]) == 2

    def test_the_hub_says_no(self, manager):
        with manager.client() as client:
            asked = client.enroll(REQUEST)
            manager.lists["/dfsps/userdfsp/enrollments/inbound"][0]["state"] = "INVALID"
            assert client.enrollment(asked.enrollment_id).state is EnrollmentState.INVALID

    @pytest.mark.parametrize("row", [{}, {"id": ""}, {"id": 1, "state": "CERT_SIGNED"}, []])
    def test_half_an_answer(self, manager, row):
        manager.others["/dfsps/userdfsp/enrollments/inbound/1"] = (200, row)
        with manager.client() as client, pytest.raises(OutcomeUnknown):
            client.enrollment("1")


class TestTrust:
    def test_hub(self, manager):
        manager.others["/hub/ca"] = (200, {"rootCertificate": "ROOT\n", "intermediateChain": "MIDDLE"})
        chain = {"serverCertificate": "OWN", "intermediateChain": ["A", "B"], "rootCertificate": None}
        manager.others["/hub/servercerts"] = (200, chain)
        with manager.client() as client:
            assert client.hub_authority() == "MIDDLE\nROOT"
            assert client.hub_server_certificates() == "OWN\nA\nB"

    def test_nothing_published(self, manager):
        manager.others.update(
            {path: (404, b"") for path in ("/hub/servercerts", "/hub/ca", "/hub/jwscerts", "/dfsps/jwscerts")}
        )
        with manager.client() as client:
            assert (
                client.hub_authority()
                == client.hub_server_certificates()
                == "".join(client.hub_signing_key())
            )
            assert client.hub_authority() == ""
            assert client.signing_keys() == {}

    def test_ours(self, manager):
        with manager.client() as client:
            assert client.publish_server_certificate("OWN", "MIDDLE", "ROOT") == ""
        authority = {"id": 1, "rootCertificate": "ROOT", "intermediateChain": "MIDDLE"}
        assert manager.lists["/dfsps/userdfsp/ca"] == [authority]
        published = {
            "id": 1,
            "serverCertificate": "OWN",
            "rootCertificate": "ROOT",
            "intermediateChain": "MIDDLE",
        }
        assert manager.lists["/dfsps/userdfsp/servercerts"] == [published]

    def test_ours_of_a_public_authority(self, manager):
        with manager.client() as client:
            client.publish_server_certificate("OWN")
        assert "/dfsps/userdfsp/ca" not in manager.lists

    def test_what_the_manager_takes_and_finds_wrong(self, manager):
        found = [
            {"result": "VALID", "message": "fine"},
            {"result": "INVALID", "message": "no chain"},
            {"result": "INVALID", "validationCode": "CERTIFICATE_VALIDITY"},
            7,
        ]
        wrong = (200, {"validationState": "INVALID", "validations": found})
        manager.others["/dfsps/userdfsp/servercerts"] = wrong
        manager.others["/dfsps/userdfsp/jwscerts"] = (200, {"validationState": "INVALID"})
        with manager.client() as client:
            assert client.publish_server_certificate("OWN") == "no chain; CERTIFICATE_VALIDITY"
            assert client.publish_signing_key("PUBLIC", datetime.now(timezone.utc)) == "INVALID"


class TestSigningKeys:
    def test_ours(self, manager):
        with manager.client() as client:
            client.publish_signing_key("PUBLIC", datetime(2026, 1, 2, tzinfo=timezone.utc))
        published = {"id": 1, "publicKey": "PUBLIC", "createdAt": 1767312000}
        assert manager.lists["/dfsps/userdfsp/jwscerts"] == [published]

    def test_theirs(self, manager):
        rows = [
            {"dfspId": "a", "publicKey": "A"},
            {"dfspId": "b", "publicKey": "B"},
            {"dfspId": "c"},
            {"publicKey": "D"},
            7,
        ]
        manager.others["/dfsps/jwscerts"] = (200, rows)
        manager.others["/hub/jwscerts"] = (200, {"dfspId": "hub", "publicKey": "HUB"})
        with manager.client() as client:
            assert client.signing_keys() == {"a": "A", "b": "B"}
            assert client.hub_signing_key() == ("hub", "HUB")


def test_what_no_database_can_keep_is_marked(manager):
    """One such name would keep the keys of everybody else from being written down."""
    rows = [{"dfspId": "a\0b\ud800", "publicKey": "KEY\0"}]
    manager.others["/dfsps/jwscerts"] = (200, rows)
    manager.others["/hub/ca"] = (200, {"rootCertificate": "ROOT\0", "intermediateChain": ["MIDDLE\0"]})
    manager.lists["/dfsps/userdfsp/enrollments/inbound"] = [{"id": "1\0", "csr": "CSR", "state": "CSR\0"}]
    with manager.client() as client:
        assert client.signing_keys() == {"a\ufffdb\ufffd": "KEY\ufffd"}
        assert client.hub_authority() == "MIDDLE\ufffd\nROOT\ufffd"
        assert client.enroll("CSR").enrollment_id == "1\ufffd"


class TestAddresses:
    def test_each_is_published_once(self, manager):
        with manager.client() as client:
            for _turn in range(2):
                client.publish_callback_url("https://pay.example/callbacks")
                client.publish_addresses(["10.0.0.1"], ["443"], "Odoo")
            client.publish_addresses(["10.0.0.1"], ["443", "8443"], "Odoo")
        urls = manager.lists["/dfsps/userdfsp/endpoints/ingress/urls"]
        assert [row["value"] for row in urls] == [{"url": "https://pay.example/callbacks"}]
        addresses = [row["value"]["ports"] for row in manager.lists["/dfsps/userdfsp/endpoints/egress/ips"]]
        assert addresses == [["443"], ["443", "8443"]]

    def test_what_else_is_published_is_told(self, manager):
        with manager.client() as client:
            assert client.publish_callback_url("https://old.example") == []
            assert client.publish_addresses(["10.0.0.1", "10.0.0.2"], ["443"], "Odoo") == []
            assert client.publish_callback_url("https://new.example") == ["https://old.example"]
            assert client.publish_addresses(["10.0.0.2"], ["443"], "Another name") == ["10.0.0.1"]
        assert len(manager.lists["/dfsps/userdfsp/endpoints/egress/ips"]) == 2

    def test_of_the_hub(self, manager):
        manager.lists["/hub/endpoints/ingress/urls"] = [
            {"value": {"url": "https://hub.example"}},
            {"value": None},
        ]
        manager.lists["/hub/endpoints/egress/ips"] = [{"value": {"address": "10.1.1.0/24", "ports": ["443"]}}]
        with manager.client() as client:
            assert client.hub_urls() == ["https://hub.example"]
            assert client.hub_addresses() == ["10.1.1.0/24"]


def test_status(manager):
    steps = [
        {"identifier": "CSR_EXCHANGE", "status": "IN_PROGRESS"},
        {"identifier": "ENDPOINTS", "status": "COMPLETED"},
    ]
    published = {"phase": "TECHNICAL_SETUP", "steps": steps}
    of_the_service = [{"phase": "BUSINESS_SETUP", "steps": []}, published, 7, {"steps": 7}]
    for answer in (published, of_the_service):
        manager.others["/dfsps/userdfsp/status"] = (200, answer)
        with manager.client() as client:
            assert client.status() == {"CSR_EXCHANGE": "IN_PROGRESS", "ENDPOINTS": "COMPLETED"}


class TestLogin:
    def test_one_token_for_many_calls(self, manager):
        with manager.client() as client:
            client.hub_urls()
            client.hub_addresses()
        assert manager.tokens == 1

    def test_a_token_that_is_no_longer_taken_is_replaced_once(self, manager):
        with manager.client() as client:
            client.hub_urls()
            manager.valid = set()
            assert client.hub_urls() == []
            assert manager.tokens == 2

    def test_a_wrong_secret(self, manager):
        with manager.client(secret="wr0ng") as client, pytest.raises(Refused) as caught:
            client.hub_urls()
        assert caught.value.reason is Reason.LOGIN
        assert "wr0ng" not in repr(caught.value)

    def test_the_secret_is_nowhere_to_read(self, manager):
        login = ClientCredentials(token_url="https://x", client_id="userdfsp", client_secret=SECRET)
        settings = ManagerSettings(url="https://x", dfsp_id="userdfsp", login=login)
        assert (
            SECRET
            not in f"{settings!r} {settings} {settings.model_dump_json()} {login.cache_key('https://x')}"
        )


@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        ((400, {"message": "Could not parse the CSR content"}), Refused, Reason.CONFIGURATION),
        ((403, b""), Refused, Reason.LOGIN),
        ((404, b"<html>"), Refused, Reason.CONFIGURATION),
        ((429, b""), NotSent, Reason.BUSY),
        ((500, b""), OutcomeUnknown, Reason.SERVER_ERROR),
        ((302, b""), OutcomeUnknown, Reason.NOT_UNDERSTOOD),
        ((200, b"<html>"), OutcomeUnknown, Reason.NOT_UNDERSTOOD),
        ((200, 7), OutcomeUnknown, Reason.NOT_UNDERSTOOD),
    ],
)
def test_errors(manager, answer, kind, reason):
    manager.others["/dfsps/userdfsp/status"] = answer
    with manager.client() as client, pytest.raises(kind) as caught:
        client.status()
    assert caught.value.reason is reason
