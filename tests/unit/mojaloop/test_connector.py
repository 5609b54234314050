"""The connector against a stand-in whose every word is the test's: what counts as an answer, and as which."""

import json
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from loopback import message, reset, unused_port
from packets import condition_v4, fulfilment_v4, packet_v4
from scripted_connector import (
    FULFIL_TIMEOUT,
    TIMEOUT,
    error,
    failed,
    instruction,
    party,
    settings_for,
    state,
)

from odoo.addons.g2p_mojaloop_connector.client.bodies import order_of
from odoo.addons.g2p_mojaloop_connector.client.catalogue import Step, StepFailed, Verdict
from odoo.addons.g2p_mojaloop_connector.client.connector import Connector
from odoo.addons.g2p_mojaloop_connector.client.ids import transfer_ids
from odoo.addons.g2p_mojaloop_connector.client.transfer_state import TransferState, state_of
from odoo.addons.g2p_payment_hub.client.errors import GatewayError, NotSent, OutcomeUnknown, Reason, Refused
from odoo.addons.g2p_payment_hub.client.http import HttpLimits
from odoo.addons.g2p_payment_hub.client.outcomes import FailureType

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=timezone.utc)
GRACE = timedelta(minutes=5)
IDS = transfer_ids("PAY1", 1)


@pytest.fixture
def raised(scripted):
    """The error with which the way of a payment ends, and the stand-in."""

    def way(instructed=None, settings=None, **answers):
        peer = scripted(**answers)
        with peer.connector(**settings or {}) as connector:
            with pytest.raises((StepFailed, GatewayError)) as caught:
                pay(connector, instructed or instruction())
        return caught.value, peer

    return way


def pay(connector, instructed):
    """The body of the transfer, and what was said of it."""
    _payee, quote = connector.offer(instructed, IDS, NOW)
    body = connector.transfer_body(quote, NOW)
    return body, connector.transfer(body)


def judged(said, body, now=NOW):
    return state_of(said, order_of(body), now, GRACE)


class TestPaid:
    def test_whole_way(self, scripted):
        peer = scripted()
        with peer.connector() as connector:
            payee, quote = connector.offer(instruction(note="Help"), IDS, NOW)
            body = connector.transfer_body(quote, NOW)
            said = connector.transfer(body)
            asked = connector.ask(IDS.transfer_id)
        assert judged(said, body) is TransferState.PAID
        assert asked == said
        assert said.completed_at == datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=timezone.utc)
        assert (payee.fsp_id, payee.first_name, payee.last_name) == ("payeefsp", "Tess", "Payee")
        assert (quote.transfer_amount, quote.payer_fee, quote.cost) == (100, 0, 0)
        assert peer.paid == [IDS.transfer_id]

    def test_what_was_written_down_is_what_is_sent(self, scripted):
        peer = scripted()
        with peer.connector() as connector:
            body, _said = pay(connector, instruction())
            connector.resend(body)
        sent = [one.body for one in peer.server.requests if one.path == "/simpleTransfers"]
        assert sent == [body.encode()] * 2

    def test_only_what_the_connector_knows_is_sent(self, scripted):
        peer = scripted()
        with peer.connector() as connector:
            pay(connector, instruction(note="Help"))
        (quote,) = peer.bodies("/quotes")
        (transfer,) = peer.bodies("/simpleTransfers")
        payer = {"partyIdType": "ACCOUNT_ID", "partyIdentifier": "12345", "fspId": "userdfsp"}
        payee = {"partyIdType": "MSISDN", "partyIdentifier": "27713803912", "fspId": "payeefsp"}
        asked = {
            "quoteId": IDS.quote_id,
            "transactionId": IDS.transfer_id,
            "payer": {"partyIdInfo": payer, "name": "Ministry"},
            "payee": {"partyIdInfo": payee},
            "amountType": "RECEIVE",
            "amount": {"currency": "USD", "amount": "100"},
            "transactionType": {"scenario": "TRANSFER", "initiator": "PAYER", "initiatorType": "BUSINESS"},
            "expiration": "2026-01-02T03:05:05.678Z",
            "note": "Help",
        }
        assert quote == {"fspId": "payeefsp", "quotesPostRequest": asked}
        packet = peer.packets[IDS.transfer_id]
        ordered = {
            "transferId": IDS.transfer_id,
            "payerFsp": "userdfsp",
            "payeeFsp": "payeefsp",
            "amount": {"currency": "USD", "amount": "100"},
            "ilpPacket": packet,
            "condition": order_of(json.dumps(transfer)).condition,
            "expiration": "2026-01-02T03:05:05.678Z",
        }
        assert transfer == {"fspId": "payeefsp", "transfersPostRequest": ordered}

    def test_empty_note_and_name_are_left_out(self, scripted):
        peer = scripted()
        payer = settings_for("http://x").payer.model_copy(update={"display_name": "وزارة"})
        with peer.connector(payer=payer) as connector:
            pay(connector, instruction())
        asked = peer.bodies("/quotes")[0]["quotesPostRequest"]
        assert "note" not in asked
        assert "name" not in asked["payer"]

    def test_what_refines_an_identifier(self, scripted):
        peer = scripted()
        asked = instruction(payee_identifier_type="PERSONAL_ID/PASSPORT", payee_identifier="AB1")
        with peer.connector() as connector:
            body, said = pay(connector, asked)
        assert peer.server.requests[0].path == "/parties/PERSONAL_ID/AB1/PASSPORT"
        payee = peer.bodies("/quotes")[0]["quotesPostRequest"]["payee"]["partyIdInfo"]
        assert payee["partySubIdOrType"] == "PASSPORT"
        assert judged(said, body) is TransferState.PAID


