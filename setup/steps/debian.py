"""Packages of the system: what is missing is installed with apt, and nothing else is touched."""

import os
import subprocess
import tempfile
from pathlib import Path

from . import commands, say

# And for the demo: with wkhtmltopdf Odoo prints its reports.
FOR_TESTS = ("ca-certificates", "libmagic1", "python3-venv", "postgresql-15", "chromium", "wkhtmltopdf")
FOR_LINT = ("ca-certificates", "python3-venv")
FOR_MOJALOOP = ("ca-certificates", "python3-venv", "redis-tools")

# Installing postgresql-15 makes and starts a cluster "main" unless this says no; taken away again afterwards.
_NO_MAIN_CLUSTER = Path("/etc/postgresql-common/createcluster.d/zz-openg2p-payments.conf")


def need(packages):
    """Install the packages of the list that the system does not have."""
    _check_system()
    missing = [package for package in packages if not _installed(package)]
    if not missing:
        return
    prefix = _as_root(missing)
    with say.Timed(f"apt: installing {', '.join(missing)}"):
        _write_no_main_cluster(prefix)
        try:
            _apt(prefix, "update", "apt update")
            _apt(prefix, "install", "apt install", "--no-install-recommends", *missing)
        finally:
            commands.run([*prefix, "rm", "-f", _NO_MAIN_CLUSTER], "remove apt snippet")


def _check_system():
    if not commands.available("apt-get"):
        raise say.Problem(
            "this needs Debian 12 (there is no apt-get here); use a Debian 12 machine or container."
        )


def _installed(package):
    status = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Status}", package], capture_output=True, text=True, check=False
    )
    return status.stdout.endswith("ok installed")


def _as_root(missing):
    if os.getuid() == 0:
        return []
    if commands.available("sudo"):
        return ["sudo"]
    raise say.Problem(
        f"these packages are missing and there is no sudo here: {' '.join(missing)}; "
        "let an administrator run apt-get install for them, then run this again."
    )


def _apt(prefix, verb, what, *arguments):
    arguments = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y", verb, *arguments]
    commands.run(arguments, what)


def _write_no_main_cluster(prefix):
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as snippet:
        snippet.write("create_main_cluster = off\n")
        snippet.flush()
        commands.run(
            [*prefix, "install", "-D", "-m", "644", snippet.name, _NO_MAIN_CLUSTER], "write apt snippet"
        )
