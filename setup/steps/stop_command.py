"""setup/stop: end what setup/demo started, and PostgreSQL."""

import argparse

from . import places, postgres, processes, say, stamp

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
    with stamp.unless_in_use() as free:
        if not free:
            say.line("PostgreSQL goes on: tests are running")
        elif postgres.stop():
            say.line("stopped PostgreSQL")
        elif not stopped:
            say.line("nothing runs")


def stop_postgres_if_idle():
    """After the tests: PostgreSQL goes on when somebody works with it."""
    with stamp.unless_in_use() as free:
        if free and postgres.is_running() and not postgres.has_clients():
            postgres.stop()
