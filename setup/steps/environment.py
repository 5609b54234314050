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

from . import addons, debian, native, odoo_tree, places, ported, postgres, python_env, say, stamp, versions

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
    listeners: list  # add-ons of the tests, which build on ours
    listeners_tests: list
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


def install(only=None):
    """Install what is missing, start PostgreSQL, and describe what there is.

    only names add-ons: then these and those they depend on are all there is.
    """
    debian.need(debian.FOR_TESTS)
    selected = addons.select(only)
    environment = _native(selected) if native.is_wanted() else _odoo19(selected)
    postgres.start()
    return environment


def python_only():
    """An interpreter for code without Odoo."""
    if native.is_wanted():
        return native.python()
    debian.need(debian.FOR_LINT)
    return python_env.install_for_tests()


def _odoo19(selected):
    odoo_tree.install()
    python = python_env.install_for_tests()
    folder = ported.install(python, [*selected.stand_in, *selected.ours, *selected.listeners])
    return Environment(
        name="odoo19",
        series="19.0",
        identity=stamp.digest([odoo_tree.identity(), python_env.identity(), versions.tested_odoo()]),
        python=str(python),
        python_path=[],
        addons_path=[str(folder)],
        openg2p=addons.names(selected.stand_in),
        ours=addons.names(selected.ours),
        our_tests=[str(folder / path.name) for path in selected.ours if path.name in selected.tested],
        openg2p_tests=[str(folder / path.name) for path in selected.stand_in if path.name in selected.tested],
        listeners=addons.names(selected.listeners),
        listeners_tests=[
            str(folder / path.name) for path in selected.listeners if path.name in selected.tested
        ],
        server_wide="base,rpc,web,queue_job",
    )


def _native(selected):
    odoo, python, given = native.odoo_home(), native.python(), native.openg2p_folders()
    core = native.core_folders(python, odoo)
    openg2p = addons.names(selected.stand_in)
    native.check_modules(openg2p, given)
    return Environment(
        name="native17",
        series="17.0",
        identity=stamp.digest([str(odoo), str(python), *(_with_time(path) for path in given)]),
        python=str(python),
        python_path=[str(odoo)],
        addons_path=[str(path) for path in (*core, *given, places.CHECKOUT, *_parents(selected.listeners))],
        openg2p=openg2p,
        ours=addons.names(selected.ours),
        our_tests=[str(path) for path in selected.ours if path.name in selected.tested],
        openg2p_tests=[],
        listeners=addons.names(selected.listeners),
        listeners_tests=[str(path) for path in selected.listeners if path.name in selected.tested],
        server_wide="base,web,queue_job",
    )


def _parents(folders):
    return dict.fromkeys(folder.parent for folder in folders)


def _with_time(path):
    return f"{path} {path.stat().st_mtime_ns}"
