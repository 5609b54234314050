"""POST and PUT /transfers of a connector that waits until its quote is accepted."""

import json
from datetime import datetime, timedelta, timezone

import pytest
from scripted_connector import NEW_QUOTE, failed, instruction

from odoo.addons.g2p_mojaloop_connector.client.bodies import order_of
from odoo.addons.g2p_mojaloop_connector.client.catalogue import Step, StepFailed, Verdict
from odoo.addons.g2p_mojaloop_connector.client.ids import transfer_ids
from odoo.addons.g2p_mojaloop_connector.client.offers import NO_IDS
from odoo.addons.g2p_mojaloop_connector.client.transfer_state import TransferState, state_of
from odoo.addons.g2p_payment_hub.client.errors import OutcomeUnknown, Reason, Refused
from odoo.addons.g2p_payment_hub.client.outcomes import FailureType

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
IDS = transfer_ids("PAY1", 1)
OURS = IDS.transfer_id


def begin(peer, asked=None):
    with peer.connector(two_phase=True) as connector:
        return connector.offer(asked or instruction(note="Help"), IDS, NOW)


def begins_with(peer, word, **members):
    """POST /transfers answers a state of this word."""
    peer.answers["begin"] = lambda request: (peer._begin(request), (200, peer.begun(word, **members)))[1]


def begin_fails(peer, kind=StepFailed):
    with pytest.raises(kind) as caught:
        begin(peer)
    assert not any(one.method == "PUT" and b"acceptQuote" in one.body for one in peer.server.requests)
    return caught.value


class TestPaid:
    def test_whole_way(self, scripted):
        peer = scripted()
        with peer.connector(two_phase=True) as connector:
            payee, quote = connector.offer(instruction(note="Help"), IDS, NOW)
            assert not peer.paid
            body = connector.transfer_body(quote, NOW)
            said = connector.transfer(body)
        assert (payee.fsp_id, quote.transfer_id, quote.quote_id) == ("payeefsp", OURS, NEW_QUOTE)
        assert state_of(said, order_of(body), NOW, timedelta(0)) is TransferState.PAID
        assert peer.paid == [OURS]
        begun, accepted = peer.bodies("/transfers")
        payer = {"idType": "ACCOUNT_ID", "idValue": "12345", "type": "BUSINESS", "displayName": "Ministry"}
        assert begun == {
            "transferId": OURS,
            "homeTransactionId": "PAY1",
            "from": payer,
            "to": {"idType": "MSISDN", "idValue": "27713803912"},
            "amountType": "RECEIVE",
            "currency": "USD",
            "amount": "100",
            "transactionType": "TRANSFER",
            "note": "Help",
        }
        assert accepted == {"acceptQuote": True}

    def test_the_party_may_need_acceptance_too(self, scripted):
        peer = scripted()
        peer.answers["begin"] = lambda request: (
            200,
            {
                **peer._begin(request)[1],
                "currentState": "WAITING_FOR_PARTY_ACCEPTANCE",
                "quoteResponse": None,
            },
        )
        peer.answers["accept"] = lambda _request: (200, peer.begun())
        _payee, quote = begin(peer)
        assert quote.transfer_id == OURS
        assert peer.bodies(f"/transfers/{OURS}") == [{"acceptParty": True}]

    def test_the_time_until_which_it_may_happen_is_on_the_safe_side(self, scripted):
        """The connector begins to count when it gets round to it."""
        peer = scripted()
        with peer.connector(two_phase=True, expiry_seconds=60) as connector:
            order = order_of(connector.transfer_body(begin(peer)[1], NOW))
        assert order.expiration == NOW + timedelta(seconds=60 + 5)
        assert not order.repeatable


class TestBefore:
    def test_declined(self, scripted):
        peer = scripted()
        _payee, quote = begin(peer)
        with peer.connector(two_phase=True) as connector:
            connector.decline(quote)
        assert peer.bodies(f"/transfers/{OURS}") == [{"acceptQuote": False}]
        assert not peer.paid

    def test_step_by_step_there_is_nothing_to_decline(self, scripted):
        peer = scripted()
        with peer.connector() as connector:
            _payee, quote = connector.offer(instruction(), IDS, NOW)
            connector.decline(quote)
        assert not peer.bodies("/transfers")

    @pytest.mark.parametrize(
        ("code", "verdict", "kind"),
        [
            ("3204", Verdict.FAILED, FailureType.PAYEE_UNKNOWN),
            ("5103", Verdict.FAILED, FailureType.REJECTED),
            ("2001", Verdict.TRY_AGAIN, FailureType.TECHNICAL),
        ],
    )
    def test_errors_of_the_hub(self, scripted, code, verdict, kind):
        failure = begin_fails(scripted(begin=failed(code)))
        assert (failure.step, failure.verdict, failure.failure_type) == (Step.QUOTE, verdict, kind)

    def test_time_out(self, scripted):
        answer = 504, {"message": "Timeout resolving payee", "statusCode": "504", "transferState": {}}
        assert begin_fails(scripted(begin=answer), OutcomeUnknown).reason is Reason.TIMEOUT

    @pytest.mark.parametrize("identifier", ["27713803913", ""])
    def test_another_party(self, scripted, identifier):
        peer = scripted()
        peer.answers["begin"] = lambda request: (
            200,
            json.loads(
                json.dumps(peer._begin(request)[1]).replace(
                    '"partyIdentifier": "27713803912"', f'"partyIdentifier": "{identifier}"'
                )
            ),
        )
        assert begin_fails(peer).step is Step.LOOKUP


