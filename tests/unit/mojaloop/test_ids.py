"""Ids that a crash cannot change."""

import re

from hypothesis import given
from hypothesis import strategies as st

from odoo.addons.g2p_mojaloop_connector.client.ids import transfer_ids

FSPIOP_1 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
ATTEMPTS = st.tuples(st.text(max_size=40), st.integers(1, 1000))


@given(ATTEMPTS)
def test_one_attempt_always_has_the_same_ids(attempt):
    ids = transfer_ids(*attempt)
    assert ids == transfer_ids(*attempt)
    assert all(FSPIOP_1.fullmatch(one) for one in ids)


@given(st.sets(ATTEMPTS, min_size=2, max_size=20))
def test_no_two_attempts_share_an_id(attempts):
    ids = [one for attempt in attempts for one in transfer_ids(*attempt)]
    assert len(set(ids)) == len(ids)


def test_ids_of_today_are_those_of_tomorrow():
    """A new version of the program recovers what an old one sent."""
    assert transfer_ids("PAY1", 1) == (
        "671cf4ef-59f1-590c-8a60-c4867fedeb45",
        "c7d78691-2c59-5d68-9d47-4fab295f454b",
    )
