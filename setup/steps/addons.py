"""Which add-ons there are: found by their manifests, so a new one needs no list to be changed."""

import ast
import dataclasses
import hashlib

from . import places, say

# Changes in these change no database: tests are imported from the sources, readme files are for people.
_NOT_INSTALLED = {"tests", "readme", "__pycache__"}
_IGNORED_SUFFIXES = {".pyc", ".pyo", ".md", ".rst"}


def ours():
    """The add-ons of this project: every g2p_* folder of the checkout with a manifest."""
    return _with_manifest(sorted(places.CHECKOUT.glob("g2p_*")))


def stand_in():
    """The add-ons that stand in for OpenG2P's modules."""
    return _with_manifest(sorted(places.STAND_IN.glob("*")))


def listeners():
    """The add-ons that stand for those of others, which build on ours; for tests only."""
    return _with_manifest(sorted(places.CHECKOUT.glob("tests/addons/*")))


@dataclasses.dataclass(frozen=True)
class Selection:
    """Folders of add-ons to install, and the names of those whose tests are to run."""

    stand_in: list
    ours: list
    listeners: list
    tested: list


def select(only=None):
    """All add-ons, or those named and the ones they depend on."""
    everything = {folder.name: folder for folder in [*stand_in(), *ours(), *listeners()]}
    unknown = sorted(set(only or ()) - set(everything))
    if unknown:
        raise say.Problem(
            f"no add-on {', '.join(unknown)} here; there are {', '.join(everything) or 'none'}."
        )
    needed = _with_dependencies(only, everything) if only else set(everything)
    return Selection(
        [folder for folder in stand_in() if folder.name in needed],
        [folder for folder in ours() if folder.name in needed],
        [folder for folder in listeners() if folder.name in needed],
        sorted(only or everything),
    )


def _with_dependencies(wanted, everything):
    needed, waiting = set(), list(wanted)
    while waiting:
        name = waiting.pop()
        if name in everything and name not in needed:
            needed.add(name)
            waiting += manifest(everything[name]).get("depends", [])
    return needed


def names(folders):
    return [folder.name for folder in folders]


def manifest(folder):
    try:
        return ast.literal_eval((folder / "__manifest__.py").read_text())
    except (SyntaxError, ValueError) as error:
        raise say.Problem(f"{folder}/__manifest__.py cannot be read: {error}.") from None


def digest(folders, installed_only=False):
    """A name for the contents of the folders; with installed_only, of what the database depends on."""
    total = hashlib.sha256()
    for folder in folders:
        for path in _files(folder, installed_only):
            total.update(f"{folder.name}/{path.relative_to(folder)}\0".encode())
            total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:12]


def _with_manifest(folders):
    return [folder for folder in folders if (folder / "__manifest__.py").is_file()]


def _files(folder, installed_only):
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if "__pycache__" in parts or not path.is_file():
            continue
        if installed_only and (parts[0] in _NOT_INSTALLED or path.suffix in _IGNORED_SUFFIXES):
            continue
        yield path
