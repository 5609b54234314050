"""Read the body of a call from anybody: no more of it, and no longer, than a callback takes."""

import contextlib
import socket
import threading

from odoo import http

# What a payment system has to say fits in much less, and is there at once.
MAX_BODY_BYTES = 64 * 1024
SECONDS = 3


class Unread(Exception):
    """The body cannot be read to its end. The text says why, and nothing of the body."""


class CallbackDispatcher(http.HttpDispatcher):
    """Call the endpoint without touching the body: Odoo's own dispatcher waits for the whole of a form."""

    routing_type = "g2p_callback"

    def dispatch(self, endpoint, args):
        self.request.params = dict(args)
        return self.request.registry["ir.http"]._dispatch(endpoint)


def read_body(request):
    """Return the body of the request. Odoo repeats a request after a conflict of transactions: then it is
    returned as it was.

    Raise Unread if it is too long, too slow, or breaks off.
    """
    if not hasattr(request, "_callback_body"):
        request._callback_body = _read(request.httprequest)
    return request._callback_body


def _read(httprequest):
    environ = httprequest._HTTPRequest__environ  # as Odoo's websocket does: its copy hides the connection
    length = httprequest.content_length or 0
    if length > MAX_BODY_BYTES:
        raise Unread(f"it has more than {MAX_BODY_BYTES} bytes")
    # Each part that arrives begins the connection's own time-out anew, so the end is the connection's.
    timer = threading.Timer(SECONDS, _stop_reading, [_connection(environ)])
    timer.daemon = True
    timer.start()
    try:
        body = _read_all(environ, length)
    except (OSError, ValueError) as error:  # of half a chunk, too
        raise Unread(f"it broke off, or took longer than {SECONDS} seconds") from error
    finally:
        timer.cancel()
    if len(body) > MAX_BODY_BYTES:
        raise Unread(f"it has more than {MAX_BODY_BYTES} bytes")
    return body


def _read_all(environ, length):
    if environ.get("wsgi.input_terminated"):  # chunked
        return environ["wsgi.input"].read(MAX_BODY_BYTES + 1)
    body = environ["wsgi.input"].read(length) if length else b""
    if len(body) < length:
        raise OSError
    return body


def _connection(environ):
    """Return the connection of the request: Odoo's worker processes tell it in werkzeug's own way only."""
    return environ.get("socket") or environ.get("werkzeug.socket")


def _stop_reading(connection):
    """Let a read that waits see the end of the body. Not every server tells its connection."""
    if connection is not None:
        with contextlib.suppress(OSError):  # closed meanwhile
            connection.shutdown(socket.SHUT_RD)