class TestLookup:
    @pytest.mark.parametrize(
        ("party", "code"),
        [
            ((200, {"party": {"body": {}, "headers": {}}, "currentState": "COMPLETED"}), ""),
            ((404, {**error("3204"), "currentState": "COMPLETED"}), "3204"),
            (failed("3204"), "3204"),
        ],
        ids=["18.0.2", "newer", "state"],
    )
    def test_nobody(self, raised, party, code):
        failure, peer = raised(party=party)
        assert (failure.step, failure.code, failure.verdict) == (Step.LOOKUP, code, Verdict.FAILED)
        assert failure.failure_type is FailureType.PAYEE_UNKNOWN
        assert not peer.bodies("/")

    @pytest.mark.parametrize(
        "told",
        [
            party("MSISDN", "27713803913"),
            party("ACCOUNT_ID", "27713803912"),
            party("MSISDN", "27713803912", "OTHER"),
            party("MSISDN", "27713803912", partyIdInfo={}),
            {"partyIdInfo": {"partyIdType": "MSISDN", "partyIdentifier": "27713803912"}},
        ],
    )
    def test_another_party_or_one_that_cannot_be_paid(self, raised, told):
        failure, peer = raised(party=(200, {"party": {"body": told}}))
        assert (failure.step, failure.verdict) == (Step.LOOKUP, Verdict.FAILED)
        assert not peer.bodies("/")

    def test_the_plus_of_a_phone_number_may_come_back(self, scripted):
        peer = scripted(party=(200, {"party": {"body": party("MSISDN", "+27713803912")}}))
        with peer.connector() as connector:
            assert connector.lookup("MSISDN", "27713803912").id_value == "+27713803912"

    @pytest.mark.parametrize(
        ("id_type", "value"),
        [("ALIAS", "../quotes"), ("MSISDN", "27 713"), ("ALIAS", "a?b"), ("PASSPORT", "1")],
    )
    def test_what_is_no_identifier_goes_nowhere(self, scripted, id_type, value):
        peer = scripted()
        with peer.connector() as connector, pytest.raises(ValueError, match="not an identifier"):
            connector.lookup(id_type, value)
        assert not peer.server.requests

    @pytest.mark.parametrize(
        "answer", [TIMEOUT, (504, {"message": "Timeout resolving payee", "statusCode": "504"})]
    )
    def test_no_answer(self, raised, answer):
        failure, peer = raised(party=answer)
        assert (type(failure), failure.reason) == (OutcomeUnknown, Reason.TIMEOUT)
        assert not peer.bodies("/")


