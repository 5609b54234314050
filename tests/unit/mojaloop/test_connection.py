"""What stands between us and a connector: mutual TLS, tokens, keys in headers; and the test of all that."""

import os

import pytest
from certificates import Authority
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
from loopback import answering, message
from scripted_connector import failed, settings_for

from odoo.addons.g2p_mojaloop_connector.client.connector import Connector
from odoo.addons.g2p_mojaloop_connector.client.login import ClientCredentials
from odoo.addons.g2p_mojaloop_connector.client.parties import Party
from odoo.addons.g2p_mojaloop_connector.client.settings import limits_for
from odoo.addons.g2p_payment_hub.client.auth import TokenCache
from odoo.addons.g2p_payment_hub.client.errors import NotSent, OutcomeUnknown, Reason, Refused
from odoo.addons.g2p_payment_hub.client.http import HttpClient, HttpLimits, Identity

CLIENTS = Authority("Clients")
LIMITS = HttpLimits(connect=2, read=2, total=5)


class TestMutualTls:
    @pytest.fixture
    def server(self, loopback, authority):
        return loopback(answering(lambda _request: (200, b"")), authority.server(clients=CLIENTS))

    def test_our_certificate_is_shown(self, server, authority):
        certificate, key = CLIENTS.pair("userdfsp")
        settings = settings_for(
            server.url, ca_bundle=authority.pem, client_certificate=certificate, client_key=key
        )
        with Connector(settings, TokenCache()) as connector:
            (check, *_others) = connector.check_connection()
        assert check.ok

    @pytest.mark.parametrize("shown", [None, Authority("Strangers").pair("userdfsp")])
    def test_without_the_right_one_nothing_is_learnt(self, server, authority, shown):
        """TLS 1.3 refuses a client only after its first words."""
        identity = shown and Identity(certificate=shown[0], key=shown[1])
        client = HttpClient(authority.pem, LIMITS, identity)
        with pytest.raises((NotSent, OutcomeUnknown)):
            client.send("GET", server.url)
        client.close()
        assert not server.requests

    @pytest.mark.parametrize(
        ("certificate", "key"),
        [
            (CLIENTS.pair("a")[0], CLIENTS.pair("b")[1]),
            ("nothing", "secret words"),
            CLIENTS.pair("a", lock=BestAvailableEncryption(b"secret words")),
        ],
    )
    def test_what_is_no_pair_is_said_at_once_and_without_the_key(self, certificate, key):
        identity = Identity(certificate=certificate, key=key)
        with pytest.raises(ValueError, match="not a pair") as caught:
            HttpClient(CLIENTS.pem, LIMITS, identity)
        assert "secret words" not in repr(caught.value) + repr(identity)

    def test_no_file_is_left(self, authority):
        certificate, key = CLIENTS.pair("userdfsp")
        before = len(os.listdir("/proc/self/fd"))
        HttpClient(authority.pem, LIMITS, Identity(certificate=certificate, key=key)).close()
        assert len(os.listdir("/proc/self/fd")) == before

    def test_one_needs_the_other(self):
        with pytest.raises(ValueError, match="needs its key"):
            settings_for("https://x", client_certificate=CLIENTS.pair("a")[0])


