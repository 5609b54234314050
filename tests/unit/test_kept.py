"""What others say can always be written down: in PostgreSQL, in UTF-8, and in a number of bytes."""

import json
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from g2p_payment_hub.client import answers
from g2p_payment_hub.client.errors import OutcomeUnknown, Reason
from g2p_payment_hub.client.outcomes import Outcome, OutcomeStatus

texts = st.text(st.one_of(st.characters(), st.sampled_from("\0\ud800\udfff")), max_size=700)
anything = st.one_of(texts, st.integers(), st.booleans(), st.none(), st.lists(texts, max_size=2))
amounts = st.sampled_from(
    ["1E+5000000", "1E-5000000", "0E+5000000", "-1E400", "9" * 400, "NaN", "Infinity", "10.5"]
)
rows = st.fixed_dictionaries(
    {"status": st.sampled_from(["COMPLETED", "FAILED", "IN_PROGRESS"]) | anything},
    optional={
        "amount": amounts | anything,
        "currency": anything,
        "transactionId": anything,
        "errorInformation": st.fixed_dictionaries({"errorCode": anything, "errorDescription": anything})
        | anything,
        "completedAt": st.integers() | anything,
    },
)


def outcome(**values):
    return Outcome(reference="ref-1", status=OutcomeStatus.PAID, **values)


def assert_kept(text):
    assert "\0" not in text and len(text.encode()) <= 2000


class TestOutcome:
    @given(rows, texts)
    @example(
        {"status": "FAILED", "errorInformation": {"errorCode": "\0", "errorDescription": "a\ud800"}}, "x"
    )
    @example({"status": "COMPLETED", "amount": "1E+5000000"}, "x")
    def test_of_any_row(self, row, reference):
        told = answers.outcome(json.loads(json.dumps(row)), reference)
        for value in told.model_dump().values():
            if isinstance(value, str):
                assert_kept(value)
        if told.amount is not None:
            assert len(f"{told.amount.normalize():f}") < 50

    @pytest.mark.parametrize("name", ["amount", "fee", "commission"])
    @pytest.mark.parametrize("value", ["1E+5000000", "0E+5000000", "1E-5000000", "1E+18", "NaN", "Infinity"])
    def test_an_amount_that_is_none(self, name, value):
        assert getattr(outcome(**{name: Decimal(value)}), name) is None

    @pytest.mark.parametrize("value", ["0", "-1", "0.0001", "999999999999999999.9999", "1E+3"])
    def test_an_amount(self, value):
        assert outcome(amount=Decimal(value)).amount == Decimal(value)

    def test_what_replaces_a_character_is_none_of_ours(self):
        """A reference with a NUL in it is not the reference without."""
        told = Outcome(reference="ref-1\0", status=OutcomeStatus.PAID)
        assert told.reference not in ("ref-1", "ref-1 ")

    @pytest.mark.parametrize("hours", [-1, 0, 1])
    @pytest.mark.parametrize("date", [(1, 1, 1), (1969, 12, 31), (9999, 12, 31)])
    def test_a_time_that_not_every_zone_has(self, date, hours):
        moment = datetime(*date, tzinfo=timezone(timedelta(hours=hours)))
        assert outcome(completed_at=moment).completed_at is None

    def test_a_time(self):
        moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
        assert outcome(completed_at=moment).completed_at == moment


@given(texts)
def test_details_of_errors(detail):
    assert_kept(OutcomeUnknown(Reason.SERVER_ERROR, detail).detail)
