from unittest.mock import patch

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..client import transfer_state
from .common_paying import FIRST, PayingCase

SECOND = "27713800001"
LOGGERS = ("odoo.sql_db", "odoo.addons.g2p_mojaloop_connector.client.paying")
# Half characters and NUL come often: JSON can say them, PostgreSQL and UTF-8 cannot.
texts = st.text(st.one_of(st.characters(), st.sampled_from("\0\ud800\udfff")), max_size=300)
times = st.one_of(
    texts,
    st.datetimes().map(lambda moment: f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"),
    st.sampled_from(["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59.999-01:00"]),
)
words = st.fixed_dictionaries(
    {},
    optional={
        "transferState": st.one_of(texts, st.sampled_from(["COMMITTED", "ABORTED", "RESERVED"])),
        "fulfilment": texts,
        "completedTimestamp": times,
    },
)


@tagged("post_install", "-at_install")
class TestHostileAnswers(PayingCase):
    """What one payee's institution says keeps nobody else's payment."""

    def _two(self):
        batch = self._approved(2)
        self._send(batch)
        return batch

    def _states(self, batch):
        return {one.payment_id.account_number: one.state for one in self._transfers(batch)}

    def test_a_name_that_cannot_be_written_down(self):
        for name in ("Ma\0ria", "Ma\ud800ria", "M" * 100_000):
            with self.subTest(name[:10]), self.env.cr.savepoint() as savepoint:
                self.scheme.__init__()
                self.scheme.names[FIRST] = name
                batch = self._paid(2)
                self.assertEqual(self._transfers(batch).mapped("state"), ["committed"] * 2)
                self.assertEqual(len(self.scheme.posts), 2)
                self._outcomes(batch)
                savepoint.rollback()

    def test_a_time_out_of_all_calendars(self):
        self.scheme.told[FIRST] = {"completedTimestamp": "0001-01-01T00:00:00+01:00"}
        batch = self._paid(2)
        self.assertEqual(self._transfers(batch).mapped("state"), ["committed"] * 2)
        self.assertFalse(self._transfers(batch)[0].completed_at)

    def test_an_error_that_cannot_be_written_down(self):
        """Also not as the reason of a pause."""
        self.scheme.faults[FIRST, "lookup"] = self.scheme.faults[FIRST, "quote"] = "3105\0\ud800"
        batch = self._paid(2)
        self.assertEqual(self._states(batch)[SECOND], "committed")

    @mute_logger(*LOGGERS)
    def test_an_error_of_ours_while_one_is_judged(self):
        original = transfer_state.state_of

        def state_of(said, *arguments):
            if getattr(said, "transfer_id", "") == first.transfer_id:
                raise ZeroDivisionError
            return original(said, *arguments)

        batch = self._two()
        first = self._transfers(batch)[0]
        with patch.object(transfer_state, "state_of", state_of):
            self._pay(batch)
        self.assertEqual(self._states(batch), {FIRST: "unknown", SECOND: "committed"})
        self._pay(batch)
        self.assertEqual(self._states(batch), {FIRST: "committed", SECOND: "committed"})
        self.assertEqual(len(self.scheme.posts), 2)

    @mute_logger(*LOGGERS)
    def test_whatever_they_say_neighbours_settle(self):
        batch = self._two()

        @settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(texts, texts, st.none() | texts, words)
        @example("Ma\0ria", "payeefsp", None, {})
        @example("Ma\ud800ria", "payee\0fsp", None, {"completedTimestamp": "0001-01-01T00:00:00+01:00"})
        def settles(name, institution, code, told):
            self.scheme.__init__()
            self.scheme.names[FIRST], self.scheme.institutions[FIRST] = name, institution
            self.scheme.told[FIRST] = told
            if code:
                self.scheme.faults[FIRST, "transfer"] = code
            self.env.cr.execute("SAVEPOINT before_this_example")
            try:
                for _number in range(3):
                    self._pay(batch)
                self.assertEqual(self._states(batch)[SECOND], "committed")
                self.assertFalse(self._transfers(batch).filtered("lease_until"))
                self._outcomes(batch)
            finally:
                self.env.invalidate_all(flush=False)
                self.env.cr.execute("ROLLBACK TO SAVEPOINT before_this_example")

        settles()
