"""Odoo 19 unpacked below the build folder, and what is missing in Debian's package put right."""

import shutil
import subprocess

from . import odoo_package, places, say, stamp

_SITE = "usr/lib/python3/dist-packages"
# Top-level packages that Odoo's package installs by mistake, and translations of the user interface.
_LEFT_OUT = (f"./{_SITE}/addons", f"./{_SITE}/setup", f"./{_SITE}/doc", "*/i18n/*.po")
# In the web client's bundle, but not in the package: without the file each page logs an error, which fails
# every browser test.
_MISSING = "mail/static/lib/selfie_segmentation/selfie_segmentation.js"


def site():
    """The folder that belongs on Python's path."""
    return places.build() / "odoo" / _SITE


def install():
    """Unpack the packages; a tree that was cut short is made again."""
    tree = places.build() / "odoo"
    if stamp.is_fresh("odoo", identity(), [site() / "odoo" / "cli"]):
        return
    packages = odoo_package.packages()
    stamp.forget("odoo")
    with say.Timed(f"unpacking {packages[0].name}"):
        unfinished = places.build() / "odoo.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.rmtree(tree, ignore_errors=True)
        unfinished.mkdir(parents=True)
        for package in packages:
            _unpack(package, unfinished)
        _repair(unfinished)
        unfinished.rename(tree)
    stamp.finished("odoo", identity())


def identity():
    """Changes when another Odoo is taken."""
    return [_LEFT_OUT, _MISSING, odoo_package.identity()]


def _unpack(package, folder):
    """Unpack one package; a damaged download is thrown away, so that the next run takes it anew."""
    left_out = [f"--exclude={pattern}" for pattern in _LEFT_OUT]
    reader = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE)
    writer = subprocess.run(["tar", "-x", "-C", folder, "--no-same-owner", *left_out], stdin=reader.stdout)
    reader.stdout.close()
    if reader.wait() or writer.returncode:
        if package.is_relative_to(places.cache()):
            package.unlink()
        raise say.Problem(f"{package} could not be unpacked; run the command again to download it anew.")


def _repair(tree):
    addons = tree / _SITE / "odoo" / "addons"
    missing = addons / _MISSING
    if not missing.exists():
        missing.parent.mkdir(parents=True, exist_ok=True)
        missing.write_text("")
