"""What the commands print, and the one exception that ends them with a sentence."""

import signal
import sys
import time


class Problem(Exception):
    """Something is missing or failed; the text says what, and what to do about it."""


def heading(text):
    print(f"\n== {text}", flush=True)


def line(text):
    print(f"   {text}", flush=True)


def warning(text):
    print(f"   warning: {text}", file=sys.stderr, flush=True)


class Timed:
    """Prints what is being done, and the seconds it took once it is done."""

    def __init__(self, text):
        self.text = text

    def __enter__(self):
        line(f"{self.text} ...")
        self.start = time.monotonic()
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            line(f"{self.text}: {time.monotonic() - self.start:.1f} s")


def run_main(main):
    """Run a command's main function and exit: 0, what it returned, or 1 with the problem's sentence."""
    # Asked to end, it still ends what it started.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    try:
        sys.exit(main() or 0)
    except Problem as problem:
        print(f"\nerror: {problem}", file=sys.stderr, flush=True)
        sys.exit(1)
    except KeyboardInterrupt:
        print("\ninterrupted; run the command again to go on", file=sys.stderr)
        sys.exit(130)
