"""One request, one answer, and certainty about which of the two did not happen.

TLS is always verified, redirects are never followed, nothing is retried, credentials of the host
(`.netrc`, proxies, `REQUESTS_CA_BUNDLE`) are not picked up, and neither a huge, a never-ending nor a
dripping answer keeps a worker: the whole exchange has a deadline and a size. Only the look-up of the
host's name has the time-out of the system.
"""

import json
import os
import ssl
import threading
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import requests
import urllib3
from pydantic import BaseModel, ConfigDict, Field, SecretStr
from requests.adapters import HTTPAdapter

from .errors import NotSent, OutcomeUnknown, Reason
from .wire import Wire

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

    def retry_after(self) -> int:
        """The seconds of the header Retry-After, given as such or as a date; 0 without a usable one."""
        text = self.headers.get("Retry-After", "").strip()
        if text.isascii() and text.isdigit():
            return int(text[:9])
        try:
            seconds = parsedate_to_datetime(text).timestamp() - time.time()
        except (TypeError, ValueError, OverflowError):
            return 0
        return max(0, round(seconds))


def _no_repeated_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("repeated member")
    return members


def _no_constant(name: str) -> None:
    raise ValueError(name)


class Identity(BaseModel):
    """Our side of mutual TLS: a certificate (PEM, with what links it to its authority) and its key (PEM)."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    certificate: str
    key: SecretStr


class HttpClient:
    """A client for one run of work: make a new one each time, so that renewed certificates count.

    `ca_bundle` is PEM text; when given, it and nothing else is trusted. `identity` is what we show to a
    server that wants to know who we are. ValueError when one of them is not PEM.
    """

    def __init__(
        self, ca_bundle: str = "", limits: HttpLimits | None = None, identity: Identity | None = None
    ):
        self._limits = limits or HttpLimits()
        self._wire = Wire()
        self._adapter = _Adapter(tls_context(ca_bundle, identity), self._wire)
        self._one_at_a_time = threading.Lock()  # the wire remembers what left for one exchange only

    def close(self) -> None:
        self._adapter.close()
        self._wire.close()

    def send(self, method: str, url: str, **arguments: Any) -> Answer:
        """`arguments` as for `requests.Request`. Raises NotSent when surely nothing was delivered, and
        OutcomeUnknown whenever it may have been."""
        request = _prepared(method, url, arguments)
        timeout = (self._limits.connect, self._limits.read)
        with self._one_at_a_time, self._wire.exchange(self._limits.total):
            # The adapter and not a session: a session reads the whole body of a redirect, however long.
            response = self._adapter.send(request, stream=True, timeout=timeout, proxies={})
            with response:
                return Answer(response.status_code, response.headers, _body(response))


def _prepared(method: str, url: str, arguments: dict[str, Any]) -> requests.PreparedRequest:
    try:
        return requests.Request(method, url, **arguments).prepare()
    except (requests.RequestException, TypeError, ValueError):
        # Without its cause, whose text repeats the header that was wrong: it may be a key.
        raise NotSent(Reason.CONFIGURATION, "an address or a header cannot be sent") from None


def _body(response: requests.Response) -> bytes:
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        # Not asked for; unpacked, it could be of any size.
        raise OutcomeUnknown(Reason.NOT_UNDERSTOOD, f"HTTP {response.status_code}, compressed")
    body = bytearray()
    for chunk in response.iter_content(_CHUNK):
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise OutcomeUnknown(Reason.TOO_LARGE, f"more than {MAX_BODY_BYTES} bytes")
    _check_length(response, len(body))
    return bytes(body)


def _check_length(response: requests.Response, received: int) -> None:
    """urllib3 1 takes a connection that broke for the end of the body."""
    announced = response.headers.get("Content-Length")
    chunked = "chunked" in response.headers.get("Transfer-Encoding", "").lower()
    if announced is not None and not chunked and announced.strip() != str(received):
        raise OutcomeUnknown(Reason.CONNECTION_LOST, f"{received} of {announced[:20]} bytes")


def tls_context(ca_bundle: str, identity: Identity | None = None) -> ssl.SSLContext:
    """Verifies against `ca_bundle` (PEM) alone, or against the public authorities when it is empty."""
    if ca_bundle.strip():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            # Authorities have names in many alphabets, and bundles carry them as comments.
            context.load_verify_locations(cadata=ca_bundle.encode("ascii", "replace").decode("ascii"))
        except ssl.SSLError as error:
            raise ValueError("the CA bundle is not a list of PEM certificates") from error
    else:
        context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # urllib3 1 does not pass on a host that is an IP address, and then compares the names itself.
    context.check_hostname = not urllib3.__version__.startswith("1.")
    if identity:
        _show(context, identity)
    return context


def _show(context: ssl.SSLContext, identity: Identity) -> None:
    """OpenSSL reads certificate and key from a file only: one in memory, so that the key is on no disk."""
    text = f"{identity.certificate.strip()}\n{identity.key.get_secret_value().strip()}\n"
    descriptor = os.memfd_create("identity")
    try:
        os.write(descriptor, text.encode())
        # With an empty password; without one a locked key would be asked for at the terminal.
        context.load_cert_chain(f"/proc/self/fd/{descriptor}", password="")
    except (ssl.SSLError, ValueError):
        raise ValueError("the client certificate and its key are not PEM, or not a pair") from None
    finally:
        os.close(descriptor)


class _Adapter(HTTPAdapter):
    """Uses our TLS context as it is, and lets the wire see every connection."""

    def __init__(self, context: ssl.SSLContext, wire: Wire):
        self._tls = context
        self._wire = wire
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._tls, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._wire.pool_classes()

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Ours instead of the original: that would add the public authorities to a private one."""
        # invariant: tls-verified
        conn.cert_reqs = "CERT_REQUIRED"
        conn.ca_certs = None
        conn.ca_cert_dir = None
