"""The cases of what the hub says of a batch it has taken."""

from decimal import Decimal

import pytest
from hub_bench import (
    ALL_DONE,
    FAILED,
    HELD,
    IMPATIENT,
    IMPORTED,
    LATER,
    OTHER_HUB,
    PAID,
    SUSPECT,
    WAITING,
    batch_of,
    file_of,
    instructions_for,
    payees,
    some_rows,
)

from g2p_payment_hub.client import csv_file
from g2p_payment_hub.client.errors import GatewayError, OutcomeUnknown, Reason, Refused
from g2p_payment_hub.client.http import HttpLimits
from g2p_payment_hub.client.instructions import Payer


class TestStatus:
    def test_case_21_a_batch_without_rows_is_known(self, bench):
        """Rejected by its authorization, it is all that the hub shows, for ever."""
        batch, references = batch_of(payees(3))
        bench.hub.plan(batches={batch.filename: {"authorization": "N"}})
        receipt = bench.submit(batch)
        with bench.client() as client:
            assert not client.shows(receipt.reference), "not imported yet"
            bench.hub.clock(advance=ALL_DONE)
            assert client.shows(receipt.reference)
        assert bench.statuses(receipt, references) == {}
        assert not bench.hub.ledger()

    def test_case_23_tokens_expired_three_times(self, bench):
        receipt, references = bench.accepted(payees(3))
        bench.hub.faults({"fault": "expired_token", "count": 2})
        assert set(bench.statuses(receipt, references).values()) == {PAID}
        bench.hub.faults({"fault": "expired_token", "count": 3})
        with pytest.raises(OutcomeUnknown) as caught:
            bench.told(receipt, references)
        assert caught.value.reason is Reason.TOKEN

    def test_case_15_nothing_to_see_yet(self, bench):
        """The hub's own word is COMPLETED for a batch of no rows."""
        batch, references = batch_of(payees(12))
        receipt = bench.submit(batch)
        assert bench.statuses(receipt, references) == {}
        bench.hub.clock(advance=IMPORTED)
        assert bench.statuses(receipt, references) == {}
        seen = 0
        for _turn in range(6):
            bench.hub.clock(advance=5)
            statuses = bench.statuses(receipt, references)
            assert len(statuses) >= seen and set(statuses.values()) <= {WAITING, PAID}
            paid = {reference for reference, status in statuses.items() if status is PAID}
            assert paid <= {entry["request_id"] for entry in bench.hub.ledger()}
            seen = len(statuses)
        assert 0 < seen <= 12

    def test_case_16_half_way(self, bench):
        """The hub's own word is Failed while rows are on their way."""
        batch, references = batch_of(payees(12))
        receipt = bench.submit(batch)
        bench.hub.clock(advance=36)
        statuses = list(bench.statuses(receipt, references).values())
        assert PAID in statuses and WAITING in statuses and FAILED not in statuses
        bench.hub.clock(advance=ALL_DONE)
        assert bench.statuses(receipt, references) == dict.fromkeys(references, PAID)

    def test_case_17_some_fail(self, bench):
        receipt, references = bench.accepted(payees(10, "0404", "0402"))
        told = bench.told(receipt, references)
        assert [told[reference].status for reference in references] == [PAID] * 10 + [FAILED] * 2
        codes = [told[reference].reason_code for reference in references[10:]]
        assert codes == ["PayeeNotFound", "PayerInsufficientBalance"]
        assert all(told[reference].reason for reference in references[10:])
        assert {entry["request_id"] for entry in bench.hub.ledger()} == set(references[:10])

    @pytest.mark.parametrize("ending", ["0600", "0601", "0602", "0603", "0604", "0605"])
    def test_case_17_failed_and_called_completed(self, bench, ending):
        receipt, references = bench.accepted(payees(1, ending))
        assert bench.statuses(receipt, references) == dict(zip(references, [PAID, SUSPECT], strict=True))
        trusting = bench.statuses(receipt, references, verify_completed=False)[references[1]]
        assert trusting is (SUSPECT if ending == "0600" else PAID)
        assert len(bench.hub.ledger()) == 1

    def test_case_18_duplicate_of_an_unsplit_batch(self, bench):
        rows = some_rows(2)
        batch, _none = batch_of(file_of([*rows, ("again", *rows[0][1:])]))
        receipt = bench.submit(batch)
        bench.hub.clock(advance=ALL_DONE)
        told = bench.told(receipt, ["r-0", "r-1", "again"])
        assert [told[name].status for name in ("r-0", "r-1", "again")] == [PAID, PAID, FAILED]
        assert told["again"].reason == "Duplicate transaction."

    def test_case_18_duplicate_of_a_split_batch(self, bench):
        """Listed nowhere with the batch."""
        rows = some_rows(12)
        batch, _none = batch_of(file_of([*rows, ("again", *rows[0][1:])]))
        receipt = bench.submit(batch)
        bench.hub.clock(advance=ALL_DONE)
        names = [row[0] for row in rows]
        assert bench.statuses(receipt, [*names, "again"]) == {**dict.fromkeys(names, PAID), "again": FAILED}

    def test_case_18_duplicate_under_a_name_of_its_own(self, bench_with):
        """Older importers give it one: it stays open, and is nobody's failure."""
        bench = bench_with(*OTHER_HUB)
        rows = some_rows(12)
        batch, _none = batch_of(file_of([*rows, ("again", *rows[0][1:])]))
        receipt = bench.submit(batch)
        bench.hub.clock(advance=ALL_DONE)
        names = [row[0] for row in rows]
        assert bench.statuses(receipt, [*names, "again"]) == dict.fromkeys(names, PAID)

    def test_case_18_we_never_make_one(self):
        rows = [*instructions_for(payees(1)), *instructions_for(payees(1))]
        rows[1] = rows[1].model_copy(update={"reference": "another"})
        with pytest.raises(ValueError):
            csv_file.render(rows, Payer(), "mojaloop")

    def test_case_19_decimal_amount(self, bench):
        """Never ends at the hub; so it never leaves us."""
        (one,) = instructions_for(payees(1))
        decimal = one.model_copy(update={"amount": Decimal("10.50")})
        assert csv_file.problems(decimal) == [csv_file.Problem.AMOUNT_DECIMALS]
        batch, _none = batch_of(file_of([*some_rows(5), ("decimal", "27713800001", "10.50")]))
        receipt = bench.submit(batch)
        bench.hub.clock(advance=LATER)
        statuses = bench.statuses(receipt, [f"r-{number}" for number in range(5)] + ["decimal"])
        assert "decimal" not in statuses

    def test_case_20_payment_mode_that_the_hub_does_not_know(self, bench):
        receipt, references = bench.accepted(payees(3), "carrierpigeon")
        bench.hub.clock(advance=LATER)
        assert bench.statuses(receipt, references) == {}
        assert bench.hub.ledger() == []

    def test_case_21_not_authorized(self, bench):
        """The hub's own word is COMPLETED for ever."""
        bench.hub.plan(batches={"11-22-33": {"authorization": "N"}})
        receipt, references = bench.accepted(payees(3))
        bench.hub.clock(advance=LATER)
        assert bench.statuses(receipt, references) == {}
        assert bench.hub.ledger() == []

    def test_accepted_and_never_heard_of_again(self, bench):
        bench.hub.plan(batches={"11-22-33": {"start": "never"}})
        receipt, references = bench.accepted(payees(3))
        bench.hub.clock(advance=LATER)
        assert bench.statuses(receipt, references) == {}

    @pytest.mark.parametrize("rows", [3, 12])
    def test_case_22_closed_loop(self, bench, rows):
        """COMPLETED is what the hub calls these rows, whether or not anybody was paid."""
        bench.hub.plan(rows={"*": {"like": "paid", "pays": None}})
        receipt, references = bench.accepted(payees(rows), "closedloop")
        assert bench.hub.ledger() == []
        held = bench.told(receipt, references, payment_mode="closedloop")
        assert {held[reference].status for reference in references} == {HELD}
        assert {held[reference].reason_code for reference in references} == {"closed_loop"}
        trusted = bench.statuses(receipt, references, payment_mode="closedloop", trust_closed_loop=True)
        assert trusted == dict.fromkeys(references, PAID)

    def test_case_22_quoted_keys(self, bench):
        receipt, references = bench.accepted(payees(7, "0671"))
        assert bench.statuses(receipt, references) == dict.fromkeys(references, PAID)

    def test_case_22_keys_that_nobody_knows(self, bench):
        receipt, references = bench.accepted(payees(2, "0672"))
        assert bench.statuses(receipt, references) == dict.fromkeys(references[:2], PAID)

    def test_case_23_tokens(self, bench):
        batch, references = batch_of(payees(3))
        receipt = bench.submit(batch)
        grants = []
        for seconds in (ALL_DONE, 601, 43_300):
            bench.hub.clock(advance=seconds)
            assert bench.statuses(receipt, references) == dict.fromkeys(references, PAID)
            answered = [entry["status"] for entry in bench.hub.requests("/oauth/token")]
            grants.append(answered[sum(map(len, grants)) :])
        assert grants == [[200], [200], [400, 200]]

    def test_case_23_wrong_password(self, bench):
        receipt, references = bench.accepted(payees(3))
        with pytest.raises(Refused) as caught:
            bench.told(receipt, references, credentials={"password": "wrong"})
        assert caught.value.reason is Reason.LOGIN
        assert len(bench.hub.requests("/oauth/token")) == 1

    @pytest.mark.parametrize(
        "fault", ["empty_500", "html_500", "bad_gateway", "unavailable", "rate_limited", "redirect", "hang"]
    )
    @pytest.mark.parametrize("path", ["/batch/detail", "/oauth/token"])
    def test_case_24_operations_app_away_for_a_moment(self, bench, fault, path):
        receipt, references = bench.accepted(payees(3))
        bench.hub.faults({"fault": fault, "path": path, "seconds": 2})
        with pytest.raises(GatewayError):
            bench.told(receipt, references, limits=IMPATIENT)
        assert bench.statuses(receipt, references) == dict.fromkeys(references, PAID)

    @pytest.mark.parametrize("fault", ["slow_drip", "half_body", "oversized_body", "invalid_json"])
    def test_case_24_answers_that_are_none(self, bench, fault):
        receipt, references = bench.accepted(payees(3))
        bench.hub.faults({"fault": fault, "path": "/batch/detail"})
        with pytest.raises(OutcomeUnknown):
            bench.told(receipt, references, limits=HttpLimits(connect=2, read=2, total=1.5))

    def test_case_24_incident_that_is_repaired(self, bench):
        receipt, references = bench.accepted(payees(0, "0620", "0622"))
        assert bench.statuses(receipt, references) == dict.fromkeys(references, WAITING)
        bench.hub.clock(advance=LATER)
        assert bench.statuses(receipt, references) == dict(zip(references, [PAID, FAILED], strict=True))

    def test_case_25_a_callback_is_no_evidence(self, bench):
        """All that the client does is to say where it may go."""
        batch, references = batch_of(payees(0, "0610", "0610"))
        receipt = bench.submit(batch.model_copy(update={"callback_url": "http://127.0.0.1:9/news/token"}))
        bench.hub.clock(advance=ALL_DONE)
        bench.hub.send_callback(batch_id=receipt.reference, rate=100)
        assert set(bench.statuses(receipt, references).values()) == {WAITING}
        assert bench.hub.requests("batchtransactions")[0]["headers"]["X-CallbackURL"]
