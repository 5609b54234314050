"""Which tests were asked for: everything, or what was named by file as it lies in the checkout."""

from pathlib import Path

from . import addons, places

UNIT = [places.CHECKOUT / "tests" / "unit", places.SIMULATORS]
INTEGRATION = [places.CHECKOUT / "tests" / "integration"]


class Chosen:
    """Splits the command's arguments in paths (perhaps with ::name) and what is for pytest."""

    def __init__(self, arguments, options=()):
        self.paths = [argument for argument in arguments if _file(argument).exists()]
        self.others = [*options, *(argument for argument in arguments if argument not in self.paths)]

    def parts(self, every_part):
        """The parts of the run that the paths belong to."""
        return [
            part for part in every_part if not self.paths or any(_part(path) == part for path in self.paths)
        ]

    def of(self, sources, folders=None):
        """What pytest is to be given: of the source folders, which may have been ported to other folders."""
        pairs = list(zip(sources, folders or sources, strict=True))
        if not self.paths:
            return [folder for _, folder in pairs if any(folder.rglob("test_*.py"))]
        return [
            f"{folder / _file(path).relative_to(source)}{_name(path)}"
            for path in self.paths
            for source, folder in pairs
            if _file(path).is_relative_to(source)
        ]

    def of_addons(self, folders):
        """The same for folders of add-ons, ported or not."""
        sources = {
            source.name: source for source in [*addons.ours(), *addons.stand_in(), *addons.listeners()]
        }
        folders = [Path(folder) for folder in folders]
        return self.of([sources[folder.name] for folder in folders], folders)


def _file(argument):
    return Path(argument.partition("::")[0]).resolve()


def _name(argument):
    return "".join(argument.partition("::")[1:])


def _part(argument):
    for part, folders in (("unit", UNIT), ("integration", INTEGRATION)):
        if any(_file(argument).is_relative_to(folder) for folder in folders):
            return part
    return "addons"
