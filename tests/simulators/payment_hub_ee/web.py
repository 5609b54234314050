"""What the three applications and the server that carries them say to each other."""

import json
import re
from dataclasses import dataclass, field
from email.message import Message
from urllib.parse import parse_qs, urlsplit

JSON = "application/json"
TEXT = "text/plain;charset=UTF-8"
HTML = "text/html;charset=utf-8"


@dataclass
class Request:
    """`server` is bulk, operations or control; `query` maps a name to its first value."""

    server: str
    method: str
    target: str
    headers: Message
    body: bytes = b""

    def __post_init__(self):
        parts = urlsplit(self.target)
        self.path = parts.path
        self.query = _first_values(parts.query)

    def form(self):
        """Query and form body together, as a servlet gives its parameters."""
        if not self.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
            return self.query
        return {**_first_values(self.body.decode("utf-8", "replace")), **self.query}

    @property
    def tenant(self):
        """The tenant header, or the parameter that may stand in for it at the operations application."""
        return self.headers.get("Platform-TenantId") or self.form().get("tenantIdentifier")


def _first_values(text):
    return {name: values[0] for name, values in parse_qs(text, True).items()}


@dataclass
class Response:
    status: int = 200
    body: bytes = b""
    headers: dict = field(default_factory=dict)


def answer(status, value, content_type=JSON):
    """A Response with a JSON value, or with text as it is."""
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    return Response(status, text.encode(), {"Content-Type": content_type})


def html(status, title):
    """The page of the servlet container."""
    body = f'<!doctype html><html lang="en"><head><title>HTTP Status {status} - {title}</title></head>'
    return answer(status, f"{body}<body><h1>HTTP Status {status} - {title}</h1></body></html>", HTML)


class BadParameter(Exception):
    """A parameter of the wrong type: 400 and the container's page."""


class Routes:
    """(method, pattern) -> function of (request, *groups); the first that fits, else None."""

    def __init__(self, *entries):
        self._entries = [(method, re.compile(pattern), target) for method, pattern, target in entries]

    def __call__(self, request):
        for method, pattern, target in self._entries:
            match = pattern.fullmatch(request.path)
            if match and method == request.method:
                return target(request, *match.groups())
        return None


def number(request, name, default):
    """An integer parameter."""
    try:
        return int(request.query.get(name, default))
    except ValueError:
        raise BadParameter(name) from None
