"""Answers to GET /transfers prove the hub's word of now, and never one that may be left over."""

import json

import pytest
from newer_adapter import PREFIX, SILENT
from scripted_connector import NewerConnector, error, failed, instruction, state

from odoo.addons.g2p_mojaloop_connector.client import paying
from odoo.addons.g2p_mojaloop_connector.client.answers import OLD_STEPS, WRONG_VERSION
from odoo.addons.g2p_mojaloop_connector.client.catalogue import Step, StepFailed, Verdict
from odoo.addons.g2p_mojaloop_connector.client.connector import KNOWS_TOO_MUCH
from odoo.addons.g2p_mojaloop_connector.client.ids import transfer_ids
from odoo.addons.g2p_mojaloop_connector.client.transfer_state import is_not_known
from odoo.addons.g2p_payment_hub.client.errors import GatewayError, OutcomeUnknown, Reason, Refused

OURS = transfer_ids("PAY1", 1).transfer_id
COMMITTED = {"transferState": "COMMITTED", "fulfilment": "A" * 43}
UNKNOWN = error("3208")


@pytest.fixture
def newer(loopback):
    return NewerConnector(loopback)


def said(peer):
    """Return what `ask` returns or raises."""
    with peer.connector() as connector:
        try:
            return connector.ask(OURS)
        except (StepFailed, GatewayError) as raised:
            return raised


def answered(scripted, status, body):
    return said(scripted(ask=(status, body)))


def sentence(body, code="500", **members):
    return {"message": PREFIX + body, "statusCode": code, "transferState": {}, **members}


class TestNewerAdapter:
    """24.19.4 stores a state with each question, and begins the next one from it."""

    def hears(self, newer, hub):
        newer.hub[OURS] = hub
        return said(newer)

    def test_not_known_however_often_it_is_asked(self, newer):
        assert all(is_not_known(self.hears(newer, UNKNOWN)) for _number in range(3))

    def test_not_known_after_silence(self, newer):
        assert self.hears(newer, SILENT).reason is Reason.TIMEOUT
        assert is_not_known(self.hears(newer, UNKNOWN))

    def test_silence_after_not_known_is_silence(self, newer):
        self.hears(newer, UNKNOWN)
        assert self.hears(newer, SILENT).reason is Reason.TIMEOUT

    @pytest.mark.parametrize("before", [UNKNOWN, error("5104"), SILENT, 406])
    @pytest.mark.parametrize("word", ["COMMITTED", "ABORTED", "RESERVED", "SETTLED"])
    def test_state_counts_whatever_was_said_before(self, newer, before, word):
        self.hears(newer, before)
        assert self.hears(newer, {"transferState": word}).state == word

    def test_error_after_a_fulfilment_proves_nothing(self, newer):
        self.hears(newer, COMMITTED)
        assert type(self.hears(newer, UNKNOWN)) is OutcomeUnknown

    def test_error_after_a_transfer_of_the_same_adapter(self, newer):
        """Its whole state is told with the answer, an earlier fulfilment included."""
        kept = {
            "transferId": OURS,
            "currentState": "succeeded",
            "fulfil": {"body": COMMITTED},
            "quoteId": "q",
        }
        newer.memory.states[OURS] = {**kept, "prepare": {"headers": {}}}
        assert type(self.hears(newer, UNKNOWN)) is OutcomeUnknown
        newer.memory.states[OURS] = {**kept, "prepare": {"headers": {}}}
        assert self.hears(newer, {"transferState": "RESERVED"}).state == "RESERVED"

    @pytest.mark.parametrize("code", ["5104", "3303", "4001", "2001"])
    def test_each_code_is_heard_again(self, newer, code):
        codes = [self.hears(newer, hub).code for hub in (error(code), error(code), UNKNOWN, error(code))]
        assert codes == [code, code, "3208", code]

    def test_refused_version(self, newer):
        for _number in range(2):
            refused = self.hears(newer, 406)
            assert (type(refused), refused.detail) == (Refused, WRONG_VERSION)

    @pytest.mark.parametrize("status", [400, 404, 500, 503])
    def test_any_other_refusal_is_unknown(self, newer, status):
        assert type(self.hears(newer, status)) is OutcomeUnknown


