"""Hands an anchor of the audit trail to a server outside, over HTTPS.

An anchor is the head of a chain of hashes at a moment. Whoever keeps it can tell later whether the chain was
rewritten. It names no payment, no payee and no amount.
"""

import json
from typing import NamedTuple
from urllib.parse import urlsplit

from .errors import NotSent, OutcomeUnknown, Reason, Refused
from .http import HttpClient

MAX_URL = 2_000


class Anchor(NamedTuple):
    """`happened_at` is UTC in ISO 8601; `database` tells installations apart."""

    database: str
    number: int
    hash: str
    previous_hash: str
    happened_at: str
    events: int
    batches: int
    findings: int


def is_address(url: str) -> bool:
    """Return True for an https address with a host, and without user, password or fragment."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return False
    plain = not any(letter.isspace() or letter == "#" for letter in url)
    return bool(
        plain and parts.scheme == "https" and host and "@" not in parts.netloc and len(url) <= MAX_URL
    )


def body(anchor: Anchor) -> bytes:
    return json.dumps(anchor._asdict(), sort_keys=True).encode()


def post(client: HttpClient, url: str, anchor: Anchor) -> None:
    """Hand the anchor over once.

    Raise NotSent or OutcomeUnknown as the client does, and Refused when the answer is not 2xx.
    """
    if not is_address(url):
        raise NotSent(Reason.CONFIGURATION, "the address must begin with https://")
    answer = client.send("POST", url, data=body(anchor), headers={"Content-Type": "application/json"})
    if 200 <= answer.status < 300:
        return
    if 300 <= answer.status < 400:
        raise Refused(Reason.REDIRECTED, f"HTTP {answer.status}")
    if answer.status >= 500:
        raise OutcomeUnknown(Reason.SERVER_ERROR, f"HTTP {answer.status}")
    raise Refused(Reason.CONFIGURATION, f"HTTP {answer.status}")
