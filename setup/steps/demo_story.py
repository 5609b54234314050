"""What setup/demo shows: a cycle prepared, approved, sent and reconciled, by the people who do it."""

import collections
import dataclasses
import json
import shutil
import time
import urllib.request
from itertools import zip_longest

from . import places, rpc, say, servers
from .world import World

SLOWEST_SCHEDULER = 240  # seconds


@dataclasses.dataclass(frozen=True)
class Road:
    """A way to the payees: who is at its end, and how its books are held against ours."""

    name: str
    beneficiaries: int
    troubles: dict  # what a payee's number ends in, which decides about the payment, and how many do
    gateway: dict  # settings, beyond those that the other end told
    reference: str  # the field of a payment by which the other end knows it
    books: str  # where the other end shows them
    row: tuple  # in them the reference and the amount
    has_doubts: bool  # whether people have something to decide afterwards


PAYMENT_HUB = Road(
    name="a simulated Payment Hub EE",
    beneficiaries=1000,
    troubles={"0404": 12, "0402": 5, "0403": 3, "0601": 4, "0620": 2},
    gateway={},
    reference="name",
    books="/ledger",
    row=("request_id", "amount"),
    has_doubts=True,
)
MOJALOOP = Road(
    name="Mojaloop's own scheme adapter and Testing Toolkit",
    beneficiaries=200,
    troubles={"0404": 6, "0503": 3, "0512": 2, "0601": 4, "0604": 2, "0701": 2},
    # This version of the adapter mixes payments up that are under way at the same time.
    gateway={"mojaloop_fee_limit": 5, "mojaloop_parallel": 1},
    reference="remote_reference",
    books="/payments",
    row=("transferId", "amount"),
    has_doubts=False,
)


@dataclasses.dataclass
class Ground:
    """What runs when the story begins; hub.addresses is what the other end printed when it was ready."""

    road: Road
    odoo: servers.Odoo
    hub: servers.Simulator
    admin_password: str


def add_options(parser):
    """Options of setup/demo that belong to the story."""
    parser.add_argument(
        "--beneficiaries",
        type=int,
        metavar="N",
        help=f"people in the cycle (default: {PAYMENT_HUB.beneficiaries}; Mojaloop {MOJALOOP.beneficiaries})",
    )


def tell(ground, options):
    begun, road = time.monotonic(), ground.road
    world = _step(
        "People, gateway and program",
        lambda: World(ground.odoo, ground.admin_password, ground.hub.addresses, **road.gateway),
    )
    phones = _phones(road, options.beneficiaries or road.beneficiaries)
    _step(
        f"{len(phones)} registrants with an approved entitlement of 100 USD each",
        lambda: world.entitle(phones),
    )
    say.line(_step("The program manager prepares the payments", world.prepare))
    batches = world.batches()
    _say_batches(world, batches)
    _step("A finance validator approves the batches", lambda: world.approve(batches))
    _step("The finance validator sends them", lambda: world.send(batches))
    _step("The job runner hands them to the hub", lambda: _wait(world, batches, ("sending",), 120))
    _step(
        "The scheduled action asks the hub what became of them (it runs each minute)",
        lambda: _wait_for_results(world),
    )
    agree = _say_result(world, ground, time.monotonic() - begun)
    if road.has_doubts:
        _step("Two finance validators decide what is in doubt", lambda: _decide(world))
        say.line(_step("The program manager issues again what failed for want of money", world.reissue))
    _step(
        "Finance downloads the statement of each batch that was sent",
        lambda: _statements(ground, world, batches),
    )
    _say_how_to_look(ground, world)
    if not agree:
        raise say.Problem("Odoo's figures and the hub's own ledger differ")


