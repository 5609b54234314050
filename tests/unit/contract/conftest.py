"""A hub for each set of options, and time stands still unless a test moves it."""

import pytest
from hub_bench import OTHER_TIMES, TIMES, Bench
from process import HubSimulator


@pytest.fixture(scope="session")
def processes():
    running = {}
    yield running
    for process in running.values():
        process.__exit__()


@pytest.fixture
def bench_with(processes):
    """Makes a Bench whose hub was started with these options."""

    def make(*options):
        if options not in processes:
            processes[options] = HubSimulator(*TIMES, *OTHER_TIMES, *options).start()
        hub = processes[options]
        hub.faults()
        hub.reset()
        hub.clock(freeze=True)
        return Bench(hub)

    return make


@pytest.fixture
def bench(bench_with):
    return bench_with()
