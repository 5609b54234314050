"""kill -9 at every checkpoint of the Mojaloop road, from Send to the final results: afterwards the hub has
one transfer for each payment, and its books and ours agree."""

import contextlib
import itertools

import crashes
import mojaloop_crashes
import pytest

LANES = 2
PARTS = 3


@pytest.fixture(scope="module")
def lanes(environment, tmp_path_factory, mojaloop_software):
    with contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(
                mojaloop_crashes.lane(
                    environment, number, tmp_path_factory.mktemp(f"lane{number}"), mojaloop_software
                )
            )
            for number in range(LANES)
        ]


@pytest.fixture
def two_phase_lane(environment, tmp_path, mojaloop_software):
    kind = mojaloop_crashes.TwoPhaseLane
    with mojaloop_crashes.lane(environment, LANES, tmp_path, mojaloop_software, kind) as lane:
        yield lane


@pytest.fixture(scope="module")
def killed_before():
    """The effects right before which a server was killed."""
    return set()


@pytest.mark.parametrize("first", range(1, PARTS + 1))
def test_killed_at_every_checkpoint(lanes, capsys, killed_before, first):
    """In parts, so that none of them takes too long: every third checkpoint each."""
    numbers = itertools.count(first, PARTS)
    crossings = crashes.everywhere(lanes, numbers, make=mojaloop_crashes.Crossing)
    crashes.print_table(capsys, f"Mojaloop: killed at every checkpoint, part {first}", crossings)
    killed_before.update(one.checkpoints()[-1][1] for one in crossings.values() if one.crashes)


def test_every_step_of_a_transfer_was_among_them(killed_before):
    for step in (
        "GET /transfers",
        "GET /parties",
        "POST /quotes",
        "POST /simpleTransfers",
        "commit mojaloop_transfer",
    ):
        assert any(step in effect for effect in killed_before), step


def test_killed_in_two_phases(two_phase_lane, capsys):
    """At each checkpoint on the way of the first payment, from the question for it to what came of it."""
    make = mojaloop_crashes.Crossing
    passed = make(two_phase_lane, ()).go().check().passed
    first = next(number for number, effect in enumerate(passed, 1) if "GET /transfers" in effect)
    last = next(number for number, effect in enumerate(passed, 1) if "said_to: PUT" in effect) + 1
    numbers = iter(range(first, last + 1))
    crossings = crashes.everywhere([two_phase_lane], numbers, make=make)
    crashes.print_table(capsys, "Mojaloop: killed in two phases", crossings)
    before = [one.checkpoints()[-1][1] for one in crossings.values()]
    for step in ("GET /transfers", "POST /transfers", "PUT /transfers", "commit mojaloop_transfer"):
        assert any(step in effect for effect in before), step