def _phones(road, count):
    """Numbers of their own for all, some of which end badly: in a small cycle too, of each kind."""
    kinds = [
        [f"2771{number:03d}{suffix}" for number in range(many)] for suffix, many in road.troubles.items()
    ]
    bad = [phone for turn in zip_longest(*kinds) for phone in turn if phone]
    bad = bad[: count // 2]
    good = [f"2778{number // 1000:03d}{7000 + number % 1000}" for number in range(count - len(bad))]
    return sorted(good + bad)


def _step(text, act):
    say.heading(text)
    begun = time.monotonic()
    result = act()
    say.line(f"{time.monotonic() - begun:.1f} s")
    return result


def _say_batches(world, batches):
    rows = world.finance.read(
        "g2p.payment.batch", batches, ["name", "batch_state", "payment_count", "amount_total"]
    )
    for row in rows:
        total = f"{row['amount_total']:,.2f} USD"
        say.line(f"{row['name']}: {row['payment_count']} payments, {total}, {row['batch_state']}")


def _wait(world, batches, states, seconds):
    until = time.monotonic() + seconds
    while world.batches(*states):
        if time.monotonic() > until:
            raise say.Problem(f"after {seconds} s batches are still {' or '.join(states)}")
        time.sleep(0.5)
    _say_batches(world, batches)


def _wait_for_results(world):
    """Until no payment is waiting: those that stay open are in front of a person."""
    waiting = [("cycle_id", "=", world.cycle), ("status", "=", False), ("attention", "=", False)]
    until = time.monotonic() + SLOWEST_SCHEDULER
    last = None
    while time.monotonic() < until:
        left = world.admin.search_count("g2p.payment", waiting)
        if left != last:
            say.line(f"{left} payments wait for a result")
            last = left
        if not left:
            return
        time.sleep(1)


def _say_result(world, ground, seconds):
    reference = ground.road.reference
    fields = (
        "status",
        "amount_issued",
        "amount_paid",
        "failure_code",
        "failure_reason",
        "attention",
        "partner_id",
    )
    payments = world.payments(*fields, reference)
    paid = [row for row in payments if row["status"] == "paid"]
    unresolved = [row for row in payments if not row["status"]]
    theirs = _books(ground)
    ours = sorted((row[reference], int(row["amount_paid"])) for row in paid)
    say.heading("What happened")
    _fact("entitlements", len(payments))
    _fact("batches", len(world.batches()))
    _fact("payments", f"{len(payments)}, {_sum(payments, 'amount_issued')} USD")
    _fact("paid", f"{len(paid)}, {_sum(paid, 'amount_paid')} USD")
    for reason, count in collections.Counter(
        row["failure_reason"] or row["failure_code"] for row in payments if row["status"] == "failed"
    ).most_common():
        _fact("failed", f"{count}  {reason}")
    _fact("unresolved", f"{len(unresolved)}, each in front of a person with the facts")
    for row in unresolved[:3]:
        _fact("", f"{row['partner_id'][1]}: {row['attention'] or 'no answer yet'}")
    agrees = "the same payments" if ours == theirs else "DIFFERS"
    _fact("hub's ledger", f"{len(theirs)} paid, {sum(amount for _, amount in theirs):,} USD: {agrees}")
    _fact("seconds", f"{seconds:.0f}")
    return ours == theirs


def _decide(world):
    """The hub says that they are completed, and that their transfers failed: its operator was asked."""
    exceptions = world.finance.search("g2p.payment.exception", [("state", "=", "open")])
    if exceptions:
        world.decide(exceptions, "declare_failed", "Hub operator, call of this morning: the transfers failed")
    say.line(f"{len(exceptions)} payments declared failed by one, confirmed by the other")


def _statements(ground, world, batches):
    folder = places.build() / "statements"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    finance = world.people["finance"]
    browser = rpc.Browser(ground.odoo.url, ground.odoo.database, finance.login, finance.password)
    for batch in batches:
        for kind, path in _statement_paths(batch).items():
            (folder / f"batch-{batch}.{kind}").write_bytes(browser.get(path))
    for path in sorted(folder.iterdir()):
        say.line(str(path))


def _statement_paths(batch):
    """Kind of file to where it is downloaded."""
    return {
        "csv": f"/g2p_payment/statement/{batch}/csv",
        "xlsx": f"/g2p_payment/statement/{batch}/xlsx",
        "pdf": f"/report/pdf/g2p_payment_reconcile.payment_batch_statement/{batch}",
    }


def _fact(name, text):
    say.line(f"{name:<14}{text}")


def _sum(rows, name):
    return f"{sum(int(row[name]) for row in rows):,}"


def _books(ground):
    """What the other end says that it paid: pairs of reference and amount."""
    with urllib.request.urlopen(ground.hub.addresses["control_url"] + ground.road.books) as response:
        rows = json.load(response)
    reference, amount = ground.road.row
    return sorted((row[reference], int(row[amount])) for row in rows)


def _say_how_to_look(ground, world):
    say.heading("Odoo is open to look at")
    say.line(f"{ground.odoo.url}/web#id={world.batches()[0]}&model=g2p.payment.batch&view_type=form")
    say.line(f"{'Administrator':<26}user admin               password {ground.admin_password}")
    for person in world.people.values():
        say.line(f"{person.role:<26}user {person.login:<20}password {person.password}")
