"""python -m steps.port DESTINATION ADD-ON...: copy the add-ons to the destination and port the copies.

The destination must hold nothing else, for Odoo's own conversion rewrites whatever it finds there.
"""

import shutil
import sys
from pathlib import Path

from . import categories, guards, manifests, upgrade, xml_files


def main(destination, *sources):
    destination = Path(destination)
    copies = [_copy(Path(source), destination) for source in sources]
    known = categories.read(copies)
    for copy in copies:
        manifests.port(copy / "__manifest__.py")
        xml_files.port(copy, known)
    upgrade.run(destination)
    left = [problem for copy in copies for problem in guards.problems(copy, destination)]
    for problem in left:
        print(problem, file=sys.stderr)
    return 1 if left else 0


def _copy(source, destination):
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc", "node_modules")
    return Path(shutil.copytree(source, destination / source.name, ignore=ignored))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