class TestQuoteOfVersion4:
    """A quote with a packet of Interledger version 4, as hubs that move to ISO 20022 use it."""

    @staticmethod
    def peer(scripted, carried=None, offer=None, **head):
        """`carried` changes the transaction in the packet, `head` what stands before it."""
        made = {}

        def make(transaction):
            made.update(transaction, **(carried or {}))
            return packet_v4(made, **head)

        def offered(asked):
            members = original(asked)
            return {**members, "condition": condition_v4(made), **(offer or {})}

        peer = scripted(make_packet=make)
        original, peer.offer = peer.offer, offered
        peer.committed = lambda transfer_id, state="COMMITTED": {
            "transferState": state,
            "fulfilment": fulfilment_v4(made),
        }
        return peer

    @pytest.mark.parametrize("two_phase", [False, True])
    def test_paid(self, scripted, two_phase):
        peer = self.peer(scripted)
        with peer.connector(two_phase=two_phase) as connector:
            body, said = pay(connector, instruction())
        assert judged(said, body) is TransferState.PAID
        assert peer.packets[IDS.transfer_id].startswith("DII")

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"carried": {"quoteId": IDS.transfer_id}}, "another transaction"),
            ({"carried": {"transactionId": IDS.quote_id}}, "another transaction"),
            ({"carried": {"amount": {"currency": "USD", "amount": "99"}}}, "another amount"),
            ({"carried": {"amount": {"currency": "EUR", "amount": "100"}}}, "another currency"),
            ({"amount": 9900}, "head is for another"),
            ({"opened_by": "A" * 43}, "head is for another"),
            ({"offer": {"condition": "A" * 43}}, "head is for another"),
            ({"kind": 13}, "not a payment packet"),
        ],
    )
    def test_not_for_this_payment(self, scripted, changes, why):
        self.refused(self.peer(scripted, **changes), why)

    @pytest.mark.parametrize("cut", [2, 20, 60, 90, 200])
    def test_cut_short(self, scripted, cut):
        peer = self.peer(scripted)
        whole = peer.offer
        peer.offer = lambda asked: {**whole(asked), "ilpPacket": whole(asked)["ilpPacket"][:cut]}
        self.refused(peer, "")

    @staticmethod
    def refused(peer, why):
        with peer.connector() as connector, pytest.raises(StepFailed) as caught:
            pay(connector, instruction())
        assert (caught.value.step, caught.value.verdict) == (Step.QUOTE, Verdict.FAILED)
        assert why in caught.value.description
        assert not peer.paid


