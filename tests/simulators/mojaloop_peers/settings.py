"""What can be set when the peers are started; see README.md."""

import argparse
from pathlib import Path

import lifetime


def parse(arguments=None):
    parser = argparse.ArgumentParser(
        prog="mojaloop_peers", description="Scheme adapter and Testing Toolkit of Mojaloop, for tests."
    )
    add = parser.add_argument
    add("--node", type=Path, required=True, help="the program node, version 22")
    add("--modules", type=Path, required=True, help="node_modules with the adapter and the Toolkit")
    add("--redis", type=Path, required=True, help="the program redis-server")
    add("--state", type=Path, help="folder that keeps ports, keys and the journal over restarts")
    add("--dfsp", default="userdfsp", help="who the adapter is")
    add("--step-seconds", type=int, default=3, help="how long the adapter waits for each step")
    add("--jws", action="store_true", help="everybody signs, and checks signatures")
    add("--mended", action="store_true", help="the adapter bears step-wise calls that run at the same time")
    add("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the adapter")
    add("--no-history", action="store_true", help="the Toolkit's own history stays empty: for load tests")
    lifetime.add_options(add)
    settings = parser.parse_args(arguments)
    settings.set = dict(one.split("=", 1) for one in settings.set)
    return settings
