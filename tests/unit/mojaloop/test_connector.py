"""The connector step by step against a stand-in that answers as both generations do."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from scripted_connector import ScriptedConnector, instruction

from odoo.addons.g2p_mojaloop_connector.client.bodies import order_of
from odoo.addons.g2p_mojaloop_connector.client.ids import transfer_ids
from odoo.addons.g2p_mojaloop_connector.client.transfer_state import TransferState, state_of

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=timezone.utc)
GRACE = timedelta(minutes=5)
IDS = transfer_ids("PAY1", 1)


@pytest.fixture
def scripted(loopback):
    """Makes stand-ins with other answers than the usual ones."""
    return lambda **answers: ScriptedConnector(loopback, **answers)


class TestPaid:
    def test_whole_way(self, scripted):
        peer = scripted()
        with peer.connector() as connector:
            payee, quote = connector.offer(instruction(note="Help"), IDS, NOW)
            body = connector.transfer_body(quote, NOW)
            said = connector.transfer(body)
            asked = connector.ask(IDS.transfer_id)
        order = order_of(body)
        assert state_of(said, order, NOW, GRACE) is TransferState.PAID
        assert asked == said
        assert (payee.fsp_id, payee.first_name, quote.transfer_amount) == ("payeefsp", "Tess", Decimal(100))
        assert peer.paid == [IDS.transfer_id]
