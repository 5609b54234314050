"""The two ways to run: Odoo 19 installed here with ported add-ons, or a given Odoo 17.0 and OpenG2P.

The second is chosen by three variables, which stand together:
ODOO_HOME        an Odoo 17.0 source tree
OPENG2P_ADDONS   folders with OpenG2P's modules, separated by colons
ODOO_PYTHON      the python of an environment with the requirements of both, and of requirements/native.txt
"""

import dataclasses
import json
import os
from pathlib import Path

from . import addons, commands, debian, odoo_tree, places, ported, postgres, python_env, say, stamp, versions

_NATIVE = ("ODOO_HOME", "OPENG2P_ADDONS", "ODOO_PYTHON")
# The variable that tells other processes (tests, the demo) which file describes the environment.
VARIABLE = "G2P_ENVIRONMENT"


@dataclasses.dataclass(frozen=True)
class Environment:
    """What it takes to run Odoo with the add-ons."""

    name: str  # "odoo19" or "native17": begins the names of its databases
    series: str
    identity: str  # changes when Odoo or the given modules change
    python: str
    python_path: list
    addons_path: list
    openg2p: list  # technical names of OpenG2P's modules, or of their stand-ins
    ours: list
    our_tests: list  # folders where pytest looks
    openg2p_tests: list  # the same for the stand-ins; empty with OpenG2P's own modules
    server_wide: str  # --load of a server whose job runner is to work

    def variables(self):
        """Environment variables of every process that imports Odoo."""
        path = os.pathsep.join([*self.python_path, str(places.SETUP), str(places.SIMULATORS)])
        return {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": None, **postgres.environment()}

    def data_dir(self):
        """Odoo's own files: sessions, and the attachments of its databases."""
        return str(places.build() / "data" / self.name)

    def write(self, path):
        path.write_text(json.dumps(dataclasses.asdict(self), indent=1))


def read(path=None):
    """The environment described by the file, by default the one that $G2P_ENVIRONMENT names."""
    path = path or os.environ.get(VARIABLE)
    if not path:
        raise say.Problem(f"{VARIABLE} is not set; run this through setup/test or setup/demo.")
    return Environment(**json.loads(Path(path).read_text()))


def is_native():
    given = [name for name in _NATIVE if os.environ.get(name)]
    if given and len(given) < len(_NATIVE):
        missing = ", ".join(name for name in _NATIVE if name not in given)
        raise say.Problem(f"{' and '.join(given)} given without {missing}; set all three, or none of them.")
    return bool(given)


def install(only=None):
    """Install what is missing, start PostgreSQL, and describe what there is.

    only names add-ons: then these and those they depend on are all there is.
    """
    debian.need(debian.FOR_TESTS)
    selected = addons.select(only)
    environment = _native(selected) if is_native() else _odoo19(selected)
    postgres.start()
    return environment


def python_only():
    """An interpreter for code without Odoo."""
    if is_native():
        return _file("ODOO_PYTHON")
    debian.need(debian.FOR_LINT)
    return python_env.install_for_tests()


def _odoo19(selected):
    odoo_tree.install()
    python = python_env.install_for_tests()
    folder = ported.install(python, [*selected.stand_in, *selected.ours])
    return Environment(
        name="odoo19",
        series="19.0",
        identity=stamp.digest([odoo_tree.identity(), python_env.identity(), versions.read()]),
        python=str(python),
        python_path=[],
        addons_path=[str(folder)],
        openg2p=addons.names(selected.stand_in),
        ours=addons.names(selected.ours),
        our_tests=[str(folder / path.name) for path in selected.ours if path.name in selected.tested],
        openg2p_tests=[str(folder / path.name) for path in selected.stand_in if path.name in selected.tested],
        server_wide="base,rpc,web,queue_job",
    )


def _native(selected):
    odoo = _folder("ODOO_HOME", os.environ["ODOO_HOME"])
    if not (odoo / "odoo-bin").is_file():
        raise say.Problem(
            f"ODOO_HOME={odoo} has no odoo-bin in it; give the folder of an Odoo 17.0 source tree."
        )
    given = [_folder("OPENG2P_ADDONS", part) for part in os.environ["OPENG2P_ADDONS"].split(":") if part]
    python = _file("ODOO_PYTHON")
    _check_native_python(python, odoo)
    return Environment(
        name="native17",
        series="17.0",
        identity=stamp.digest(
            [str(odoo), *(f"{path} {path.stat().st_mtime_ns}" for path in given), str(python)]
        ),
        python=str(python),
        python_path=[str(odoo)],
        addons_path=[str(path) for path in (odoo / "addons", *given, places.CHECKOUT)],
        openg2p=_openg2p_modules(given, addons.names(selected.stand_in)),
        ours=addons.names(selected.ours),
        our_tests=[str(path) for path in selected.ours if path.name in selected.tested],
        openg2p_tests=[],
        server_wide="base,web,queue_job",
    )


def _openg2p_modules(folders, wanted):
    """The modules that the stand-in stands for."""
    missing = [
        name
        for name in wanted
        if not any((folder / name / "__manifest__.py").is_file() for folder in folders)
    ]
    if missing:
        raise say.Problem(
            f"OPENG2P_ADDONS has no {', '.join(missing)}; add the folders that hold these modules."
        )
    return wanted


def _check_native_python(python, odoo):
    needed = "pytest, pytest_odoo, hypothesis, pydantic, websocket"
    probe = f"import odoo.release, {needed}; print(odoo.release.series)"
    series = commands.output([python, "-c", probe], env={"PYTHONPATH": odoo}).strip()
    if series != "17.0":
        raise say.Problem(f"ODOO_HOME={odoo} is Odoo {series}; the add-ons run natively on 17.0 only.")


def _folder(variable, text):
    path = Path(text).expanduser()
    if not path.is_dir():
        raise say.Problem(f"{variable}: {text} is no folder; give the path of one.")
    return path.absolute()


def _file(variable):
    path = Path(os.environ[variable]).expanduser()
    if not path.is_file():
        raise say.Problem(f"{variable}: {path} is no file; give the path of a python.")
    return path.absolute()