class TestQuote:
    @pytest.mark.parametrize(
        "quote",
        [
            (200, {"quotes": error("5103"), "currentState": "COMPLETED"}),
            (200, {"quotes": {"body": error("5103"), "headers": {}}, "currentState": "COMPLETED"}),
            failed("5103", "requestQuotesInformationState"),
        ],
    )
    def test_rejected(self, raised, quote):
        failure, peer = raised(quote=quote)
        assert (failure.step, failure.code, failure.verdict) == (Step.QUOTE, "5103", Verdict.FAILED)
        assert not peer.bodies("/simpleTransfers")

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"transferAmount": {"currency": "EUR", "amount": "100"}}, "currency"),
            ({"transferAmount": {"currency": "USD", "amount": "100.00"}}, "not an amount"),
            ({"transferAmount": {"currency": "USD", "amount": 100}}, "not an amount"),
            ({"transferAmount": {"currency": "USD", "amount": "0"}}, "nothing"),
            ({"transferAmount": None}, "no transferAmount"),
            ({"payeeReceiveAmount": {"currency": "USD", "amount": "99"}}, "not receive"),
            ({"payeeFspFee": {"currency": "EUR", "amount": "1"}}, "currency"),
            ({"condition": "abc"}, "condition"),
            ({"condition": None}, "understood"),
            ({"ilpPacket": "abc"}, "packet"),
            ({"ilpPacket": None}, "understood"),
            ({"expiration": "soon"}, ""),
            ({"expiration": "2040-01-01T00:00:00.000"}, "zone"),
        ],
    )
    def test_an_offer_for_something_else(self, raised, changes, why):
        failure, peer = raised(offer=changes)
        assert (failure.step, failure.code, failure.verdict) == (Step.QUOTE, "", Verdict.FAILED)
        assert why in failure.description
        assert not peer.bodies("/simpleTransfers")

    @pytest.mark.parametrize(
        "money",
        [
            {"transferAmount": "1"},
            {"transferAmount": "100", "payeeFspFee": "50"},
            {"transferAmount": "102", "payeeFspFee": "2.01"},
            {"transferAmount": "99", "payeeFspCommission": "0.99"},
        ],
    )
    def test_the_payee_would_get_less_and_that_is_not_told(self, raised, money):
        offer = {name: {"currency": "USD", "amount": amount} for name, amount in money.items()}
        failure, peer = raised(offer=offer)
        assert (failure.step, failure.verdict) == (Step.QUOTE, Verdict.FAILED)
        assert "would not receive" in failure.description
        assert not peer.bodies("/simpleTransfers")

    @pytest.mark.parametrize("member", ["transactionId", "quoteId", "amount"])
    def test_the_packet_is_for_something_else(self, raised, member):
        other = {
            "transactionId": IDS.quote_id,
            "quoteId": IDS.transfer_id,
            "amount": {"currency": "USD", "amount": "99"},
        }
        failure, peer = raised(packet={member: other[member]})
        assert "the packet is for another" in failure.description
        assert not peer.bodies("/simpleTransfers")

    def test_expired_already(self, raised):
        failure, _peer = raised(offer={"expiration": "2020-01-01T00:00:00.000Z"})
        assert failure.verdict is Verdict.NEW_QUOTE

    def test_another_institution_than_the_payment_names(self, raised):
        failure, peer = raised(instruction(payee_dfsp="otherfsp"))
        assert "another institution" in failure.description
        assert not peer.bodies("/simpleTransfers")

    @pytest.mark.parametrize(
        ("changes", "absolute", "percent", "exceeds"),
        [
            ({}, 0, 0, False),
            ({"transferAmount": "102", "payeeFspFee": "2"}, None, None, False),
            ({"transferAmount": "102", "payeeFspFee": "2"}, 2, None, False),
            ({"transferAmount": "102", "payeeFspFee": "2"}, "1.99", None, True),
            ({"transferAmount": "102", "payeeFspFee": "2"}, None, 2, False),
            ({"transferAmount": "102", "payeeFspFee": "2"}, None, "1.99", True),
            ({"transferAmount": "102", "payeeFspFee": "2"}, 2, 1, True),
            ({"transferAmount": "99", "payeeFspCommission": "1"}, 0, 0, False),
        ],
    )
    def test_fees_and_limits(self, scripted, changes, absolute, percent, exceeds):
        money = {name: {"currency": "USD", "amount": amount} for name, amount in changes.items()}
        peer = scripted(offer=money)
        with peer.connector() as connector:
            _payee, quote = connector.offer(instruction(), IDS, NOW)
        assert quote.fee == (Decimal(changes["payeeFspFee"]) if "payeeFspFee" in changes else None)
        assert quote.payer_fee == Decimal(changes.get("transferAmount", 100)) - 100
        limits = [None if limit is None else Decimal(limit) for limit in (absolute, percent)]
        assert quote.exceeds(*limits) is exceeds

    @pytest.mark.parametrize("money", [{"payeeReceiveAmount": "98"}, {"payeeFspFee": "2"}])
    def test_what_the_payee_would_miss_is_a_cost_too(self, scripted, money):
        peer = scripted(offer={name: {"currency": "USD", "amount": amount} for name, amount in money.items()})
        with peer.connector(amount_type="SEND") as connector:
            _payee, quote = connector.offer(instruction(), IDS, NOW)
        assert (quote.payer_fee, quote.cost) == (0, 2)
        assert quote.exceeds(Decimal(1))


