"""What was tested, read from setup/versions.toml."""

import tomllib

from . import places


def read():
    with open(places.SETUP / "versions.toml", "rb") as text:
        return tomllib.load(text)
