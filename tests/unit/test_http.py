"""The HTTP client against real servers: what is known after an exchange that did not go well.

NotSent may be repeated without asking anybody, so it must never be said of a request that may have arrived.
"""

import json
import os
import socket
import ssl
import threading
import time

import pytest
import requests
import urllib3
from certificates import Authority
from cryptography import x509
from loopback import always, answering, message, reset, unused_port

from g2p_payment_hub.client import http as http_module
from g2p_payment_hub.client.errors import NotSent, OutcomeUnknown, Reason
from g2p_payment_hub.client.http import Answer, HttpClient, HttpLimits, tls_context

QUICK = HttpLimits(connect=1, read=0.3, total=2)
PATIENT_READS = HttpLimits(connect=5, read=5, total=0.4)


def failure(kind, url, ca_bundle="", limits=QUICK, **arguments):
    """The error of the one exchange, which must be of this kind."""
    client = HttpClient(ca_bundle, limits)
    with pytest.raises(kind) as caught:
        client.send("POST", url, **{"data": b"pay", **arguments})
    client.close()
    return caught.value


def answer(url, ca_bundle="", limits=QUICK, **arguments):
    client = HttpClient(ca_bundle, limits)
    try:
        return client.send("POST", url, **{"data": b"pay", **arguments})
    finally:
        client.close()


class TestAnswered:
    def test_status_headers_and_body_are_told(self, loopback):
        server = loopback(always(418, b"body", [("X-Thing", "one")]))
        told = answer(server.url + "/path", headers={"X-Ours": "two"})
        assert (told.status, told.headers["x-thing"], told.body) == (418, "one", b"body")
        assert server.requests[0].headers["x-ours"] == "two"
        assert (server.requests[0].method, server.requests[0].body) == ("POST", b"pay")

    def test_connection_is_used_again(self, loopback):
        server = loopback(always(200))
        client = HttpClient("", QUICK)
        for _turn in range(3):
            client.send("GET", server.url)
        assert server.connections == 1
        client.close()

    def test_answer_without_a_length_ends_with_the_connection(self, loopback):
        server = loopback(always(200, b"all of it", length=False))
        assert answer(server.url).body == b"all of it"

    def test_nothing_is_left_open(self, loopback):
        server = loopback(always(200, b"all of it", [("Connection", "close")]))
        client = HttpClient("", QUICK)
        client.send("GET", server.url)
        before = len(os.listdir("/proc/self/fd"))
        for _turn in range(5):
            client.send("GET", server.url)
        assert len(os.listdir("/proc/self/fd")) <= before + 1
        client.close()

    def test_connection_that_is_over_is_let_go(self, loopback):
        """The server sees its end at once, not when the client is closed."""
        ended = threading.Event()

        def behave(connection, server):
            server.receive(connection)
            connection.sendall(message(200, b"all of it", [("Connection", "close")]))
            if connection.recv(1) == b"":
                ended.set()

        client = HttpClient("", QUICK)
        client.send("GET", loopback(behave).url)
        assert ended.wait(2)
        client.close()

    def test_redirect_is_not_followed(self, loopback):
        elsewhere = loopback(always(200, b"stolen"))
        server = loopback(always(307, b"", [("Location", elsewhere.url)]))
        assert answer(server.url).status == 307
        assert elsewhere.connections == 0

    def test_redirect_to_nowhere_is_an_answer_too(self, loopback):
        """A client that looks into it may take the wrong address for its own: nothing was sent."""
        server = loopback(always(302, b"", [("Location", "http://[half-an-address")]))
        assert answer(server.url).status == 302

    def test_endless_body_of_a_redirect_is_cut(self, loopback, monkeypatch):
        monkeypatch.setattr(http_module, "MAX_BODY_BYTES", 100_000)
        server = loopback(_endless(302))
        assert failure(OutcomeUnknown, server.url).reason is Reason.TOO_LARGE


