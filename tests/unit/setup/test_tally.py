"""What setup/test counts, and when it calls a run good."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from steps import places, tally

TESTS = """
import pytest, unittest
def test_good(): pass
def test_bad(): assert 0
def test_left_out(): pytest.skip("no time")
@pytest.mark.xfail
def test_expected(): assert 0
@pytest.fixture
def breaks():
    yield
    assert 0
def test_torn_down(breaks): pass
class TestParts(unittest.TestCase):
    def test_parts(self):
        for number in range(3):
            with self.subTest(number):
                pass
"""


@pytest.fixture
def run(tmp_path):
    def run(text):
        (tmp_path / "test_sample.py").write_text(text)
        outcomes = tmp_path / "outcomes"
        arguments = ["-p", "no:odoo", "-p", "no:cacheprovider", "-p", "steps.pytest_tally", str(tmp_path)]
        subprocess.run(
            [str(Path(sys.executable).with_name("pytest")), "-c", os.devnull, *arguments],
            env={**os.environ, "PYTHONPATH": str(places.SETUP), "G2P_TALLY": str(outcomes)},
            stdout=subprocess.DEVNULL,
            check=False,
        )
        return tally.read(outcomes)

    return run


def test_outcomes_are_counted_once_per_test(run):
    result = run(TESTS)
    assert (result.passed, result.failed, len(result.skipped)) == (2, 2, 2)
    assert result.summary() == "total: 2 passed, 4 failed"
    assert not result.is_good()
    assert result.finished


def test_a_file_that_cannot_be_read_is_a_failure(run):
    assert run("import nothing_of_that_name").failed == 1


def test_a_file_that_skips_itself_is_no_success(run):
    result = run("import pytest; pytest.skip('all', allow_module_level=True)")
    assert not result.is_good()


def test_a_crash_leaves_what_was_counted(run):
    result = run("import os\ndef test_good(): pass\ndef test_killed(): os._exit(3)")
    assert result.passed == 1
    assert not result.finished


def test_nothing_run_is_not_good():
    assert not tally.Tally().is_good()
