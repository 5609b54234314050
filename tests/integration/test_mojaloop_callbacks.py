"""What a payee's institution sends to the connector, copied to Odoo's own web server. Signed by it, it makes
the scheme asked for the transfer, through the scheduled action, the job and the connector."""

import json
import time
import urllib.request
from datetime import datetime, timezone
from email.utils import format_datetime

import plain_addons  # noqa: F401
import pytest
from peers import payee
from steps import postgres

from odoo.addons.g2p_mojaloop_connector.client import jws, keys

KEY, OTHER = keys.new_key(2048), keys.new_key(2048)
NOT_ASKED_SECONDS = 4
BODY = {"transferState": "COMMITTED", "completedTimestamp": "2026-01-01T00:00:00.000Z"}


class Transfer:
    """One that the scheme has carried out, and of which it says nothing."""

    def __init__(self, world, odoo, peers):
        self._odoo, self._peers, self._gateway = odoo, peers, world.gateway
        self._administrator = world.people["gateway_admin"].client
        self._administrator.write("g2p.payment.gateway", [world.gateway], {"callback_base_url": odoo.url})
        (row,) = self._administrator.read("g2p.payment.gateway", [world.gateway], ["callback_url"])
        self.address = row["callback_url"]
        self._know("payeefsp", KEY)
        self._know("mallory", OTHER)

    def _know(self, name, key):
        """As if it had been fetched."""
        self._sql(
            "INSERT INTO g2p_mojaloop_peer_key (gateway_id, company_id, fsp, public_key, fetched_at)"
            f" SELECT id, company_id, '{name}', '{keys.public_key(key)}', now()"
            f" FROM g2p_payment_gateway WHERE id = {self._gateway}"
        )

    def _sql(self, statement):
        return postgres.sql(statement, self._odoo.database)

    def is_unknown(self):
        state = f"SELECT transfer_id FROM g2p_mojaloop_transfer WHERE gateway_id = {self._gateway}"
        self.transfer_id = self._sql(f"{state} AND state = 'unknown' AND lease_until IS NULL")
        return self.transfer_id

    def leave_alone(self):
        """The scheme is to be asked in some minutes, and was asked a while ago."""
        self._sql(
            "UPDATE g2p_mojaloop_transfer SET next_at = now() at time zone 'UTC' + interval '9 minutes',"
            " write_date = now() at time zone 'UTC' - interval '1 minute'"
            f" WHERE transfer_id = '{self.transfer_id}'"
        )

    def asked(self):
        """How often the scheme was asked for it."""
        return len(self._peers.requests("get", f"/transfers/{self.transfer_id}"))

    def call(self, key=KEY, body=BODY, **headers):
        """The request as the payee's institution makes it; `body` is what arrives."""
        given = {
            "FSPIOP-Source": "payeefsp",
            "FSPIOP-Destination": self._peers.info["dfsp"],
            "Date": format_datetime(datetime.now(timezone.utc), usegmt=True),
            **headers,
        }
        uri = f"/transfers/{self.transfer_id}"
        signed = jws.sign("PUT", uri, given, BODY, keys.load_key(key)) if key else {}
        media = "application/vnd.interoperability.transfers+json;version=1.1"
        everything = {**given, **signed, "Content-Type": media}
        return urllib.request.Request(self.address + uri, json.dumps(body).encode(), everything, method="PUT")


def send(request):
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.status, answer.read()


@pytest.fixture
def transfer(mojaloop_world, odoo, peers, eventually):
    found = Transfer(mojaloop_world, odoo, peers)
    mojaloop_world.entitle([payee("silent_but_committed")])
    mojaloop_world.prepare()
    batches = mojaloop_world.batches()
    mojaloop_world.approve(batches)
    mojaloop_world.send(batches)
    eventually(found.is_unknown)
    found.leave_alone()
    return found


def test_only_what_its_sender_has_signed_makes_the_scheme_asked(transfer, eventually):
    before = transfer.asked()
    old = format_datetime(datetime.fromtimestamp(time.time() - 600, timezone.utc), usegmt=True)
    forged = {
        "not signed": transfer.call(key=None),
        "by another's key": transfer.call(key=OTHER),
        "of ten minutes ago": transfer.call(Date=old),
        "for somebody else": transfer.call(**{"FSPIOP-Destination": "mallory"}),
        "another body": transfer.call(body={**BODY, "transferState": "ABORTED"}),
    }
    for what, request in forged.items():
        assert send(request) == (202, b""), what
    time.sleep(NOT_ASKED_SECONDS)
    assert transfer.asked() == before
    good = transfer.call()
    assert send(good) == (202, b"")
    eventually(lambda: transfer.asked() > before, 30)
    eventually(transfer.is_unknown)
    transfer.leave_alone()
    before = transfer.asked()
    assert send(good) == (202, b"")
    time.sleep(NOT_ASKED_SECONDS)
    assert transfer.asked() == before, "the same call again"
