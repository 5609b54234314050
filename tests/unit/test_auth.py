"""Tokens of the operations app: asked for as seldom as possible, and never shown to anybody."""

import threading
import time
import traceback

import pytest
from loopback import always, answering

from g2p_payment_hub.client.auth import Credentials, Token, TokenCache
from g2p_payment_hub.client.errors import GatewayError, NotSent, OutcomeUnknown, Reason, Refused
from g2p_payment_hub.client.http import HttpClient, HttpLimits

PASSWORD = "pass word&=\u00e9"
LIFETIME = 600


class Issuer:
    """Behaviour of an operations app that gives out tokens; `log` has the forms that it was sent."""

    def __init__(self, lifetime=LIFETIME, refresh=True, delay=0):
        self.lifetime, self.refresh, self.delay = lifetime, refresh, delay
        self.log = []

    def __call__(self, request):
        time.sleep(self.delay)
        self.log.append(request.form)
        number = len(self.log)
        if request.form["grant_type"] == "refresh_token" and not self.refresh:
            return 400, {"error": "Invalid refresh token"}
        token = {"access_token": f"access-{number}", "refresh_token": f"refresh-{number}"}
        return 200, {**token, "token_type": "bearer", "expires_in": self.lifetime}

    @property
    def grants(self):
        return [form["grant_type"] for form in self.log]


@pytest.fixture
def http():
    client = HttpClient("", HttpLimits(connect=2, read=2, total=5))
    yield client
    client.close()


class Clock:
    now = 1_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def cache(clock):
    return TokenCache(clock)


def credentials(**changes):
    return Credentials(**{"tenant": "gorilla", "username": "mifos", "password": PASSWORD, **changes})


class TestAsking:
    def test_password_grant(self, loopback, http, cache):
        issuer = Issuer()
        server = loopback(answering(issuer))
        assert cache.get(http, server.url + "/", credentials(), {"X-API-KEY": "key"}) == "access-1"
        request = server.requests[0]
        assert request.method == "POST" and request.target == "/oauth/token"  # nothing in the query
        assert request.form == {"grant_type": "password", "username": "mifos", "password": PASSWORD}
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        assert request.headers["platform-tenantid"] == "gorilla"
        assert request.headers["authorization"] == "Basic Y2xpZW50Og=="  # client, with an empty secret
        assert request.headers["x-api-key"] == "key"

    def test_client_pair(self, loopback, http, cache):
        server = loopback(answering(Issuer()))
        cache.get(http, server.url, credentials(client_id="a", client_secret="b"))
        assert server.requests[0].headers["authorization"] == "Basic YTpi"

    def test_cached(self, loopback, http, cache, clock):
        issuer = Issuer()
        url = loopback(answering(issuer)).url
        for clock.now in (0, 100, LIFETIME - 61):
            assert cache.get(http, url, credentials()) == "access-1"
        assert issuer.grants == ["password"]

    def test_one_for_each_tenant_user_and_address(self, loopback, http, cache):
        issuer = Issuer()
        url, other_url = loopback(answering(issuer)).url, loopback(answering(issuer)).url
        combinations = [
            (url, credentials()),
            (url, credentials(tenant="rhino")),
            (url, credentials(username="other")),
            (url, credentials(password="other")),
            (url, credentials(client_secret="other")),
            (other_url, credentials()),
        ]
        tokens = {cache.get(http, *one) for _turn in range(2) for one in combinations}
        assert len(tokens) == len(issuer.log) == 6


