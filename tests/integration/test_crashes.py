"""kill -9 at every checkpoint from Send to the final results: afterwards the hub's ledger and ours agree, and
nobody is paid twice.

The checkpoints are found by the server that dies (addons/g2p_payment_crash): none is named here.
"""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import crashes
import pytest

LANES = 2
UPLOAD = {"path": "/batchtransactions", "count": 1}
_HEAD = ("", "killed after", "and before", "found: batch; submissions; payments; jobs", "what brought it to its end",
         "uploads", "paid hub / us")  # fmt: skip


@pytest.fixture(scope="module")
def lanes(environment, tmp_path_factory):
    with crashes.contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(crashes.lane(environment, number, tmp_path_factory.mktemp("crash")))
            for number in range(1, LANES + 1)
        ]


@pytest.fixture
def lane(lanes):
    return lanes[0]


def _everywhere(lanes, numbers, *first, faults=()):
    """A crossing for each number, with a crash there, on all lanes; ends early with one that ends without.

    `first` are crashes that come before.
    """
    rows, untouched = [], threading.Event()

    def work(lane):
        while not untouched.is_set() and (number := next(numbers, None)):
            crossing = crashes.Crossing(lane, faults).go(*first, number).check()
            if crossing.crashes <= len(first):
                untouched.set()
            rows.append((number, *crossing.row()))

    with ThreadPoolExecutor(LANES) as pool:
        for done in [pool.submit(work, lane) for lane in lanes]:
            done.result()
    return sorted(rows)


def _print(capsys, title, rows):
    texts = [_HEAD, *[tuple(str(cell) for cell in row) for row in rows]]
    widths = [max(len(row[column]) for row in texts) for column in range(len(_HEAD))]
    with capsys.disabled():
        print(f"\n\n{title}\n")
        for row in texts:
            print(" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _until_accepted(lane, faults=()):
    """The numbers of the checkpoints from the upload until the batch is accepted: those before it and after it
    are the same as without faults."""
    crossing = crashes.Crossing(lane, faults).go().check()
    upload = next(index for index, name in enumerate(crossing.passed) if "batchtransactions" in name)
    return iter(range(upload + 2, crossing.passed_until_sent + 2))


def test_all_goes_well(lanes, capsys):
    rows = _everywhere(lanes, itertools.count(1))
    _print(capsys, "Killed at every checkpoint", rows)
    assert len(rows) > 15


def test_the_reply_is_lost(lanes, capsys):
    faults = [{"fault": "accept_then_drop", **UPLOAD}]
    rows = _everywhere(lanes, _until_accepted(lanes[0], faults), faults=faults)
    _print(
        capsys,
        "The hub accepts and the reply is lost; killed at every checkpoint from there to accepted",
        rows,
    )
    assert len(rows) > 5


def test_nothing_arrives(lanes, capsys):
    faults = [{"fault": "drop_before", **UPLOAD}]
    rows = _everywhere(lanes, _until_accepted(lanes[0], faults), faults=faults)
    _print(capsys, "The upload never arrives; killed at every checkpoint from there to accepted", rows)
    assert len(rows) > 20


def test_killed_again_while_it_recovers(lanes, capsys):
    crossing = crashes.Crossing(lanes[0]).go().check()
    accepted = next(index for index, name in enumerate(crossing.passed) if "batchtransactions" in name) + 2
    recovered = crashes.Crossing(lanes[0]).go(accepted, crashes.NEVER).check()
    rows = _everywhere(lanes, iter(range(1, recovered.passed_until_sent + 2)), accepted)
    _print(capsys, "Killed after the hub accepted; killed again at every checkpoint of the recovery", rows)
    assert len(rows) > 5
