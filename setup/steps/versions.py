"""What was tested, read from setup/versions.ini."""

import configparser

from . import places


def tested_odoo():
    """The version of Debian's package."""
    versions = configparser.ConfigParser()
    versions.read(places.SETUP / "versions.ini")
    return versions["odoo"]["debian"]
