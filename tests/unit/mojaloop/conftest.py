"""Connectors that answer as a test wants."""

import pytest
from scripted_connector import ScriptedConnector


@pytest.fixture
def scripted(loopback):
    """Makes connectors with other answers than the usual ones."""
    return lambda **answers: ScriptedConnector(loopback, **answers)
