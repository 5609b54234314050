"""The .deb files that Odoo 19 is made of: Odoo from unstable, two packages its links point at from stable."""

import os
import subprocess
from pathlib import Path

from . import places, say, unstable, versions

PACKAGE = "odoo-19"
# Odoo's tree links to these by relative path: the log-in page cannot be made without jquery. Font Awesome
# must be the stable suite's 4.7: later ones lack the files that the links name.
LINKED = ("libjs-jquery", "fonts-font-awesome")


def packages():
    """Paths of the packages to unpack, Odoo first; downloaded when the cache does not have them."""
    given = os.environ.get("ODOO_DEB")
    odoo = _given(given) if given else None
    tested = versions.tested_odoo()
    odoo = odoo or unstable.cached_package(PACKAGE, tested)
    linked = [_cached_any(name) for name in LINKED]
    if odoo and all(linked):
        return [odoo, *linked]
    with say.Timed("downloading Odoo 19 from Debian's unstable suite (the system stays on its release)"):
        return _download(odoo, tested)


def identity():
    """What decides which packages are unpacked, known without a download."""
    given = os.environ.get("ODOO_DEB")
    if given:
        package = _given(given)
        return [str(package), package.stat().st_size, package.stat().st_mtime_ns]
    return versions.tested_odoo()


def _download(odoo, tested):
    apt = unstable.PrivateApt(places.cache() / "apt")
    apt.update()
    debs = places.cache() / "debs"
    if not odoo:
        odoo = _download_odoo(apt, tested, debs)
    linked = [apt.download(name, _needed_version(apt, name), debs) for name in LINKED]
    return [odoo, *linked]


def _download_odoo(apt, tested, debs):
    version = apt.version(PACKAGE, "sid")
    if version is None:
        raise say.Problem(
            f"Debian's unstable suite has no {PACKAGE} any more; set ODOO_DEB to the path of such a package "
            f"(tested: {tested})."
        )
    _check_version(version, tested)
    return unstable.cached_package(PACKAGE, version) or apt.download(PACKAGE, version, debs)


def _needed_version(apt, name):
    version = apt.version(name, unstable.stable_suite())
    if version is None:
        raise say.Problem(
            f"Debian's {unstable.stable_suite()} suite has no {name}; run apt-get update and try again."
        )
    return version


def _given(path):
    package = Path(path).resolve()
    if not package.is_file():
        raise say.Problem(f"ODOO_DEB={path} is no file; give the path of an {PACKAGE} package.")
    shown = subprocess.run(
        ["dpkg-deb", "--show", "--showformat", "${Package} ${Version}", package],
        capture_output=True,
        text=True,
    )
    name, _, version = shown.stdout.partition(" ")
    if shown.returncode or name != PACKAGE:
        raise say.Problem(f"ODOO_DEB={path} is not a package {PACKAGE}; give the path of one.")
    _check_version(version, versions.tested_odoo())
    return package


def _check_version(version, tested):
    if not version.startswith("19.0"):
        raise say.Problem(
            f"{PACKAGE} {version} is not Odoo 19.0; set ODOO_DEB to the path of a 19.0 package."
        )
    if version != tested:
        say.warning(f"{PACKAGE} {version} is taken; the set-up was tested with {tested}")


def _cached_any(name):
    found = sorted((places.cache() / "debs").glob(f"{name}_*.deb"))
    return found[-1] if found else None
