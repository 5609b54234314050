"""The anchor of the audit trail on its way to a server outside."""

import json

import pytest

from odoo.addons.g2p_payment_hub.client.anchor import Anchor, is_address, post
from odoo.addons.g2p_payment_hub.client.errors import NotSent, OutcomeUnknown, Reason, Refused
from odoo.addons.g2p_payment_hub.client.http import Answer

ANCHOR = Anchor("db", 7, "a" * 64, "b" * 64, "2026-03-01T00:00:00Z", 12, 3, 0)


class Client:
    def __init__(self, status=200):
        self.status, self.sent = status, []

    def send(self, method, url, **arguments):
        self.sent.append((method, url, arguments))
        return Answer(self.status, {}, b"")


def test_the_anchor_travels_as_json():
    client = Client(201)
    post(client, "https://log.example/anchors", ANCHOR)
    ((method, url, arguments),) = client.sent
    assert (method, url) == ("POST", "https://log.example/anchors")
    assert json.loads(arguments["data"]) == ANCHOR._asdict()
    assert arguments["headers"] == {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "url",
    [
        "",
        "log.example",
        "http://log.example",
        "http://localhost",
        "ftp://log.example",
        "https://",
        "https://user:word@log.example",
        "https://log.example/#x",
        "https://log.example/a b",
        "https://[half",
        "https://log.example:x",
        "https://log.example/" + "x" * 2_000,
    ],
)
def test_nothing_leaves_for_an_address_that_is_not_https(url):
    client = Client()
    assert not is_address(url)
    with pytest.raises(NotSent) as failed:
        post(client, url, ANCHOR)
    assert failed.value.reason is Reason.CONFIGURATION
    assert not client.sent


@pytest.mark.parametrize(
    ("status", "kind"), [(302, Refused), (401, Refused), (404, Refused), (500, OutcomeUnknown)]
)
def test_an_answer_that_is_not_2xx_is_an_error(status, kind):
    with pytest.raises(kind):
        post(Client(status), "https://log.example", ANCHOR)
