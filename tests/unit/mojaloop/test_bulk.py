"""Many payments to one institution in two exchanges: each has an ending of its own."""

import json
from datetime import datetime, timedelta, timezone

import pytest
from scripted_bulk import ScriptedBulk
from scripted_connector import error, failed, instruction

from odoo.addons.g2p_mojaloop_connector.client.bodies import order_of
from odoo.addons.g2p_mojaloop_connector.client.bulk import (
    MAX_BYTES,
    NO_BULK,
    BulkItem,
    bulk_ids,
    bulk_transfer_id_of,
    parts,
)
from odoo.addons.g2p_mojaloop_connector.client.catalogue import Step, StepFailed, Verdict
from odoo.addons.g2p_mojaloop_connector.client.ids import transfer_ids
from odoo.addons.g2p_mojaloop_connector.client.parties import Payee
from odoo.addons.g2p_mojaloop_connector.client.transfer_state import TransferState, state_of
from odoo.addons.g2p_payment_hub.client.errors import OutcomeUnknown, Reason, Refused

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
IDS = bulk_ids("6f0f7a0d-5c11-4c94-9b3f-5ed0ba5b3d25", 1)


def items(count, fsp="payeefsp"):
    return [item(f"2771380{number:04d}", fsp) for number in range(count)]


def item(identifier, fsp="payeefsp", **changes):
    reference = f"PAY{identifier}"
    payee = Payee(fsp_id=fsp, id_type="MSISDN", id_value=identifier)
    asked = instruction(reference=reference, payee_identifier=identifier, **changes)
    return BulkItem(payee, asked, transfer_ids(reference, 1))


@pytest.fixture
def scripted(loopback):
    return lambda **options: ScriptedBulk(loopback, **options)


def paid(peer, given):
    """By reference: the state that each of these ends in, or the failure of its quote."""
    with peer.connector() as connector:
        bulk = connector.bulk()
        quotes = bulk.quotes(given, IDS, NOW)
        offers = [one for one in quotes.values() if not isinstance(one, StepFailed)]
        bodies = bulk.transfer_bodies(offers, IDS, NOW)
        said = bulk.transfer(list(bodies.values())) if bodies else {}
    orders = {transfer_id: order_of(body) for transfer_id, body in bodies.items()}
    ends = {}
    for one in given:
        order = orders.get(one.ids.transfer_id)
        told = said.get(one.ids.transfer_id)
        ends[one.instruction.reference] = (
            quotes[one.instruction.reference]
            if order is None
            else told and state_of(told, order, NOW, timedelta(minutes=5))
        )
    return ends


class TestPaid:
    @pytest.mark.parametrize("count", [1, 10, 1000])
    def test_all_but_the_rejected_one(self, scripted, count):
        peer = scripted(refused={"0000": "5103"})
        ends = paid(peer, items(count))
        failure = ends.pop("PAY27713800000")
        assert (failure.step, failure.code, failure.verdict) == (Step.QUOTE, "5103", Verdict.FAILED)
        assert len(ends) == count - 1
        assert set(ends.values()) <= {TransferState.PAID}

    def test_one_that_is_rejected_at_its_transfer(self, scripted):
        ends = paid(scripted(failed={"0001": "5104"}), items(3))
        assert list(ends.values()) == [TransferState.PAID, TransferState.FAILED, TransferState.PAID]

    def test_one_that_nothing_is_said_of(self, scripted):
        """At its quote it may be tried again; at its transfer nobody knows."""
        ends = paid(scripted(no_quote=["0001"], no_transfer=["0002"]), items(4))
        assert ends["PAY27713800001"].verdict is Verdict.TRY_AGAIN
        assert ends["PAY27713800002"] is None
        assert ends["PAY27713800000"] is ends["PAY27713800003"] is TransferState.PAID

    def test_one_that_is_told_paid_and_failed(self, scripted):
        """Nobody knows: it is asked for by itself."""
        peer = scripted()

        def both(request):
            status, body = peer._transfers(request)
            row = min(body["individualTransferResults"], key=lambda one: one["transferId"])
            row["lastError"] = {"mojaloopError": error("5104")}
            return status, body

        peer.answers["transfers"] = both
        ends = paid(peer, items(2))
        assert sorted(ends.values(), key=str) == [None, TransferState.PAID]

    @pytest.mark.parametrize("state", ["PROCESSING", "ACCEPTED", "PENDING", "REJECTED", None])
    def test_a_bulk_that_has_not_come_to_an_end(self, scripted, state):
        """A fulfilment alone says that the payee's institution agreed."""
        assert set(paid(scripted(state=state), items(2)).values()) == {TransferState.WAITING}

    def test_ids_are_ours(self, scripted):
        peer = scripted()
        given = items(2)
        paid(peer, given)
        assert peer.paid == [one.ids.transfer_id for one in given]
        (sent,) = peer.bodies("/bulkTransfers")
        assert (sent["bulkTransferId"], sent["bulkQuoteId"]) == (IDS.bulk_transfer_id, IDS.bulk_quote_id)

    def test_what_is_written_down_is_what_is_sent(self, scripted):
        peer = scripted()
        with peer.connector() as connector:
            bulk = connector.bulk()
            bodies = bulk.transfer_bodies(list(bulk.quotes(items(2), IDS, NOW).values()), IDS, NOW)
            bulk.transfer(list(bodies.values()))
        (sent,) = peer.bodies("/bulkTransfers")
        written = [json.loads(body) for body in bodies.values()]
        assert sent.pop("individualTransfers") == [one["individualTransfer"] for one in written]
        assert [one["bulkTransfer"] for one in written] == [sent] * 2
        assert {bulk_transfer_id_of(body) for body in bodies.values()} == {IDS.bulk_transfer_id}

    def test_no_more_than_the_connector_reads_in_one_request(self, scripted):
        """Its reader of bodies takes 1 MiB; packets may have 32 kB."""
        peer = scripted()
        with peer.connector() as connector:
            bulk = connector.bulk()
            offers = [
                one.model_copy(update={"ilp_packet": "A" * 32000})
                for one in bulk.quotes(items(50), IDS, NOW).values()
            ]
            bodies = bulk.transfer_bodies(offers, IDS, NOW)
            bulk.transfer(list(bodies.values()))
        assert 25 < len(bodies) < 50
        assert list(bodies) == [one.transfer_id for one in offers[: len(bodies)]]
        (sent,) = [one.body for one in peer.server.requests if one.path == "/bulkTransfers"]
        assert MAX_BYTES * 0.9 < len(sent) <= 1024 * 1024


