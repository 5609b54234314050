"""A cycle paid straight through Mojaloop's own scheme adapter, with its Testing Toolkit as the hub, and
payees of which some fail in each way that there is. The books of the hub decide who was paid."""

import time

import pytest
from mojaloop_books import agree, pay, transfers
from mojaloop_peers.payees import PAYEES
from peers import payee, usual_payee

# What each special payee ends with; whoever is not named here is paid. Open: the scheme gives no answer, or
# none that is an end, for as long as the test lasts.
ENDINGS = {
    "failed": {
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
    },
    "attention": {"wrong_fulfilment"},
    "open": {
        "lookup_unanswered",
        "quote_unanswered",
        "quote_expired",
        "reserved_for_ever",
        "silent_but_committed",
        "lost_always",
        "silent_and_lost",
    },
}
# A batch pauses there; and a callback that comes twice deafens npm's adapter until it is started anew: both
# have tests of their own.
APART = ("payer_without_money", "called_back_twice")


@pytest.fixture
def world(mojaloop_world):
    gateway = mojaloop_world.people["gateway_admin"].client
    gateway.write(
        "g2p.payment.gateway", [mojaloop_world.gateway], {"mojaloop_fee_limit": 5, "mojaloop_parallel": 1}
    )
    yield mojaloop_world
    # What is still open is not to be asked for during the next test.
    gateway.write("g2p.payment.gateway", [mojaloop_world.gateway], {"state": "disabled"})


def _check_now(world):
    for batch in world.batches("sent"):
        world.finance.button("g2p.payment.batch", [batch], "action_check_now")


def test_every_payment_ends_as_the_scheme_says(world, peers):
    """A cycle of two hundred."""
    special = {payee(one.name): one.name for one in PAYEES if one.name not in APART}
    usual = range(1, 201 - len(special))
    names = {**special, **{usual_payee(number): f"usual {number}" for number in usual}}
    expected = {name: "paid" for name in names.values()}
    expected.update({name: ending for ending, ones in ENDINGS.items() for name in ones})
    pay(world, list(names))
    _end_as(world, names, expected)
    agree(world, peers)


def _end_as(world, names, expected):
    until = time.monotonic() + 240
    while (found := _endings(world, names)) != expected and time.monotonic() < until:
        _check_now(world)
        time.sleep(2)
    if found != expected:
        print(transfers(world, "state", "error_step", "error_code", "error_description", "tries", "asks"))
    assert found == expected


# In two phases: what npm's adapter does not mix up may be under way together.
TOGETHER = {
    "paid": {
        "other_name",
        "fee_on_top",
        "commission",
        "reserved_then_committed",
        "refused_503_but_committed",
        "unanswered_but_committed",
        "committed_late",
        "slow",
    },
    "failed": {
        "not_found",
        "quote_rejected",
        "large_fee_on_top",
        "rejected",
        "aborted",
        "reserved_then_aborted",
        "unanswered_and_aborted",
    },
    "attention": {"wrong_fulfilment"},
    "open": {"lookup_unanswered", "reserved_for_ever", "silent_but_committed"},
}


def test_in_two_phases_eight_at_a_time(world, peers):
    gateway = world.people["gateway_admin"].client
    gateway.write(
        "g2p.payment.gateway",
        [world.gateway],
        {"mojaloop_flow": "two_phases", "mojaloop_parallel": 8},
    )
    special = {name: ending for ending, ones in TOGETHER.items() for name in ones}
    names = {
        **{payee(name): name for name in special},
        **{usual_payee(n): f"usual {n}" for n in range(1, 32)},
    }
    pay(world, list(names))
    _end_as(world, names, {name: special.get(name, "paid") for name in names.values()})
    agree(world, peers)
    assert not peers.requests("post", "/simpleTransfers")
    reasons = [one["failure_reason"] or "" for one in world.payments("failure_reason")]
    assert any("Payee rejected transaction" in reason for reason in reasons), "in the scheme's words"


def test_bulk_through_npms_adapter_is_refused(world, peers, eventually):
    gateway = world.people["gateway_admin"].client
    gateway.write("g2p.payment.gateway", [world.gateway], {"mojaloop_flow": "bulk"})
    said = gateway.button("g2p.payment.gateway", [world.gateway], "action_test_connection")
    assert "cannot pay in bulk" in said["params"]["message"]
    (batch,) = pay(world, [usual_payee(1)])
    eventually(lambda: world.batches("refused") == [batch])
    (row,) = world.admin.read("g2p.payment.batch", [batch], ["last_answer"])
    assert "choose another payment flow" in row["last_answer"]
    assert not peers.requests("post", "/bulkQuotes")
    assert not peers.transfers()


def _endings(world, names):
    """Name of the payee to what has become of the payment so far."""
    return {
        names[one["account_number"]]: one["status"] or ("attention" if one["attention"] else "open")
        for one in world.payments("account_number", "status", "attention")
    }
