"""A cycle paid straight through Mojaloop's own scheme adapter, with its Testing Toolkit as the hub, and payees of
which some fail in each way that there is. The books of the hub decide who was paid."""

import collections

import pytest
from mojaloop_peers.payees import PAYEES
from peers import payee, usual_payee

USUAL = 170
# What becomes of each special payee at once, or after it was asked for. Whoever is not named here is paid.
FAILED = {
    "not_found",
    "quote_rejected",
    "fee_of_payee",
    "large_fee_on_top",
    "quote_in_other_currency",
    "quote_of_less",
    "rejected",
    "aborted",
    "reserved_then_aborted",
    "unanswered_and_aborted",
    "unanswered_and_expired",
}
# Without an answer for as long as the test lasts.
OPEN = {
    "lookup_unanswered",
    "quote_unanswered",
    "quote_expired",
    "refused_503",
    "reserved_for_ever",
    "silent_but_committed",
    "lost_always",
    "silent_and_lost",
}
SUSPECT = {"wrong_fulfilment"}
PAUSES = {"payer_without_money"}


@pytest.fixture
def world(mojaloop_world):
    gateway = mojaloop_world.people["gateway_admin"].client
    gateway.write("g2p.payment.gateway", [mojaloop_world.gateway], {"mojaloop_fee_limit": 5})
    return mojaloop_world


def _pay(world, eventually, numbers):
    """Prepared, approved and sent; the batches."""
    world.entitle(numbers)
    world.prepare()
    batches = world.batches()
    world.approve(batches)
    world.send(batches)
    eventually(lambda: not world.batches("approved", "sending"))
    return batches


def _transfers(world, *fields):
    rows = world.admin.search_read(
        "g2p.mojaloop.transfer", [("batch_id", "in", world.batches())], ["payment_id", "attempt", *fields]
    )
    return rows


def _check_now(world):
    for batch in world.batches("sent"):
        world.finance.button("g2p.payment.batch", [batch], "action_check_now")


def test_a_cycle_of_two_hundred(world, peers, eventually):
    special = {payee(one.name): one.name for one in PAYEES if one.name not in PAUSES}
    usual = [usual_payee(number) for number in range(1, USUAL + 1)]
    _pay(world, eventually, [*usual, *special])

    def settled():
        _check_now(world)
        by_payee = {one["account_number"]: one for one in world.payments("account_number", "status", "attention")}
        open_now = {
            special.get(number)
            for number, one in by_payee.items()
            if not one["status"] and not one["attention"]
        }
        return by_payee if open_now <= OPEN else None

    by_payee = eventually(settled, seconds=300)
    statuses = collections.defaultdict(set)
    for number, name in special.items():
        one = by_payee[number]
        statuses[one["status"] or ("attention" if one["attention"] else "open")].add(name)
    everybody = {one.name for one in PAYEES} - PAUSES
    assert statuses["failed"] == FAILED
    assert statuses["attention"] == SUSPECT
    assert statuses["open"] <= OPEN
    assert statuses["paid"] >= everybody - FAILED - OPEN - SUSPECT
    assert all(by_payee[number]["status"] == "paid" for number in usual)
    _agrees(world, peers)


def _agrees(world, peers):
    """Our books and the hub's: the same ids, payees and amounts, and nobody twice."""
    transfers = _transfers(world, "transfer_id", "state")
    ours = {one["transfer_id"] for one in transfers if one["state"] in ("committed", "suspect")}
    theirs = peers.payments()
    assert ours <= theirs.keys()
    assert all(count == 1 for count in collections.Counter(row["payee"] for row in theirs.values()).values())
    known = {one["transfer_id"] for one in transfers}
    assert theirs.keys() <= known
    paid = [one for one in world.payments("account_number", "status", "amount_paid", "remote_reference")]
    for one in paid:
        if one["status"] == "paid":
            row = theirs[one["remote_reference"]]
            assert (row["payee"], one["amount_paid"]) == (one["account_number"], 100.0)
