"""What the hub says of a batch, row by row: paid only where all that it says agrees."""

import time

import pytest
from scripted_hub import page, scripted, transfer

from g2p_payment_hub.client import operations, payment_hub
from g2p_payment_hub.client.errors import GatewayError, NotSent, OutcomeUnknown, Reason, Refused
from g2p_payment_hub.client.http import HttpLimits
from g2p_payment_hub.client.outcomes import OutcomeStatus

PAID, FAILED, WAITING, SUSPECT, HELD = (
    OutcomeStatus.PAID,
    OutcomeStatus.FAILED,
    OutcomeStatus.WAITING,
    OutcomeStatus.SUSPECT,
    OutcomeStatus.HELD,
)
FINE = {"partyLookupFailed": "false", "transactionFailed": "false"}


def told(loopback, rows, references=("ref-1",), answers=None, **settings):
    """(status, code) by reference, of a batch with these rows."""
    one = scripted(loopback, {**hub_with(*rows), **(answers or {})}, **settings)
    outcomes = [outcome for part in one.hub.outcomes("batch-1", references) for outcome in part]
    return {outcome.reference: (outcome.status, outcome.reason_code) for outcome in outcomes}


def hub_with(*rows):
    return {
        "/batch/detail": page(*rows),
        "/transfers": page(),
        **{f"/variables/{row['transactionId']}": (200, FINE) for row in rows if row["transactionId"]},
    }


class TestRows:
    def test_paid_failed_and_waiting(self, loopback):
        rows = [
            transfer("ref-1"),
            transfer("ref-2", status="FAILED"),
            transfer("ref-3", status="IN_PROGRESS"),
        ]
        assert told(loopback, rows, ("ref-1", "ref-2", "ref-3")) == {
            "ref-1": (PAID, ""),
            "ref-2": (FAILED, ""),
            "ref-3": (WAITING, ""),
        }

    def test_batch_that_is_not_known_yet(self, loopback):
        for said in ((404, b"Batch does not exist."), page()):
            one = scripted(loopback, {"/batch/detail": said})
            assert list(one.hub.outcomes("batch-1", ["ref-1"])) == []
            assert len(one.requests) == 1  # and nothing else is asked for

    def test_rows_of_nobody_are_told_under_their_own_key(self, loopback):
        assert told(loopback, [transfer("ref-1"), transfer('"foreign"')]) == {
            "ref-1": (PAID, ""),
            "foreign": (PAID, ""),
        }

    def test_all_rows_in_one_page(self, loopback):
        """They come in no order, so that a second page may miss some."""
        one = scripted(loopback, hub_with(*(transfer(f"ref-{number}") for number in range(1500))))
        pages = list(one.hub.outcomes("batch-1", ["ref-1"]))
        assert len(pages[0]) == 1500
        assert [request.path for request in one.requests].count("/api/v1/batch/detail") == 1

    def test_pages_are_read_until_one_is_short_whatever_the_totals_say(self, loopback, monkeypatch):
        monkeypatch.setattr(operations, "_ROWS_PAGE", 2)
        rows = [transfer(f"ref-{number}", status="FAILED") for number in range(5)]

        def pages(request):
            first = int(request.query["pageNo"]) * 2
            content = rows[first : first + 2]
            return 200, {"content": content, "totalElements": 1, "totalPages": 0, "last": True}

        assert len(told(loopback, [], {"ref-4"}, {"/batch/detail": pages})) == 5

    def test_endless_pages_end(self, loopback, monkeypatch):
        monkeypatch.setattr(operations, "_ROWS_PAGE", 1)
        monkeypatch.setattr(operations, "_MAX_PAGES", 3)
        one = scripted(loopback, hub_with(transfer("ref-1", status="FAILED")))
        list(one.hub.outcomes("batch-1", ["ref-1"]))
        assert [request.path for request in one.requests].count("/api/v1/batch/detail") == 3


