"""Finding a batch again. None means that it may be sent again: each test here is a way to pay twice."""

import json
from datetime import datetime, timedelta, timezone

import pytest
from scripted_hub import BATCH, listing, page, scripted, transfer

from g2p_payment_hub.client import operations
from g2p_payment_hub.client.errors import GatewayError, NotSent, OutcomeUnknown, Reason, Refused

SINCE = datetime(2026, 1, 5, 12, 0, tzinfo=timezone.utc)
REFERENCES = ["ref-1", "ref-2"]
NOBODY = {"/batches": listing(), "/transfers": page()}
PART_NAME = "0c4e_sub-batch-2.csv"


def batch_row(batch_id="batch-1", file_name="uuid_" + BATCH.filename, minutes=1, **changes):
    started = int((SINCE + timedelta(minutes=minutes)).timestamp() * 1000)
    return {
        "batchId": batch_id,
        "requestFile": file_name,
        "startedAt": started,
        "correlationId": "job",
        **changes,
    }


def found(loopback, answers, **settings):
    one = scripted(loopback, {**NOBODY, **answers}, **settings)
    receipt = one.hub.find(BATCH, REFERENCES, SINCE)
    return receipt.reference if receipt else None


def unclear(loopback, answers, **settings):
    with pytest.raises(OutcomeUnknown) as caught:
        found(loopback, answers, **settings)
    assert caught.value.reason is Reason.AMBIGUOUS
    return caught.value.detail


def detail(**rows_of):
    """GET /batch/detail for batches by id (an underscore stands for a hyphen)."""
    return lambda request: page(*rows_of.get(request.query["batchId"].replace("-", "_"), ()))


class TestFound:
    def test_by_the_name_of_the_file(self, loopback):
        rows = listing(
            batch_row("batch-9", "uuid_B1-abd.csv"), batch_row(), batch_row("batch-8", "x_B2-abc.csv")
        )
        assert found(loopback, {"/batches": rows}) == "batch-1"

    def test_by_the_correlation_id(self, loopback):
        row = batch_row(file_name=PART_NAME, correlationId=BATCH.correlation_id)
        assert found(loopback, {"/batches": listing(row)}) == "batch-1"

    @pytest.mark.parametrize("file_name", [PART_NAME, "", None])
    def test_by_its_rows_when_the_name_is_lost(self, loopback, file_name):
        """Rows of a split batch name their sub-batch, and the batch's own list has them all."""
        answers = {
            "/batches": listing(batch_row("batch-7", PART_NAME), batch_row(file_name=file_name)),
            "/batch/detail": detail(
                batch_7=[transfer("foreign", "part-7")],
                batch_1=[transfer("ref-1", "part-1"), transfer("ref-2", "part-2")],
            ),
            "/transfers": page(transfer("ref-1", "part-1"), transfer("ref-2", "part-2")),
        }
        assert found(loopback, answers) == "batch-1"

    def test_by_some_of_its_rows(self, loopback):
        answers = {
            "/batches": listing(batch_row(file_name=PART_NAME)),
            "/batch/detail": detail(batch_1=[transfer("ref-2", "part-1")]),
        }
        assert found(loopback, answers) == "batch-1"

    def test_by_the_key_of_closed_loop_rows(self, loopback):
        answers = {
            "/batches": listing(batch_row(file_name=PART_NAME)),
            "/batch/detail": detail(batch_1=[transfer("random", "part-1", transactionId='"ref-1"')]),
        }
        assert found(loopback, answers, payment_mode="closedloop") == "batch-1"

    def test_unsplit_and_not_in_the_list(self, loopback):
        """A batch without an institution may be left out; its own id is known all the same."""
        answers = {
            "/transfers": page(transfer("ref-1")),
            "/batch": lambda request: (200 if request.query["batchId"] == "batch-1" else 404, {}),
        }
        assert found(loopback, answers) == "batch-1"

    def test_on_a_later_page(self, loopback):
        """Whatever the totals say, and although the first page is short."""

        def pages(request):
            others = [batch_row(f"other-{number}", "uuid_other.csv") for number in range(40)]
            rows = {"0": others, "100": [batch_row()]}.get(request.query["offset"], [])
            return 200, {"data": rows, "totalBatches": 1}

        assert found(loopback, {"/batches": pages}) == "batch-1"

    @pytest.mark.parametrize("hours", [-14, 5.5, 12])
    def test_whatever_the_time_zone_of_the_hub(self, loopback, hours):
        """`dateFrom` is text without a zone: the hub reads it in one that we do not know."""

        def dated(request):
            text = request.query["dateFrom"]
            asked = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=timezone.utc)
            return (
                listing(batch_row())(request)
                if asked - timedelta(hours=hours) < SINCE
                else listing()(request)
            )

        assert found(loopback, {"/batches": dated}) == "batch-1"

    def test_started_before_us_by_the_hub_s_clock(self, loopback):
        answers = {
            "/batches": listing(batch_row(file_name=PART_NAME, minutes=-50)),
            "/batch/detail": detail(batch_1=[transfer("ref-1")]),
        }
        assert found(loopback, answers) == "batch-1"

    def test_imported_while_we_look(self, loopback):
        """Rows that were not there at first are not a second batch."""
        answers = {
            "/batches": listing(batch_row()),
            "/batch/detail": detail(batch_1=[transfer("ref-1", "part-1"), transfer("ref-2", "part-2")]),
            "/transfers": page(transfer("ref-1", "part-1")),
        }
        assert found(loopback, answers) == "batch-1"