class TestNotSent:
    def test_connection_refused(self):
        assert failure(NotSent, f"http://127.0.0.1:{unused_port()}").reason is Reason.UNREACHABLE

    def test_unknown_host(self):
        assert failure(NotSent, "http://no-such-host.invalid").reason is Reason.NAME_NOT_FOUND

    def test_no_connection_in_time(self):
        """A listener whose queue is full answers nobody."""
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(0)
            address = listener.getsockname()
            waiting = [socket.socket() for _one in range(4)]
            for one in waiting:
                one.setblocking(False)
                one.connect_ex(address)
            error = failure(
                NotSent, f"http://127.0.0.1:{address[1]}", limits=HttpLimits(connect=0.2, read=5, total=9)
            )
            for one in waiting:
                one.close()
        assert error.reason is Reason.UNREACHABLE

    @pytest.mark.parametrize("url", ["", "hub.example", "ftp://127.0.0.1", "http://[half", "http://a:x/"])
    def test_not_an_address(self, url):
        assert failure(NotSent, url).reason is Reason.CONFIGURATION

    @pytest.mark.parametrize("value", ["two\nlines", "\u20ac uro", " blank"])
    def test_header_that_cannot_be_sent(self, loopback, value):
        server = loopback(always(200))
        error = failure(NotSent, server.url, headers={"X-API-KEY": f"{value} secret"})
        assert error.reason is Reason.CONFIGURATION
        assert server.requests == []

    def test_header_is_not_repeated_in_the_error(self):
        error = failure(NotSent, "http://127.0.0.1:1", headers={"X-API-KEY": "top\nsecret"})
        assert error.__cause__ is None and error.__suppress_context__
        assert "secret" not in f"{error} {error!r}"

    def test_handshake_that_breaks(self, loopback, authority):
        server = loopback(lambda connection, _server: connection.recv(100))
        error = failure(NotSent, server.url.replace("http:", "https:"), authority.pem)
        assert error.reason in (Reason.TLS, Reason.UNREACHABLE)

    def test_handshake_with_a_server_that_speaks_plain_http(self, loopback, authority):
        server = loopback(lambda connection, _server: connection.sendall(message(200)))
        assert failure(NotSent, server.url.replace("http:", "https:"), authority.pem).reason is Reason.TLS

    def test_handshake_that_drips_is_cut(self, loopback, authority):
        """Each byte comes in time, and the whole never."""
        server = loopback(
            lambda connection, server: server.drip(connection, b"\x16\x03\x03\x40\x00" + b"\x02" * 9999)
        )
        started = time.monotonic()
        error = failure(NotSent, server.url.replace("http:", "https:"), authority.pem, PATIENT_READS)
        assert time.monotonic() - started < 2
        assert error.reason in (Reason.TLS, Reason.UNREACHABLE)