class TestVerified:
    """The published workflows store a rejected transfer as completed; only its variables tell."""

    @pytest.mark.parametrize(
        "name",
        [
            "partyLookupFailed",
            "transactionFailed",
            "transferPrepareFailed",
            "transferCreateFailed",
            "transferSettlementFailed",
        ],
    )
    @pytest.mark.parametrize("value", ["true", '"true"', True, "True", " true "])
    def test_false_completed(self, loopback, name, value):
        answers = {"/variables/hub-ref-1": (200, {**FINE, name: value})}
        assert told(loopback, [transfer("ref-1")], answers=answers) == {"ref-1": (SUSPECT, name)}
        not_asked = told(loopback, [transfer("ref-1")], answers=answers, verify_completed=False)
        assert not_asked == {"ref-1": (PAID, "")}

    @pytest.mark.parametrize(
        "said", [(200, {}), (404, b""), (500, b""), (500, b"x"), (200, []), (200, b"<html>")]
    )
    def test_without_variables_nothing_is_verified(self, loopback, said):
        """And one transfer of which the hub cannot tell does not hide the others."""
        rows = [transfer("ref-1"), transfer("ref-2")]
        assert told(loopback, rows, ("ref-1", "ref-2"), {"/variables/hub-ref-1": said}) == {
            "ref-1": (WAITING, "unverified"),
            "ref-2": (PAID, ""),
        }

    @pytest.mark.parametrize("transaction", [None, ""])
    def test_without_a_transaction_nothing_is_verified(self, loopback, transaction):
        rows = [transfer("ref-1", transactionId=transaction)]
        assert told(loopback, rows) == {"ref-1": (WAITING, "unverified")}

    def test_transaction_id_is_no_path(self, loopback):
        one = scripted(loopback, hub_with(transfer("ref-1", transactionId="../batches?x=/y")))
        list(one.hub.outcomes("batch-1", ["ref-1"]))
        targets = [request.target for request in one.requests if "variables" in request.target]
        assert targets == ["/api/v1/variables/..%2Fbatches%3Fx%3D%2Fy"]

    def test_hub_that_is_away_is_asked_later(self, loopback):
        away = {"/variables/hub-ref-1": lambda _request: b"not HTTP at all\r\n"}
        with pytest.raises(OutcomeUnknown):
            told(loopback, [transfer("ref-1")], answers=away)

    def test_a_slow_hub_verifies_some_each_time(self, loopback):
        """Or a large batch outlives its worker, whose death leaves nothing learnt, again and again."""
        references = [f"ref-{number}" for number in range(6)]
        one = scripted(loopback, hub_with(*map(transfer, references)))
        of_variables = payment_hub.VERIFY_SECONDS // 3 + 1
        one.hub._now = lambda: of_variables * sum("variables" in request.path for request in one.requests)
        ended = set()
        for verified in (3, 6):
            still_open = set(references) - ended
            pages = list(one.hub.outcomes("batch-1", still_open, ended))
            ended |= {outcome.reference for page in pages for outcome in page if outcome.status is PAID}
            assert len(ended) == verified

    def test_a_transfer_that_is_not_told_in_time_does_not_hide_the_others(self, loopback):
        def never(_request):
            time.sleep(1)
            return 200, FINE

        rows = [transfer("ref-1"), transfer("ref-2")]
        limits = HttpLimits(connect=2, read=0.3, total=5)
        answers = {"/variables/hub-ref-1": never}
        assert told(loopback, rows, ("ref-1", "ref-2"), answers, limits=limits) == {
            "ref-1": (WAITING, "unverified"),
            "ref-2": (PAID, ""),
        }

    def test_only_what_is_open_is_asked_for(self, loopback):
        one = scripted(
            loopback, hub_with(transfer("ref-1"), transfer("ref-2", status="FAILED"), transfer("done"))
        )
        list(one.hub.outcomes("batch-1", ["ref-1", "ref-2"]))
        assert [request.path for request in one.requests if "variables" in request.path] == [
            "/api/v1/variables/hub-ref-1"
        ]


