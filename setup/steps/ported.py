"""build/addons/<digest>: the add-ons ported to Odoo 19, once for each state of the sources."""

import shutil
import time

from . import addons, commands, places, say, stamp

_KEPT_FOLDERS = 4
_KEPT_SECONDS = 6 * 3600


def install(python, sources):
    """The folder of the ported add-ons; made when the sources are not those of an earlier one."""
    port_itself = sorted((places.SETUP / "steps" / "port").glob("*.py"))
    name = stamp.digest([addons.digest(sources), [path.read_text() for path in port_itself]])[:12]
    folder = places.build() / "addons" / name
    if not folder.exists():
        _port(python, sources, folder)
    folder.touch()
    _forget_old(folder.parent)
    return folder


def _port(python, sources, folder):
    with say.Timed(f"porting {len(sources)} add-ons to Odoo 19"):
        unfinished = folder.with_name(f"{folder.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        commands.run(
            [python, "-m", "steps.port", unfinished, *sources],
            "port the add-ons to Odoo 19",
            env={"PYTHONPATH": places.SETUP},
        )
        unfinished.rename(folder)


def _forget_old(folder):
    """Folders of earlier states; a recent one may be in use by a run that still goes on."""
    earlier = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in earlier[_KEPT_FOLDERS:]:
        if time.time() - path.stat().st_mtime > _KEPT_SECONDS:
            shutil.rmtree(path, ignore_errors=True)