class TestAnyConnector:
    @pytest.mark.parametrize("status", [500, 404, 504, 400, 202])
    @pytest.mark.parametrize(
        "text",
        [
            json.dumps(UNKNOWN),
            json.dumps({"body": UNKNOWN, "headers": {}}),
            "{ errorInformation: { errorCode: '3208', errorDescription: 'Transfer ID not found' } }",
            "{\n  errorInformation: {\n    errorCode: '3208',\n    errorDescription: 'no'\n  }\n}",
            '{ body: { errorInformation: { errorCode: "3208" } }, headers: {} }',
        ],
    )
    def test_sentence_with_the_hubs_answer(self, scripted, status, text):
        assert is_not_known(answered(scripted, status, sentence(text)))

    def test_code_without_a_state_is_of_now(self, scripted):
        assert is_not_known(answered(scripted, 404, {**UNKNOWN, "currentState": "COMPLETED"}))

    @pytest.mark.parametrize(
        "body",
        [
            {"statusCode": "3208", "transferState": {}},
            {"statusCode": "3208", "transferState": {"lastError": {"mojaloopError": UNKNOWN}}},
            {"statusCode": "500", "transferState": {"lastError": {"mojaloopError": UNKNOWN}}},
            {"message": "Request failed", "lastError": {"mojaloopError": UNKNOWN}},
            {"message": "Request failed", "lastError": json.dumps({"res": {"data": UNKNOWN}})},
            {**UNKNOWN, "transferState": {}},
            {"message": PREFIX, **UNKNOWN},
            sentence("{ errorInformation: { errorCode: '3208', errorDescription: \"errorCode: '3303'\" } }"),
            sentence("nothing", transferState={"lastError": {"mojaloopError": UNKNOWN}}),
        ],
    )
    def test_code_that_may_be_left_over_is_no_evidence(self, scripted, body):
        assert isinstance(answered(scripted, 500, body), OutcomeUnknown)

    @pytest.mark.parametrize(
        "beside",
        [
            {"fulfil": {"body": COMMITTED}},
            {"transferState": {"fulfil": {"body": COMMITTED}}},
            {"transferState": {"lastError": {"transferState": {"fulfil": {"body": {"transferState": "?"}}}}}},
            {"transferState": json.dumps({"fulfil": {"body": COMMITTED}})},
            {"anything": [{"fulfilment": "A" * 43}]},
        ],
    )
    def test_code_beside_a_fulfilment_is_no_evidence(self, scripted, beside):
        body = {**sentence(json.dumps(UNKNOWN), "3208"), **beside}
        assert isinstance(answered(scripted, 500, body), OutcomeUnknown)

    @pytest.mark.parametrize(
        "text",
        [
            json.dumps({**UNKNOWN, "fulfil": {"body": COMMITTED}}),
            json.dumps({"body": {**UNKNOWN, "fulfilment": "A" * 43}}),
            json.dumps({**UNKNOWN, "lastState": " " + json.dumps({"fulfil": {"body": COMMITTED}})}),
            "{ errorInformation: { errorCode: '3208' }, fulfil: { body: { transferState: 'COMMITTED' } } }",
            "{ errorInformation: { errorCode: '3208' }, fulfilment: 'AAAA' }",
            json.dumps({**UNKNOWN, "transferState": "COMMITTED"}),
            json.dumps({**UNKNOWN, "fulfil": {"body": {"transferState": "RESERVED"}}}),
        ],
    )
    def test_code_beside_a_fulfilment_in_the_sentence(self, scripted, text):
        assert isinstance(answered(scripted, 500, sentence(text, "3208")), OutcomeUnknown)

    @pytest.mark.parametrize("code", ["5104", "3303", "4001", "5001"])
    def test_old_code_ends_nothing(self, scripted, code):
        body = {
            "message": "?",
            "statusCode": code,
            "transferState": {"lastError": {"mojaloopError": error(code)}},
        }
        told = answered(scripted, 500, body)
        assert (told.step, told.code, told.verdict) == (Step.ASK, code, Verdict.ASK)

    @pytest.mark.parametrize(
        "body", [{}, [], UNKNOWN, {"lastError": {"mojaloopError": UNKNOWN}}, {"transferId": OURS, **UNKNOWN}]
    )
    def test_200_without_a_state_is_unknown(self, scripted, body):
        assert isinstance(answered(scripted, 200, body), OutcomeUnknown)

    def test_deeply_nested_answer_is_read(self, scripted):
        deep = json.loads("[" * 400 + "]" * 400)
        assert is_not_known(answered(scripted, 500, sentence(json.dumps(UNKNOWN), deep=deep)))


