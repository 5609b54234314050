"""A pytest plugin that writes down each outcome as it comes, so that a run that crashes is counted too.

A test that is skipped, or marked as expected to fail, counts as "skipped" whatever it did: it proves nothing.
"""

import json
import os

_FILE = os.environ["G2P_TALLY"]


def pytest_runtest_logreport(report):
    if hasattr(report, "wasxfail"):
        _write(report.nodeid, "skipped", f"xfail {report.wasxfail}")
    elif report.failed:
        _write(report.nodeid, "failed", report.when)
    elif report.skipped:
        _write(report.nodeid, "skipped", _reason(report))
    elif report.when == "call":
        _write(report.nodeid, "passed", "")


def pytest_collectreport(report):
    if report.failed:
        _write(f"collecting {report.nodeid}", "failed", "collect")
    elif report.skipped:
        _write(f"collecting {report.nodeid}", "skipped", _reason(report))


def pytest_unconfigure():
    _write("", "finished", "")


def _reason(report):
    detail = report.longrepr
    return str(detail[2] if isinstance(detail, tuple) else detail)


def _write(nodeid, outcome, detail):
    with open(_FILE, "a") as tally:
        tally.write(json.dumps([nodeid, outcome, detail]) + "\n")