class TestTransfer:
    @pytest.mark.parametrize(
        ("answer", "code", "state"),
        [
            (
                (200, {"transfer": {"body": error("5104")}, "currentState": "COMPLETED"}),
                "5104",
                TransferState.FAILED,
            ),
            ((200, {"transfer": error("4001")}), "4001", TransferState.FAILED),
            (failed("5104"), "5104", TransferState.FAILED),
            (failed("2001"), "2001", TransferState.WAITING),
            (failed("3106"), "3106", TransferState.WAITING),
            (failed("9999"), "9999", TransferState.WAITING),
        ],
    )
    def test_errors_of_the_hub(self, scripted, answer, code, state):
        failure, body = self.failure(scripted, StepFailed, transfer=answer)
        assert failure.code == code
        assert judged(failure, body, NOW + timedelta(days=1)) is state

    @staticmethod
    def failure(scripted, kind, **answers):
        peer = scripted(**answers)
        with peer.connector() as connector:
            _payee, quote = connector.offer(instruction(), IDS, NOW)
            body = connector.transfer_body(quote, NOW)
            with pytest.raises(kind) as caught:
                connector.transfer(body)
        return caught.value, body

    @pytest.mark.parametrize("wrapped", [dict, json.dumps])
    @pytest.mark.parametrize("code", ["2003", "2005"])
    def test_the_hub_refused_at_once(self, scripted, wrapped, code):
        """18.0.2 keeps the refusal as a text."""
        refusal = wrapped(
            {"msg": "Request returned non-success", "res": {"statusCode": 503, "data": error(code)}}
        )
        answer = 500, {"message": "...", "statusCode": "500", "transferState": {"lastError": refusal}}
        failure, body = self.failure(scripted, StepFailed, transfer=answer)
        assert (failure.code, failure.verdict) == (code, Verdict.ASK)
        assert judged(failure, body) is TransferState.WAITING

    def test_the_hub_refused_at_once_in_its_own_media_type(self, scripted):
        message = "Invalid content-type. Expected application/json but received x/y: " + json.dumps(
            error("3105")
        )
        answer = 500, {"message": message, "statusCode": "500", "transferState": {"lastError": {"a": 1}}}
        failure, _body = self.failure(scripted, StepFailed, transfer=answer)
        assert (failure.code, failure.verdict) == ("3105", Verdict.PAUSE_BATCH)

    @pytest.mark.parametrize(
        "answer",
        [
            TIMEOUT,
            FULFIL_TIMEOUT,
            (500, {"message": "Channel x does not have a callback", "statusCode": "500"}),
            (500, b"<html>"),
            (502, b""),
            (404, b"Not Found"),
            (301, b""),
            (204, b""),
            (200, b""),
            (200, b"<html>paid</html>"),
            (200, {}),
            (200, []),
            (200, {"currentState": "COMPLETED"}),
            (200, {"transfer": {"body": {}}}),
            (200, {"transfer": {"body": {"transferState": True, "fulfilment": 7}}}),
            (400, {"message": "no", "statusCode": "400"}),
        ],
    )
    def test_anything_else_is_unknown(self, scripted, answer):
        error, body = self.failure(scripted, OutcomeUnknown, transfer=answer)
        assert judged(error, body, NOW + timedelta(days=1)) is TransferState.WAITING

    @pytest.mark.parametrize(
        ("answer", "kind", "reason"),
        [
            ((400, {"message": "/body/x must be string", "statusCode": 400}), Refused, Reason.CONFIGURATION),
            ((401, b""), Refused, Reason.LOGIN),
            ((403, b""), Refused, Reason.LOGIN),
            ((429, b""), NotSent, Reason.BUSY),
        ],
    )
    def test_turned_away_before_anything_was_done(self, scripted, answer, kind, reason):
        error, _body = self.failure(scripted, kind, transfer=answer)
        assert error.reason is reason

    def test_the_connection_breaks(self, scripted):
        peer = scripted()

        def behave(connection, server):
            while request := server.receive(connection):
                if request.path == "/simpleTransfers":
                    reset(connection)
                    return
                connection.sendall(message(*peer._answer(request)))

        peer.server._behave = behave
        with peer.connector() as connector:
            _payee, quote = connector.offer(instruction(), IDS, NOW)
            with pytest.raises(OutcomeUnknown):
                connector.transfer(connector.transfer_body(quote, NOW))

    def test_nobody_listens(self):
        nowhere = f"http://localhost:{unused_port()}"
        with Connector(settings_for(nowhere)) as connector, pytest.raises(NotSent):
            connector.offer(instruction(), IDS, NOW)

    @pytest.mark.parametrize("word", ["ABORTED", "RESERVED", "RECEIVED", "RESERVED_FORWARDED", "INVALID"])
    def test_completed_is_not_paid(self, scripted, word):
        """Not even with the right fulfilment, which the Toolkit sends along: it contradicts an end."""
        peer = scripted(
            transfer=lambda request: (200, {"transfer": {"body": peer.committed(IDS.transfer_id, word)}})
        )
        with peer.connector() as connector:
            body, said = pay(connector, instruction())
        expected = TransferState.SUSPECT if word in ("ABORTED", "INVALID") else TransferState.WAITING
        assert judged(said, body) is expected

    def test_no_other_text_is_sent(self, scripted):
        peer = scripted()
        with peer.connector() as connector:
            for body in ("{}", "[]", '{"transfersPostRequest": {"transferId": "t1"}}', "nothing"):
                with pytest.raises(ValueError):
                    connector.transfer(body)
        assert not peer.server.requests


