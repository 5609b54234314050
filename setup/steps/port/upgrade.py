"""Odoo's own conversion of sources, called from Python: its command line rewrites Odoo itself as well."""

import logging

FROM, TO = "17.0", "19.0"


def run(folder):
    from odoo.cli.upgrade_code import migrate
    from odoo.tools import parse_version

    logging.getLogger("odoo").setLevel(logging.WARNING)
    migrate([str(folder)], "**/*", parse_version(FROM), parse_version(TO))
