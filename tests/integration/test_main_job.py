"""The main job, from approved entitlements to reconciled payments, with nothing replaced but the hub."""

import collections

GOOD = [f"2771380{number:04d}" for number in range(40)]
# Payee not found, insufficient balance, falsely completed, repaired after an incident.
BAD = ["27713990404", "27713990402", "27713990601", "27713990620"]


def _road(world, eventually, payees):
    """Prepared, approved, sent and asked for until nothing waits any more."""
    world.entitle(payees)
    world.prepare()
    batches = world.batches()
    world.approve(batches)
    world.send(batches)
    eventually(lambda: not world.batches("approved", "sending"))
    _ask_until_known(world, eventually)
    return batches


def _ask_until_known(world, eventually):
    def known():
        for batch in world.batches("sent"):
            world.finance.button("g2p.payment.batch", [batch], "action_check_now")
        payments = world.payments("status", "attention")
        return all(payment["status"] or payment["attention"] for payment in payments)

    eventually(known)


def _facts(world):
    fields = ("state", "status", "amount_paid", "failure_code", "remote_reference", "status_is_final")
    batches = world.admin.search_read(
        "g2p.payment.batch", [("cycle_id", "=", world.cycle)], _BATCH_FACTS, order="id"
    )
    submissions = world.admin.search_read(
        "g2p.payment.submission", [], ["state", "remote_reference"], order="id"
    )
    return world.payments(*fields), batches, submissions


_BATCH_FACTS = ["batch_state", "stats_paid_amount", "stats_failed_transactions", "external_batch_ref"]


def test_a_cycle_is_paid_and_the_hub_agrees(world, hub, eventually):
    _road(world, eventually, GOOD + BAD)
    payments = world.payments("status", "failure_code", "attention", "amount_paid", "account_number")
    by_payee = {payment["account_number"]: payment for payment in payments}
    assert collections.Counter(payment["status"] for payment in payments) == {
        "paid": 41,
        "failed": 2,
        False: 1,
    }
    assert by_payee["27713990404"]["failure_code"] == "PayeeNotFound"
    assert by_payee["27713990402"]["failure_code"] == "PayerInsufficientBalance"
    assert by_payee["27713990620"]["status"] == "paid"
    assert "It is doubtful" in by_payee["27713990601"]["attention"]
    ours = sorted((one["name"], int(one["amount_paid"])) for one in payments if one["status"] == "paid")
    assert ours == sorted((row["request_id"], int(row["amount"])) for row in hub.ledger())


def test_doing_everything_twice_changes_nothing(world, hub, eventually):
    batches = _road(world, eventually, GOOD + BAD[2:])
    before, uploads = _facts(world), len(hub.batches())
    assert "nothing to prepare" in world.prepare()
    assert "Nothing was sent" in world.send(batches)[0]
    for batch in batches:
        world.finance.button("g2p.payment.batch", [batch], "action_check_now")
    eventually(lambda: not world.admin.search_count("queue.job", [("state", "not in", ["done", "failed"])]))
    assert world.admin.search_count("queue.job", [("state", "=", "failed")]) == 0
    assert _facts(world) == before
    assert len(hub.batches()) == uploads


def test_the_scheduled_action_does_it_by_itself(world, hub, eventually):
    world.entitle(GOOD[:3])
    world.prepare()
    world.approve(world.batches())
    world.send(world.batches())
    eventually(lambda: world.batches("sent"))
    eventually(lambda: world.batches("done"), seconds=240)
    assert len(hub.ledger()) == 3
