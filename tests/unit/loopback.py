"""Servers on 127.0.0.1 that do with each connection what a test says."""

import contextlib
import json
import socket
import struct
import threading
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit


class Received(NamedTuple):
    method: str
    target: str
    headers: dict
    body: bytes

    @property
    def path(self):
        return urlsplit(self.target).path

    @property
    def query(self):
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def form(self):
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


class Loopback:
    """`behave(connection, server)` is called in a thread of its own for each connection; `requests` holds
    what `receive` read. With `tls`, a server context, connections speak TLS."""

    def __init__(self, behave, tls=None):
        self._behave = behave
        self._tls = tls
        self.requests = []
        self.connections = 0
        self.over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://localhost:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self):
        self.over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        while True:
            try:
                connection, _address = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        connection.settimeout(20)
        with contextlib.suppress(OSError):
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection:
                self._behave(connection, self)

    def receive(self, connection):
        """The next request, whole; None when there is none."""
        data = b""
        while b"\r\n\r\n" not in data:
            part = connection.recv(65536)
            if not part:
                return None
            data += part
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        while len(body) < int(headers.get("content-length", 0)):
            body += connection.recv(65536)
        method, target, _version = first.split(" ")
        self.requests.append(Received(method, target, headers, body))
        return self.requests[-1]

    def drip(self, connection, data):
        """One byte at a time, again and again, until the test or the client ends it."""
        while not self.over.is_set():
            for byte in data:
                connection.sendall(bytes([byte]))
                if self.over.wait(0.05):
                    return


def message(status, body=b"", headers=(), length=True):
    """The bytes of an answer; a body that is no bytes is written as JSON."""
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in headers)]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def always(status, body=b"", headers=(), length=True):
    """Behaviour: the same answer to every request, on connections that stay open."""
    return answering(lambda _request: message(status, body, headers, length), close=not length)


def answering(function, close=False):
    """Behaviour: the answer is what `function` makes of the request: bytes, or (status, body)."""

    def behave(connection, server):
        while request := server.receive(connection):
            answer = function(request)
            connection.sendall(answer if isinstance(answer, bytes) else message(*answer))
            if close:
                return

    return behave


def reset(connection):
    """Ends the connection as a machine that lost it would."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


_TAKEN: list[socket.socket] = []


def unused_port():
    """A port on which nobody listens, nor begins to: it stays taken as long as the tests run."""
    _TAKEN.append(socket.socket())
    _TAKEN[-1].bind(("127.0.0.1", 0))
    return _TAKEN[-1].getsockname()[1]
