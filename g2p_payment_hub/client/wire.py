"""What really happened on the sockets of an exchange: whether any of the request left, and in time."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any

import requests
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import TimeoutError as PoolTimeout

from .errors import GatewayError, NotSent, OutcomeUnknown, Reason


class Wire:
    """Watches the connections of one client, one exchange at a time.

    Whether a request may have been delivered is not guessed from the kind of error: `_sent` is set before
    the first byte of it is handed to a socket.
    """

    def __init__(self) -> None:
        self._sent = False
        self._late = False
        # A second descriptor of each connection, for the deadline: urllib3 lets go of its own socket during
        # the TLS handshake, and again while it reads an answer that ends with the connection.
        self._handles: dict[HTTPConnection, socket.socket] = {}

    def pool_classes(self) -> dict[str, type]:
        """For urllib3's PoolManager."""
        return {
            "http": _watched(HTTPConnectionPool, HTTPConnection, self),
            "https": _watched(HTTPSConnectionPool, HTTPSConnection, self),
        }

    def opened(self, connection: HTTPConnection, sock: socket.socket) -> None:
        self._forget(connection)
        self._handles[connection] = sock.dup()
        if self._late:
            sock.close()
            raise TimeoutError("connected too late")

    def leaving(self) -> None:
        self._sent = True

    @contextlib.contextmanager
    def exchange(self, seconds: float) -> Iterator[None]:
        """Turns every error into a GatewayError, and cuts the connections after `seconds`."""
        self._sent = self._late = False
        timer = threading.Timer(seconds, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        except GatewayError:
            if not self._late:
                raise
        except Exception as error:  # pylint: disable=broad-except  # whatever it is, the request may have left
            raise self._error_of(error) from error
        finally:
            timer.cancel()
            timer.join()  # or it might cut the next exchange
            for connection in [one for one in self._handles if one.sock is None]:
                self._forget(connection)
        if self._late:
            # A body without a length ends quietly when its connection is cut: it may be half a body.
            raise OutcomeUnknown(Reason.TIMEOUT, "total")

    def close(self) -> None:
        for connection in list(self._handles):
            self._forget(connection)

    def _forget(self, connection: HTTPConnection) -> None:
        handle = self._handles.pop(connection, None)
        if handle is not None:
            handle.close()

    def _cut(self) -> None:
        self._late = True
        for handle in list(self._handles.values()):
            with contextlib.suppress(OSError):
                handle.shutdown(socket.SHUT_RDWR)

    def _error_of(self, error: Exception) -> NotSent | OutcomeUnknown:
        causes = list(_causes(error))
        if not self._sent:
            return NotSent(*_why_not_sent(error, causes))
        if self._late or any(isinstance(one, _TIMEOUTS) for one in causes):
            return OutcomeUnknown(Reason.TIMEOUT, "total" if self._late else "read")
        return OutcomeUnknown(Reason.CONNECTION_LOST, type(error).__name__)


_TIMEOUTS = (requests.Timeout, PoolTimeout, TimeoutError)


def _why_not_sent(error: Exception, causes: list[BaseException]) -> tuple[Reason, str]:
    if any(isinstance(one, socket.gaierror) for one in causes):
        return Reason.NAME_NOT_FOUND, ""
    if any(isinstance(one, ssl.SSLCertVerificationError) for one in causes):
        return Reason.TLS, "the certificate is not trusted, has expired or is for another host"
    if isinstance(error, requests.exceptions.SSLError):
        return Reason.TLS, "no TLS connection"
    if isinstance(error, ValueError):
        return Reason.CONFIGURATION, "an address or a header cannot be sent"
    if any(isinstance(one, _TIMEOUTS) for one in causes):
        return Reason.UNREACHABLE, "no connection in time"
    return Reason.UNREACHABLE, "no connection"


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


def _watched(pool_class: type, connection_class: type, wire: Wire) -> type:
    class Connection(connection_class):
        def _new_conn(self) -> socket.socket:
            sock = super()._new_conn()
            wire.opened(self, sock)
            return sock

        def send(self, data: Any) -> None:
            if self.sock is None:
                self.connect()
            wire.leaving()
            super().send(data)

    return type("Pool", (pool_class,), {"ConnectionCls": Connection})