class TestRenewing:
    def test_before_expiry_with_the_refresh_grant(self, loopback, http, cache, clock):
        issuer = Issuer()
        url = loopback(answering(issuer)).url
        cache.get(http, url, credentials())
        clock.now += LIFETIME - 60
        assert cache.get(http, url, credentials()) == "access-2"
        assert issuer.log[1] == {"grant_type": "refresh_token", "refresh_token": "refresh-1"}
        clock.now += LIFETIME - 60
        cache.get(http, url, credentials())
        assert issuer.log[2]["refresh_token"] == "refresh-2"

    def test_tokens_that_live_shorter_than_the_margin(self, loopback, http, cache, clock):
        issuer = Issuer(lifetime=20)
        url = loopback(answering(issuer)).url
        for clock.now in (0, 5, 9):
            cache.get(http, url, credentials())
        assert len(issuer.log) == 1
        clock.now = 11
        assert cache.get(http, url, credentials()) == "access-2"

    def test_refresh_refused(self, loopback, http, cache, clock):
        issuer = Issuer(refresh=False)
        url = loopback(answering(issuer)).url
        cache.get(http, url, credentials())
        clock.now += LIFETIME
        assert cache.get(http, url, credentials()) == "access-3"
        assert issuer.grants == ["password", "refresh_token", "password"]

    def test_hub_without_refresh_tokens(self, loopback, http, cache, clock):
        said = {"access_token": "a", "expires_in": "600"}
        server = loopback(always(200, said))
        cache.get(http, server.url, credentials())
        clock.now += LIFETIME
        cache.get(http, server.url, credentials())
        assert [request.form["grant_type"] for request in server.requests] == ["password", "password"]

    def test_after_it_was_rejected(self, loopback, http, cache):
        issuer = Issuer()
        url = loopback(answering(issuer)).url
        rejected = cache.get(http, url, credentials())
        cache.forget(url, credentials(), rejected)
        assert cache.get(http, url, credentials()) == "access-2"
        cache.forget(url, credentials(), rejected)  # by a thread that was told so later
        assert cache.get(http, url, credentials()) == "access-2"
        assert issuer.grants == ["password", "refresh_token"]

    def test_a_failure_leaves_nothing_behind(self, loopback, http, cache):
        issuer = Issuer()
        said = [lambda _request: (503, b""), issuer]
        url = loopback(answering(lambda request: said.pop(0)(request))).url
        with pytest.raises(OutcomeUnknown):
            cache.get(http, url, credentials())
        assert cache.get(http, url, credentials()) == "access-1"


class TestThreads:
    def test_one_login_for_many(self, loopback, cache):
        issuer = Issuer(delay=0.2)
        url = loopback(answering(issuer)).url
        clients = [HttpClient() for _one in range(6)]
        together = threading.Barrier(len(clients))
        tokens = []

        def work(client):
            together.wait()
            tokens.append(cache.get(client, url, credentials()))
            client.close()

        _run([threading.Thread(target=work, args=(client,)) for client in clients])
        assert tokens == ["access-1"] * 6
        assert len(issuer.log) == 1

    def test_a_hub_that_hangs_does_not_hold_up_another(self, loopback, cache):
        slow = loopback(lambda _connection, server: server.over.wait(5))
        quick = loopback(answering(Issuer()))
        impatient = HttpLimits(connect=1, read=1, total=1)

        def hang():
            with pytest.raises(OutcomeUnknown):
                cache.get(HttpClient("", impatient), slow.url, credentials())

        thread = threading.Thread(target=hang)
        thread.start()
        while not slow.connections:
            time.sleep(0.01)
        client = HttpClient()
        started = time.monotonic()
        assert cache.get(client, quick.url, credentials()) == "access-1"
        assert time.monotonic() - started < 0.5
        client.close()
        thread.join()


class TestErrors:
    INVALID = {"timestamp": 1, "status": "401", "error": "Unauthorized", "message": "Invalid credentials"}

    @pytest.mark.parametrize(
        ("status", "body", "kind", "reason"),
        [
            (401, INVALID, Refused, Reason.LOGIN),
            (401, b"<html>Unauthorized</html>", Refused, Reason.LOGIN),
            (400, {"error": "Missing grant type"}, Refused, Reason.LOGIN),
            (403, b"", Refused, Reason.LOGIN),
            (500, b"", Refused, Reason.TENANT),
            (500, b"<html>", OutcomeUnknown, Reason.SERVER_ERROR),
            (502, b"", OutcomeUnknown, Reason.SERVER_ERROR),
            (404, b"", OutcomeUnknown, Reason.SERVER_ERROR),
            (302, b"", OutcomeUnknown, Reason.SERVER_ERROR),
            (429, b"", NotSent, Reason.BUSY),
            (200, b"<html>", OutcomeUnknown, Reason.NOT_UNDERSTOOD),
            (200, {}, OutcomeUnknown, Reason.NOT_UNDERSTOOD),
            (200, [], OutcomeUnknown, Reason.NOT_UNDERSTOOD),
            (200, {"access_token": "a"}, OutcomeUnknown, Reason.NOT_UNDERSTOOD),
            (200, {"access_token": None, "expires_in": 600}, OutcomeUnknown, Reason.NOT_UNDERSTOOD),
            (200, {"access_token": "a", "expires_in": "soon"}, OutcomeUnknown, Reason.NOT_UNDERSTOOD),
            (200, {"access_token": "a", "expires_in": 10**400}, OutcomeUnknown, Reason.NOT_UNDERSTOOD),
        ],
    )
    def test_each(self, loopback, http, cache, status, body, kind, reason):
        url = loopback(always(status, body)).url
        with pytest.raises(GatewayError) as caught:
            cache.get(http, url, credentials())
        assert (type(caught.value), caught.value.reason) == (kind, reason)

    def test_token_that_no_header_can_carry(self, loopback, cache):
        """What the hub gives out is not to be trusted either."""
        from scripted_hub import scripted

        issuer = {"/oauth/token": (200, {"access_token": "two\nlines", "expires_in": 600})}
        one = scripted(loopback, issuer, credentials={"username": "mifos", "password": PASSWORD})
        with pytest.raises(NotSent):
            list(one.hub.outcomes("batch-1", ["ref-1"]))


