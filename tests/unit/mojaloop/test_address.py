"""One connector has one address, in whatever way its URL is written."""

import pytest

from odoo.addons.g2p_mojaloop_connector.client.settings import address_of

SAME = (
    "https://Connector.example",
    "https://connector.example:443/",
    "HTTPS://connector.example.",
    " https://connector.example ",
)


@pytest.mark.parametrize("url", SAME)
def test_the_same(url):
    assert address_of(url) == "connector.example:443"


def test_others():
    others = {
        "https://connector.example:4001",
        "https://connector.example/one",
        "https://connector.example/two",
        "https://other.example",
        "http://[::1]:4001",
    }
    assert len({*map(address_of, others), address_of(SAME[0])}) == len(others) + 1
