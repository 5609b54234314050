"""Plain Python alone."""

import functools
from unittest import mock

import plain_addons  # noqa: F401
import pytest
from hypothesis import settings

# Other work on the machine must not fail a test, nor one run leave anything for the next.
settings.register_profile("plain", deadline=None, database=None)
settings.load_profile("plain")


@pytest.fixture(scope="session")
def authority():
    from certificates import Authority

    return Authority()


@pytest.fixture
def loopback():
    """Makes servers that do what they are told; they end with the test."""
    from loopback import Loopback

    servers = []

    def make(behave, tls=None):
        servers.append(Loopback(behave, tls))
        return servers[-1]

    yield make
    for server in servers:
        server.stop()


@pytest.fixture(scope="session", autouse=True)
def keys_are_checked_once():
    """Checking a key takes longer than most tests."""
    from g2p_payment_hub.client import signature

    loaded = functools.lru_cache(signature.load_private_key)
    with mock.patch.object(signature, "load_private_key", loaded):
        yield
