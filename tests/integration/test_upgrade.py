"""Upgrade a database of the version before, with a batch in every state, and bring each to its end.

People who worked with the old version go on in the new one. At the end the hub's ledger and ours agree.
"""

import pytest
from old_version import People, hub, upgraded

_QUICK = "--processing 0.2 --import-lag 0.1 --repair 0.5 --polling-seconds 5".split()
_STATES = {
    "draft": "draft",
    "to_approve": "to_approve",
    "approved": "approved",
    "rejected": "rejected",
    "cancelled": "cancelled",
    "done": "done",
    "doubts": "sent",
    "unknown_declared": "unknown",
    "unknown_arrived": "unknown",
    "refused": "refused",
}


@pytest.fixture(scope="module")
def simulator(tmp_path_factory):
    with hub(tmp_path_factory.mktemp("hub"), *_QUICK) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def people(environment, simulator):
    with upgraded(environment, simulator) as server:
        yield People(server)


def test_each_batch_keeps_its_state(people):
    assert {name: people.state(name) for name in _STATES} == _STATES


def _look_up(people, eventually):
    """Ask for the batches of unknown outcome: what the old version had heard of them is too old by now."""
    unknown = people.finance.search("g2p.payment.submission", [("state", "=", "unknown")])
    model, fields = "g2p.payment.submission", ["state", "last_look_up_at"]
    before = people.finance.read(model, unknown, fields)
    people.finance.button(model, unknown, "action_look_up")
    eventually(
        lambda: all(
            now != then for now, then in zip(people.finance.read(model, unknown, fields), before, strict=True)
        )
    )


def test_what_waited_comes_to_its_end(people, simulator, eventually):
    _look_up(people, eventually)
    # The declaration and the decisions that waited for a second person.
    submission = people.finance.search("g2p.payment.submission", [("declared_by_id", "!=", False)])
    people.second_finance.button("g2p.payment.submission", submission, "action_confirm_not_received")
    assert people.state("unknown_declared") == "approved"
    exceptions = people.finance.search("g2p.payment.exception", [("state", "=", "proposed")])
    people.second_finance.button("g2p.payment.exception", exceptions, "action_confirm")
    # The job that waited to send, and the batch of which nobody knew whether it arrived.
    eventually(lambda: people.state("sending") in ("sent", "done"))
    eventually(lambda: people.state("unknown_arrived") in ("sent", "done"))

    people.finance.button("g2p.payment.batch", people.batch("to_approve"), "action_approve")
    for name in ("approved", "to_approve", "unknown_declared"):
        people.finance.button("g2p.payment.batch", people.batch(name), "send_payment")
        eventually(lambda name=name: people.state(name) in ("sent", "done"))
    # Since the statement was uploaded, the scheduled action has asked for what it is about.
    statement = people.finance.search("g2p.payment.evidence", [("state", "=", "matched")])
    people.second_finance.button("g2p.payment.evidence", statement, "action_match_again")
    (seen,) = people.second_finance.read("g2p.payment.evidence", statement, ["preview"])
    people.second_finance.button("g2p.payment.evidence", statement, "action_apply", preview=seen["preview"])

    def settled():
        sent = people.finance.search("g2p.payment.batch", [("batch_state", "=", "sent")])
        for batch in sent:
            people.finance.button("g2p.payment.batch", [batch], "action_check_now")
        waiting = [("batch_id", "in", sent), ("status", "=", False), ("attention", "=", False)]
        return not people.admin.search_count("g2p.payment", waiting)

    eventually(settled)
    paid = people.admin.search_read("g2p.payment", [("status", "=", "paid")], ["name", "amount_paid"])
    ours = sorted((payment["name"], int(payment["amount_paid"])) for payment in paid)
    assert ours == sorted((row["request_id"], int(row["amount"])) for row in simulator.ledger())
    assert len(ours) == len({name for name, _amount in ours})
    assert not people.admin.search_count("queue.job", [("state", "=", "failed")])


def test_the_trail_is_whole_after_the_upgrade(people):
    for name in ("done", "doubts", "unknown_arrived"):
        action = people.finance.button("g2p.payment.batch", people.batch(name), "action_verify_events")
        assert action["params"]["type"] == "success", action
