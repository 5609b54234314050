"""setup/bench: how fast payments go through Mojaloop's scheme adapter, beside a plain load generator."""

import os
import subprocess
import sys

from . import environment, mojaloop, places, say, stamp

_BENCHMARK = places.CHECKOUT / "tests" / "benchmarks" / "mojaloop.py"


def main():
    places.prepare_build()
    say.heading("Set-up")
    with stamp.lock():
        python = environment.python_only()
    with stamp.in_use():
        mojaloop.install()
        path = os.pathsep.join([str(places.SETUP), str(places.SIMULATORS)])
        words = [str(python), str(_BENCHMARK), *sys.argv[1:]]
        return subprocess.run(words, env={**os.environ, "PYTHONPATH": path}).returncode
