"""Many payments at the same time, at the gateway's pace and in the time of one run."""

import time

from odoo.addons.g2p_mojaloop_connector.client.workers import Pace, Workers


class Connection:
    def close(self):
        pass


def test_what_does_not_begin_any_more_keeps_nobody_waiting():
    """Twenty seconds of them, in a run of half a second."""
    with Workers(Connection, 1, Pace(20)) as workers:
        begun = time.monotonic()
        said = workers.run(lambda _connection, task: task, range(400), 0.5, lambda _task: None)
        took = time.monotonic() - begun
    assert took < 10
    assert said[0] == 0
    assert said[-200:] == [None] * 200
