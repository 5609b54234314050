"""Databases in four layers, each a copy of the one below with more modules installed.

base      accounting and queue_job
openg2p   OpenG2P's modules, or their stand-ins
addons    the add-ons of this project
listeners add-ons of the tests, which build on them

A layer's name holds a digest of what went into it and into those below; it is made once and copied from
then on. Exit codes do not tell whether Odoo installed a module, so the modules' states are read afterwards.
"""

import contextlib
import time
import uuid

from . import addons, commands, odoo_process, places, postgres, say, stamp

_BASE = ("account", "queue_job")
_COMPILE = "env['ir.qweb']._pregenerate_assets_bundles()\nenv.cr.commit()\n"
_KEPT_LAYERS = 2
_KEPT_SECONDS = 3 * 3600


def template(environment, layer="addons"):
    """The name of the layer's database; missing layers are made."""
    name = None
    for label, modules, key in _layers(environment):
        if modules:
            key = stamp.digest([name, modules, key])[:10]
            below, name = name, f"{environment.name}_{label}_{key}"
            if name not in postgres.databases():
                _make(environment, label, name, below, modules)
        if label == layer:
            break
    _forget_old(environment)
    return name


@contextlib.contextmanager
def copy(environment, source, keep=False):
    """A copy of the database under a name of its own, dropped at the end."""
    name = f"{environment.name}_run_{uuid.uuid4().hex[:10]}"
    copy_to(environment, source, name)
    try:
        yield name
    finally:
        if not keep:
            drop(environment, name)


def copy_to(environment, source, name):
    """A copy is another database to Odoo too: it gets an identity and a secret of its own."""
    drop(environment, name)
    postgres.create(name, source)
    postgres.sql(
        "UPDATE ir_config_parameter SET value = gen_random_uuid()"
        " WHERE key IN ('database.uuid', 'database.secret')",
        name,
    )
    odoo_process.copy_attachments(environment, source, name)


def drop(environment, name):
    postgres.drop(name)
    odoo_process.forget(environment, name)


def _layers(environment):
    selected = addons.select([*environment.openg2p, *environment.ours, *environment.listeners])
    stand_in = "" if environment.name == "native17" else addons.digest(selected.stand_in, installed_only=True)
    yield "base", list(_BASE), environment.identity
    yield "openg2p", environment.openg2p, stand_in
    yield "addons", environment.ours, addons.digest(selected.ours, installed_only=True)
    listeners = addons.digest(selected.listeners, installed_only=True)
    yield "listeners", environment.listeners, listeners


def _make(environment, label, name, below, modules):
    """Install into a database with another name, and give it its own only when all is well."""
    unfinished = f"{name}_unfinished"
    with say.Timed(f"database {name}: installing {', '.join(modules)}"):
        if below:
            copy_to(environment, below, unfinished)
        else:
            drop(environment, unfinished)
            postgres.create(unfinished)
        configuration = odoo_process.configuration(environment, unfinished)
        _install(environment, label, unfinished, configuration, modules)
        if label == "openg2p" and environment.series == "17.0":
            # 17.0 compiles the web client so slowly that a browser test may give up waiting for its page.
            odoo_process.shell(environment, configuration, _COMPILE)
        odoo_process.copy_attachments(environment, unfinished, name)
        postgres.rename(unfinished, name)
        odoo_process.forget(environment, unfinished)


def _install(environment, label, database, configuration, modules):
    log = places.logs() / f"install-{label}.log"
    options = ["--without-demo=all", "--stop-after-init", "--no-http", "--max-cron-threads=0"]
    if environment.series == "19.0":
        options.append("--skip-auto-install")
    words = odoo_process.command(environment, configuration, "-i", ",".join(modules), *options)
    failed = commands.run(words, f"install {label}", env=environment.variables(), log=log, check=False)
    _check_installed(database, modules, failed, log)


def _check_installed(database, modules, failed, log):
    names = ", ".join(f"'{name}'" for name in modules)
    rows = postgres.sql(
        f"SELECT name FROM ir_module_module WHERE state = 'installed' AND name IN ({names})", database
    ) if _has_modules(database) else ""  # fmt: skip
    missing = sorted(set(modules) - set(rows.split()))
    if failed or missing:
        what = f"{', '.join(missing)} not installed" if missing else f"exit {failed}"
        raise say.Problem(
            f"Odoo could not install the modules ({what}); the whole log is {log}:\n{commands.tail(log)}"
        )


def _has_modules(database):
    return postgres.sql("SELECT to_regclass('ir_module_module') IS NOT NULL", database) == "t"


def _forget_old(environment):
    """Drop old layers except the newest, and what runs that were cut left behind; the rest may be in use."""
    old = [name for name, age in _ages().items() if age > _KEPT_SECONDS]
    for label in ("base", "openg2p", "addons", "listeners"):
        layers = [name for name in _ages() if _is_layer(name, environment, label)]
        for name in layers[_KEPT_LAYERS:]:
            if name in old:
                drop(environment, name)
    for name in old:
        if name.startswith(f"{environment.name}_run_") or _is_unfinished(name, environment):
            drop(environment, name)


def _is_layer(name, environment, label):
    return name.startswith(f"{environment.name}_{label}_") and not _is_unfinished(name, environment)


def _is_unfinished(name, environment):
    return name.startswith(f"{environment.name}_") and name.endswith("_unfinished")


def _ages():
    """Databases without a connection, the youngest first, and the seconds since they were made."""
    # Another run may drop one while this looks: its file is then missing.
    rows = postgres.sql(
        "SELECT datname, extract(epoch FROM file.modification) AS made"
        " FROM pg_database, pg_stat_file('base/' || oid || '/PG_VERSION', true) AS file"
        " WHERE NOT datistemplate AND file.modification IS NOT NULL AND NOT EXISTS"
        " (SELECT FROM pg_stat_activity WHERE pg_stat_activity.datname = pg_database.datname)"
        " ORDER BY made DESC"
    )
    made = dict(row.split("|") for row in rows.splitlines())
    return {name: time.time() - float(when) for name, when in made.items()}
