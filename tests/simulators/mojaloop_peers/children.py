"""The programs that are run: started, frozen, killed and started again on the same ports."""

import signal
import subprocess
import time
import urllib.error
import urllib.request

_POLL = 0.05


class Child:
    """A program that ends when the process that started it is gone, however that came about."""

    def __init__(self, name, words, folder, log, variables, ready):
        self.name, self._ready = name, ready
        self._words, self._folder, self._log, self._variables = words, folder, log, variables
        self._process = None

    def start(self):
        if self.is_running():
            return
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(
                # Signals of the terminal are for who started us; the kernel tells the child of our end.
                ["setpriv", "--pdeathsig", "KILL", "--", *map(str, self._words)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                env=self._variables,
                start_new_session=True,
            )

    def is_running(self):
        return self._process is not None and self._process.poll() is None

    def wait_until_ready(self, until):
        while not self._ready():
            if not self.is_running():
                raise RuntimeError(f"{self.name} ended with {self._process.returncode}: {self._end_of_log()}")
            if time.monotonic() > until:
                raise RuntimeError(f"{self.name} took too long to start: {self._end_of_log()}")
            time.sleep(_POLL)

    def kill(self):
        if self.is_running():
            self._process.kill()
            self._process.wait()

    def freeze(self):
        """It keeps its connections and takes new ones, and does nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self):
        self._signal(signal.SIGCONT)

    def _signal(self, number):
        if not self.is_running():
            raise ValueError(f"{self.name} does not run")
        self._process.send_signal(number)

    def _end_of_log(self):
        return self._log.read_text(errors="replace")[-1500:]


def answers(url):
    """Whether a server gives any answer of HTTP."""

    def ready():
        try:
            with urllib.request.urlopen(url, timeout=2):
                return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False

    return ready
