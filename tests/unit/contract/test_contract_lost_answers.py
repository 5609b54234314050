"""The cases of an answer that is lost: what the hub shows of the upload."""

from datetime import datetime, timedelta, timezone

import pytest
from hub_bench import (
    ALL_DONE,
    IMPATIENT,
    IMPORTED,
    LATER,
    OTHER_HUB,
    PAID,
    batch_of,
    payees,
)
from loopback import unused_port

from g2p_payment_hub.client.errors import GatewayError, NotSent, OutcomeUnknown, Reason, Refused
from g2p_payment_hub.client.outcomes import FoundTwice


class TestLostAnswers:
    LOSSES = [
        ({"fault": "accept_then_drop"}, Reason.CONNECTION_LOST),
        ({"fault": "slow", "seconds": 3}, Reason.TIMEOUT),
        ({"fault": "half_body"}, Reason.CONNECTION_LOST),
        ({"fault": "slow_drip", "seconds": 0.1}, Reason.TIMEOUT),
        ({"fault": "accept_then_answer", "status": 502, "body": "<html>"}, Reason.SERVER_ERROR),
        ({"fault": "accept_then_answer"}, Reason.TENANT),
        ({"fault": "invalid_json"}, Reason.FORGED),
        ({"fault": "bad_signature"}, Reason.FORGED),
        ({"fault": "no_signature"}, Reason.FORGED),
    ]

    @pytest.mark.parametrize(("fault", "reason"), LOSSES)
    def test_case_12_accepted_all_the_same(self, bench, fault, reason):
        batch, references = batch_of(payees(3))
        bench.hub.faults({**fault, "path": "batchtransactions"})
        error = bench.error(batch, limits=IMPATIENT)
        assert (type(error), error.reason) == (OutcomeUnknown, reason)
        assert bench.find(batch, references) is None  # not reported yet: who asks has to wait
        bench.hub.clock(advance=IMPORTED)
        receipt = bench.find(batch, references)
        assert receipt.reference == bench.hub.batches()[0]["batch_id"]
        bench.hub.clock(advance=ALL_DONE)
        assert set(bench.statuses(receipt, references).values()) == {PAID}
        assert (bench.uploads(), len(bench.hub.ledger())) == (1, 3)

    @pytest.mark.parametrize("status", [401, 413])
    def test_a_proxy_says_no_after_the_hub_has_paid(self, bench, status):
        """It is found by its rows when its payments were given up, and each of them is told."""
        batch, references = batch_of(payees(3))
        fault = {
            "fault": "accept_then_answer",
            "status": status,
            "body": "<html>",
            "path": "batchtransactions",
        }
        bench.hub.faults(fault)
        assert isinstance(bench.error(batch, hub_certificate=""), Refused)
        bench.hub.clock(advance=ALL_DONE)
        other, _references = batch_of(payees(3), name="B9-0a1b2c3d4e5f.csv", program=2)
        receipt = bench.find(other.model_copy(update={"correlation_id": "other"}), references)
        assert receipt.reference == bench.hub.batches()[0]["batch_id"]
        assert bench.statuses(receipt, references) == dict.fromkeys(references, PAID)
        assert len(bench.hub.ledger()) == 3

    def test_two_uploads_of_the_same_payments_are_both_named(self, bench):
        batch, references = batch_of(payees(3))
        for _upload in range(2):
            bench.submit(batch)
        bench.hub.clock(advance=ALL_DONE)
        with pytest.raises(FoundTwice) as caught:
            bench.find(batch, references)
        found = {receipt.reference for receipt in caught.value.receipts}
        assert found == {at_hub["batch_id"] for at_hub in bench.hub.batches()}

    @pytest.mark.parametrize("mode", ["mojaloop", "gsma", "closedloop"])
    def test_case_12_split_and_so_without_its_name(self, bench, mode):
        """Rows name their sub-batches; the receipt has to name the batch."""
        bench.submit(batch_of(payees(12), mode, name="B2-0a1b2c3d4e5f.csv", program=2)[0], payment_mode=mode)
        batch, references = batch_of(payees(12), mode)
        bench.hub.faults({"fault": "accept_then_drop", "path": "batchtransactions"})
        assert isinstance(bench.error(batch, payment_mode=mode), OutcomeUnknown)
        bench.hub.clock(advance=ALL_DONE)
        ours = next(one for one in bench.hub.batches() if one["file_name"] == batch.filename)
        receipt = bench.find(batch, references, payment_mode=mode)
        assert receipt.reference == ours["batch_id"]
        found = bench.statuses(receipt, references, payment_mode=mode, trust_closed_loop=True)
        assert found == dict.fromkeys(references, PAID)

    def test_case_12_while_it_is_being_split(self, bench):
        """Neither name nor rows: it must not be called lost in this moment."""
        batch, references = batch_of(payees(12))
        bench.hub.plan(rows={"*": "never_appears"})
        bench.hub.faults({"fault": "accept_then_drop", "path": "batchtransactions"})
        bench.error(batch)
        bench.hub.clock(advance=ALL_DONE)
        with pytest.raises(OutcomeUnknown) as caught:
            bench.find(batch, references)
        assert caught.value.reason is Reason.AMBIGUOUS
        assert bench.hub.batches()[0]["batch_id"] in caught.value.detail

    def test_case_12_slcb_shows_no_rows(self, bench):
        batch, references = batch_of(payees(12), "slcb")
        bench.hub.faults({"fault": "accept_then_drop", "path": "batchtransactions"})
        bench.error(batch, payment_mode="slcb")
        bench.hub.clock(advance=LATER)
        assert len(bench.hub.ledger()) == 12
        with pytest.raises(OutcomeUnknown):
            bench.find(batch, references, payment_mode="slcb")

    def test_case_12_by_its_correlation_id(self, bench_with):
        bench = bench_with(*OTHER_HUB)
        batch, references = batch_of(payees(12))
        receipt = bench.submit(batch.model_copy(update={"filename": "renamed.csv"}))
        bench.hub.clock(advance=IMPORTED)
        assert bench.find(batch, references).reference == receipt.reference

    def test_case_12_waiting_for_its_authorization(self, bench):
        bench.hub.plan(batches={"11-22-33": {"authorization": "hold"}})
        batch, references = batch_of(payees(12))
        receipt = bench.submit(batch)
        bench.hub.clock(advance=LATER)
        assert bench.find(batch, references).reference == receipt.reference
        assert bench.statuses(receipt, references) == {}

    def test_case_13_never_arrived(self, bench):
        batch, references = batch_of(payees(3))
        bench.submit(batch_of(payees(8), name="B2-0a1b2c3d4e5f.csv", program=2)[0])
        bench.hub.faults({"fault": "drop_before", "path": "batchtransactions"})
        error = bench.error(batch)
        assert (type(error), error.reason) == (OutcomeUnknown, Reason.CONNECTION_LOST)
        for _turn in range(3):
            bench.hub.clock(advance=ALL_DONE)
            assert bench.find(batch, references) is None
        bench.submit(batch)
        bench.hub.clock(advance=ALL_DONE)
        assert len(bench.hub.ledger()) == 11

    @pytest.mark.parametrize("fault", ["empty_500", "html_500", "bad_gateway", "unavailable", "hang"])
    def test_case_13_answered_by_something_in_between(self, bench, fault):
        batch, references = batch_of(payees(3))
        bench.hub.faults({"fault": fault, "path": "batchtransactions", "seconds": 2})
        assert isinstance(bench.error(batch, limits=IMPATIENT), OutcomeUnknown)
        bench.hub.clock(advance=LATER)
        assert bench.find(batch, references) is None

    def test_not_sent_and_refused_leave_nothing_behind(self, bench):
        batch, references = batch_of(payees(3))
        bench.hub.faults({"fault": "rate_limited", "path": "batchtransactions"})
        assert isinstance(bench.error(batch), NotSent)
        bench.hub.faults({"fault": "redirect", "status": 307, "path": "batchtransactions"})
        assert isinstance(bench.error(batch), Refused)
        assert isinstance(bench.error(batch, bulk_url=f"https://127.0.0.1:{unused_port()}"), NotSent)
        assert isinstance(bench.error(batch, ca_bundle=""), NotSent)
        bench.hub.clock(advance=LATER)
        assert bench.find(batch, references) is None
        assert bench.hub.batches() == []

    def test_case_14_the_same_file_twice(self, bench):
        """The hub pays both; the client sends one, and calls two an alarm."""
        batch, references = batch_of(payees(3))
        receipts = {bench.submit(batch).reference, bench.submit(batch).reference}
        bench.hub.clock(advance=ALL_DONE)
        assert len(receipts) == 2 and len(bench.hub.ledger()) == 6
        with pytest.raises(OutcomeUnknown) as caught:
            bench.find(batch, references)
        assert caught.value.reason is Reason.AMBIGUOUS
        assert all(one in caught.value.detail for one in receipts)

    def test_case_14_twice_where_the_hub_remembers(self, bench_with):
        """There the second batch's rows never appear; that they are paid in the first is not its success."""
        bench = bench_with(*OTHER_HUB)
        batch, references = batch_of(payees(3))
        bench.submit(batch)
        second = bench.submit(batch)
        bench.hub.clock(advance=LATER)
        assert len(bench.hub.ledger()) == 3
        assert bench.statuses(second, references) == {}

    @pytest.mark.parametrize("fault", ["empty_500", "bad_gateway", "rate_limited", "expired_token"])
    @pytest.mark.parametrize("path", ["/batches", "/transfers", "/batch/detail"])
    def test_a_hub_that_cannot_tell_never_says_no(self, bench, fault, path):
        batch, references = batch_of(payees(12))
        bench.submit(batch)
        bench.hub.clock(advance=ALL_DONE)
        bench.hub.faults({"fault": fault, "path": path, "count": None})
        with pytest.raises(GatewayError):
            bench.find(batch, references)


def test_since_has_a_time_zone_and_any_will_do(bench):
    batch, references = batch_of(payees(3))
    receipt = bench.submit(batch)
    bench.hub.clock(advance=IMPORTED)
    for hours in (-11, 0, 13):
        bench.since = datetime.now(timezone(timedelta(hours=hours)))
        assert bench.find(batch, references).reference == receipt.reference
