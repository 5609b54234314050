"""setup/lint: ruff and pylint-odoo over the whole checkout."""

import argparse
import subprocess

from . import addons, debian, places, python_env, say, stamp

_DESCRIPTION = """Check the sources with ruff (rules and format) and pylint-odoo; the exit code is 1 when they
find something to change. Configuration: pyproject.toml and .pylintrc."""

# A model is spread over files by idea here, which the first would merge; the second asks plain Python classes
# for the return value of methods that have none. Disabled here, because the file enables all that pylint-odoo
# has.
_NOT_FOR_US = ("consider-merging-classes-inherited", "missing-return")
# Add-ons of the tests are not published; the stand-ins have the shape of the modules that they stand for.
_NOT_OURS = (
    "attribute-string-redundant",
    "manifest-required-author",
    "manifest-superfluous-key",
    "missing-readme",
    "no-raise-unlink",
    "no-search-all",
)


def main():
    options = _parser().parse_args()
    places.prepare_build()
    with stamp.lock():
        debian.need(debian.FOR_LINT)
        tools = python_env.install_for_lint()
    bad = [name for name, words in _checks(tools, options.fix) if not _passes(name, words)]
    if bad:
        raise say.Problem(f"{', '.join(bad)} found something to change (see above).")
    say.line("nothing to change")


def _checks(tools, fix):
    ruff = [tools / "ruff"]
    executables = [path for path in places.SETUP.iterdir() if path.is_file() and not path.suffix]
    yield "ruff check", [*ruff, "check", "--quiet", *(["--fix"] if fix else []), ".", *executables]
    yield "ruff format", [*ruff, "format", "--quiet", *([] if fix else ["--diff"]), ".", *executables]
    pylint = [tools / "pylint", "--rcfile", places.CHECKOUT / ".pylintrc", "-j", "0"]
    if addons.ours():
        yield "pylint-odoo", [*pylint, f"--disable={','.join(_NOT_FOR_US)}", *addons.ours()]
    if others := [*addons.stand_in(), *addons.listeners()]:
        yield (
            "pylint-odoo, add-ons of the tests",
            [*pylint, f"--disable={','.join((*_NOT_FOR_US, *_NOT_OURS))}", *others],
        )


def _passes(name, words):
    say.heading(name)
    return subprocess.run([str(word) for word in words], cwd=places.CHECKOUT).returncode == 0


def _parser():
    parser = argparse.ArgumentParser(
        prog="setup/lint", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fix", action="store_true", help="let ruff change what it can")
    return parser
