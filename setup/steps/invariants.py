"""The mechanisms on which the guarantees rest, and how each can be taken out of a copy of the sources.

A mechanism is a statement of the production code below a comment `# invariant: NAME`. The comment moves with
the statement, so that renaming and moving code changes nothing here. `tests/invariants/invariants.toml` says
for each name what stands in its place when it is removed, and which tests then fail. In SQL the comment is
`-- invariant: NAME`; the line below loses the word UNIQUE, or goes.
"""

import ast
import dataclasses
import re
import textwrap

import tomllib

from . import places, say

LIST = places.CHECKOUT / "tests" / "invariants" / "invariants.toml"
_MARK = re.compile(r"^ *(?:#|--) invariant: ([a-z0-9-]+)$", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Invariant:
    """`says` is the guarantee for people, `instead` is Python, and `tests` are arguments of setup/test."""

    name: str
    says: str
    instead: str
    tests: tuple


def read():
    """Return the invariants of the list, in its order."""
    rows = tomllib.loads(LIST.read_text())["invariant"]
    return [Invariant(row["name"], row["says"], row.get("instead", ""), tuple(row["tests"])) for row in rows]


def marks(checkout):
    """Return {name: [path, ...]} of all marks in the add-ons of a checkout."""
    found = {}
    for path in sorted(checkout.glob("g2p_*/**/*.py")):
        for name in _MARK.findall(path.read_text()):
            found.setdefault(name, []).append(path)
    return found


def remove(invariant, checkout):
    """Write `instead` in place of the marked statement. Raise Problem unless exactly one carries the mark."""
    paths = marks(checkout).get(invariant.name, [])
    if len(paths) != 1:
        raise say.Problem(f"{len(paths)} statements carry the mark {invariant.name}; exactly one has to.")
    path = paths[0]
    path.write_text(without(path.read_text(), invariant))


def without(source, invariant):
    """Return the source without the mechanism; it is still Python, or a SyntaxError is raised."""
    lines = source.splitlines(keepends=True)
    number = next(number for number, line in enumerate(lines, 1) if invariant.name in _MARK.findall(line))
    if lines[number - 1].lstrip().startswith("--"):
        marked = lines[number]
        lines[number] = marked.replace(" UNIQUE ", " ") if " UNIQUE " in marked else ""
        return "".join(lines)
    statement = _beginning_at(ast.parse(source), number + 1)
    first, last = statement.lineno - 1, statement.end_lineno
    indent = " " * statement.col_offset
    changed = textwrap.indent(textwrap.dedent(invariant.instead).strip() + "\n", indent)
    result = "".join([*lines[:first], changed, *lines[last:]])
    ast.parse(result)
    return result


def _beginning_at(tree, number):
    """Return the statement that begins on this line."""
    return next(node for node in ast.walk(tree) if isinstance(node, ast.stmt) and node.lineno == number)
