"""Payment Hub EE as we understand it, acted out: our client against the simulator's process.

The cases are those that a client of ph-ee-bulk-processor v1.13.1 and ph-ee-operations-app v1.20.2 has to get
right; each test is named after its number. What a case asks of the models is tested with them: one upload at
a time (14), when to ask again and when to give up (15, 16, 20, 21, 24), approval and states (1, 17, 18), and
callbacks (25), which the client has no part in but to say where they may go.

The hub's clock stands still, and each test moves it: nothing here waits for the hub.
"""

from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from g2p_payment_hub.client import csv_file
from g2p_payment_hub.client.auth import Credentials, TokenCache
from g2p_payment_hub.client.errors import GatewayError
from g2p_payment_hub.client.http import HttpLimits
from g2p_payment_hub.client.instructions import BatchFile, Instruction, Payer
from g2p_payment_hub.client.outcomes import OutcomeStatus
from g2p_payment_hub.client.payment_hub import PaymentHub
from g2p_payment_hub.client.references import derived_reference
from g2p_payment_hub.client.settings import HubSettings

PAID, FAILED, WAITING, SUSPECT, HELD = (
    OutcomeStatus.PAID,
    OutcomeStatus.FAILED,
    OutcomeStatus.WAITING,
    OutcomeStatus.SUSPECT,
    OutcomeStatus.HELD,
)
TIMES = ("--import-lag", 10, "--start-delay", 10, "--processing", 10, "--row-time", 10)
OTHER_TIMES = ("--repair", 100, "--slow", 200, "--late", 300)
# The hub's clock when rows are imported, when all is done, and long after that.
IMPORTED, ALL_DONE, LATER = 11, 60, 400
OTHER_HUB = ("--redis-guard", "--importer", "older", "--request-file", "kept", "--authorization", "off")
IMPATIENT = HttpLimits(connect=2, read=0.5, total=1)


class Bench:
    """A hub, our client for it, and a batch of the rows that a test wants."""

    def __init__(self, hub):
        self.hub = hub
        self.tokens = TokenCache()
        self.since = datetime.now(timezone.utc)

    def settings(self, **changes):
        info = self.hub.info
        credentials = {
            "tenant": info["tenant"],
            "username": info["username"],
            "password": info["password"],
            **changes.pop("credentials", {}),
        }
        values = {
            "bulk_url": info["bulk_url"],
            "operations_url": info["operations_url"],
            "signing_key": Path(info["client_private_key_file"]).read_text(),
            "hub_certificate": Path(info["hub_certificate_file"]).read_text(),
            "ca_bundle": Path(info["ca_file"]).read_text(),
            "limits": HttpLimits(connect=5, read=5, total=10),
            **changes,
        }
        return HubSettings(credentials=Credentials(**credentials), **values)

    def client(self, kind=PaymentHub, **changes):
        return kind(self.settings(**changes), self.tokens)

    def submit(self, batch, **changes):
        with self.client(**changes) as client:
            return client.submit(batch)

    def error(self, batch, **changes):
        with pytest.raises(GatewayError) as caught:
            self.submit(batch, **changes)
        return caught.value

    def find(self, batch, references, **changes):
        with self.client(**changes) as client:
            return client.find(batch, references, self.since)

    def told(self, receipt, references, **changes):
        """{reference: Outcome}; of rows that are told twice, the last."""
        with self.client(**changes) as client:
            pages = list(client.outcomes(receipt.reference, references))
        return {outcome.reference: outcome for page in pages for outcome in page}

    def statuses(self, receipt, references, **changes):
        """{reference: status} of our rows; nothing for one that the hub says nothing of."""
        told = self.told(receipt, references, **changes)
        return {reference: told[reference].status for reference in references if reference in told}

    def accepted(self, rows, mode="mojaloop", **changes):
        """A batch of these payees: (receipt, references), everything done at the hub."""
        batch, references = batch_of(rows, mode)
        receipt = self.submit(batch, payment_mode=mode, **changes)
        self.hub.clock(advance=ALL_DONE)
        return receipt, references

    def uploads(self):
        return len(self.hub.requests("batchtransactions"))


class Altered(PaymentHub):
    """A client with a fault: `changes` go over its headers, None takes one away."""

    changes = {}

    def _upload_headers(self, batch):
        headers = {**super()._upload_headers(batch), **self.changes}
        return {name: value for name, value in headers.items() if value is not None}


def altered(**changes):
    changes = {name.replace("_", "-"): value for name, value in changes.items()}
    return type("Altered", (Altered,), {"changes": changes})


def instructions_for(payees, program=1):
    return [
        Instruction(
            reference=derived_reference(program, payee, number),
            payee_identifier_type="MSISDN",
            payee_identifier=payee,
            amount=Decimal(10 + number),
            currency="USD",
            note="May 2026",
        )
        for number, payee in enumerate(payees)
    ]


def payees(count, *special):
    """Payees that are paid, and then those with a meaning of their own (see the simulator's README)."""
    return [f"277{number:05}9999" for number in range(count)] + [f"2772000{ending}" for ending in special]


def batch_of(rows, mode="mojaloop", name="B1-0a1b2c3d4e5f.csv", program=1):
    """(BatchFile, references) of payees, or of a text; another program has other references."""
    if isinstance(rows, str):
        return BatchFile(filename=name, correlation_id="11-22-33", content=rows), []
    instructions = instructions_for(rows, program)
    content = csv_file.render(instructions, Payer(identifier_type="MSISDN", identifier="123456789"), mode)
    batch = BatchFile(filename=name, correlation_id="11-22-33", content=content)
    return batch, [one.reference for one in instructions]


def some_rows(count):
    return [(f"r-{number}", payee, 10) for number, payee in enumerate(payees(count))]


def file_of(rows):
    """A file of (reference, payee, amount) rows that our client would not make."""
    lines = [
        f"{number},{reference},mojaloop,MSISDN,123456789,MSISDN,{payee},{amount},USD,note"
        for number, (reference, payee, amount) in enumerate(rows)
    ]
    return "\n".join([csv_file.HEADER, *lines])
