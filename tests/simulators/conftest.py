"""The hub simulator, one process for all tests, with time standing still unless a test moves it."""

import pytest
from hub_client import OTHER_TIMES, TIMES, HubClient
from process import HubSimulator


@pytest.fixture(scope="session")
def hub_process():
    with HubSimulator(*TIMES, *OTHER_TIMES) as simulator:
        yield simulator


@pytest.fixture
def hub(hub_process):
    hub_process.reset()
    hub_process.clock(freeze=True)
    return hub_process


@pytest.fixture
def client(hub):
    return HubClient(hub)
