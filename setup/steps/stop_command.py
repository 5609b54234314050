"""setup/stop: end what setup/demo started, and PostgreSQL."""

import argparse

from . import places, postgres, processes, say

_DESCRIPTION = """End the processes that setup/demo started, and the project's own PostgreSQL.

A process is known by its number and its start time: nothing else is ever ended. The database stays, and
setup/demo makes a new one."""


def main():
    argparse.ArgumentParser(
        prog="setup/stop", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    stop()


def stop():
    if not places.build().is_dir():
        say.line("nothing runs")
        return
    stopped = processes.stop_remembered()
    if postgres.stop():
        stopped.append("PostgreSQL")
        say.line("stopped PostgreSQL")
    if not stopped:
        say.line("nothing runs")
