"""Payments per second through the scheme adapter: the add-on's client beside a plain load generator.

Both drive the same adapter, in turns within one run, with threads and kept connections, and without Odoo.
The Testing Toolkit is the hub, and by far the slowest of all; so the processor time that a payment costs the
client is told as well. Every payment has to be in the hub's books, or there is no result.
"""

import argparse
import dataclasses
import datetime
import decimal
import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import plain_addons  # noqa: F401
from connector_client import ConnectorClient
from peers import MojaloopPeers, usual_payee
from steps import mojaloop

from odoo.addons.g2p_mojaloop_connector.client import grammar
from odoo.addons.g2p_mojaloop_connector.client.bodies import order_of
from odoo.addons.g2p_mojaloop_connector.client.connector import Connector
from odoo.addons.g2p_mojaloop_connector.client.ids import transfer_ids
from odoo.addons.g2p_mojaloop_connector.client.parties import Party
from odoo.addons.g2p_mojaloop_connector.client.settings import ConnectorSettings, limits_for
from odoo.addons.g2p_mojaloop_connector.client.transfer_state import state_of
from odoo.addons.g2p_payment_hub.client.instructions import Instruction

STEP_SECONDS = 10
ROUNDS = 3
GRACE = datetime.timedelta(minutes=1)
# Step by step the adapter takes one payment at a time: see ../simulators/mojaloop_peers/README.md.
ROADS = (("in two phases", True, 8), ("step by step", False, 1))


@dataclasses.dataclass
class Figure:
    payments: int = 0
    seconds: float = 0
    processor_seconds: float = 0

    def add(self, payments, seconds, processor_seconds):
        self.payments += payments
        self.seconds += seconds
        self.processor_seconds += processor_seconds

    @property
    def rate(self):
        return self.payments / self.seconds

    @property
    def cost(self):
        return 1000 * self.processor_seconds / self.payments


class Plain:
    """As little as a client can do."""

    def __init__(self, info, two_phase):
        self._client, self._two_phase = ConnectorClient(info), two_phase

    def pay(self, number):
        if self._two_phase:
            *_, (_, transfer_id) = self._client.pay_in_two_phases(usual_payee(number))
        else:
            transfer_id, _ = self._client.pay(usual_payee(number))
        return transfer_id


class Ours:
    """What the add-on does for a payment, but for Odoo: checks, ids, fees, texts to keep, the verdict."""

    def __init__(self, info, two_phase):
        settings = ConnectorSettings(
            url=info["connector_url"],
            dfsp_id=info["dfsp"],
            payer=Party(id_type="ACCOUNT_ID", id_value="treasury-1"),
            step_timeout=STEP_SECONDS,
            limits=limits_for(STEP_SECONDS, two_phase=True),
            two_phase=two_phase,
        )
        self._connector = Connector(settings)

    def pay(self, number):
        asked = Instruction(
            reference=f"P{number}",
            amount=decimal.Decimal(100),
            currency="USD",
            payee_identifier_type="MSISDN",
            payee_identifier=usual_payee(number),
        )
        instruction, _ = grammar.normalised(asked)
        _, quote = self._connector.offer(instruction, transfer_ids(instruction.reference, 1), _now())
        body = self._connector.transfer_body(quote, _now())
        state_of(self._connector.transfer(body), order_of(body), _now(), GRACE)
        return quote.transfer_id


def main():
    parser = argparse.ArgumentParser(prog="setup/bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--payments", type=int, default=300, metavar="N", help="of each kind (default: 300)")
    options = parser.parse_args()
    numbers = itertools.count(1)
    with MojaloopPeers(mojaloop.install(), "--step-seconds", STEP_SECONDS, "--no-history") as peers:
        for road, two_phase, workers in ROADS:
            figures = {kind: Figure() for kind in (Plain, Ours)}
            for kind in (Plain, Ours) * ROUNDS:
                some = list(itertools.islice(numbers, options.payments // ROUNDS))
                figures[kind].add(len(some), *_round(peers, kind, two_phase, workers, some))
            _say(road, workers, figures[Plain], figures[Ours])


def _round(peers, kind, two_phase, workers, numbers):
    """Seconds, and seconds of the processor."""
    mine = threading.local()

    def begin():
        mine.client = kind(peers.info, two_phase)

    begun, used = time.monotonic(), time.process_time()
    with ThreadPoolExecutor(workers, initializer=begin) as pool:
        paid = set(pool.map(lambda number: mine.client.pay(number), numbers))
    taken = time.monotonic() - begun, time.process_time() - used
    missing = paid - peers.payments().keys()
    if missing or len(paid) != len(numbers):
        raise SystemExit(f"{len(missing)} of {len(numbers)} payments are not in the hub's books")
    return taken


def _say(road, workers, plain, ours):
    print(f"\nMojaloop, {road}, {workers} at a time, {ours.payments} payments each")
    for name, figure in (("plain load generator", plain), ("g2p_mojaloop_connector", ours)):
        print(f"   {name:<24}{figure.rate:7.1f} payments/s {figure.cost:7.1f} ms of the processor each")
    print(f"   {'ratio':<24}{ours.rate / plain.rate:7.2f}")


def _now():
    return datetime.datetime.now(datetime.timezone.utc)


if __name__ == "__main__":
    main()
