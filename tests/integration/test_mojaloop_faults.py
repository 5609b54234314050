"""Mojaloop's own software breaks in the middle of a batch, and Odoo's paying job goes on when it is back.

Afterwards every payment is paid, or failed with its reason, or was in front of a person; the hub has one
committed transfer for each payment that is paid, and its books and ours agree.
"""

import time

import pytest
from mojaloop_books import agree, pay, transfers
from peers import payee, usual_payee
from steps import postgres

PAYEES = 12
# For one scenario: another id waits until the hub can no longer come to know of the first.
SECONDS = 300
# The waits between two tries of ours; those of the other side are as they are.
_HURRY = """
UPDATE g2p_mojaloop_transfer SET next_at = NULL
 WHERE batch_id = {batch} AND state IN ('waiting', 'transferring', 'unknown')
"""
_A_MONTH_PASSES = (
    "UPDATE g2p_payment_submission SET ended_at = ended_at - interval '30 days' WHERE batch_id = {batch}",
    "UPDATE g2p_mojaloop_transfer SET expires_at = expires_at - interval '30 days' WHERE batch_id = {batch}",
)
_JOBS = "SELECT count(*) FROM queue_job WHERE state NOT IN ('done', 'cancelled')"


class Batch:
    """A batch on its way, and what may be done about it."""

    def __init__(self, world, peers, eventually):
        self.world, self.peers, self.eventually = world, peers, eventually
        self._carry_on = world.admin.ref("g2p_mojaloop_connector.cron_carry_on")

    def begin(self, numbers):
        (self.id,) = pay(self.world, numbers)
        return self

    def wait_for_bookings(self, least):
        """Until it is in the middle: the hub has booked some, and not all."""
        self.eventually(lambda: len(self.peers.transfers()) >= least, 30)

    def states(self):
        return [one["state"] for one in transfers(self.world, "state")]

    def read(self, field):
        return self.world.admin.read("g2p.payment.batch", [self.id], [field])[0][field]

    def statuses(self):
        """Payee to status."""
        return {
            one["account_number"]: one["status"] for one in self.world.payments("account_number", "status")
        }

    def turn(self):
        """The next turn of the scheduled action, once there is nothing under way."""
        if self._sql(_JOBS) == "0":
            self._sql(_HURRY.format(batch=self.id))
            self.world.admin.button("ir.cron", [self._carry_on], "method_direct_trigger")
            self.world.finance.button("g2p.payment.batch", [self.id], "action_check_now")
        time.sleep(0.5)

    def go_on_until(self, condition):
        until = time.monotonic() + SECONDS
        while not condition():
            assert time.monotonic() < until, (self.states(), self.read("mojaloop_run_answer"))
            self.turn()

    def go_on_to_the_end(self):
        self.go_on_until(self._is_done)

    def go_on_with_its_operator(self):
        """Who tests the connection when the batch says that the scheme is silent, and starts the adapter anew
        when it is: after two answers about one transfer at the same moment, npm's adapter hears nothing any
        more."""

        def is_done():
            self._start_the_adapter_anew_if_it_is_deaf()
            return self._is_done()

        self.go_on_until(is_done)

    def _is_done(self):
        return self.read("batch_state") == "done"

    def _start_the_adapter_anew_if_it_is_deaf(self):
        if "answered nothing" not in (self.read("mojaloop_run_answer") or ""):
            return
        gateway_admin = self.world.people["gateway_admin"].client
        said = gateway_admin.button("g2p.payment.gateway", [self.world.gateway], "action_test_connection")
        if said["params"]["type"] != "success":
            self.peers.act("connector", "kill")
            self.peers.act("connector", "start")

    def time_passes(self):
        """So much that the transfers are over, and results are overdue."""
        for statement in _A_MONTH_PASSES:
            self._sql(statement.format(batch=self.id))

    def send(self):
        self.world.send([self.id])

    def not_sent(self):
        """Why it was not sent."""
        self.send()
        self.eventually(lambda: self.read("batch_state") == "approved")
        return self.read("last_answer")

    def cancel(self):
        """Finance rejects it, and a program manager gives it up."""
        model, finance = "g2p.payment.batch.reject.wizard", self.world.finance
        wizard = finance.create(model, {"batch_ids": [(6, 0, [self.id])], "reason": "Paid already."})
        finance.button(model, [wizard], "action_reject")
        self.world.program_manager.button("g2p.payment.batch", [self.id], "action_cancel")

    def _sql(self, statement):
        return postgres.sql(statement, self.world.odoo.database)


@pytest.fixture
def world(mojaloop_world):
    gateway = mojaloop_world.people["gateway_admin"].client
    # Slowly, so that there is a middle.
    values = {"mojaloop_parallel": 1, "mojaloop_per_second": 4, "mojaloop_payer_identifier": "123456789"}
    gateway.write("g2p.payment.gateway", [mojaloop_world.gateway], values)
    yield mojaloop_world
    # What a failed test leaves behind is not paid during the next one.
    gateway.write("g2p.payment.gateway", [mojaloop_world.gateway], {"state": "disabled"})


@pytest.fixture
def batch(world, peers, eventually):
    return Batch(world, peers, eventually)


@pytest.fixture
def usual():
    return [usual_payee(number) for number in range(1, PAYEES + 1)]


def _all_paid(batch, usual):
    assert batch.statuses() == dict.fromkeys(usual, "paid")
    agree(batch.world, batch.peers)
    assert {row["payee"] for row in batch.peers.payments().values()} == set(usual)