class TestAcceptsByItself:
    """AUTO_ACCEPT_QUOTES is on, by mistake."""

    @pytest.mark.parametrize(
        ("word", "members"),
        [("COMPLETED", {}), ("COMPLETED", {"fulfil": {}}), ("?", {"prepare": {"headers": {}}})],
    )
    def test_may_have_paid(self, scripted, word, members):
        peer = scripted()
        begins_with(peer, word, **members)
        failure = begin_fails(peer)
        assert (failure.step, failure.verdict, failure.transfer_id) == (
            Step.TRANSFER,
            Verdict.ASK,
            OURS,
        )
        assert "AUTO_ACCEPT_QUOTES" in failure.description

    @pytest.mark.parametrize(
        "answer",
        [
            failed("5104", quoteResponse={"body": {}}),
            (
                504,
                {
                    "message": "Timeout",
                    "statusCode": "504",
                    "transferState": {"quoteResponse": {"body": 1}, "lastError": {"httpStatusCode": 504}},
                },
            ),
        ],
    )
    def test_failed_at_its_transfer(self, scripted, answer):
        """A quote in the state of the failure: the transfer was next."""
        failure = begin_fails(scripted(begin=answer))
        assert (failure.step, failure.verdict) == (Step.TRANSFER, Verdict.ASK)
        assert "AUTO_ACCEPT_QUOTES" in failure.description

    def test_a_state_that_nobody_expects(self, scripted):
        peer = scripted()
        begins_with(peer, "WAITING_FOR_CONVERSION_ACCEPTANCE")
        assert begin_fails(peer).verdict is Verdict.PAUSE_BATCH


class TestIds:
    """They have to be ours, or nobody could ask for a payment that was forgotten here."""

    def test_a_newer_connector_refuses_them(self, scripted):
        answer = 400, {"message": ".requestBody must NOT have additional properties", "statusCode": 400}
        refused = begin_fails(scripted(begin=answer), Refused)
        assert (refused.reason, refused.detail) == (Reason.CONFIGURATION, NO_IDS)

    def test_a_body_that_is_refused_for_something_else(self, scripted):
        answer = 400, {"message": ".requestBody must have required property 'from'", "statusCode": 400}
        assert begin_fails(scripted(begin=answer), Refused).detail != NO_IDS

    @pytest.mark.parametrize("word", ["WAITING_FOR_PARTY_ACCEPTANCE", "WAITING_FOR_QUOTE_ACCEPTANCE"])
    def test_a_connector_that_makes_others(self, scripted, word):
        peer = scripted()
        peer.answers["begin"] = lambda request: (
            peer._begin(request),
            (200, peer.begun(word, transferId=NEW_QUOTE)),
        )[1]
        assert begin_fails(peer, Refused).detail == NO_IDS
        assert not any(one.method == "PUT" for one in peer.server.requests)

    def test_a_connector_that_has_paid_under_another(self, scripted):
        peer = scripted()
        peer.answers["begin"] = lambda request: (
            peer._begin(request),
            (200, peer.begun("COMPLETED", transferId=NEW_QUOTE)),
        )[1]
        failure = begin_fails(peer)
        assert (failure.verdict, failure.transfer_id) == (Verdict.ASK, NEW_QUOTE)


class TestMoney:
    @staticmethod
    def failure(peer, kind):
        _payee, quote = begin(peer)
        with peer.connector(two_phase=True) as connector:
            body = connector.transfer_body(quote, NOW)
            with pytest.raises(kind) as caught:
                connector.transfer(body)
        return caught.value, state_of(caught.value, order_of(body), NOW, timedelta(0))

    @pytest.mark.parametrize(
        ("answer", "expected"),
        [
            (failed("5104"), TransferState.FAILED),
            (failed("4001"), TransferState.FAILED),
            (failed("1001"), TransferState.WAITING),
        ],
    )
    def test_errors_of_the_hub(self, scripted, answer, expected):
        _failure, found = self.failure(scripted(accept=answer), StepFailed)
        assert found is expected

    @pytest.mark.parametrize(
        "answer",
        [
            (204, b""),
            (500, {"message": "No cached data found", "statusCode": "500"}),
            (504, {"message": "Timeout waiting for fulfil", "statusCode": "504", "transferState": {}}),
            (200, {"transferId": "another", "currentState": "COMPLETED", "fulfil": {"body": {}}}),
            (200, {"transferId": OURS, "currentState": "COMPLETED"}),
        ],
    )
    def test_unknown(self, scripted, answer):
        _failure, found = self.failure(scripted(accept=answer), OutcomeUnknown)
        assert found is TransferState.WAITING

    @pytest.mark.parametrize("word", ["ABORTED", "RESERVED"])
    def test_completed_is_not_paid(self, scripted, word):
        peer = scripted()
        _payee, quote = begin(peer)
        fulfilled = {"fulfil": {"body": peer.committed(OURS, word)}}
        peer.answers["accept"] = lambda _request: (200, peer.begun("COMPLETED", **fulfilled))
        with peer.connector(two_phase=True) as connector:
            body = connector.transfer_body(quote, NOW)
            found = state_of(connector.transfer(body), order_of(body), NOW, timedelta(0))
        assert found is (TransferState.SUSPECT if word == "ABORTED" else TransferState.WAITING)
