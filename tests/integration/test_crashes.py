"""kill -9 at every checkpoint from Send to the final results: afterwards the hub's ledger and ours agree, and
nobody is paid twice.

The checkpoints are found by the server that dies (addons/g2p_payment_crash); none is named here.
"""

import contextlib
import itertools

import crashes
import pytest

LANES = 2


@pytest.fixture(scope="module")
def lanes(environment, tmp_path_factory):
    with contextlib.ExitStack() as stack:
        folders = [tmp_path_factory.mktemp(f"lane{number}") for number in range(LANES)]
        yield [
            stack.enter_context(crashes.lane(environment, number, folder))
            for number, folder in enumerate(folders)
        ]


@pytest.fixture
def lane(lanes):
    return lanes[0]


def _fault(name, **settings):
    return [{"fault": name, "path": "/batchtransactions", "count": 1, **settings}]


def _upload(crossing):
    """The number of the first checkpoint after the upload."""
    return 2 + next(index for index, effect in enumerate(crossing.passed) if "/batchtransactions" in effect)


def test_all_goes_well(lanes, capsys):
    crossings = crashes.everywhere(lanes, itertools.count(1))
    crashes.print_table(capsys, "Killed at every checkpoint", crossings)
    unharmed = next(crossing for crossing in crossings.values() if not crossing.crashes)
    killed = {crossing.checkpoints()[-1] for crossing in crossings.values() if crossing.crashes}
    assert len(killed) > 15
    assert killed >= set(unharmed.checkpoints())


@pytest.mark.parametrize("fault", ["accept_then_drop", "drop_before"])
def test_the_answer_to_the_upload_is_lost(lanes, capsys, fault):
    """From the upload until the batch is accepted; before and after that it is as without a fault."""
    unharmed = crashes.Crossing(lanes[0], _fault(fault)).go().check()
    numbers = range(_upload(unharmed), unharmed.passed_until_sent + 2)
    crossings = crashes.everywhere(lanes, iter(numbers), faults=_fault(fault))
    crashes.print_table(
        capsys, f"{fault}: killed at every checkpoint from the upload until accepted", crossings
    )
    assert len(crossings) == len(numbers) > 8


def test_killed_again_while_it_recovers(lanes, capsys):
    """Dies after the upload, and then at every checkpoint of the recovery until the batch is accepted."""
    first = _upload(crashes.Crossing(lanes[0]).go().check())
    recovered = crashes.Crossing(lanes[0]).go(first, crashes.NEVER).check()
    numbers = range(1, recovered.passed_until_sent + 2)
    crossings = crashes.everywhere(lanes, iter(numbers), first=[first])
    crashes.print_table(
        capsys, "Killed after the upload, and again at every checkpoint of the recovery", crossings
    )
    assert len(crossings) == len(numbers) > 8


def test_killed_between_accepting_and_the_answer(lane, capsys, eventually):
    crossings = {}
    for number, victims in enumerate(["hub", "server", "hub and server"], 1):
        crossing = crossings[number] = crashes.Crossing(lane, _fault("slow", seconds=60))
        crossing.place = "the hub accepts", f"its answer: {victims}"
        crossing.send()
        eventually(lane.hub.batches)
        if "server" in victims:
            lane.odoo.process.kill()
        else:
            crossing.look()
        if "hub" in victims:
            lane.hub.kill()
            lane.hub.start()
        crossing.go().check()
    crashes.print_table(capsys, "Killed between accepting and the answer", crossings)
