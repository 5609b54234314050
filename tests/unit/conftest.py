"""Plain Python alone: the __init__ of an add-on needs Odoo, so its name is a bare package here."""

import functools
import sys
import types
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import settings

# Other work on the machine must not fail a test, nor one run leave anything for the next.
settings.register_profile("plain", deadline=None, database=None)
settings.load_profile("plain")

ROOT = Path(__file__).parents[2]


def _bare_package(name, *folders):
    if name not in sys.modules:
        package = types.ModuleType(name)
        package.__path__ = [str(ROOT / folder) for folder in folders]
        sys.modules[name] = package


_bare_package("g2p_payment_hub", "g2p_payment_hub")
_bare_package("g2p_payment_reconcile", "g2p_payment_reconcile")
_bare_package("g2p_payment_reconcile.models", "g2p_payment_reconcile/models")
_bare_package("g2p_payment_reconcile.evidence", "g2p_payment_reconcile/evidence")
# Under this name the add-ons know each other.
_bare_package("odoo")
_bare_package("odoo.addons")
_bare_package("odoo.addons.g2p_payment_hub", "g2p_payment_hub")


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
