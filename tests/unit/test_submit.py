"""One upload: what leaves, and whom we believe when something comes back."""

import pytest
from certificates import self_signed
from known_answer import KEY
from loopback import always, message, reset, unused_port
from payment_hub_ee import multipart
from payment_hub_ee import signature as hub_signature
from scripted_hub import BATCH, settings_for

from g2p_payment_hub.client import signature
from g2p_payment_hub.client.errors import GatewayError, NotSent, OutcomeUnknown, Reason, Refused
from g2p_payment_hub.client.payment_hub import PaymentHub

ACCEPTED = b'{"PollingPath":"/batch/Summary/batch-1","SuggestedCallbackSeconds":"120"}'
FILE_ERROR = b'{"Error Information: ":"File too big"}'
SIGNATURE_ERROR = b'{"errorCode":"InvalidPublicKeyConfigured"}'
OUR_KEY = signature.load_private_key(KEY)
CERTIFICATE = self_signed(OUR_KEY)


def submit(url, batch=BATCH, **settings):
    with PaymentHub(settings_for(url, **settings)) as hub:
        return hub.submit(batch)


def error(url, batch=BATCH, **settings):
    with pytest.raises(GatewayError) as caught:
        submit(url, batch, **settings)
    return type(caught.value), caught.value.reason


def signed(body):
    return [("X-SIGNATURE", signature.sign(body.decode(), OUR_KEY))]


class TestWhatLeaves:
    def test_file(self, loopback):
        server = loopback(always(202, ACCEPTED))
        batch = BATCH.model_copy(update={"callback_url": "https://odoo.example/news/token"})
        receipt = submit(
            server.url + "/", batch, purpose="May", institution="SocialWelfare", program="Education"
        )
        assert (receipt.reference, receipt.poll_after) == ("batch-1", 120)
        (request,) = server.requests
        assert (request.method, request.target) == ("POST", "/batchtransactions")
        headers = {
            "platform-tenantid": "gorilla",
            "x-correlationid": "correlation-1",
            "purpose": "May",
            "type": "csv",
            "filename": "B1-abc.csv",
            "x-registering-institution-id": "SocialWelfare",
            "x-program-id": "Education",
            "x-callbackurl": "https://odoo.example/news/token",
        }
        assert headers.items() <= request.headers.items()

    def test_the_hub_reads_the_very_text_and_takes_the_signature(self, loopback):
        server = loopback(always(202, ACCEPTED))
        submit(server.url)
        headers = server.requests[0].headers
        boundary = multipart.boundary_of(headers["content-type"])
        assert '"' not in boundary
        assert multipart.first_part(server.requests[0].body, boundary) == BATCH.content
        hub_signature.verify(
            OUR_KEY.public_key().public_numbers(),
            headers["x-signature"],
            f"correlation-1:gorilla:{BATCH.content}",
        )

    def test_json(self, loopback):
        server = loopback(always(202, ACCEPTED))
        submit(server.url, BATCH.model_copy(update={"content": '[{"a":"b"}]'}), raw_json=True)
        (request,) = server.requests
        assert (request.body, request.headers["type"]) == (b'[{"a":"b"}]', "raw")
        assert request.headers["content-type"] == "application/json"
        data = 'correlation-1:gorilla:[{"a":"b"}]'
        hub_signature.verify(OUR_KEY.public_key().public_numbers(), request.headers["x-signature"], data)

    def test_nothing_optional_is_sent_empty(self, loopback):
        """An empty header is signed by the hub, and an empty callback URL is called."""
        server = loopback(always(202, ACCEPTED))
        submit(server.url)
        for name in ("x-registering-institution-id", "x-program-id", "x-callbackurl", "x-batchid"):
            assert name not in server.requests[0].headers

    def test_extra_headers_add_but_never_replace(self, loopback):
        server = loopback(always(202, ACCEPTED))
        extra = {"X-API-KEY": "key", "x-signature": "theirs", "type": "raw", "FileName": "theirs.csv"}
        submit(server.url, extra_headers=extra)
        headers = server.requests[0].headers
        assert (headers["x-api-key"], headers["type"], headers["filename"]) == ("key", "csv", "B1-abc.csv")
        assert headers["x-signature"] != "theirs"

    @pytest.mark.parametrize(
        "changes",
        [
            {"content": ""},
            {"content": "id\n0\n"},
            {"content": "id\r\n0"},
            {"content": "id\n\n0"},
            {"content": "id\n0 "},
            {"content": "id\n\u00e9"},
            {"content": "id\n0,g2p-payment-batch-boundary"},
            {"filename": ""},
            {"filename": "B1"},
            {"filename": "B1.CSV"},
            {"filename": "2026/B1.csv"},
            {"filename": 'B"1.csv'},
            {"filename": "B1\r\nX-Program-ID: x.csv"},
        ],
    )
    def test_what_would_not_arrive_as_it_is_does_not_leave(self, loopback, changes):
        server = loopback(always(202, ACCEPTED))
        assert error(server.url, BATCH.model_copy(update=changes)) == (Refused, Reason.FILE)
        assert server.connections == 0

    @pytest.mark.parametrize("changes", [{"correlation_id": "a\nb"}, {"correlation_id": "\u20ac"}])
    def test_what_no_header_can_carry_does_not_leave(self, loopback, changes):
        server = loopback(always(202, ACCEPTED))
        assert error(server.url, BATCH.model_copy(update=changes)) == (NotSent, Reason.CONFIGURATION)
        assert server.requests == []