class TestOffers:
    @pytest.mark.parametrize(
        "changes",
        [
            {"packet": {"transactionId": "another"}},
            {"packet": {"amount": {"currency": "USD", "amount": "1"}}},
            {"offer": {"transferAmount": {"currency": "EUR", "amount": "100"}}},
            {"offer": {"ilpPacket": None}},
            {"offer": {"lastError": {"anything": 1}}},
        ],
    )
    def test_each_is_checked(self, scripted, changes):
        with scripted(**changes).connector() as connector:
            (failure,) = connector.bulk().quotes(items(1), IDS, NOW).values()
        assert (type(failure), failure.step) == (StepFailed, Step.QUOTE)

    def test_an_id_that_is_told_twice(self, scripted):
        given = items(2)
        peer = scripted()
        with peer.connector() as connector:
            peer.answers["quotes"] = lambda request: (
                200,
                {
                    "expiration": "2040-01-01T00:00:00.000Z",
                    "individualQuoteResults": [{"quoteId": given[0].ids.quote_id}] * 2
                    + [7, {}, {"quoteId": 1}],
                },
            )
            quotes = connector.bulk().quotes(given, IDS, NOW)
        assert {one.verdict for one in quotes.values()} == {Verdict.TRY_AGAIN}


class TestParts:
    def test_one_institution_each_and_not_too_many(self):
        given = [*items(2500), *items(3, "otherfsp"), *items(1)]
        cut = list(parts(given))
        assert [len(part) for part in cut] == [1000, 1000, 501, 3]
        assert all(len({one.payee.fsp_id for one in part}) == 1 for part in cut)
        assert sorted(one.ids for part in cut for one in part) == sorted(one.ids for one in given)

    def test_ids(self):
        assert bulk_ids("a", 1) == bulk_ids("a", 1)
        made = {one for names in (("a", 1), ("a", 2), ("b", 1)) for one in bulk_ids(*names)}
        assert len(made) == 6

    def test_no_other_text_is_an_order(self):
        for text in ("{}", "[]", "nothing", '{"bulkTransfer": {}, "expiration": "2040-01-01T00:00:00.000Z"}'):
            with pytest.raises(ValueError):
                order_of(text)


class TestRefused:
    def test_the_old_version(self, scripted):
        """npm's 18.0.2 never answers POST /bulkQuotes, and knows no GET /bulkTransfers."""
        old = {
            "quotes": (
                504,
                {"message": "Timeout requesting bulk quote", "statusCode": "504", "bulkQuoteState": {}},
            ),
            "ask_bulk": (400, {"message": "Method GET not supported", "statusCode": 400}),
        }
        peer = scripted(**old)
        with peer.connector() as connector, pytest.raises(Refused) as caught:
            connector.bulk().quotes(items(2), IDS, NOW)
        assert (caught.value.reason, caught.value.detail) == (Reason.CONFIGURATION, NO_BULK)
        with peer.connector(bulk=True) as connector:
            checks = {check.name: check.ok for check in connector.check_connection()}
        assert checks == {"connector": True, "hub": True, "transfers": True, "bulk": False}

    def test_the_new_version_may_be_late_as_well(self, scripted):
        peer = scripted(quotes=(504, {"message": "Timeout", "statusCode": "504", "bulkQuoteState": {}}))
        with peer.connector(bulk=True) as connector:
            with pytest.raises(OutcomeUnknown):
                connector.bulk().quotes(items(2), IDS, NOW)
            assert all(check.ok for check in connector.check_connection())

    @pytest.mark.parametrize(
        ("answer", "expected"),
        [
            (failed("3100", "bulkTransferState"), TransferState.FAILED),
            (failed("2001", "bulkTransferState"), TransferState.WAITING),
            ((500, {"message": "payee fsps are not the same", "statusCode": "500"}), TransferState.WAITING),
            (
                (504, {"message": "Timeout", "statusCode": "504", "bulkTransferState": {}}),
                TransferState.WAITING,
            ),
        ],
    )
    def test_an_error_is_about_all_of_them(self, scripted, answer, expected):
        peer = scripted(transfers=answer)
        with peer.connector() as connector:
            bulk = connector.bulk()
            bodies = bulk.transfer_bodies(list(bulk.quotes(items(2), IDS, NOW).values()), IDS, NOW)
            with pytest.raises((StepFailed, OutcomeUnknown)) as caught:
                bulk.transfer(list(bodies.values()))
        states = {state_of(caught.value, order_of(body), NOW, timedelta(0)) for body in bodies.values()}
        assert states == {expected}
