"""Stamps: a step is redone when its inputs changed, its result is gone, or it was cut before the end."""

import contextlib
import fcntl
import hashlib
import json

from . import places, say


def digest(value):
    """A short name for anything JSON can write."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]


def is_fresh(name, inputs, results=()):
    """True when the step with this name was finished for these inputs and its results are still there."""
    stamp = places.stamps() / name
    return (
        stamp.is_file()
        and stamp.read_text().strip() == digest(inputs)
        and all(result.exists() for result in results)
    )


def finished(name, inputs):
    """Written last of all, so a step that was cut has no stamp."""
    places.stamps().mkdir(parents=True, exist_ok=True)
    (places.stamps() / name).write_text(digest(inputs) + "\n")


def forget(name):
    (places.stamps() / name).unlink(missing_ok=True)


@contextlib.contextmanager
def in_use():
    """While this is held, PostgreSQL is not stopped and nothing is removed."""
    with open(_users(), "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_SH)
        yield


@contextlib.contextmanager
def unless_in_use():
    """Gives True when nobody holds in_use(), and keeps it so."""
    with open(_users(), "w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _users():
    return places.run_folder() / "in-use.lock"


@contextlib.contextmanager
def lock(name="setup"):
    """One set-up at a time in a build folder; a second one waits."""
    with open(places.run_folder() / f"{name}.lock", "w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say.line(f"waiting for another {name} in {places.build()} ...")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