class TestTokensThatAreNotAccepted:
    """The log-in works, and what comes of it does not: nobody has to look for another password."""

    CREDENTIALS = {"username": "mifos", "password": PASSWORD}

    def _hub(self, loopback, accepted_after, body):
        from scripted_hub import page, scripted

        given = []

        def issue(_request):
            given.append(f"token-{len(given)}")
            return 200, {"access_token": given[-1], "refresh_token": "again", "expires_in": 600}

        def rows(request):
            return page() if request.headers["authorization"] == f"Bearer token-{accepted_after}" else body

        answers = {"/oauth/token": issue, "/batch/detail": rows}
        return scripted(loopback, answers, credentials=self.CREDENTIALS), given

    EXPIRED = (401, {"error": "invalid_token", "error_description": "Access token expired"})

    def test_two_expired_in_a_row_are_nobodys_concern(self, loopback):
        one, given = self._hub(loopback, 2, self.EXPIRED)
        assert list(one.hub.outcomes("batch-1", ["ref-1"])) == []
        assert len(given) == 3

    def test_three_expired_in_a_row_are_not_a_wrong_password(self, loopback):
        one, given = self._hub(loopback, 99, self.EXPIRED)
        with pytest.raises(OutcomeUnknown) as caught:
            list(one.hub.outcomes("batch-1", ["ref-1"]))
        assert (caught.value.reason, len(given)) == (Reason.TOKEN, 3)
        assert "token-" not in str(caught.value)

    def test_a_user_without_the_right_is(self, loopback):
        one, given = self._hub(loopback, 99, (403, {"error": "access_denied"}))
        with pytest.raises(Refused) as caught:
            list(one.hub.outcomes("batch-1", ["ref-1"]))
        assert (caught.value.reason, len(given)) == (Reason.LOGIN, 1)


class TestSecrets:
    SECRETS = ("pass word", "s3cret", "top-access", "top-refresh")

    def test_not_in_representations(self):
        token = Token(access="top-access", refresh="top-refresh", renew_at=0)
        ours = credentials(client_secret="s3cret")
        for text in map(
            str, (ours, repr(ours), token, repr(token), ours.cache_key("https://hub"), ours.model_dump())
        ):
            assert not any(secret in text for secret in self.SECRETS)

    @pytest.mark.parametrize(
        "said",
        [
            (401, {"error": "pass word s3cret", "message": "pass word"}),
            (200, {"access_token": {"top-access": 1}, "refresh_token": "top-refresh", "expires_in": 600}),
            (200, {"access_token": "top-access", "refresh_token": ["top-refresh"], "expires_in": 600}),
            (200, b'{"access_token": "top-access", "expires_in"'),
            (500, b"pass word"),
        ],
    )
    def test_not_in_errors(self, loopback, http, cache, said):
        url = loopback(always(*said)).url
        with pytest.raises(GatewayError) as caught:
            cache.get(http, url, credentials(client_secret="s3cret"))
        error = caught.value
        lines = traceback.format_exception(type(error), error, None)
        whole = " ".join([str(error), repr(error), error.detail, *lines])
        assert not any(secret in whole for secret in self.SECRETS)

    def test_not_in_the_error_of_a_host_that_is_not_there(self, http, cache):
        with pytest.raises(NotSent) as caught:
            cache.get(http, "http://127.0.0.1:1", credentials(client_secret=self.SECRETS[1]))
        error = caught.value
        whole = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        assert not any(secret in whole for secret in self.SECRETS)


def _run(threads):
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
