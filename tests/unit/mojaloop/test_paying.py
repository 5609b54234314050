"""The steps of a worker give rows that can be written down, whatever the other side says."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripted_connector import ScriptedConnector, failed, party, state

from odoo.addons.g2p_mojaloop_connector.client import bodies, orders, paying, results
from odoo.addons.g2p_mojaloop_connector.client.catalogue import Step, StepFailed
from odoo.addons.g2p_mojaloop_connector.client.connector import Connector
from odoo.addons.g2p_mojaloop_connector.client.ids import transfer_ids
from odoo.addons.g2p_mojaloop_connector.client.parties import Party
from odoo.addons.g2p_mojaloop_connector.client.results import Task
from odoo.addons.g2p_mojaloop_connector.client.workers import Pace, Workers

texts = st.text(st.one_of(st.characters(), st.sampled_from("\0\ud800\udfff")), max_size=300)
values = st.one_of(texts, st.integers(), st.none(), st.dictionaries(texts, texts, max_size=2))
TERMS = orders.Terms(
    dfsp_id="userdfsp",
    payer=Party(id_type="ACCOUNT_ID", id_value="12345"),
    scenario="TRANSFER",
    initiator_type="BUSINESS",
    amount_type="RECEIVE",
    fee_limit="0",
    fee_limit_percent="0",
)
OURS = transfer_ids("PAY1", 1).transfer_id
NEXT = transfer_ids("PAY1", 2).transfer_id


def task(**changes):
    order = orders.Order(
        reference="PAY1", id_type="MSISDN", id_value="27713803912", amount="100", currency="USD"
    )
    known = {
        "id": 1,
        "state": "waiting",
        "transfer_id": OURS,
        "turn": 1,
        "tries": 0,
        "asks": 0,
        "taken": False,
        "heard": False,
        "order": order,
        "terms": TERMS,
        "next_id": NEXT,
    }
    return Task(**{**known, **changes})


def body():
    """Of a transfer that has just expired, and that the hub may still come to know."""
    expiration = bodies.time_text(datetime.now(timezone.utc) - timedelta(seconds=1))
    order = {"transferId": OURS, "condition": "A" * 43, "expiration": expiration}
    return bodies.text_of({"transfersPostRequest": order})


def begun(hub):
    """What `begin_all` brings for one task."""
    with Workers(hub.connector, 1, Pace(0)) as workers:
        return paying.begin_all(workers, [task()])[0]


def assert_can_be_written_down(result):
    for value in result.row.values():
        if isinstance(value, str):
            assert "\0" not in value and value.encode()
            assert len(value) < 4000


def asked(answers):
    """What GET /transfers answers, by transfer id; of others nothing is known."""
    return lambda request: answers.get(request.path.split("/")[2], failed("3208"))


def aborted(transfer_id):
    return 200, state(transfer_id, {"transferState": "ABORTED"})


class TestHostile:
    @settings(max_examples=60, suppress_health_check=list(HealthCheck))
    @given(
        st.fixed_dictionaries({}, optional={name: values for name in ("name", "personalInfo", "fspId")}),
        st.fixed_dictionaries(
            {}, optional={n: values for n in ("transferState", "fulfilment", "completedTimestamp")}
        ),
        st.none() | texts,
        texts,
    )
    def test_every_step(self, loopback_of_all, told_of_payee, told_of_transfer, code, description):
        hub = loopback_of_all
        institution = {"fspId": told_of_payee.pop("fspId")} if "fspId" in told_of_payee else {}
        changed = party("MSISDN", "27713803912", **told_of_payee)
        changed["partyIdInfo"] = {**changed["partyIdInfo"], **institution}
        hub.answers["party"] = 200, {"party": {"body": changed}}
        hub.answers.pop("transfer", None)
        hub.answers.pop("ask", None)
        ready = begun(hub)
        assert_can_be_written_down(ready)
        if not ready.quote:
            return
        told = {**hub.committed(OURS), **told_of_transfer}
        hub.answers["transfer"] = (
            failed(code, lastError=description) if code else (200, {"transfer": {"body": told}})
        )
        with hub.connector() as connector:
            assert_can_be_written_down(paying.transfer(connector, ready.task))
            hub.answers["ask"] = 200, state(OURS, told)
            assert_can_be_written_down(paying.ask(connector, ready.task))

    @pytest.fixture
    def loopback_of_all(self, loopback):
        return ScriptedConnector(loopback)

    def test_an_error_while_judging_is_an_unknown_transfer(self, loopback, monkeypatch):
        hub = ScriptedConnector(loopback)
        ready = begun(hub)
        monkeypatch.setattr(paying, "sent", lambda *_arguments, **_named: 1 / 0)
        with hub.connector() as connector:
            for step in (paying.transfer, paying.ask):
                row = step(connector, ready.task).row
                assert (row["state"], row["error_code"]) == ("unknown", "ZeroDivisionError")
                assert row["next_at"]

    def test_one_that_the_scheme_knows_never_fails_for_an_error_of_ours(self, loopback, monkeypatch):
        hub = ScriptedConnector(loopback, ask=asked({OURS: aborted(OURS)}))
        monkeypatch.setattr(paying, "known", lambda *_arguments: 1 / 0)
        with hub.connector() as connector:
            assert paying.begin(connector, task(tries=7)).row["state"] == "unknown"

    def test_an_error_while_making_the_body_leaves_it_waiting(self, loopback, monkeypatch):
        monkeypatch.setattr(Connector, "transfer_body", lambda *_arguments: 1 / 0)
        result = begun(ScriptedConnector(loopback))
        assert (result.row["state"], result.row["tries"], result.row.get("body")) == ("waiting", 1, None)

    def test_errors_have_texts_that_can_be_written_down(self):
        error = StepFailed(Step.ASK, "5104\0", "a\ud800" * 1000)
        assert "\0" not in error.code
        assert len(error.description.encode()) <= 2000


class TestFirstNo:
    """It names the reason; asked again, a hub often says only that the transfer is over."""

    HEARD = {"heard": True, "error": ("transfer", "4001", "no money"), "state": "unknown"}

    def assert_kept(self, row):
        assert (row["state"], row["heard"]) == ("unknown", True)
        assert (row["error_step"], row["error_code"]) == ("transfer", "4001")

    @pytest.mark.parametrize("said", [(504, {"statusCode": "504"}), failed("2001"), failed("3208")])
    def test_a_question_without_an_answer_leaves_it(self, loopback, said):
        hub = ScriptedConnector(loopback, ask=said)
        with hub.connector() as connector:
            row = paying.ask(connector, task(body=body(), **self.HEARD)).row
        self.assert_kept(row)
        assert row["next_at"]

    def test_one_for_which_there_was_no_time_keeps_it(self):
        self.assert_kept(paying.left_over(task(body=body(), **self.HEARD)).row)

    def test_one_that_the_hub_works_on_has_none(self, loopback):
        hub = ScriptedConnector(loopback, ask=(200, state(OURS, {"transferState": "RESERVED"})))
        with hub.connector() as connector:
            assert not paying.ask(connector, task(body=body(), **self.HEARD)).row["heard"]


class TestSecondNo:
    """A no that counts ends a payment only when nothing is known of the attempt after this one: a database
    restored from a backup has forgotten that one."""

    def told(self, loopback, answers, step=paying.begin, **changes):
        hub = ScriptedConnector(loopback, ask=asked(answers))
        with hub.connector() as connector:
            return step(connector, task(heard=True, **changes))

    @pytest.mark.parametrize("said", [aborted(OURS), failed("5104"), failed("3303")])
    def test_nothing_is_known_of_the_next(self, loopback, said):
        result = self.told(loopback, {OURS: said})
        assert (result.row["state"], result.again) == ("failed", False)

    @pytest.mark.parametrize("said", [aborted(OURS), failed("5104"), failed("5001"), failed("4001")])
    @pytest.mark.parametrize(
        "known", [(200, state(NEXT, {"transferState": "COMMITTED"})), aborted(NEXT), failed("5104")]
    )
    def test_the_next_is_known(self, loopback, said, known):
        result = self.told(loopback, {OURS: said, NEXT: known})
        assert (result.row["state"], result.again) == ("failed", True)

    def test_the_next_is_known_to_one_that_was_asked_for(self, loopback):
        result = self.told(loopback, {OURS: aborted(OURS), NEXT: aborted(NEXT)}, paying.ask, state="unknown")
        assert (result.row["state"], result.again) == ("failed", True)

    @pytest.mark.parametrize("said", [(504, {"statusCode": "504"}), failed("2001"), (401, {})])
    @pytest.mark.parametrize(("step", "before"), [(paying.begin, "waiting"), (paying.ask, "unknown")])
    def test_it_cannot_be_told(self, loopback, said, step, before):
        result = self.told(loopback, {OURS: aborted(OURS), NEXT: said}, step, state=before)
        assert (result.row["state"], result.row["heard"], result.again) == (before, True, False)
        assert result.row["next_at"]

    def test_it_cannot_be_told_and_then_nothing_is_known(self, loopback):
        """Why it could not be told is no reason of the transfer's."""
        said = {OURS: aborted(OURS), NEXT: (504, {"statusCode": "504"})}
        before = self.told(loopback, said, paying.ask, state="unknown", body=body()).row
        error = tuple(before[name] or "" for name in ("error_step", "error_code", "error_description"))
        said = {OURS: aborted(OURS)}
        result = self.told(loopback, said, paying.ask, state="unknown", body=body(), error=error)
        assert (result.row["state"], result.row["failure_type"], result.again) == (
            "failed",
            "rejected",
            False,
        )

    def test_there_is_no_next(self, loopback):
        said = {OURS: aborted(OURS), NEXT: aborted(NEXT)}
        result = self.told(loopback, said, next_id="")
        assert (result.row["state"], result.again) == ("failed", False)

    @pytest.mark.parametrize("code", ["5001", "4001"])
    def test_a_reason_that_passes_leads_to_the_next(self, loopback, code):
        result = self.told(loopback, {OURS: failed(code)})
        assert (result.row["state"], result.again) == ("failed", True)
        assert (result.pause is not None) == (code == "4001")


class TestSlowAnswer:
    """What the hub said before a transfer's time was over is no word about the time after it."""

    @pytest.mark.parametrize("said", [failed("3208"), aborted(OURS)])
    def test_a_question_asked_in_time_and_answered_later(self, loopback, monkeypatch, said):
        hub = ScriptedConnector(loopback, ask=said)
        expired = bodies.time_of(bodies.time_text(datetime.now(timezone.utc)))
        moments = iter([expired + timedelta(seconds=1)])
        later = expired + results.GRACE + timedelta(seconds=5)
        for module in (paying, results):
            monkeypatch.setattr(module, "now", lambda: next(moments, later))
        order = {"transferId": OURS, "condition": "A" * 43, "expiration": bodies.time_text(expired)}
        left = bodies.text_of({"transfersPostRequest": order})
        known = {"state": "unknown", "heard": True, "error": ("transfer", "5001", "no money")}
        with hub.connector() as connector:
            first = paying.ask(connector, task(body=left, **known))
            second = paying.ask(connector, task(body=left, **known))
        assert (first.row["state"], first.again) == ("unknown", False)
        assert (second.row["state"], second.again) == ("failed", True)
