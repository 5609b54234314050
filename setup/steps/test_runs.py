"""The three runs of pytest that setup/test makes."""

import os
import signal
import subprocess
from pathlib import Path

from . import chosen, databases, odoo_process, places, processes, say, servers, tally
from . import environment as environments

PARTS = ("unit", "addons", "integration")
_PLAIN = ("-p", "no:odoo")
_NO_TESTS = 5
_SECONDS_TO_END = 30


class Runs:
    """Runs pytest and adds up what came of it."""

    def __init__(self, tests, seconds):
        self.chosen, self.seconds = tests, seconds
        self.total = tally.Tally()

    def unit(self, python):
        """Code without Odoo: the clients of the payment systems, the simulators, the set-up."""
        variables = {"PYTHONPATH": os.pathsep.join([str(places.SETUP), str(places.SIMULATORS)])}
        self._pytest("unit", python, self.chosen.of(chosen.UNIT), variables, _PLAIN)

    def addons(self, environment):
        """The add-ons' own tests inside Odoo and in a browser.

        Those of the stand-ins run without the add-ons of this project: these change rights and views. Those
        of add-ons that build on ours run last, on a database of their own.
        """
        self._in_odoo(environment, "openg2p", environment.openg2p_tests)
        self._in_odoo(environment, "addons", environment.our_tests)
        self._in_odoo(environment, "listeners", environment.listeners_tests)

    def _in_odoo(self, environment, layer, folders):
        tests = self.chosen.of_addons(folders)
        if not tests:
            return
        with databases.copy(environment, databases.template(environment, layer)) as database:
            configuration = odoo_process.configuration(environment, database, http_port=servers.free_port())
            # root:0 keeps queue_job's runner out of the test process: a pending job would wait for the
            # test's transaction, and the test for the job.
            variables = {
                **environment.variables(),
                "ODOO_QUEUE_JOB_CHANNELS": "root:0",
                "ODOO_RC": configuration,
            }
            self._pytest(layer, environment.python, tests, variables, ["--odoo-http"])

    def integration(self, environment):
        """Several real processes: the tests start them with steps.servers."""
        description = places.run_folder() / f"environment-{os.getpid()}.json"
        environment.write(description)
        variables = {
            **environment.variables(),
            environments.VARIABLE: description,
            "G2P_BUILD": places.build(),
            "G2P_TEMPLATE": databases.template(environment),
        }
        tests = self.chosen.of(chosen.INTEGRATION)
        self._pytest("integration", environment.python, tests, variables, _PLAIN)
        description.unlink()

    def _pytest(self, part, python, tests, variables, options):
        if not tests:
            say.line(f"no {part} tests here")
            return
        outcomes = places.run_folder() / f"tally-{part}-{os.getpid()}.jsonl"
        outcomes.unlink(missing_ok=True)
        words = [
            Path(python).with_name("pytest"),
            *("-c", places.CHECKOUT / "pyproject.toml", "--rootdir", places.CHECKOUT),
            *("-p", "steps.pytest_tally"),
            *options,
            *self.chosen.others,
            *tests,
        ]
        code = _run(words, {**variables, "G2P_TALLY": outcomes}, self.seconds)
        self._count(part, code, tally.read(outcomes))
        outcomes.unlink(missing_ok=True)

    def _count(self, part, code, result):
        """A run that ended badly without a failed test counts as one failure."""
        none_selected = code == _NO_TESTS and self.chosen.others
        if not result.failed and not none_selected and (code or not result.finished):
            say.warning(f"pytest ended with exit code {code} in the {part} tests")
            result.failed += 1
        for text in result.skipped:
            say.warning(f"skipped, which counts as failed: {text}")
        self.total += result


def _run(words, variables, seconds):
    """pytest and all that it started end together: a browser or a server would outlive it otherwise."""
    process = subprocess.Popen(
        [str(word) for word in words],
        env={**os.environ, **{name: str(value) for name, value in variables.items() if value is not None}},
        cwd=places.CHECKOUT,
        start_new_session=True,
    )
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        say.warning(f"the tests took longer than {seconds} s and were ended")
        return 124
    finally:
        _end(process)
        processes.end_all_with("G2P_TALLY", variables["G2P_TALLY"])


def _end(process):
    """Interrupted, pytest still undoes what its tests set up; after that it has no choice."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