class TestKnownToBeOthers:
    """Batches that other uploads became need not be looked into."""

    def find(self, loopback, answers, **settings):
        one = scripted(loopback, {**NOBODY, **answers}, **settings)
        return one.hub.find(BATCH, REFERENCES, SINCE, others=["batch-7"])

    def test_they_are_no_doubt(self, loopback):
        assert self.find(loopback, {"/batches": listing(batch_row("batch-7", PART_NAME))}) is None

    def test_unless_our_rows_are_in_them(self, loopback):
        answers = {
            "/batches": listing(batch_row("batch-7", PART_NAME)),
            "/batch/detail": detail(batch_7=[transfer("ref-1", "part-7")]),
            "/transfers": page(transfer("ref-1", "part-7")),
        }
        with pytest.raises(OutcomeUnknown):
            self.find(loopback, answers)


class TestJson:
    """The hub makes up a name for the file, so that such a name says nothing."""

    NAME = "5ed0ba5b-3d25-5c94-9b3f-6f0f7a0d5c11_0c4e0000-3d25-5c94-9b3f-6f0f7a0d5c11.csv"

    @pytest.mark.parametrize("file_name", [NAME, NAME.partition("_")[2]])
    def test_made_up_names_explain_nothing(self, loopback, file_name):
        rows = listing(batch_row(file_name=file_name))
        unclear(loopback, {"/batches": rows}, raw_json=True)
        assert found(loopback, {"/batches": rows}) is None  # a file of ours would have kept its name
        ours = {"/batches": rows, "/batch/detail": detail(batch_1=[transfer("ref-1")])}
        assert found(loopback, ours, raw_json=True) == "batch-1"

    def test_names_that_somebody_gave_do(self, loopback):
        assert found(loopback, {"/batches": listing(batch_row(file_name="x_B2.csv"))}, raw_json=True) is None


class TestNotThere:
    def test_no_trace(self, loopback):
        assert found(loopback, {}) is None

    def test_only_others(self, loopback):
        answers = {
            "/batches": listing(
                batch_row("batch-7", PART_NAME),
                batch_row("batch-8", "uuid_other.csv"),
                batch_row("batch-9", PART_NAME, minutes=-90),
            ),
            "/batch/detail": detail(batch_7=[transfer("foreign", "part-7")]),
            "/transfers": page(transfer("foreign", "part-7")),
        }
        assert found(loopback, answers) is None

    def test_every_reference_is_asked_for_quoted_or_not(self, loopback):
        asked = []
        one = scripted(loopback, {**NOBODY, "/transfers": lambda request: _asked(request, asked)})
        references = [f"r{number}" for number in range(1200)]
        assert one.hub.find(BATCH, references, SINCE) is None
        assert sorted(asked) == sorted([*references, *(f'"{reference}"' for reference in references)])

    def test_every_closed_loop_reference_is_asked_for(self, loopback):
        """Those of the part that was paid may be the last ones."""
        references = [f"r{number}" for number in range(80)]

        def one_of_many(request):
            return page(transfer("random", "", transactionId="r79")) if _asks_for(request, "r79") else page()

        one = scripted(loopback, {**NOBODY, "/transfers": one_of_many}, payment_mode="closedloop")
        with pytest.raises(OutcomeUnknown):
            one.hub.find(BATCH, references, SINCE)