class TestClosedLoop:
    """There, completed says that the hub's workflow went on, not that money moved."""

    ROW = transfer("random", transactionId="ref-1")

    @pytest.mark.parametrize("mode", ["closedloop", "slcb"])
    def test_held_open_unless_trusted(self, loopback, mode):
        assert told(loopback, [self.ROW], payment_mode=mode) == {"ref-1": (HELD, "closed_loop")}
        trusted = told(loopback, [self.ROW], payment_mode=mode, trust_closed_loop=True)
        assert trusted == {"ref-1": (PAID, "")}

    @pytest.mark.parametrize(
        ("settings", "status"), [({}, WAITING), ({"trust_closed_loop": True}, PAID)], ids=["held", "trusted"]
    )
    def test_rows_that_have_their_end_keep_their_name(self, loopback, settings, status):
        """Their other key is the hub's: under it they would be strangers."""
        one = scripted(loopback, hub_with(self.ROW), payment_mode="closedloop", **settings)
        ((outcome,), _silent) = one.hub.outcomes("batch-1", [], ["ref-1"])
        assert (outcome.reference, outcome.status) == ("ref-1", status)

    def test_failed_is_failed(self, loopback):
        row = {**self.ROW, "status": "FAILED"}
        assert told(loopback, [row], payment_mode="closedloop") == {"ref-1": (FAILED, "")}

    def test_its_kind_of_row_proves_nothing_elsewhere(self, loopback):
        answers = {"/variables/ref-1": (200, {})}
        assert told(loopback, [self.ROW], answers=answers) == {"ref-1": (WAITING, "unverified")}


class TestSilentRows:
    """Rows that the batch does not list are looked for in the whole hub, where earlier attempts are too."""

    def found(self, loopback, row, answers=None):
        answers = {
            **(answers or {}),
            "/transfers": lambda request: page(row) if request.method == "GET" else page(),
            "/variables/ref-2": (200, FINE),
        }
        statuses = told(loopback, [transfer("ref-1", "part-1")], ("ref-1", "ref-2"), answers)
        return statuses.get("ref-2")

    def row(self, batch_id, status):
        return transfer("random", batch_id, transactionId="ref-2", status=status)

    @pytest.mark.parametrize("batch_id", ["batch-1", "part-1"])
    def test_of_this_batch(self, loopback, batch_id):
        assert self.found(loopback, self.row(batch_id, "FAILED")) == (FAILED, "")

    def test_failed_in_another_batch_has_not_failed_in_this(self, loopback):
        """It would be paid once more while this attempt is still under way."""
        assert self.found(loopback, self.row("batch-0", "FAILED")) is None

    def test_of_a_part_of_which_nothing_was_listed(self, loopback):
        """The rows of a page that is not whole must not look like another batch's."""
        parts = (200, {"batchId": "batch-1", "subBatchSummaryList": [{"subBatchId": "part-9"}]})
        row = self.row("part-9", "FAILED")
        assert self.found(loopback, row, answers={"/batches/batch-1": parts}) == (FAILED, "")

    @pytest.mark.parametrize(
        "said", [(500, b""), (200, b"<html>"), (200, []), (200, {"subBatchSummaryList": 1})]
    )
    def test_when_the_parts_cannot_be_told(self, loopback, said):
        with pytest.raises(OutcomeUnknown):
            self.found(loopback, self.row("part-9", "FAILED"), answers={"/batches/batch-1": said})

    @pytest.mark.parametrize("batch_id", ["batch-0", "", None])
    def test_paid_in_another_batch_is_for_a_person(self, loopback, batch_id):
        assert self.found(loopback, self.row(batch_id, "COMPLETED")) == (SUSPECT, "other_batch")

    def test_found_by_the_quoted_key(self, loopback):
        row = transfer('"ref-2"', "part-1", status="FAILED")
        answers = {"/transfers": lambda request: page(row) if b'\\"ref-2\\"' in request.body else page()}
        assert told(loopback, [transfer("ref-1", "part-1")], ("ref-1", "ref-2"), answers)["ref-2"] == (
            FAILED,
            "",
        )

    def test_each_gets_its_turn(self, loopback, monkeypatch):
        """However many stay silent for ever."""
        monkeypatch.setattr(payment_hub, "_MAX_SINGLE_LOOKUPS", 5)
        references = {f"ref-{number}" for number in range(8)}
        one = scripted(loopback, hub_with(transfer("listed", status="FAILED")))
        for _turn in range(30):
            list(one.hub.outcomes("batch-1", references))
        single = [
            request.query["transactionId"] for request in one.requests if "transactionId" in request.query
        ]
        assert set(single) == references
        assert len(single) == 30 * 5