class TestCertificates:
    def refused(self, server, ca_bundle):
        error = failure(NotSent, server.url, ca_bundle)
        assert error.reason is Reason.TLS
        assert server.requests == []

    @pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
    def test_private_authority_is_accepted(self, loopback, authority, host):
        server = loopback(always(200, b"safe"), authority.server())
        assert answer(server.url.replace("localhost", host), authority.pem).body == b"safe"

    def test_bundle_may_hold_comments_in_any_alphabet(self, loopback, authority):
        server = loopback(always(200, b"safe"), authority.server())
        assert answer(server.url, f"# F\u0151tan\u00fas\u00edtv\u00e1ny\n{authority.pem}").body == b"safe"

    def test_untrusted(self, loopback, authority):
        self.refused(loopback(always(200), Authority("Another").server()), authority.pem)

    def test_untrusted_by_the_public_authorities(self, loopback, authority):
        self.refused(loopback(always(200), authority.server()), "")

    def test_expired(self, loopback, authority):
        self.refused(loopback(always(200), authority.server(days=-1)), authority.pem)

    @pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
    def test_for_another_host(self, loopback, authority, host):
        server = loopback(always(200), authority.server(hosts=[x509.DNSName("hub.example.org")]))
        server.url = server.url.replace("localhost", host)
        self.refused(server, authority.pem)

    def test_private_authority_is_the_only_one(self, loopback, authority, monkeypatch, tmp_path):
        """Public authorities, those of OpenSSL and those of requests, are not added to it."""
        public = Authority("Public")
        bundle = tmp_path / "public.pem"
        bundle.write_text(public.pem)
        monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
        for module in (requests.adapters, requests.utils):
            monkeypatch.setattr(module, "DEFAULT_CA_BUNDLE_PATH", str(bundle), raising=False)
        server = loopback(always(200, b"safe"), public.server())
        assert answer(server.url).body == b"safe"
        self.refused(loopback(always(200), public.server()), authority.pem)

    def test_old_tls_is_refused(self, authority):
        for bundle in ("", authority.pem):
            context = tls_context(bundle)
            assert context.minimum_version == ssl.TLSVersion.TLSv1_2
            assert context.verify_mode is ssl.CERT_REQUIRED

    @pytest.mark.parametrize(
        "bundle", ["not PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]
    )
    def test_bundle_that_is_none(self, bundle):
        with pytest.raises(ValueError):
            HttpClient(bundle)


class TestEnvironment:
    """What the host knows for other programs is not for us."""

    def test_netrc(self, loopback, monkeypatch, tmp_path):
        netrc = tmp_path / "netrc"
        netrc.write_text("default login someone password something\n")
        monkeypatch.setenv("NETRC", str(netrc))
        server = loopback(always(200))
        answer(server.url)
        assert "authorization" not in server.requests[0].headers

    def test_proxy(self, loopback, monkeypatch):
        proxy = loopback(always(200, b"from the proxy"))
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        server = loopback(always(200, b"from the hub"))
        assert answer(server.url).body == b"from the hub"

    @pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
    def test_ca_bundle(self, loopback, authority, monkeypatch, tmp_path, name):
        bundle = tmp_path / "bundle.pem"
        bundle.write_text(authority.pem)
        monkeypatch.setenv(name, str(bundle))
        server = loopback(always(200), authority.server())
        assert failure(NotSent, server.url).reason is Reason.TLS


class TestUnknown:
    """The request was received; what follows tells nothing about what became of it."""

    def check(self, server, reason, **arguments):
        error = failure(OutcomeUnknown, server.url, **arguments)
        assert error.reason is reason
        assert [request.body for request in server.requests] == [b"pay"]  # and nothing was tried again

    def test_no_answer_in_time(self, loopback):
        self.check(loopback(_then(lambda _connection, server: server.over.wait(5))), Reason.TIMEOUT)

    def test_no_answer_in_time_over_tls(self, loopback, authority):
        server = loopback(_then(lambda _connection, server: server.over.wait(5)), authority.server())
        self.check(server, Reason.TIMEOUT, ca_bundle=authority.pem)

    def test_body_that_stops(self, loopback):
        def half(connection, server):
            connection.sendall(message(202, b"half")[:-2])
            server.over.wait(5)

        self.check(loopback(_then(half)), Reason.TIMEOUT)

    def test_reset(self, loopback):
        self.check(loopback(_then(lambda connection, _server: reset(connection))), Reason.CONNECTION_LOST)

    def test_closed_without_an_answer(self, loopback):
        self.check(loopback(_then(lambda connection, _server: None)), Reason.CONNECTION_LOST)

    def test_not_http(self, loopback):
        def babble(connection, _server):
            connection.sendall(b"220 mail.example.org ESMTP\r\n")

        self.check(loopback(_then(babble)), Reason.CONNECTION_LOST)

    def test_closed_before_all_was_received(self, loopback):
        """Nobody can tell how much of it was."""

        def early(connection, _server):
            connection.recv(1000)
            reset(connection)

        error = failure(OutcomeUnknown, loopback(early).url, data=b"x" * 20_000_000)
        assert error.reason is Reason.CONNECTION_LOST

    def test_reset_in_the_middle_of_the_body(self, loopback):
        def broken(connection, _server):
            connection.sendall(message(202, b"x" * 1000)[:-1])
            reset(connection)

        self.check(loopback(_then(broken)), Reason.CONNECTION_LOST)

    @pytest.mark.parametrize("missing", [1, 900, 1000])
    def test_body_shorter_than_announced(self, loopback, missing):
        def short(connection, _server):
            connection.sendall(message(202, b"x" * 1000)[:-missing])

        self.check(loopback(_then(short)), Reason.CONNECTION_LOST)

    def test_body_shorter_than_announced_for_a_lenient_library(self, loopback, monkeypatch):
        """urllib3 1 takes the end of the connection for the end of the body."""

        class Lenient(urllib3.response.HTTPResponse):
            def __init__(self, *args, **kwargs):
                super().__init__(*args, **{**kwargs, "enforce_content_length": False})

        monkeypatch.setattr(urllib3.response, "HTTPResponse", Lenient)

        def short(connection, _server):
            connection.sendall(message(202, b"x" * 1000)[:-1])

        self.check(loopback(_then(short)), Reason.CONNECTION_LOST)

    @pytest.mark.parametrize("end", [b"", b"3\r\nha", b"3\r\nhal\r\n", b"nonsense\r\n"])
    def test_chunked_body_without_an_end(self, loopback, end):
        def unfinished(connection, _server):
            head = message(202, b"", [("Transfer-Encoding", "chunked")], length=False)
            connection.sendall(head + b"4\r\nhalf\r\n" + end)

        self.check(loopback(_then(unfinished)), Reason.CONNECTION_LOST)

    def test_slow_drip_of_the_head_is_cut(self, loopback):
        self.cut(
            loopback(
                _then(lambda connection, server: server.drip(connection, b"HTTP/1.1 202 OK\r\nX: y" * 99))
            )
        )

    def test_slow_drip_of_the_head_is_cut_over_tls(self, loopback, authority):
        behave = _then(lambda connection, server: server.drip(connection, b"HTTP/1.1 202 OK\r\nX: y" * 99))
        self.cut(loopback(behave, authority.server()), authority.pem)

    @pytest.mark.parametrize("secure", [False, True])
    @pytest.mark.parametrize("headers", ["Content-Length: 5000\r\n", "Connection: close\r\n", ""])
    def test_slow_drip_of_the_body_is_cut(self, loopback, authority, headers, secure):
        def dripping(connection, server):
            connection.sendall(f"HTTP/1.1 202 OK\r\n{headers}\r\n".encode())
            server.drip(connection, b"{}")

        self.cut(loopback(_then(dripping), authority.server() if secure else None), authority.pem)

    def cut(self, server, ca_bundle=""):
        started = time.monotonic()
        error = failure(OutcomeUnknown, server.url, ca_bundle, PATIENT_READS)
        assert time.monotonic() - started < 2
        assert error.reason is Reason.TIMEOUT
        assert len(server.requests) == 1

    def test_a_body_that_is_cut_is_not_half_an_answer(self, loopback):
        """It came without a length, so that its end looks like any other."""

        def almost(connection, server):
            connection.sendall(message(202, b"{}", length=False))
            server.over.wait(5)

        error = failure(OutcomeUnknown, loopback(_then(almost)).url, limits=PATIENT_READS)
        assert error.reason is Reason.TIMEOUT

    def test_endless_chunked_body_is_cut(self, loopback, monkeypatch):
        monkeypatch.setattr(http_module, "MAX_BODY_BYTES", 1_000_000)
        self.check(loopback(_endless(202)), Reason.TOO_LARGE)

    def test_body_that_is_too_large(self, loopback, monkeypatch):
        monkeypatch.setattr(http_module, "MAX_BODY_BYTES", 1000)
        assert len(answer(loopback(always(202, b"x" * 1000)).url).body) == 1000
        self.check(loopback(always(202, b"x" * 1001)), Reason.TOO_LARGE)

    def test_compressed_body_is_not_unpacked(self, loopback):
        server = loopback(always(202, b"\x1f\x8b", [("Content-Encoding", "gzip")]))
        self.check(server, Reason.NOT_UNDERSTOOD)
        assert server.requests[0].headers.get("accept-encoding") == "identity"

    def test_the_next_exchange_is_judged_by_itself(self, loopback):
        server = loopback(always(200))
        client = HttpClient("", QUICK)
        client.send("POST", server.url, data=b"pay")
        with pytest.raises(NotSent):
            client.send("POST", f"http://127.0.0.1:{unused_port()}", data=b"pay")
        broken = loopback(_then(lambda connection, _server: reset(connection)))
        with pytest.raises(OutcomeUnknown):
            client.send("POST", broken.url, data=b"pay")
        assert client.send("POST", server.url, data=b"pay").status == 200
        client.close()

    def test_a_connection_that_the_server_has_left_since(self, loopback):
        """It is used again in good faith; whether the server still read the second request, nobody knows."""

        def once(connection, server):
            server.receive(connection)
            connection.sendall(message(200))
            server.receive(connection)
            reset(connection)

        server = loopback(once)
        client = HttpClient("", QUICK)
        client.send("POST", server.url, data=b"first")
        with pytest.raises(OutcomeUnknown):
            client.send("POST", server.url, data=b"second")
        assert [request.body for request in server.requests] == [b"first", b"second"]
        client.close()


class TestJson:
    def parsed(self, text):
        return Answer(200, {}, text if isinstance(text, bytes) else text.encode()).json()

    def test_amounts_are_never_floats(self):
        text = '{"a": 10.1, "b": 1E2, "c": 7}'
        assert self.parsed(text) == {"a": "10.1", "b": "1E2", "c": 7}

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "<html>Service Unavailable</html>",
            '{"half": ',
            '{"amount": NaN}',
            '{"amount": -Infinity}',
            '{"status": "FAILED", "status": "COMPLETED"}',
            '{"rows": [{"a": 1, "a": 1}]}',
            '{"a": 1} {"a": 1}',
            "[" * 100_000,
            b"\xff\xfe\xff",
        ],
    )
    def test_anything_else_is_not_understood(self, text):
        with pytest.raises(OutcomeUnknown) as caught:
            self.parsed(text)
        assert caught.value.reason is Reason.NOT_UNDERSTOOD

    def test_content_type_does_not_matter(self, loopback):
        server = loopback(always(200, {"a": 1}, [("Content-Type", "text/plain")]))
        assert answer(server.url).json() == json.loads('{"a": 1}')


def test_one_exchange_at_a_time(loopback):
    """Or the failure of one could be told of the other."""
    server = loopback(answering(lambda request: (200, request.body)))
    client = HttpClient("", HttpLimits(connect=5, read=5, total=5))
    problems = []

    def work(number):
        for _turn in range(20):
            if client.send("POST", server.url, data=str(number).encode()).body != str(number).encode():
                problems.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == [] and len(server.requests) == 80
    assert server.connections == 1
    client.close()


def _then(behave):
    """Behaviour: receives one request, then does this."""

    def all_of_it(connection, server):
        server.receive(connection)
        behave(connection, server)

    return all_of_it


def _endless(status):
    def behave(connection, server):
        connection.sendall(message(status, b"", [("Transfer-Encoding", "chunked")], length=False))
        while not server.over.is_set():
            connection.sendall(b"1000\r\n" + b" " * 4096 + b"\r\n")

    return _then(behave)
