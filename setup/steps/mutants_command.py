"""setup/mutants: each safety mechanism is removed in a copy of the checkout, and its tests are run."""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from . import mutants, places, say

_DESCRIPTION = """Remove each safety mechanism in a copy of the checkout, run the tests that should notice,
and print a table: what was removed, which tests went red. The exit code is 1 when no test noticed. Takes
about half a minute for each mechanism; setup/test must have passed before."""

_FAILED = re.compile(r"^(?:FAILED|ERROR|SUBFAILED\[.*\]) (\S+?\.py)::(\S+)", re.MULTILINE)
_NOT_COPIED = shutil.ignore_patterns("build", ".git", "__pycache__", ".ruff_cache", ".pytest_cache")
_SECONDS = 900


def main():
    options = _parser().parse_args()
    places.prepare_build()
    chosen = [mutant for mutant in mutants.MUTANTS if not options.only or options.only in mutant.name]
    rows = [(mutant, *_tried(mutant)) for mutant in chosen]
    say.heading("What was removed, and which tests went red")
    for mutant, noticed, verdict in rows:
        print(f"| {mutant.name} | {verdict if noticed else 'NOBODY NOTICED: ' + verdict} |")
    unnoticed = [mutant.name for mutant, noticed, _verdict in rows if not noticed]
    if unnoticed:
        raise say.Problem(f"no test noticed that this was removed: {', '.join(unnoticed)}")


def _tried(mutant):
    """(whether a test went red, which ones)."""
    say.heading(mutant.name)
    with tempfile.TemporaryDirectory(prefix="mutant_") as folder:
        checkout = Path(folder) / "checkout"
        shutil.copytree(places.CHECKOUT, checkout, ignore=_NOT_COPIED, symlinks=True)
        mutant.apply(checkout)
        words = [sys.executable, str(checkout / "setup" / "test"), *mutant.tests]
        variables = {**os.environ, "G2P_BUILD": str(places.build())}
        done = subprocess.run(
            words, env=variables, cwd=checkout, capture_output=True, text=True, timeout=_SECONDS
        )
    red = sorted(
        {f"{Path(path).name}::{test.split('::')[-1]}" for path, test in _FAILED.findall(done.stdout)}
    )
    if done.returncode and red:
        verdict = ", ".join(red[:3]) + (f" and {len(red) - 3} more" if len(red) > 3 else "")
        say.line(verdict)
        return True, verdict
    tail = (done.stdout + done.stderr)[-1500:]
    say.line(tail)
    return False, f"exit code {done.returncode}, no red test"


def _parser():
    parser = argparse.ArgumentParser(
        prog="setup/mutants", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", metavar="TEXT", help="only mechanisms whose name contains this")
    return parser
