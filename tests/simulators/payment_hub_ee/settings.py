"""What can be set when the hub is started; see the table in ../README.md."""

import argparse
import json
from pathlib import Path

import lifetime

BUDGETS = {
    "SocialWelfare": {"Education": "123456789", "UnconditionalCashTransfer": "223456789"},
    "Health": {"Maternity": "323456789"},
}
MAX_CSV_BYTES = 100_000


def parse(arguments=None):
    parser = argparse.ArgumentParser(prog="payment_hub_ee", description="A Payment Hub EE for tests.")
    for add_options in GROUPS:
        add_options(parser.add_argument)
    settings = parser.parse_args(arguments)
    settings.tenants = dict(_tenant(text) for text in settings.tenants.split(",") if text)
    return settings


def _process(add):
    add("--state", help="folder that keeps keys, batches and ledger over restarts")
    for name in ("bulk", "operations", "control"):
        add(f"--{name}-port", type=int, default=0, help="0: that of the last run, or a free one")
    add("--no-tls", action="store_true", help="plain http on all ports")
    add("--certificate", default="good", choices=("good", "expired", "wrong-host", "untrusted"))
    lifetime.add_options(add)


def _access(add):
    add("--tenants", default="gorilla,wakanda,lion,rhino=lookup", help="name or name=lookup, by commas")
    add("--username", default="mifos")
    add("--password", help="when not given: made at the first start, kept in the state folder")
    add("--no-auth", action="store_true", help="no token needed (one that is sent is checked)")
    add("--token-seconds", type=float, default=600)
    add("--refresh-seconds", type=float, default=43200)
    add("--no-jws", action="store_true", help="no signatures; a CSV upload then ends in 200 and nothing")
    add("--charset", default="ascii", help="what the hub's Java takes bytes for")


def _time(add):
    add("--import-lag", type=float, default=0.3, help="seconds from an event to its being reported")
    add("--start-delay", type=float, default=0.3, help="seconds from acceptance to the first payment")
    add("--processing", type=float, default=0.5, help="seconds over which the rows of a batch start")
    add("--row-time", type=float, default=0.2, help="seconds from a payment's start to its end")
    add("--repair", type=float, default=2, help="seconds until an incident is repaired")
    add("--slow", type=float, default=4, help="seconds that a slow payment takes")
    add("--late", type=float, default=6, help="seconds until a late contradiction")
    add("--polling-seconds", type=int, default=120, help="suggested to the client (`pollingApi.timer`)")
    add("--timezone", default="Asia/Kolkata", help="in which dateFrom and dateTo are read")


def _behaviour(add):
    add("--sub-batch-size", type=int, default=5, help="0 does not split")
    add("--no-dedup", action="store_true", help="equal rows of a file are all paid")
    add("--authorization", default="mock", choices=("mock", "off", "hold"), help="hold waits for a verdict")
    add("--authorization-limit", type=int, default=20000, help="from here on the mock says N")
    add("--authorization-sees", default="zero", choices=("zero", "total"), help="amount the mock is told")
    add("--redis-guard", action="store_true", help="mojaloop rows with a known request_id vanish")
    add("--bpmn", default="marked", choices=("marked", "published", "published-silent"))
    add("--request-file", default="overwritten", choices=("overwritten", "kept"))
    add("--importer", default="current", choices=("current", "older"), help="how duplicates are reported")
    add("--callbacks", default="one", choices=("one", "off", "phases"))
    add("--callback-checks", type=int, default=3)
    add("--callback-delay", type=float, default=0.5, help="seconds between two checks")
    add("--budget", help="JSON file: {institution: {program: payer MSISDN}}")


def _happening(add):
    add("--plan", help="JSON file, what is to become of rows and batches")
    add("--faults", help="JSON file, a list of faults")
    add("--seed", type=int, help="for faults that come with a probability")
    add("--no-payee-numbers", action="store_true", help="no outcome by the end of the payee's number")


def json_file(path, default):
    """The value in a file that was named on the command line; the default when none was."""
    return json.loads(Path(path).read_text()) if path else default


def _tenant(text):
    name, _equals, kind = text.strip().partition("=")
    return name, kind or "plain"


GROUPS = (_process, _access, _time, _behaviour, _happening)
