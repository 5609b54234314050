"""Workers and callbacks that ask for the outcomes of the same batch, each with a connection of its own."""

import itertools
import time

SLOW = 3  # seconds that the hub takes for an answer


def _asked(hub):
    """When the hub was asked for the rows of a batch."""
    return [entry["at"] for entry in hub.requests("/batch/detail")]


def _sent(world, hub, eventually):
    """A batch that the hub has accepted and paid, and which answers slowly from here on."""
    world.entitle([f"2771385{number:04d}" for number in range(5)])
    world.prepare()
    (batch,) = world.batches()
    world.approve([batch])
    world.send([batch])
    eventually(lambda: world.batches("sent"))
    hub.wait_paid(5)
    time.sleep(1)  # the hub shows what it did a little later
    hub.faults({"fault": "slow", "path": "/batch/detail", "seconds": SLOW, "count": 100})
    return batch


def _jobs(world, *states):
    return world.admin.search_count(
        "queue.job", [("method_name", "=", "_pull"), ("state", "in", list(states))]
    )


def _unfinished(world):
    return _jobs(world, "pending", "enqueued", "started")


def _check(world, batch):
    payments = world.payments("status", "amount_paid")
    assert [(one["status"], one["amount_paid"]) for one in payments] == [("paid", 100)] * 5
    assert _jobs(world, "failed") == 0
    (row,) = world.admin.read("g2p.payment.batch", [batch], ["stats_paid_amount", "open_exception_count"])
    assert (row["stats_paid_amount"], row["open_exception_count"]) == (500, 0)
    verdict = world.finance.button("g2p.payment.batch", [batch], "action_verify_events")
    assert verdict["params"]["type"] == "success", verdict


def test_two_workers_do_not_ask_for_the_same_batch(world, hub, eventually):
    batch = _sent(world, hub, eventually)
    other = world.add_person(f"pm_2_{world.program}", "Other", ("g2p_programs.g2p_program_manager",)).client
    before = len(_asked(hub))
    world.finance.button("g2p.payment.batch", [batch], "action_check_now")
    eventually(lambda: len(_asked(hub)) > before)
    other.button("g2p.payment.batch", [batch], "action_check_now")
    eventually(lambda: world.batches("done") and not _unfinished(world), seconds=90)
    moments = _asked(hub)
    assert len(moments) > before + 1, "the second worker asked after the first"
    assert all(later - earlier >= SLOW for earlier, later in itertools.pairwise(moments)), moments
    _check(world, batch)


def test_a_callback_while_a_worker_asks(world, odoo, hub, eventually):
    world.admin.write("g2p.payment.gateway", [world.gateway], {"callback_base_url": odoo.url})
    batch = _sent(world, hub, eventually)
    before = len(_asked(hub))
    world.finance.button("g2p.payment.batch", [batch], "action_check_now")
    eventually(lambda: len(_asked(hub)) > before)
    (at_hub,) = hub.batches()
    notes = hub.send_callback(batch_id=at_hub["batch_id"], times=3)
    assert {note["status"] for note in notes} == {202}
    eventually(lambda: world.batches("done") and not _unfinished(world), seconds=90)
    _check(world, batch)
