"""Processes that are started by the set-up, and only those, are ended by it."""

import json
import os
import subprocess
import sys
import time

import pytest
from steps import places, processes

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
)


@pytest.fixture(autouse=True)
def build(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "build", lambda: tmp_path)
    return tmp_path


@pytest.fixture
def start(build):
    started = []

    def start(name="sleeper", code="import time; time.sleep(60)"):
        words = [sys.executable, "-c", code]
        started.append(processes.Process.start(name, words, {}, build / "log", build / "printed"))
        return started[-1]

    yield start
    for process in started:
        process.kill()


def test_a_remembered_process_is_stopped(start):
    process = start()
    processes.remember(process)
    assert processes.stop_remembered() == ["sleeper"]
    assert not process.is_running()
    assert processes.stop_remembered() == []


def test_one_that_does_not_listen_is_ended_all_the_same(start, build):
    process = start(code=STUBBORN)
    while not (build / "printed").stat().st_size:
        time.sleep(0.02)
    assert process.stop(seconds=0.2)
    assert not process.is_running()


def test_another_process_with_the_same_number_is_left_alone(build):
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as other:
        record = {"name": "old", "pid": other.pid, "started": 1, "log": str(build / "log")}
        (places.run_folder() / "processes").mkdir()
        (places.run_folder() / "processes" / "old.json").write_text(json.dumps(record))
        try:
            assert processes.stop_remembered() == []
            assert other.poll() is None
        finally:
            other.kill()


def test_a_process_that_ended_is_not_running(start):
    process = start(code="pass")
    process._popen.wait()
    assert not process.is_running()
    assert not process.stop()


def test_all_that_one_run_started_is_ended_and_nothing_else(start, monkeypatch):
    monkeypatch.setenv("G2P_TALLY", "this run")
    shell = start(code="import subprocess, time; subprocess.Popen(['sleep', '60']); time.sleep(60)")
    monkeypatch.setenv("G2P_TALLY", "this run, or another")
    other = start()
    processes.end_all_with("G2P_TALLY", "this run")
    shell._wait(5)
    assert not shell.is_running()
    assert other.is_running()


def test_output_goes_to_the_log(start, build):
    start(code="import sys; print('out'); print('err', file=sys.stderr)")._popen.wait()
    assert (build / "printed").read_text() == "out\n"
    assert (build / "log").read_text() == "err\n"
    assert os.getpgrp() != start().pid
