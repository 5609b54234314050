"""setup/clean: take away everything that the set-up made."""

import argparse
import shutil

from . import places, say, stamp, stop_command

_DESCRIPTION = """Stop what runs and remove everything that the set-up made. Packages installed with apt stay,
and so do the downloads kept in the user's cache folder, which make the next set-up quick."""


def main():
    parser = argparse.ArgumentParser(
        prog="setup/clean", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--downloads", action="store_true", help="remove the kept downloads as well")
    options = parser.parse_args()
    stop_command.stop()
    if places.build().is_dir():
        with stamp.unless_in_use() as free:
            if not free:
                raise say.Problem(f"tests are running in {places.build()}; wait for their end, or end them.")
            _remove(places.build())
    if options.downloads:
        _remove(places.cache())


def _remove(folder):
    if not folder.exists():
        return
    if not places.is_ours(folder):
        raise say.Problem(f"{folder} was not made by the set-up; it stays.")
    shutil.rmtree(folder)
    say.line(f"removed {folder}")
