"""A simulator that follows another process ends with it, and not before."""

import subprocess
import sys
import time

from process import HubSimulator


def _ended_within(hub, seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if hub._process.poll() is not None:
            return True
        time.sleep(0.05)
    return False


def test_hub_ends_with_the_process_that_it_follows(tmp_path):
    followed = tmp_path / "odoo.pid"
    with HubSimulator("--outlive-parent", "--max-seconds", "0", "--follow", followed) as hub:
        assert not _ended_within(hub, 0.6)  # nobody to follow yet
        odoo = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        followed.write_text(str(odoo.pid))
        assert not _ended_within(hub, 0.6)
        odoo.stdin.close()  # it ends, and nobody has buried it yet
        assert _ended_within(hub, 10)
        odoo.wait()
