"""setup/invariants: remove each mechanism of a guarantee in a copy of the checkout, and run its tests."""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from . import invariants, places, say

_DESCRIPTION = """Remove each mechanism on which a guarantee rests in a copy of the checkout, run the tests
that should notice, and print a table: what was removed, which tests failed. The exit code is 1 when no test
noticed. Takes about half a minute for each; setup/test must have passed before."""

_FAILED = re.compile(r"^(?:FAILED|ERROR|SUBFAILED\[.*\]) (\S+?\.py)::(\S+)", re.MULTILINE)
_NOT_COPIED = shutil.ignore_patterns("build", ".git", "__pycache__", ".ruff_cache", ".pytest_cache")
_SECONDS = 900


def main():
    options = _parser().parse_args()
    places.prepare_build()
    chosen = [row for row in invariants.read() if not options.only or options.only in row.name]
    rows = [(invariant, *_tried(invariant)) for invariant in chosen]
    say.heading("What was removed, and which tests failed")
    for invariant, noticed, verdict in rows:
        print(f"| {invariant.says} | {verdict if noticed else 'NOBODY NOTICED: ' + verdict} |")
    unnoticed = [invariant.name for invariant, noticed, _verdict in rows if not noticed]
    if unnoticed:
        raise say.Problem(f"no test noticed that this was removed: {', '.join(unnoticed)}")


def _tried(invariant):
    """Return whether a test failed, and which ones."""
    say.heading(invariant.name)
    with tempfile.TemporaryDirectory(prefix="invariant_") as folder:
        checkout = Path(folder) / "checkout"
        shutil.copytree(places.CHECKOUT, checkout, ignore=_NOT_COPIED, symlinks=True)
        invariants.remove(invariant, checkout)
        done = _run(checkout, invariant.tests)
    failed = sorted(
        {f"{Path(path).name}::{test.split('::')[-1]}" for path, test in _FAILED.findall(done.stdout)}
    )
    if done.returncode and failed:
        verdict = ", ".join(failed[:3]) + (f" and {len(failed) - 3} more" if len(failed) > 3 else "")
        say.line(verdict)
        return True, verdict
    say.line((done.stdout + done.stderr)[-1500:])
    return False, f"exit code {done.returncode}, no failed test"


def _run(checkout, tests):
    words = [sys.executable, str(checkout / "setup" / "test"), *tests]
    variables = {**os.environ, "G2P_BUILD": str(places.build())}
    return subprocess.run(
        words, env=variables, cwd=checkout, capture_output=True, text=True, timeout=_SECONDS
    )


def _parser():
    parser = argparse.ArgumentParser(
        prog="setup/invariants",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", metavar="TEXT", help="only those whose name contains this")
    return parser
