"""One Odoo and one hub for each module of tests, and a program of its own for each test."""

import itertools
import time

import plain_addons  # noqa: F401
import pytest
from mojaloop_payment import settings_for
from peers import MojaloopPeers
from process import HubSimulator
from steps import environment as environments
from steps import mojaloop, postgres, servers
from steps.world import World

from odoo.addons.g2p_mojaloop_connector.client.connector import Connector

_QUICK = "--processing 0.2 --import-lag 0.1 --repair 0.5 --polling-seconds 5".split()
_NUMBERS = itertools.count(1)
_NO_MAIL_QUEUE = """
UPDATE ir_cron AS cron SET active = false FROM ir_model_data AS named
 WHERE named.module = 'mail' AND named.name = 'ir_cron_mail_scheduler_action' AND cron.id = named.res_id
RETURNING cron.id
"""


@pytest.fixture(scope="session")
def environment():
    return environments.read()


@pytest.fixture(scope="module")
def odoo(environment):
    with servers.odoo(environment) as server:
        # Odoo's queue may take up a mail at the moment in which who wrote it sends it, after the commit: what
        # was pressed is done then, and answered with Odoo's error.
        assert postgres.sql(_NO_MAIL_QUEUE, server.database)
        yield server


@pytest.fixture(scope="module")
def _hub():
    with HubSimulator(*_QUICK) as hub:
        yield hub


@pytest.fixture
def hub(_hub):
    _hub.reset()
    return _hub


@pytest.fixture(scope="session")
def mojaloop_software():
    return mojaloop.install()


@pytest.fixture(scope="module")
def _peers(mojaloop_software):
    with MojaloopPeers(mojaloop_software, "--step-seconds", 2) as peers:
        yield peers


@pytest.fixture
def peers(_peers):
    """Mojaloop's own scheme adapter and Testing Toolkit, with empty books."""
    _peers.reset()
    return _peers


@pytest.fixture
def connector(peers):
    with Connector(settings_for(peers)) as connector:
        yield connector


@pytest.fixture
def two_phase(peers):
    """The same adapter, which waits until its quote is accepted."""
    with Connector(settings_for(peers, two_phase=True)) as connector:
        yield connector


@pytest.fixture
def world(odoo, hub):
    number = next(_NUMBERS)
    return World(odoo, "admin", hub.info, name=f"Program {number}", suffix=f"_{number}")


@pytest.fixture
def mojaloop_world(odoo, peers):
    """A program that pays through Mojaloop, straight to the connector."""
    number = next(_NUMBERS)
    return World(odoo, "admin", peers.info, name=f"Program {number}", suffix=f"_{number}")


@pytest.fixture
def eventually():
    def wait(condition, seconds=60):
        """The first true value of `condition()`; fails when none comes in time."""
        until = time.monotonic() + seconds
        while not (value := condition()):
            assert time.monotonic() < until, f"not within {seconds} s: {condition}"
            time.sleep(0.2)
        return value

    return wait
