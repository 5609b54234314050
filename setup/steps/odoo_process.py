"""Odoo's configuration file and command line, the same for installing, testing and serving."""

import base64
import contextlib
import os
import shutil

from . import commands, places, postgres


def configuration(environment, database, **settings):
    """Write a configuration file for a database and give its path."""
    path = _configuration_file(database)
    path.parent.mkdir(exist_ok=True)
    values = {
        "addons_path": ",".join(environment.addons_path),
        "data_dir": environment.data_dir(),
        "db_host": postgres.folder(),
        "db_port": 5432,
        "db_user": postgres.USER,
        "db_name": database,
        "dbfilter": f"^{database}$",
        "list_db": False,
        "http_interface": "127.0.0.1",
        "screenshots": places.logs() / "screenshots",
        "g2p_payment_key_file": _key_file(),
        # 19 warns at each call that JSON-RPC will be gone in 20.
        "log_handler": ":INFO,odoo.addons.rpc.controllers.jsonrpc:ERROR",
        **settings,
    }
    path.write_text("[options]\n" + "".join(f"{name} = {value}\n" for name, value in values.items()))
    return path


def command(environment, configuration_file, *arguments):
    """The words that start Odoo. The working directory must not hold a folder named odoo."""
    return [*_start(environment), "-c", str(configuration_file), *arguments]


def subcommand(environment, name, *arguments):
    """The words of another command than the server. Those that add-ons bring are found on this path only."""
    return [*_start(environment), f"--addons-path={','.join(environment.addons_path)}", name, *arguments]


def shell(environment, configuration_file, code):
    """Run Python code in Odoo's shell."""
    words = subcommand(environment, "shell", "-c", str(configuration_file), "--no-http")
    variables = {**environment.variables(), "ODOO_QUEUE_JOB_CHANNELS": "root:0"}
    commands.run(words, "odoo shell", env=variables, text=code)


def _start(environment):
    if environment.python_path:
        return [environment.python, f"{environment.python_path[0]}/odoo-bin"]
    return [environment.python, "-m", "odoo"]


def copy_attachments(environment, source, target):
    """A copied database needs the files of its attachments too; they never change, so a hard link will do."""
    stores = [f"{environment.data_dir()}/filestore/{name}" for name in (source, target)]
    shutil.rmtree(stores[1], ignore_errors=True)
    try:
        shutil.copytree(stores[0], stores[1], copy_function=_link)
    except FileNotFoundError:
        return


def forget(environment, database):
    """Remove what belonged to a database that is gone."""
    _configuration_file(database).unlink(missing_ok=True)
    shutil.rmtree(f"{environment.data_dir()}/filestore/{database}", ignore_errors=True)


def _key_file():
    """The key of the gateways' secrets, one for all databases: a copy has the secrets of its source."""
    path = places.build() / "payment-keys"
    if not path.exists():
        beside = path.with_name(f"payment-keys.{os.getpid()}")
        beside.touch(mode=0o600)
        beside.write_bytes(base64.urlsafe_b64encode(os.urandom(32)) + b"\n")
        # Of several runs at a time the first one makes it.
        with contextlib.suppress(FileExistsError):
            os.link(beside, path)
        beside.unlink()
    return path


def _configuration_file(database):
    return places.run_folder() / "conf" / f"{database}.conf"


def _link(source, target):
    os.link(source, target)