class TestAsk:
    def test_of_another_transfer(self, scripted):
        peer = scripted(ask=(200, state("another", {"transferState": "COMMITTED"})))
        with peer.connector() as connector, pytest.raises(OutcomeUnknown):
            connector.ask(IDS.transfer_id)

    def test_the_hub_knows_nothing(self, scripted):
        with scripted().connector() as connector, pytest.raises(StepFailed) as caught:
            connector.ask(IDS.transfer_id)
        assert (caught.value.step, caught.value.code) == (Step.ASK, "3208")

    def test_aborted(self, scripted):
        peer = scripted(ask=(200, state(IDS.transfer_id, {"transferState": "ABORTED"})))
        with peer.connector() as connector:
            assert connector.ask(IDS.transfer_id).state == "ABORTED"


class TestLimits:
    @pytest.mark.parametrize(
        ("limits", "two_phase"),
        [
            ({"read": 30}, False),
            ({"total": 30}, False),
            ({"read": 60}, True),
            ({"read": 31, "total": 30}, False),
        ],
    )
    def test_we_wait_longer_than_the_connector(self, limits, two_phase):
        """Otherwise an answer of its own would come too late for us, each time."""
        limits = HttpLimits(**{"read": 100, "total": 100, **limits})
        with pytest.raises(ValueError, match="wait longer"):
            settings_for("http://x", step_timeout=30, limits=limits, two_phase=two_phase)

    def test_a_connector_that_hangs(self, scripted):
        """Its Redis is frozen, for example."""
        peer = scripted(transfer=lambda _request: (peer.server.over.wait(3), (200, b""))[1])
        with peer.connector(step_timeout=0.1, limits=HttpLimits(connect=1, read=0.3, total=1)) as connector:
            _payee, quote = connector.offer(instruction(), IDS, NOW)
            with pytest.raises(OutcomeUnknown) as caught:
                connector.transfer(connector.transfer_body(quote, NOW))
        assert caught.value.reason is Reason.TIMEOUT
