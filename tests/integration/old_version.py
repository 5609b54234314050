"""A database that the version before left behind, brought to life beside a hub that remembers its batches."""

import contextlib
import json
import lzma
import os
import pathlib
import shutil
import uuid

from process import HubSimulator
from steps import commands, databases, odoo_process, postgres, servers

_FOLDER = pathlib.Path(os.environ.get("G2P_OLD_DATABASE") or pathlib.Path(__file__).with_name("old_version"))
_PASSWORD = "as-before"  # of everybody; Odoo takes plain text once and hashes it
_READ_FILES = {
    "phee_signing_key": "client_private_key_file",
    "phee_hub_certificate": "hub_certificate_file",
    "phee_ca_bundle": "ca_file",
}


@contextlib.contextmanager
def hub(folder, *options):
    """Start the hub with the batches that the old version had uploaded."""
    shutil.copyfile(_FOLDER / "hub.jsonl", folder / "journal.jsonl")
    with HubSimulator(*options, state=folder) as simulator:
        yield simulator


@contextlib.contextmanager
def upgraded(environment, hub):
    """Restore the database, upgrade the add-ons as an operator does, and start Odoo on it.

    Return the server. Raise `steps.say.Problem` with Odoo's log where the upgrade fails.
    """
    name = f"{environment.name}_run_{uuid.uuid4().hex[:10]}"
    postgres.create(name)
    try:
        postgres.load(lzma.open(_FOLDER / "database.sql.xz", "rt").read(), name)
        _give_secrets(name, hub.info)
        _upgrade(environment, name)
        server = servers.start_odoo(environment, name)
        try:
            yield server
        finally:
            server.stop()
    finally:
        databases.drop(environment, name)


def _give_secrets(name, addresses):
    """Write the new hub's addresses and secrets as the old version kept them: secrets as plain text."""
    texts = {field: pathlib.Path(addresses[key]).read_text() for field, key in _READ_FILES.items()}
    columns = {
        "phee_bulk_url": addresses["bulk_url"],
        "phee_operations_url": addresses["operations_url"],
        "phee_hub_certificate": texts["phee_hub_certificate"],
        "phee_ca_bundle": texts["phee_ca_bundle"],
    }
    changes = ", ".join(f"{column} = {_quoted(text)}" for column, text in columns.items())
    gateway = "(SELECT min(id) FROM g2p_payment_gateway)"
    secrets = {"phee_password": addresses["password"], "phee_signing_key": texts["phee_signing_key"]}
    rows = ", ".join(f"({gateway}, '{secret}', {_quoted(text)})" for secret, text in secrets.items())
    postgres.sql(
        f"UPDATE g2p_payment_gateway SET {changes} WHERE id = {gateway};"
        # Batches were approved with the old addresses, which are part of what finance approved.
        f"UPDATE g2p_payment_batch SET approved_settings = approved_settings || {_moved(addresses)}"
        " WHERE approved_settings ? 'phee_bulk_url';"
        f"INSERT INTO g2p_payment_gateway_secret (gateway_id, name, value) VALUES {rows};"
        f"UPDATE res_users SET password = '{_PASSWORD}' WHERE id > 1 AND active",
        name,
    )


def _moved(addresses):
    urls = {"phee_bulk_url": addresses["bulk_url"], "phee_operations_url": addresses["operations_url"]}
    return f"{_quoted(json.dumps(urls))}::jsonb"


def _upgrade(environment, name):
    configuration = odoo_process.configuration(environment, name)
    options = ["--stop-after-init", "--no-http", "--max-cron-threads=0"]
    words = odoo_process.command(environment, configuration, "-u", ",".join(environment.ours), *options)
    variables = {**environment.variables(), "ODOO_QUEUE_JOB_CHANNELS": "root:0"}
    commands.run(words, "upgrade", env=variables)


def _quoted(text):
    return "'" + text.replace("'", "''") + "'"


class People:
    """Those who worked with the old version, each with a session of the new one."""

    def __init__(self, server):
        self.admin = server.login("admin", _PASSWORD)
        self.program_manager = server.login("program_manager", _PASSWORD)
        self.finance = server.login("finance", _PASSWORD)
        self.second_finance = server.login("second_finance", _PASSWORD)

    def batch(self, name):
        """Return the batch of the cycle with this name: the state in which the old version left it."""
        return self.admin.search("g2p.payment.batch", [("cycle_id.name", "=", name)])

    def state(self, name):
        (row,) = self.finance.read("g2p.payment.batch", self.batch(name), ["batch_state"])
        return row["batch_state"]

    def payments(self, name, *fields):
        domain = [("cycle_id.name", "=", name)]
        return self.admin.search_read("g2p.payment", domain, ["name", *fields], order="id")
