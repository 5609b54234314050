"""Where things are: the checkout, the folder that holds everything made by the set-up, the user's cache."""

import hashlib
import os
import pwd
import time
from pathlib import Path

from . import say

CHECKOUT = Path(__file__).resolve().parents[2]
SETUP = CHECKOUT / "setup"
REQUIREMENTS = SETUP / "requirements"
STAND_IN = CHECKOUT / "tests" / "openg2p"
SIMULATORS = CHECKOUT / "tests" / "simulators"

# A unix socket's path ends at 107 characters, and PostgreSQL adds "/.s.PGSQL.5432" and ".lock" to it.
LONGEST_BUILD = 80
_LOGS_KEPT_SECONDS = 3 * 86400
_PROJECT = "openg2p-payments"
# Lies in each folder that the set-up made, and may therefore be removed as a whole.
_MARK = ".made-by-openg2p-payments"


def build():
    """The one folder of everything the set-up makes: $G2P_BUILD, or build/ in the checkout, or a stand-by."""
    wanted = os.environ.get("G2P_BUILD")
    if wanted:
        place = Path(wanted).resolve()
        reason = _unsuitable(place)
        if reason:
            raise say.Problem(f"G2P_BUILD={place} cannot be used: {reason}; choose another folder.")
        return place
    place = CHECKOUT / "build"
    if _unsuitable(place):
        return _stand_by()
    return place


def prepare_build():
    """Make the folder, and say where it is when that is not build/ in the checkout."""
    place = CHECKOUT / "build"
    if build() != place:
        reason = _unsuitable(place) or "G2P_BUILD is set"
        say.line(f"working in {build()} instead of {place}: {reason}")
    _make(build())
    forget_old_logs()


def is_ours(folder):
    return (folder / _MARK).exists()


def cache():
    """Downloads that another clone can use as well."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    place = Path(home) / _PROJECT
    try:
        _make(place)
    except OSError:
        place = build() / "downloads"
        place.mkdir(parents=True, exist_ok=True)
    return place


def stamps():
    return build() / "stamps"


def run_folder():
    """Process ids, configuration files and logs."""
    place = build() / "run"
    place.mkdir(parents=True, exist_ok=True)
    return place


def logs():
    place = run_folder() / "logs"
    place.mkdir(parents=True, exist_ok=True)
    return place


def forget_old_logs():
    for path in logs().rglob("*"):
        if path.is_file() and time.time() - path.stat().st_mtime > _LOGS_KEPT_SECONDS:
            path.unlink(missing_ok=True)


def _make(folder):
    """Make and mark a folder; one that holds other things is left alone."""
    if is_ours(folder):
        return
    if folder.is_dir() and any(folder.iterdir()):
        raise say.Problem(
            f"{folder} holds things that the set-up did not make; choose another folder with G2P_BUILD."
        )
    folder.mkdir(parents=True, exist_ok=True)
    # PostgreSQL's user must be able to pass through it, whatever the umask.
    folder.chmod(0o755)
    (folder / _MARK).touch()


def _stand_by():
    digest = hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:8]
    return Path("/var/tmp") / f"{_PROJECT}-{os.getuid()}-{digest}"


def _unsuitable(place):
    if len(str(place)) > LONGEST_BUILD:
        return f"its path is longer than {LONGEST_BUILD} characters, too long for PostgreSQL's socket"
    if os.getuid() == 0:
        closed = _closed_to_others(place)
        if closed:
            return f"the user postgres cannot enter {closed}"
    return None


def _closed_to_others(place):
    """The first folder on the way that a user other than root cannot enter, if there is one."""
    for folder in reversed([place, *place.parents]):
        if folder.exists() and not folder.stat().st_mode & 0o001 and not _owned_by_postgres(folder):
            return folder
    return None


def _owned_by_postgres(folder):
    try:
        return folder.stat().st_uid == pwd.getpwnam("postgres").pw_uid
    except KeyError:
        return False
