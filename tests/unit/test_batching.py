"""Splitting into batches: nobody left out, nobody twice, no batch that the hub would refuse or thin out."""

from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g2p_payment_hub.client.batching import split

# (number, size, what it looks like)
items = st.lists(st.tuples(st.integers(1, 30), st.integers(0, 5)), max_size=60).map(
    lambda pairs: [(number, *pair) for number, pair in enumerate(pairs)]
)


def batches_of(things, max_rows, max_bytes):
    return split(things, max_rows, max_bytes, size=lambda one: one[1], look_alike=lambda one: one[2])


@given(items, st.integers(1, 10), st.integers(30, 100))
def test_nothing_is_lost_or_repeated_and_limits_hold(things, max_rows, max_bytes):
    batches = batches_of(things, max_rows, max_bytes)
    assert sorted(one for batch in batches for one in batch) == things
    for batch in batches:
        assert batch == sorted(batch)  # in order
        assert 0 < len(batch) <= max_rows
        assert sum(one[1] for one in batch) <= max_bytes
        assert len({one[2] for one in batch}) == len(batch)


@given(st.integers(0, 200), st.integers(1, 50))
def test_no_more_batches_than_needed_without_look_alikes(count, max_rows):
    batches = split(range(count), max_rows, 10**9, size=lambda one: 1, look_alike=lambda one: one)
    assert len(batches) == -(-count // max_rows)
    assert [one for batch in batches for one in batch] == list(range(count))


def test_as_many_batches_as_one_thing_has_repetitions():
    things = [(number, 1, "same") for number in range(4)]
    assert batches_of(things, 100, 100) == [[one] for one in things]


def test_exactly_full():
    things = [(number, 10, number) for number in range(6)]
    assert [len(batch) for batch in batches_of(things, 9, 30)] == [3, 3]
    assert [len(batch) for batch in batches_of(things, 9, 29)] == [2, 2, 2]


def test_work_grows_with_the_number_only():
    """A beneficiary may be there ten thousand times; every further one must not look at all before it."""
    calls = 0

    def size(_one):
        nonlocal calls
        calls += 1
        return 1

    batches = split(range(20_000), 500, 100_000, size, look_alike=lambda one: one % 2)
    assert calls == 20_000
    assert len(batches) == 10_000
    assert all(len(list(group)) == 1 for batch in batches for _key, group in groupby(batch))


def test_one_item_that_fits_nowhere():
    with pytest.raises(ValueError):
        batches_of([(0, 31, 0)], 10, 30)


@pytest.mark.parametrize("max_rows", [0, -1])
def test_batches_of_nothing(max_rows):
    with pytest.raises(ValueError):
        batches_of([], max_rows, 30)
