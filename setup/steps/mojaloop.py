"""Mojaloop's own software for tests and the demo: scheme adapter and Testing Toolkit, from npm.

Installed by those who ask for it only, and removed with everything else in build/. The versions are those of
requirements/mojaloop; Node comes as a Python wheel, because Debian's is too old for the Toolkit.
"""

import dataclasses
import shutil
from pathlib import Path

from . import commands, debian, places, python_env, say, stamp

_REQUIREMENTS = places.REQUIREMENTS / "mojaloop"
# The server itself, under another name; the package redis-server would start a service of the system as well.
_REDIS = Path("/usr/bin/redis-check-rdb")


@dataclasses.dataclass(frozen=True)
class Software:
    """Where things are."""

    node: Path
    modules: Path  # node_modules
    redis: Path

    def arguments(self):
        """For `python -m mojaloop_peers`."""
        return ["--node", self.node, "--modules", self.modules, "--redis", self.redis]


def install():
    """Install what is missing."""
    debian.need(debian.FOR_MOJALOOP)
    with stamp.lock("mojaloop"):
        node = python_env.install_node(_REQUIREMENTS / "node.txt")
        _install_modules(node)
    return Software(node / "bin" / "node", _folder() / "node_modules", _folder() / "redis-server")


def _install_modules(node):
    folder = _folder()
    given = [_REQUIREMENTS / "package.json", _REQUIREMENTS / "package-lock.json"]
    inputs = [str(folder), str(node), *(path.read_text() for path in given)]
    if stamp.is_fresh("mojaloop", inputs, [folder / "node_modules", folder / "redis-server"]):
        return
    stamp.forget("mojaloop")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path in given:
        shutil.copy(path, folder)
    # It decides by its name which of its programs it is.
    (folder / "redis-server").symlink_to(_REDIS)
    with say.Timed(f"scheme adapter and Testing Toolkit in {folder}"):
        commands.run(
            [
                node / "bin" / "node",
                node / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js",
                *("ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"),
                *("--cache", places.cache() / "npm", "--prefer-offline"),
            ],
            "npm ci",
            cwd=folder,
        )
    stamp.finished("mojaloop", inputs)


def _folder():
    return places.build() / "mojaloop"