class TestWhereMoneyMoves:
    """The same rules hold for what is said of a transfer when it is sent."""

    def test_state_counts_beside_an_older_error(self, scripted):
        old = {"lastError": {"mojaloopError": error("5104")}, **error("3208")}
        peer = scripted()
        peer.answers["transfer"] = lambda request: (200, {**peer._transfer(request)[1], **old})
        peer.answers["accept"] = lambda request: (200, {**peer._accept(request)[1], **old})
        for two_phase in (False, True):
            with peer.connector(two_phase=two_phase) as connector:
                _payee, quote = connector.offer(instruction(), transfer_ids("PAY1", 1), paying.now())
                body = connector.transfer_body(quote, paying.now())
                assert connector.transfer(body).state == "COMMITTED"

    def test_error_beside_a_fulfilment_is_unknown(self, scripted):
        peer = scripted(transfer=failed("5104", fulfil={"body": COMMITTED}))
        with peer.connector() as connector:
            _payee, quote = connector.offer(instruction(), transfer_ids("PAY1", 1), paying.now())
            with pytest.raises(OutcomeUnknown):
                connector.transfer(connector.transfer_body(quote, paying.now()))

    @pytest.mark.parametrize("step", ["party", "quote"])
    def test_version_of_single_steps_is_refused(self, scripted, step):
        peer = scripted(
            **{step: (500, {"message": "Request failed with status code 406", "statusCode": "500"})}
        )
        with peer.connector() as connector, pytest.raises(Refused) as caught:
            connector.offer(instruction(), transfer_ids("PAY1", 1), paying.now())
        assert caught.value.detail == OLD_STEPS


class TestGivenUp:
    """Payments that were given up are asked for under each of their ids."""

    @pytest.mark.parametrize("look", [paying.is_known, paying.may_pay])
    def test_all_asked_for_twice(self, newer, look):
        with newer.connector() as connector:
            assert [look(connector, [OURS, "b"]) for _number in range(2)] == [False, False]
            newer.hub["b"] = COMMITTED
            assert look(connector, [OURS, "b"]) == "b"

    @pytest.mark.parametrize("word", ["ABORTED", "EXPIRED_RESERVED", "INVALID", "ABORTED_ERROR"])
    def test_ended_may_not_pay(self, scripted, word):
        peer = scripted(ask=(200, state(OURS, {"transferState": word})))
        with peer.connector() as connector:
            assert paying.may_pay(connector, [OURS]) is False
            assert paying.is_known(connector, [OURS]) == OURS

    def test_ended_with_a_fulfilment_may_have_paid(self, scripted):
        peer = scripted(ask=(200, state(OURS, {**COMMITTED, "transferState": "ABORTED"})))
        with peer.connector() as connector:
            assert paying.may_pay(connector, [OURS]) == OURS

    @pytest.mark.parametrize("look", [paying.is_known, paying.may_pay])
    def test_leftover_is_no_answer(self, scripted, look):
        last = {"lastError": {"mojaloopError": UNKNOWN}}
        peer = scripted(ask=(500, {"message": "?", "statusCode": "3208", "transferState": last}))
        with peer.connector() as connector:
            assert isinstance(look(connector, [OURS]), OutcomeUnknown)


class TestCheck:
    """A question for a transfer that does not exist shows whether anybody could be paid."""

    def check(self, peer, **settings):
        with peer.connector(**settings) as connector:
            (check,) = [check for check in connector.check_connection() if check.name == "transfers"]
        return check.ok, check.reason, check.detail

    def test_another_id_each_time_that_hubs_take(self, newer):
        for _number in range(2):
            assert self.check(newer) == (True, None, "")
        asked = {request.path for request in newer.server.requests if request.path.startswith("/transfers/")}
        assert len(asked) == 2
        assert all(path.removeprefix("/transfers/")[14] == "4" for path in asked)

    @pytest.mark.parametrize(
        ("answer", "expected"),
        [
            (
                (
                    500,
                    {
                        "message": "Request failed with status code 406",
                        "transferState": {},
                        "statusCode": "500",
                    },
                ),
                (False, Reason.CONFIGURATION, WRONG_VERSION),
            ),
            ((500, sentence(json.dumps(error("3001")))), (False, Reason.CONFIGURATION, WRONG_VERSION)),
            ((500, sentence(json.dumps(error("3105")))), (False, None, "3105 no")),
            ((504, {"message": "Timeout", "statusCode": "504"}), (False, Reason.TIMEOUT, "HTTP 504 Timeout")),
            ((401, b""), (False, Reason.LOGIN, "HTTP 401")),
        ],
    )
    def test_why_nobody_could_be_paid(self, scripted, answer, expected):
        assert self.check(scripted(ask=answer)) == expected

    def test_connector_that_knows_everything(self, scripted):
        peer = scripted(ask=lambda request: (200, state(request.path.split("/")[2], COMMITTED)))
        assert self.check(peer) == (False, Reason.NOT_UNDERSTOOD, KNOWS_TOO_MUCH)

    def test_connector_that_may_tell_older_answers(self, scripted):
        ok, reason, detail = self.check(scripted(ask=(500, {"statusCode": "3208", "transferState": {}})))
        assert (ok, reason) == (False, Reason.SERVER_ERROR)
