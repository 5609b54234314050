"""An Odoo 17.0 and OpenG2P that are given: what the three variables name, checked before it is used."""

import os
from pathlib import Path

from . import commands, say

VARIABLES = ("ODOO_HOME", "OPENG2P_ADDONS", "ODOO_PYTHON")
_IMPORTED = "odoo.release, odoo.addons, pytest, pytest_odoo, hypothesis, pydantic, websocket"


def is_wanted():
    """All three variables, or none of them."""
    given = [name for name in VARIABLES if os.environ.get(name)]
    if given and len(given) < len(VARIABLES):
        missing = ", ".join(name for name in VARIABLES if name not in given)
        raise say.Problem(f"{' and '.join(given)} given without {missing}; set all three, or none of them.")
    return bool(given)


def odoo_home():
    odoo = _folder("ODOO_HOME", os.environ["ODOO_HOME"])
    if not (odoo / "odoo-bin").is_file():
        raise say.Problem(f"ODOO_HOME={odoo} has no odoo-bin in it; give the folder of an Odoo 17.0.")
    return odoo


def openg2p_folders():
    parts = os.environ["OPENG2P_ADDONS"].split(":")
    return [_folder("OPENG2P_ADDONS", part) for part in parts if part]


def python():
    path = Path(os.environ["ODOO_PYTHON"]).expanduser()
    if not path.is_file():
        raise say.Problem(f"ODOO_PYTHON={path} is no file; give the path of a python.")
    return path.absolute()


def core_folders(python, odoo):
    """Folders of Odoo's add-ons, and of those installed in the environment.

    Odoo finds a module in each of them, but the files of a page only in those that its configuration names.
    """
    code = f"import {_IMPORTED}; print(odoo.release.series, *odoo.addons.__path__, sep='\\n')"
    series, *folders = commands.output([python, "-c", code], env={"PYTHONPATH": odoo}).split("\n")
    if series != "17.0":
        raise say.Problem(f"ODOO_HOME={odoo} is Odoo {series}; the add-ons run natively on 17.0 only.")
    wanted = [*(Path(folder) for folder in folders if folder), odoo / "addons"]
    return [folder for folder in dict.fromkeys(wanted) if folder.is_dir()]


def check_modules(wanted, folders):
    """The modules that the stand-ins stand for must be there."""
    missing = [name for name in wanted if not any(_has_module(folder, name) for folder in folders)]
    if missing:
        raise say.Problem(f"OPENG2P_ADDONS has no {', '.join(missing)}; add the folders that hold them.")


def _has_module(folder, name):
    return (folder / name / "__manifest__.py").is_file()


def _folder(variable, text):
    path = Path(text).expanduser()
    if not path.is_dir():
        raise say.Problem(f"{variable}: {text} is no folder; give the path of one.")
    return path.absolute()
