"""setup/test: install what is missing and run every test."""

import argparse

from . import chosen, databases, environment, places, postgres, say, stamp, stop_command, test_runs

_DESCRIPTION = """Install what is missing and run every test; the last line says how many passed and failed.

A skipped test counts as failed. With nothing to install the first tests start within seconds.
Everything made lies in build/ of the checkout; setup/clean removes it."""

_EPILOG = """examples:
  setup/test                                    everything
  setup/test --only unit                        code without Odoo
  setup/test --only addons --addon g2p_payment_hub -k approve
  setup/test g2p_payment_hub/tests/test_prepare.py
  setup/test --only integration -- -x           what follows -- goes to pytest

variables:
  G2P_BUILD        another folder for all that the set-up makes
  ODOO_DEB         path of a downloaded package odoo-19, used instead of unstable's
  ODOO_HOME, OPENG2P_ADDONS, ODOO_PYTHON
                   run on an Odoo 17.0 with OpenG2P's own modules; see setup/README.md"""


def main():
    options = _parser().parse_args()
    places.prepare_build()
    tests = chosen.Chosen(options.tests, ["-k", options.k] if options.k else [])
    parts = tests.parts(options.only or test_runs.PARTS)
    runs = test_runs.Runs(tests, options.seconds)
    was_running = postgres.is_running()
    try:
        with stamp.in_use():
            _run(parts, runs, options)
        if not was_running:
            stop_command.stop_postgres_if_idle()
    finally:
        print(f"\n{runs.total.summary()}", flush=True)
    if not runs.total.passed and not runs.total.failed:
        raise say.Problem("no test ran; loosen -k, --only or --addon.")
    return 0 if runs.total.is_good() else 1


def _run(parts, runs, options):
    try:
        if "unit" in parts:
            say.heading("Tests of code without Odoo")
            with stamp.lock():
                python = environment.python_only()
            runs.unit(python)
        if "addons" in parts or "integration" in parts:
            say.heading("Set-up")
            installed = _install(options)
        if "addons" in parts:
            say.heading(f"Tests of the add-ons in Odoo {installed.series}")
            runs.addons(installed)
        if "integration" in parts:
            say.heading("Integration tests with real processes")
            runs.integration(installed)
    except BaseException:
        # Whatever cut the run short, the closing line must not look like success.
        runs.total.failed += 1
        raise


def _install(options):
    with stamp.lock():
        installed = environment.install(options.addon)
        say.line(f"Odoo {installed.series}, add-ons: {', '.join(installed.ours) or 'none'}")
        databases.template(installed)
    return installed


def _parser():
    parser = argparse.ArgumentParser(
        prog="setup/test",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--only", action="append", choices=test_runs.PARTS, help="run this part (may be repeated)"
    )
    parser.add_argument(
        "--addon",
        action="append",
        metavar="NAME",
        help="install and test only this add-on and what it depends on",
    )
    parser.add_argument("-k", metavar="EXPRESSION", help="run the tests whose names match, as pytest's -k")
    parser.add_argument(
        "--seconds", type=int, default=2700, help="end a part that takes longer (default: 2700)"
    )
    parser.add_argument(
        "tests",
        nargs="*",
        metavar="PATH",
        help="files or folders of tests; and, after --, pytest's own arguments",
    )
    return parser
