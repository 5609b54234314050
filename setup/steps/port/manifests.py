"""Odoo 19 leaves out a module whose version starts with another series, and says so only in its log."""

import re

_VERSION = re.compile(r"""(["']version["']\s*:\s*["'])17\.0\.""")


def port(manifest):
    text = manifest.read_text()
    manifest.write_text(_VERSION.sub(r"\g<1>19.0.", text))
    _port_migrations(manifest.parent / "migrations")


def _port_migrations(folder):
    """Rename the folders of upgrade scripts: Odoo runs those between two versions of its own series only."""
    for version in sorted(folder.glob("17.0.*")):
        version.rename(folder / version.name.replace("17.0.", "19.0.", 1))