def test_the_adapter_is_killed_and_started_anew(batch, peers, usual, eventually):
    batch.begin(usual).wait_for_bookings(3)
    peers.act("connector", "kill")
    eventually(lambda: "cannot be reached" in (batch.read("mojaloop_run_answer") or ""), 30)
    assert "failed" not in batch.states()
    assert batch.states().count("committed") < PAYEES
    peers.act("connector", "start")
    batch.go_on_to_the_end()
    _all_paid(batch, usual)


def test_redis_is_frozen_and_thaws(batch, peers, usual, eventually):
    batch.begin(usual).wait_for_bookings(3)
    peers.act("redis", "freeze")
    eventually(lambda: "unknown" in batch.states(), 60)
    assert "failed" not in batch.states()
    peers.act("redis", "thaw")
    batch.go_on_with_its_operator()
    _all_paid(batch, usual)


@pytest.mark.parametrize("how", ["frozen", "silent"])
def test_the_hub_says_nothing_for_a_while(batch, peers, usual, eventually, how):
    batch.begin(usual).wait_for_bookings(3)
    peers.act("toolkit", "freeze") if how == "frozen" else peers.silence()
    eventually(lambda: "unknown" in batch.states(), 60)
    assert "failed" not in batch.states()
    peers.act("toolkit", "thaw") if how == "frozen" else peers.silence(False)
    batch.go_on_with_its_operator()
    _all_paid(batch, usual)


def test_without_liquidity_it_pauses_until_finance_resumes_it(batch, peers, world):
    short = [payee("payer_without_money", number) for number in range(1, 4)]
    batch.begin([usual_payee(), *short])
    batch.go_on_until(lambda: "4001" in (batch.read("mojaloop_paused_reason") or ""))
    posts = len(peers.requests("post", "/transfers"))
    for _number in range(3):
        batch.turn()
    assert len(peers.requests("post", "/transfers")) == posts, "nothing is begun while it is paused"
    assert not [one for one in batch.statuses().items() if one[1] == "failed"]
    peers.mend("payer_without_money")
    world.finance.button("g2p.payment.batch", [batch.id], "action_resume_paying")
    batch.go_on_to_the_end()
    assert set(batch.statuses().values()) == {"paid"}
    agree(world, peers)
    events = world.admin.search_read(
        "g2p.payment.event",
        [("batch_id", "=", batch.id), "|", ("from_state", "=", "paused"), ("to_state", "=", "paused")],
        ["from_state", "to_state", "user_id"],
        order="number",
    )
    assert [(one["from_state"], one["to_state"]) for one in events] == [
        ("accepted", "paused"),
        ("paused", "accepted"),
    ]


def test_what_two_people_declared_failed_is_not_paid_when_the_hub_is_back(batch, peers, world, usual):
    peers.silence()
    batch.begin(usual[:3])
    batch.go_on_until(lambda: any(one["asks"] for one in transfers(world, "asks")))
    batch.time_passes()
    batch.go_on_until(lambda: _exceptions(world, usual[0]))
    world.decide(_exceptions(world, usual[0]), "declare_failed", "The operator knows nothing of it.")
    peers.silence(False)
    batch.go_on_with_its_operator()
    assert batch.statuses() == {usual[0]: "failed", usual[1]: "paid", usual[2]: "paid"}
    assert {row["payee"] for row in peers.transfers()} == set(usual[1:3])
    decided = {one["decided"]: one["state"] for one in transfers(world, "decided", "state")}
    assert decided == {"failed": "waiting", False: "committed"}
    agree(world, peers)
    _issued_again(batch)
    batch.send()
    batch.go_on_to_the_end()
    assert len(peers.payments()) == 3
    agree(world, peers)


def test_what_was_declared_failed_and_was_paid_is_not_paid_again(batch, peers, world):
    """The hub had carried it out, and was silent about it."""
    number = payee("silent_but_committed")
    batch.begin([number])
    batch.go_on_until(lambda: any(one["asks"] for one in transfers(world, "asks")))
    batch.time_passes()
    batch.go_on_until(lambda: _exceptions(world, number))
    world.decide(_exceptions(world, number), "declare_failed", "The operator knows nothing of it.")
    first = batch.id
    _issued_again(batch)
    assert "could not say" in batch.not_sent(), "the hub is still silent"
    peers.mend("silent_but_committed")
    assert "take that decision back" in batch.not_sent()
    assert len(peers.payments()) == 1
    batch.cancel()
    world.take_back(_exceptions(world, number), "The hub shows it after all.")
    batch.id = first
    batch.go_on_to_the_end()
    statuses = [one["status"] for one in world.payments("status")]
    assert statuses == ["paid", "failed"], "the first, and not the one that was issued again"
    agree(world, peers)


def _exceptions(world, number):
    domain = [("batch_id", "in", world.batches()), ("payment_id.account_number", "=", number)]
    return world.finance.search("g2p.payment.exception", domain)


def _issued_again(batch):
    """Goes on with the batch of new payments in the place of all that failed, approved."""
    world = batch.world
    wizard = world.program_manager.button("g2p.cycle", [world.cycle], "action_reissue_failed")["res_id"]
    lines = world.program_manager.search("g2p.payment.reissue.line", [("wizard_id", "=", wizard)])
    world.program_manager.write("g2p.payment.reissue.line", lines, {"chosen": True})
    world.program_manager.button("g2p.payment.reissue.wizard", [wizard], "action_reissue")
    (batch.id,) = world.batches("to_approve")
    world.approve([batch.id])
