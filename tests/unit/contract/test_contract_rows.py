"""Outcomes that are nobody's case, and the connection test."""

import pytest
from hub_bench import ALL_DONE, FAILED, PAID, SUSPECT, WAITING, batch_of, file_of, payees
from loopback import unused_port

from g2p_payment_hub.client.errors import OutcomeUnknown, Reason


class TestRows:
    """Outcomes that are nobody's case, and answers that are not quite the hub's."""

    @pytest.mark.parametrize(
        ("ending", "status"),
        [
            ("0408", SUSPECT),
            ("0409", SUSPECT),
            ("0599", FAILED),
            ("0610", WAITING),
            ("0611", WAITING),
            ("0612", WAITING),
            ("0613", WAITING),
            ("0621", WAITING),
            ("0641", WAITING),
            ("0660", PAID),
            ("0661", FAILED),
            ("0670", PAID),
        ],
    )
    def test_each(self, bench, ending, status):
        receipt, references = bench.accepted(payees(0, ending))
        assert bench.statuses(receipt, references) == {references[0]: status}

    @pytest.mark.parametrize("ending", ["0630", "0631"])
    def test_rows_that_never_appear(self, bench, ending):
        receipt, references = bench.accepted(payees(2, ending))
        assert bench.statuses(receipt, references) == dict.fromkeys(references[:2], PAID)

    @pytest.mark.parametrize("ending", ["0650", "0651", "0652"])
    def test_amount_and_currency_are_the_hub_s(self, bench, ending):
        receipt, references = bench.accepted(payees(0, ending))
        told = bench.told(receipt, references)[references[0]]
        expected = {"0650": (11, "USD"), "0651": (9, "USD"), "0652": (10, "XTS")}[ending]
        assert (told.amount, told.currency) == expected

    @pytest.mark.parametrize("fault", ["reorder", "duplicate_rows", "foreign_rows", "wrong_content_type"])
    def test_order_repetition_and_strangers_do_not_matter(self, bench, fault):
        receipt, references = bench.accepted(payees(10, "0404", "0610"))
        expected = bench.statuses(receipt, references)
        bench.hub.faults({"fault": fault, "path": "/batch/detail"})
        assert bench.statuses(receipt, references) == expected

    def test_half_a_page(self, bench):
        """What is missing is not failed; it is there the next time."""
        receipt, references = bench.accepted(payees(12))
        bench.hub.faults({"fault": "half_page", "path": "/batch/detail"})
        assert set(bench.statuses(receipt, references).values()) == {PAID}
        assert bench.statuses(receipt, references) == dict.fromkeys(references, PAID)

    def test_rows_of_two_batches_are_kept_apart(self, bench):
        one, ours = bench.accepted(payees(12))
        other, _none = batch_of(file_of([("theirs", "27720000404", 5)]), name="B2.csv")
        theirs = bench.submit(other)
        bench.hub.clock(advance=ALL_DONE)
        assert set(bench.told(one, ours)) == set(ours)
        assert set(bench.told(theirs, ["theirs"])) == {"theirs"}

    def test_an_earlier_attempt_s_rows(self, bench):
        """Paid then, and silent now: for a person. Failed then, and silent now: still open."""
        bench.accepted(payees(2, "0404"))
        batch, references = batch_of(payees(2, "0404"))
        bench.hub.plan(rows={reference: "never_appears" for reference in references[1:]})
        second = bench.submit(batch)
        bench.hub.clock(advance=ALL_DONE)
        assert bench.statuses(second, references) == {references[0]: PAID, references[1]: SUSPECT}

    def test_large_batch(self, bench):
        receipt, references = bench.accepted(payees(600))
        assert bench.statuses(receipt, references, verify_completed=False) == dict.fromkeys(references, PAID)


class TestConnection:
    def checks(self, bench, **changes):
        with bench.client(**changes) as client:
            return {check.name: (check.ok, check.reason) for check in client.check_connection()}

    def test_all_is_well(self, bench):
        checks = self.checks(bench)
        assert [ok for ok, _reason in checks.values()] == [True, True]
        assert list(checks) == ["bulk", "operations"]
        assert bench.hub.batches() == []

    @pytest.mark.parametrize(
        ("changes", "bulk", "operations"),
        [
            ({"credentials": {"password": "wrong"}}, None, Reason.LOGIN),
            ({"credentials": {"client_id": "wrong"}}, None, Reason.LOGIN),
            ({"credentials": {"tenant": "nowhere"}}, None, Reason.TENANT),
            ({"ca_bundle": ""}, Reason.TLS, Reason.TLS),
            ({"bulk_url": "https://no-such-host.invalid"}, Reason.NAME_NOT_FOUND, None),
            ({"operations_url": f"https://127.0.0.1:{unused_port()}"}, None, Reason.UNREACHABLE),
        ],
    )
    def test_what_is_wrong_is_named(self, bench, changes, bulk, operations):
        checks = self.checks(bench, **changes)
        assert checks == {"bulk": (bulk is None, bulk), "operations": (operations is None, operations)}

    def test_addresses_the_wrong_way_round(self, bench):
        info = bench.hub.info
        checks = self.checks(bench, bulk_url=info["operations_url"], operations_url=info["bulk_url"])
        assert [ok for ok, _reason in checks.values()] == [False, False]

    def test_key_that_the_hub_does_not_know(self, bench):
        from known_answer import KEY

        with bench.client(signing_key=KEY) as client:
            bulk, _operations = client.check_connection()
        assert (bulk.ok, bulk.reason, bulk.detail) == (False, Reason.SIGNATURE, "InvalidPublicKeyConfigured")

    def test_hub_that_checks_no_signatures(self, bench_with):
        """It would answer every file with nothing, and lose it."""
        bench = bench_with("--no-jws")
        assert self.checks(bench)["bulk"] == (False, Reason.SIGNATURE)
        assert isinstance(bench.error(batch_of(payees(3))[0], hub_certificate=""), OutcomeUnknown)
        assert bench.hub.batches() == []

    def test_clocks_apart(self, bench):
        bench.hub.clock(freeze=False)
        assert self.checks(bench)["bulk"][0]
        bench.hub.clock(skew=600)
        assert self.checks(bench)["bulk"] == (False, Reason.CLOCK)

    def test_operations_app_that_asks_for_no_user(self, bench_with):
        bench = bench_with("--no-auth")
        assert self.checks(bench, credentials={"username": ""})["operations"][0]
        assert bench.hub.requests("/oauth/token") == []