class TestNothingLearnt:
    @pytest.mark.parametrize(
        ("said", "kind"),
        [
            ((500, b""), OutcomeUnknown),
            ((502, b"<html>"), OutcomeUnknown),
            ((200, b"<html>"), OutcomeUnknown),
            ((200, {"content": "x"}), OutcomeUnknown),
            ((200, b'{"content": [{"status": "FAILED", "status": "COMPLETED"}]}'), OutcomeUnknown),
            ((429, b""), NotSent),
            ((401, b""), Refused),
        ],
    )
    def test_each(self, loopback, said, kind):
        one = scripted(loopback, {"/batch/detail": said})
        with pytest.raises(GatewayError) as caught:
            list(one.hub.outcomes("batch-1", ["ref-1"]))
        assert type(caught.value) is kind

    def test_what_came_before_the_error_is_told(self, loopback):
        one = scripted(loopback, {**hub_with(transfer("ref-1")), "/transfers": (500, b"")})
        outcomes = one.hub.outcomes("batch-1", ["ref-1", "ref-2"])
        assert [outcome.status for outcome in next(outcomes)] == [PAID]
        with pytest.raises(OutcomeUnknown):
            next(outcomes)


class TestTokens:
    def hub(self, loopback, tokens, **answers):
        """Takes only the last of these tokens, which it gives out one after another."""
        given = iter(tokens)
        form = []

        def issue(request):
            form.append(request.form["grant_type"])
            return 200, {"access_token": next(given), "refresh_token": "refresh", "expires_in": 600}

        def guarded(request):
            if request.headers.get("authorization") != f"Bearer {tokens[-1]}":
                return 401, {"error": "invalid_token", "error_description": "Access token expired: jwt"}
            return page()

        user = {"username": "mifos", "password": "pass-word"}
        one = scripted(
            loopback, {"/oauth/token": issue, "/batch/detail": guarded, **answers}, credentials=user
        )
        one.form = form
        return one

    def test_refreshed_once_when_it_is_rejected(self, loopback):
        one = self.hub(loopback, ["old", "new"])
        assert list(one.hub.outcomes("batch-1", ["ref-1"])) == []
        assert one.form == ["password", "refresh_token"]

    def test_and_not_for_ever(self, loopback):
        one = self.hub(loopback, ["old", "older", "oldest", "never"])
        with pytest.raises(OutcomeUnknown) as caught:
            list(one.hub.outcomes("batch-1", ["ref-1"]))
        assert caught.value.reason is Reason.TOKEN
        assert one.form == ["password", "refresh_token", "refresh_token"]

    def test_no_user_no_token(self, loopback):
        one = scripted(loopback, {"/batch/detail": page()})
        list(one.hub.outcomes("batch-1", ["ref-1"]))
        assert [request.path for request in one.requests] == ["/api/v1/batch/detail"]
        assert "authorization" not in one.requests[0].headers

    def test_gateway_headers_go_everywhere_and_ours_win(self, loopback):
        headers = {"X-API-KEY": "key", "platform-tenantid": "theirs", "authorization": "theirs"}
        one = scripted(
            loopback,
            {"/oauth/token": (200, {"access_token": "a", "expires_in": 600}), "/batch/detail": page()},
            credentials={"username": "mifos"},
            extra_headers=headers,
        )
        list(one.hub.outcomes("batch-1", ["ref-1"]))
        assert [request.headers["x-api-key"] for request in one.requests] == ["key", "key"]
        assert [request.headers["platform-tenantid"] for request in one.requests] == ["gorilla", "gorilla"]
        assert one.requests[1].headers["authorization"] == "Bearer a"
