"""One HTTP/1.1 server a port; TLS, faults and the log of requests happen here."""

import os
import socket
import ssl
import struct
import threading
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from . import faults
from .web import Request

LOGGED = ("X-CorrelationID", "X-Correlation-ID", "Platform-TenantId", "Purpose", "Type", "filename",
          "Content-Type", "X-Registering-Institution-ID", "X-Program-ID", "X-PayeeDFSP-ID")  # fmt: skip
MAX_BODY = 32 * 1024 * 1024
GONE = (ConnectionError, TimeoutError, ssl.SSLError, BrokenPipeError)


class Writer:
    """What faults write an answer with."""

    def __init__(self, handler):
        self._handler = handler

    def whole(self, response):
        self.head(response, len(response.body))
        self.bytes(response.body)

    def head(self, response, length):
        """Status line and headers; no length means chunks."""
        handler = self._handler
        handler.send_response(response.status)
        for name, value in response.headers.items():
            handler.send_header(name, value)
        if length is None:
            handler.send_header("Transfer-Encoding", "chunked")
        else:
            handler.send_header("Content-Length", str(length))
        handler.end_headers()
        handler.wfile.flush()

    def bytes(self, data):
        self._handler.wfile.write(data)
        self._handler.wfile.flush()

    def chunk(self, data):
        self.bytes(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def close(self):
        self._handler.close_connection = True


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "simulator", ""
    wbufsize = -1
    disable_nagle_algorithm = True
    timeout = 120

    def _answer(self):
        try:
            request = Request(self.server.name, self.command, self.path, self.headers, self._body())
            taken = self.server.faults.take(request) if self.server.faults else []
            self._answer_request(request, taken)
        except faults.Dropped:
            self._reset()
        except GONE:
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _answer

    def _answer_request(self, request, taken):
        entry = self.server.log(request, taken)
        response = faults.replaced(taken)
        if response is None:
            response = faults.with_data_changed(taken, self.server.application(request))
        entry["status"] = response.status
        faults.write_with(taken, Writer(self), response)

    def _body(self):
        """What was sent; a connection on which that cannot be told is dropped."""
        try:
            if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
                return b"".join(self._chunks())
            length = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            raise faults.Dropped() from None
        if length > MAX_BODY:
            raise faults.Dropped()
        return self.rfile.read(length)

    def _chunks(self):
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass

    def _reset(self):
        """Close so that the other side sees a reset, whatever layers are on top of the socket."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())

    def finish(self):
        try:
            super().finish()
        except (OSError, ValueError):
            pass

    def date_time_string(self, timestamp=None):
        return formatdate(self.server.now() if timestamp is None else timestamp, usegmt=True)

    def log_message(self, *_arguments):
        pass


class Server(ThreadingHTTPServer):
    """`application` maps a Request to a Response; `log` takes note of one and gives the entry back."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, name, port, application, log=None, broken=None, tls=None, now=None):
        super().__init__(("127.0.0.1", port), Handler)
        self.name, self.application, self.faults = name, application, broken
        self.log = log or (lambda _request, _taken: {})
        self.now = now
        self._tls = _context(tls) if tls else None

    @property
    def url(self):
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.server_address[1]}"

    def get_request(self):
        """The handshake happens in the thread of the connection, so that nobody can hold up the others."""
        connection, address = super().get_request()
        if self._tls:
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def finish_request(self, request, client_address):
        try:
            if self._tls:
                request.settimeout(30)
                request.do_handshake()
            super().finish_request(request, client_address)
        except GONE:
            pass

    def start(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()


def _context(files):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*map(str, files))
    return context


def logged(request, taken):
    """What is kept of a request: no credentials, no signature, no secret path of a callback URL."""
    headers = {name: request.headers[name] for name in LOGGED if name in request.headers}
    headers["Authorization"] = request.headers.get("Authorization", "").partition(" ")[0]
    headers["X-SIGNATURE"] = "X-SIGNATURE" in request.headers
    if callback := request.headers.get("X-CallbackURL"):
        parts = urlsplit(callback)
        headers["X-CallbackURL"] = f"{parts.scheme}://{parts.netloc}/..."
    return {
        "server": request.server,
        "method": request.method,
        "path": request.path,
        "query": {name: "..." if name in ("password", "refresh_token") else value
                  for name, value in request.query.items()},
        "headers": headers,
        "bytes": len(request.body),
        "faults": [fault["fault"] for fault in taken],
        "status": None,
    }  # fmt: skip
