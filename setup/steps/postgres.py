"""A PostgreSQL 15 of the project's own: unix socket only, nothing to do with the system's clusters."""

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from . import commands, places, say, stamp

# Odoo refuses to work as the database user "postgres".
USER = "odoo"
_BIN = Path("/usr/lib/postgresql/15/bin")
# Everything in it can be made again, so it need not survive a power cut.
_SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{folder}'
fsync = off
synchronous_commit = off
full_page_writes = off
max_connections = 200
max_wal_size = 2GB
"""


def folder():
    """Holds the data and the socket; give it as the database host."""
    return places.build() / "pg"


def start():
    """Make the cluster when it is not there, and start it when it does not run."""
    if is_running():
        return
    if not stamp.is_fresh("postgres", _recipe(), [_data() / "PG_VERSION"]):
        _make()
    commands.run(
        _as_owner(_BIN / "pg_ctl", "-D", _data(), "-l", folder() / "postgres.log", "-w", "-t", "60", "start"),
        "start PostgreSQL",
    )


def stop():
    """Stop the cluster if it runs; True when it did."""
    if not is_running():
        return False
    commands.run(_as_owner(_BIN / "pg_ctl", "-D", _data(), "-m", "fast", "-w", "stop"), "stop PostgreSQL")
    return True


def is_running():
    if not (_data() / "postmaster.pid").exists():
        return False
    done = subprocess.run(
        [str(word) for word in _as_owner(_BIN / "pg_ctl", "-D", _data(), "status")],
        cwd="/",
        capture_output=True,
    )
    return done.returncode == 0


def has_clients():
    """Whether anybody but the one who asks is connected."""
    return sql("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'") != "1"


def environment():
    """For PostgreSQL's own programs, and for libraries that read the same variables."""
    return {"PGHOST": folder(), "PGUSER": USER, "PGPORT": "5432", "PGDATABASE": None, "PGPASSWORD": None}


def sql(statement, database="postgres"):
    """Run a statement and give what psql printed, rows without decoration."""
    return commands.output(
        [_BIN / "psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", statement],
        env=environment(),
    ).strip()


def load(text, database):
    """Run a script as pg_dump writes it."""
    words = [_BIN / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database]
    commands.run(words, f"load {database}", env=environment(), text=text)


def databases():
    return set(sql("SELECT datname FROM pg_database WHERE NOT datistemplate").split())


def create(name, template="template0"):
    sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')


def drop(name):
    sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def rename(name, new):
    sql(f'ALTER DATABASE "{name}" RENAME TO "{new}"')


def _recipe():
    return [_SETTINGS, str(folder())]


def _make():
    if not (_BIN / "initdb").exists():
        raise say.Problem("PostgreSQL 15 is missing; run apt-get install postgresql-15.")
    stamp.forget("postgres")
    stamp.forget("databases")
    with say.Timed(f"PostgreSQL cluster in {folder()}"):
        shutil.rmtree(folder(), ignore_errors=True)
        folder().mkdir(parents=True, mode=0o700)
        if os.getuid() == 0:
            owner = _owner()
            os.chown(folder(), owner.pw_uid, owner.pw_gid)
        commands.run(
            _as_owner(
                _BIN / "initdb", "-D", _data(), "-U", USER, "-A", "trust", "-E", "UTF8",
                "--locale=C.UTF-8", "--no-sync", "--no-instructions",
            ),
            "make the PostgreSQL cluster",
        )  # fmt: skip
        with open(_data() / "postgresql.conf", "a") as configuration:
            configuration.write(_SETTINGS.format(folder=folder()))
    stamp.finished("postgres", _recipe())


def _data():
    return folder() / "data"


def _owner():
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        raise say.Problem("the user postgres is missing; run apt-get install postgresql-15.") from None


def _as_owner(*command):
    """PostgreSQL refuses to run as root: then it runs as the user that its package made."""
    if os.getuid() == 0:
        return ["runuser", "-u", _owner().pw_name, "--", *command]
    return list(command)