class TestUnclear:
    def test_two_batches_of_one_name(self, loopback):
        detail_text = unclear(loopback, {"/batches": listing(batch_row(), batch_row("batch-2"))})
        assert "batch-1" in detail_text and "batch-2" in detail_text

    def test_one_by_name_and_one_by_its_rows(self, loopback):
        answers = {
            "/batches": listing(batch_row(), batch_row("batch-2", PART_NAME)),
            "/batch/detail": detail(batch_2=[transfer("ref-1", "part-2")]),
        }
        unclear(loopback, answers)

    def test_one_by_name_and_rows_in_a_part_of_another(self, loopback):
        answers = {
            "/batches": listing(batch_row()),
            "/batch/detail": detail(batch_1=[transfer("ref-1", "part-1")]),
            "/transfers": page(transfer("ref-1", "part-1"), transfer("ref-2", "part-9")),
        }
        assert "part-9" in unclear(loopback, answers)

    @pytest.mark.parametrize("batch_id", ["part-1", "", None])
    def test_rows_whose_batch_is_not_known(self, loopback, batch_id):
        """A part is not the whole: adopted, the other parts would never be asked for."""
        unclear(loopback, {"/transfers": page(transfer("ref-1", batch_id), transfer("ref-2", batch_id))})

    def test_named_but_without_an_id(self, loopback):
        unclear(loopback, {"/batches": listing(batch_row(None))})

    @pytest.mark.parametrize("file_name", [PART_NAME, "", None])
    def test_a_batch_that_shows_neither_name_nor_rows(self, loopback, file_name):
        """It may be ours, just split, or of a payment mode whose rows the hub never shows."""
        assert "batch-1" in unclear(loopback, {"/batches": listing(batch_row(file_name=file_name))})

    def test_a_batch_without_a_time(self, loopback):
        unclear(loopback, {"/batches": listing(batch_row(file_name=PART_NAME, startedAt=None))})


class TestNothingLearnt:
    """An error is never taken for an empty list."""

    @pytest.mark.parametrize("path", ["/batches", "/transfers"])
    @pytest.mark.parametrize(
        ("said", "kind"),
        [
            ((404, b"<html>Not Found</html>"), OutcomeUnknown),
            ((500, b""), OutcomeUnknown),
            ((502, b"<html>"), OutcomeUnknown),
            ((400, b""), OutcomeUnknown),
            ((302, b""), OutcomeUnknown),
            ((200, b""), OutcomeUnknown),
            ((200, b"<html>"), OutcomeUnknown),
            ((200, {}), OutcomeUnknown),
            ((200, []), OutcomeUnknown),
            ((200, {"data": None, "content": None}), OutcomeUnknown),
            ((200, {"data": {}, "content": {}}), OutcomeUnknown),
            ((200, {"data": ["x"], "content": ["x"]}), OutcomeUnknown),
            ((401, b""), Refused),
            ((403, b""), Refused),
            ((429, b""), NotSent),
        ],
    )
    def test_each(self, loopback, path, said, kind):
        with pytest.raises(GatewayError) as caught:
            found(loopback, {path: said})
        assert type(caught.value) is kind

    def test_when_the_rows_of_a_batch_cannot_be_read(self, loopback):
        answers = {"/batches": listing(batch_row(file_name=PART_NAME)), "/batch/detail": (500, b"x")}
        with pytest.raises(OutcomeUnknown):
            found(loopback, answers)

    def test_more_batches_than_can_be_read(self, loopback, monkeypatch):
        monkeypatch.setattr(operations, "_MAX_PAGES", 3)
        others = (200, {"data": [batch_row("other", "uuid_other.csv")] * 100})
        with pytest.raises(OutcomeUnknown) as caught:
            found(loopback, {"/batches": others})
        assert caught.value.reason is Reason.TOO_LARGE

    def test_no_connection(self, loopback):
        one = scripted(loopback, NOBODY)
        one.server.stop()
        with pytest.raises(NotSent):
            one.hub.find(BATCH, REFERENCES, SINCE)


def _asked(request, asked):
    asked += json.loads(request.body)["requestIds"]
    return page()


def _asks_for(request, reference):
    return request.method == "GET" and request.query.get("transactionId") == reference