class TestWhatComesBack:
    def test_nobody_there(self):
        assert error(f"http://127.0.0.1:{unused_port()}") == (NotSent, Reason.UNREACHABLE)

    def test_sent_once_whatever_happens(self, loopback):
        def broken(connection, server):
            server.receive(connection)
            reset(connection)

        server = loopback(broken)
        assert error(server.url) == (OutcomeUnknown, Reason.CONNECTION_LOST)
        assert server.connections == 1

    def test_half_a_receipt(self, loopback):
        def half(connection, server):
            server.receive(connection)
            connection.sendall(message(202, ACCEPTED)[:-1])

        assert error(loopback(half).url) == (OutcomeUnknown, Reason.CONNECTION_LOST)

    @pytest.mark.parametrize(
        ("status", "body", "told"),
        [
            (202, b"<html>", (OutcomeUnknown, Reason.NOT_UNDERSTOOD)),
            (200, b"", (OutcomeUnknown, Reason.NOT_UNDERSTOOD)),
            (400, FILE_ERROR, (Refused, Reason.FILE)),
            (400, SIGNATURE_ERROR, (Refused, Reason.SIGNATURE)),
            (412, b'{"responseCode":"01"}', (OutcomeUnknown, Reason.TENANT)),
            (500, b"", (OutcomeUnknown, Reason.SERVER_ERROR)),
            (429, b"", (NotSent, Reason.BUSY)),
        ],
    )
    def test_table(self, loopback, status, body, told):
        assert error(loopback(always(status, body)).url) == told


class TestSignedAnswers:
    """With the hub's certificate configured, an acceptance and a refusal count with its signature only."""

    def test_genuine(self, loopback):
        server = loopback(always(202, ACCEPTED, signed(ACCEPTED)))
        assert submit(server.url, hub_certificate=CERTIFICATE).reference == "batch-1"
        refusal = loopback(always(400, FILE_ERROR, signed(FILE_ERROR)))
        assert error(refusal.url, hub_certificate=CERTIFICATE) == (Refused, Reason.FILE)

    @pytest.mark.parametrize(
        "headers",
        [
            [],
            [("X-SIGNATURE", "")],
            [("X-SIGNATURE", "no base64")],
            signed(ACCEPTED + b" "),
            signed(ACCEPTED) * 2,
        ],
    )
    @pytest.mark.parametrize(("status", "body"), [(202, ACCEPTED), (400, FILE_ERROR), (400, b"<html>")])
    def test_forged(self, loopback, status, body, headers):
        server = loopback(always(status, body, headers))
        assert error(server.url, hub_certificate=CERTIFICATE) == (OutcomeUnknown, Reason.FORGED)

    def test_whose_signature_we_refuse_is_said_nonetheless(self, loopback):
        """The hub signs this one with its default key, which is not always the tenant's."""
        server = loopback(always(400, SIGNATURE_ERROR))
        assert error(server.url, hub_certificate=CERTIFICATE) == (Refused, Reason.SIGNATURE)

    def test_not_checked_without_a_certificate(self, loopback):
        assert submit(loopback(always(202, ACCEPTED)).url).reference == "batch-1"
