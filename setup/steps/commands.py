"""Running other programs: their output goes to a log, and a failure shows its end."""

import os
import shutil
import subprocess

from . import places, say

_SHOWN_LINES = 25


def run(arguments, what, env=None, cwd="/", log=None, check=True, text=""):
    """Run a program; its output goes to a log file named after what is being done."""
    log = log or places.logs() / f"{_file_name(what)}.log"
    with open(log, "wb") as output:
        done = subprocess.run(
            [str(argument) for argument in arguments],
            stdout=output,
            stderr=subprocess.STDOUT,
            input=text.encode(),
            env=_environment(env),
            cwd=cwd,
        )
    if check and done.returncode:
        raise say.Problem(f"{what} failed (exit {done.returncode}); the whole log is {log}:\n{tail(log)}")
    return done.returncode


def output(arguments, env=None):
    """What a program printed; a Problem when it failed."""
    done = subprocess.run(
        [str(argument) for argument in arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=_environment(env),
        cwd="/",
    )
    if done.returncode:
        raise say.Problem(f"{arguments[0]} failed: {(done.stderr or done.stdout).strip()[-600:]}")
    return done.stdout


def tail(log):
    with open(log, errors="replace") as text:
        return "".join(f"   | {row}" for row in text.readlines()[-_SHOWN_LINES:])


def available(program):
    return shutil.which(program) is not None


def _environment(extra):
    environment = dict(os.environ)
    for name, value in (extra or {}).items():
        if value is None:
            environment.pop(name, None)
        else:
            environment[name] = str(value)
    return environment


def _file_name(text):
    return "".join(letter if letter.isalnum() else "-" for letter in text.lower()).strip("-")[:60]
