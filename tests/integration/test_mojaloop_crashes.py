"""kill -9 at every checkpoint of the Mojaloop road, from Send to the final results: afterwards the hub has
one transfer for each payment, and its books and ours agree."""

import contextlib
import itertools

import crashes
import mojaloop_crashes
import pytest

LANES = 2


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


def test_killed_at_every_checkpoint(lanes, capsys):
    crossings = crashes.everywhere(lanes, itertools.count(1), make=mojaloop_crashes.Crossing)
    crashes.print_table(capsys, "Mojaloop: killed at every checkpoint", crossings)
    killed = {effect for crossing in crossings.values() for effect in crossing.checkpoints()[-1:]}
    steps = ("GET /transfers", "GET /parties", "POST /quotes", "POST /simpleTransfers")
    for step in steps:
        assert any(step in before_and_after[1] for before_and_after in killed), step
    assert any("commit mojaloop_transfer" in before_and_after[1] for before_and_after in killed)