class TestTokens:
    def test_a_token_that_is_no_longer_taken_is_replaced_and_nothing_is_paid_twice(self, loopback, scripted):
        given = []

        def token(_request):
            given.append(f"token-{len(given) + 1}")
            return 200, {"access_token": given[-1], "expires_in": 300}

        tokens = loopback(answering(token))
        peer = scripted()
        answer = peer._answer
        peer.server._behave = answering(
            lambda request: (
                answer(request)
                if request.headers.get("authorization") == f"Bearer {given[-1]}"
                else (401, b"")
            )
        )
        login = ClientCredentials(token_url=tokens.url, client_id="a", client_secret="s3cret", scope="pay")
        with peer.connector(login=login) as connector:
            connector.lookup("MSISDN", "27713803912")
            connector.lookup("MSISDN", "27713803912")
            assert len(given) == 1
            given.append("another")
            connector.lookup("MSISDN", "27713803912")
        assert tokens.requests[0].form == {"grant_type": "client_credentials", "scope": "pay"}

    def test_turned_away_for_good(self, loopback, scripted):
        tokens = loopback(answering(lambda _request: (200, {"access_token": "t", "expires_in": 300})))
        peer = scripted(party=(401, b""))
        login = ClientCredentials(token_url=tokens.url, client_id="a", client_secret="s3cret")
        with peer.connector(login=login) as connector, pytest.raises(Refused) as caught:
            connector.lookup("MSISDN", "27713803912")
        assert caught.value.reason is Reason.LOGIN
        assert len(peer.server.requests) == 2

    def test_secrets_are_nowhere_to_read(self):
        login = ClientCredentials(token_url="https://x", client_id="a", client_secret="s3cret-one")
        settings = settings_for(
            "https://x",
            login=login,
            extra_headers={"X-Key": "s3cret-two"},
            client_key="s3cret-three",
            client_certificate="x",
        )
        assert "s3cret" not in f"{settings!r} {settings} {settings.model_dump_json()}"
        with pytest.raises(ValueError) as caught:
            settings_for(
                "https://x", extra_headers={"X-Key": ["s3cret-two"]}, client_key={"a": "s3cret-three"}
            )
        assert "s3cret" not in str(caught.value)

    def test_keys_in_headers(self, scripted):
        peer = scripted()
        with peer.connector(extra_headers={"X-Api-Key": "s3cret"}) as connector:
            connector.lookup("MSISDN", "27713803912")
        assert peer.server.requests[0].headers["x-api-key"] == "s3cret"


class TestCheck:
    def checks(self, peer, **settings):
        with peer.connector(**settings) as connector:
            return {
                check.name: (check.ok, check.reason, check.detail) for check in connector.check_connection()
            }

    def test_works(self, scripted):
        peer = scripted()
        assert self.checks(peer) == {
            "connector": (True, None, ""),
            "hub": (True, None, "payeefsp"),
            "transfers": (True, None, ""),
        }
        assert not peer.bodies("/")

    def test_the_payer_need_not_be_known(self, scripted):
        """Many schemes list payees only; that the hub said so is enough."""
        empty = 200, {"party": {"body": {}}, "currentState": "COMPLETED"}
        assert self.checks(scripted(party=empty))["hub"][0]
        assert self.checks(scripted(party=failed("3204")))["hub"][0]

    def test_the_hub_cannot_be_reached(self, scripted):
        """The connector itself goes on saying that it is well."""
        found = self.checks(scripted(party=(500, {"message": "Timeout", "statusCode": "500"})))
        assert found["connector"][0]
        assert found["hub"] == (False, Reason.TIMEOUT, "HTTP 500 Timeout")

    def test_the_hub_says_no(self, scripted):
        found = self.checks(scripted(party=failed("3105")))
        assert found["hub"] == (False, None, "3105 no")

    def test_the_payer_is_no_party(self, scripted):
        found = self.checks(scripted(), payer=Party(id_type="MSISDN", id_value="+27 1"))
        assert found["hub"] == (False, Reason.CONFIGURATION, "not an identifier: payee_characters")

    @pytest.mark.parametrize("home", [(404, b""), (403, b""), (500, b""), (200, b"")])
    def test_the_address(self, scripted, home):
        assert self.checks(scripted(home=home))["connector"][0] == (home[0] == 200)

    def test_clocks(self, scripted):
        """By the hub's clock a transfer expires; ours says until when."""
        late = message(200, b"", [("Date", "Thu, 01 Jan 2026 00:00:00 GMT")])
        assert self.checks(scripted(home=late))["connector"][:2] == (False, Reason.CLOCK)


@pytest.mark.parametrize("two_phase", [False, True])
def test_the_usual_limits_fit(two_phase):
    settings_for("https://x", step_timeout=30, limits=limits_for(30, two_phase), two_phase=two_phase)
