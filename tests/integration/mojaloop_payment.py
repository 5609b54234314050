"""Payments through our client and Mojaloop's own scheme adapter, one at a time, for tests."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal

import plain_addons  # noqa: F401
import pytest

from odoo.addons.g2p_mojaloop_connector.client import grammar
from odoo.addons.g2p_mojaloop_connector.client.bodies import order_of
from odoo.addons.g2p_mojaloop_connector.client.catalogue import StepFailed
from odoo.addons.g2p_mojaloop_connector.client.ids import transfer_ids
from odoo.addons.g2p_mojaloop_connector.client.parties import Party
from odoo.addons.g2p_mojaloop_connector.client.settings import ConnectorSettings, limits_for
from odoo.addons.g2p_mojaloop_connector.client.transfer_state import state_of
from odoo.addons.g2p_payment_hub.client.errors import GatewayError
from odoo.addons.g2p_payment_hub.client.instructions import Instruction

STEP_SECONDS = 2
EXPIRY_SECONDS = 6
GRACE = timedelta(seconds=2)


def now():
    return datetime.now(timezone.utc)


def settings_for(peers, **changes):
    values = {
        "url": peers.info["connector_url"],
        "dfsp_id": peers.info["dfsp"],
        "payer": Party(id_type="ACCOUNT_ID", id_value="12345", display_name="José & Co"),
        "step_timeout": STEP_SECONDS,
        "limits": limits_for(STEP_SECONDS, two_phase=True),
        "expiry_seconds": EXPIRY_SECONDS,
        **changes,
    }
    return ConnectorSettings(**values)


class Payment:
    """One attempt at a payment, step by step; `state` is what is known by now."""

    def __init__(self, connector, identifier, attempt=1, **changes):
        self.connector = connector
        values = {"amount": Decimal(100), "currency": "USD", "payee_identifier_type": "MSISDN", **changes}
        asked = Instruction(reference=f"P{identifier}", payee_identifier=identifier, **values)
        self.instruction, self.changes = grammar.normalised(asked)
        self.ids = transfer_ids(self.instruction.reference, attempt)

    def offered(self):
        self.payee, self.quote = self.connector.offer(self.instruction, self.ids, now())
        return self

    def sent(self):
        """Offered, written down and sent."""
        self.offered()
        self.body = self.connector.transfer_body(self.quote, now())
        return self.told(self.connector.transfer, self.body)

    def asked(self):
        return self.told(self.connector.ask, self.quote.transfer_id)

    def resent(self):
        return self.told(self.connector.resend, self.body)

    def told(self, method, argument):
        try:
            self.said = method(argument)
        except (StepFailed, GatewayError) as error:
            self.said = error
        return self

    @property
    def state(self):
        return state_of(self.said, order_of(self.body), now(), GRACE)


def failure_of(payment, kind=StepFailed):
    """The error with which it ends before any transfer."""
    with pytest.raises(kind) as caught:
        payment.offered()
    return caught.value


def posted(peers, resource):
    return [row["body"] for row in peers.requests("post", f"/{resource}")]


def transfer_ids_at(peers):
    return [body["transferId"] for body in posted(peers, "transfers")]
