"""One request, one answer, and certainty about which of the two did not happen.

TLS is always verified, redirects are never followed, nothing is retried, credentials of the host
(`.netrc`, proxies, `REQUESTS_CA_BUNDLE`) are not picked up, and neither a huge, a never-ending nor a
dripping answer keeps a worker: the whole exchange has a deadline and a size.
"""

import contextlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

import requests
from pydantic import BaseModel, ConfigDict, Field
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

from .errors import NotSent, OutcomeUnknown, Reason

MAX_BODY_BYTES = 32 * 1024 * 1024
_CHUNK = 64 * 1024


class HttpLimits(BaseModel):
    """Seconds: to connect, between two bytes, and for the exchange as a whole."""

    model_config = ConfigDict(frozen=True)

    connect: float = Field(default=10, gt=0)
    read: float = Field(default=60, gt=0)
    total: float = Field(default=180, gt=0)


class Answer:
    """A complete answer: `status`, `headers` (case-insensitive) and the whole `body`."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes):
        self.status = status
        self.headers = headers
        self.body = body

    def json(self) -> Any:
        """The body as JSON; a number with a point stays text, so that no amount ever is a float.

        OutcomeUnknown(NOT_UNDERSTOOD) on anything else, repeated members and NaN included.
        """
        try:
            return json.loads(
                self.body,
                object_pairs_hook=_no_repeated_members,
                parse_constant=_no_constant,
                parse_float=str,
            )
        except (ValueError, RecursionError) as error:
            raise OutcomeUnknown(Reason.NOT_UNDERSTOOD, f"HTTP {self.status}, not JSON") from error


def _no_repeated_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("repeated member")
    return members


def _no_constant(name: str) -> None:
    raise ValueError(name)


class HttpClient:
    """A session for one run of work: make a new one each time, so that renewed certificates count.

    `ca_bundle` is PEM text; when given, it and nothing else is trusted. ValueError when it is not PEM.
    """

    def __init__(self, ca_bundle: str = "", limits: HttpLimits | None = None):
        self._limits = limits or HttpLimits()
        self._adapter = _Adapter(tls_context(ca_bundle))
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.mount("https://", self._adapter)
        self._session.mount("http://", self._adapter)

    def close(self) -> None:
        self._session.close()

    def send(self, method: str, url: str, **arguments: Any) -> Answer:
        """`arguments` as for `requests.Request`. Raises NotSent when surely nothing was delivered, and
        OutcomeUnknown whenever it may have been."""
        request = self._session.prepare_request(requests.Request(method, url, **arguments))
        timeout = (self._limits.connect, self._limits.read)
        with _translated(), self._adapter.deadline(self._limits.total):
            response = self._session.send(request, timeout=timeout, stream=True, allow_redirects=False)
            with response:
                return Answer(response.status_code, response.headers, _body(response))


def _body(response: requests.Response) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(_CHUNK):
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise OutcomeUnknown(Reason.TOO_LARGE, f"more than {MAX_BODY_BYTES} bytes")
    return bytes(body)


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except requests.RequestException as error:
        raise _error_of(error) from error
    except OSError as error:
        raise OutcomeUnknown(Reason.CONNECTION_LOST, type(error).__name__) from error


def _error_of(error: requests.RequestException) -> NotSent | OutcomeUnknown:
    """Only a failure to connect, or a certificate refused by us, proves that nothing was sent."""
    causes = list(_causes(error))
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return NotSent(Reason.NAME_NOT_FOUND)
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return NotSent(Reason.TLS, "the certificate is not trusted, has expired or is for another host")
    if isinstance(error, requests.ConnectTimeout):
        return NotSent(Reason.UNREACHABLE, "no connection in time")
    if any(isinstance(cause, NewConnectionError) for cause in causes):
        return NotSent(Reason.UNREACHABLE, "connection refused or no route")
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.MissingSchema):
        return NotSent(Reason.CONFIGURATION, "not a valid address")
    if isinstance(error, requests.Timeout):
        return OutcomeUnknown(Reason.TIMEOUT)
    return OutcomeUnknown(Reason.CONNECTION_LOST, type(error).__name__)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, what it wraps and what caused it: `requests` keeps the cause of a failed connection in
    `args[0].reason`, Python in `__cause__` and `__context__`."""
    seen: set[int] = set()
    waiting: list[Any] = [error]
    while waiting:
        current = waiting.pop()
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        waiting += [*current.args, getattr(current, "reason", None), current.__cause__, current.__context__]


def tls_context(ca_bundle: str) -> ssl.SSLContext:
    """Verifies against `ca_bundle` (PEM) alone, or against the public authorities when it is empty."""
    context = ssl.create_default_context()
    if ca_bundle.strip():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            context.load_verify_locations(cadata=ca_bundle)
        except ssl.SSLError as error:
            raise ValueError("the CA bundle is not a list of PEM certificates") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class _Adapter(HTTPAdapter):
    """Uses our TLS context as it is, and can cut every connection it opened when time is up."""

    def __init__(self, context: ssl.SSLContext):
        self._context = context
        self._connections: list[HTTPConnection] = []
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "http": _recording(HTTPConnectionPool, HTTPConnection, self._connections),
            "https": _recording(HTTPSConnectionPool, HTTPSConnection, self._connections),
        }

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Ours instead of the session's: the session would add the public authorities to a private one."""
        conn.cert_reqs = "CERT_REQUIRED"
        conn.ca_certs = None
        conn.ca_cert_dir = None

    @contextlib.contextmanager
    def deadline(self, seconds: float) -> Iterator[None]:
        """Shuts the sockets down after `seconds`; then raises OutcomeUnknown(TIMEOUT)."""
        over = threading.Event()

        def cut() -> None:
            over.set()
            for connection in list(self._connections):
                _shut(connection)

        timer = threading.Timer(seconds, cut)
        timer.daemon = True
        started = time.monotonic()
        timer.start()
        try:
            yield
        except (requests.RequestException, OSError) as error:
            if not over.is_set():
                raise
            raise OutcomeUnknown(Reason.TIMEOUT, f"{time.monotonic() - started:.0f} s") from error
        finally:
            timer.cancel()
        if over.is_set():
            # A body without a length ends quietly when its socket is shut: it may be half a body.
            raise OutcomeUnknown(Reason.TIMEOUT, f"{time.monotonic() - started:.0f} s")


def _shut(connection: HTTPConnection) -> None:
    with contextlib.suppress(OSError, AttributeError):
        connection.sock.shutdown(socket.SHUT_RDWR)


def _recording(pool_class: type, connection_class: type, opened: list[HTTPConnection]) -> type:
    class Connection(connection_class):
        def connect(self) -> None:
            opened.append(self)
            super().connect()

    return type("Pool", (pool_class,), {"ConnectionCls": Connection})
