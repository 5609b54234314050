"""Connectors that answer as a test wants."""

import sys
from pathlib import Path

import pytest

# One memory of the newer adapter for these tests and for those of the add-on.
sys.path.append(str(Path(__file__).parents[3] / "g2p_mojaloop_connector" / "tests"))


@pytest.fixture
def scripted(loopback):
    """Makes connectors with other answers than the usual ones."""
    from scripted_connector import ScriptedConnector

    return lambda **answers: ScriptedConnector(loopback, **answers)
