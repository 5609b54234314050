"""Two people at the same time, each with a connection of their own."""

import threading

from steps.rpc import Fault

ROUNDS = 5


def _at_once(*acts):
    """Runs the acts together; their results, or the faults that people would read."""
    barrier = threading.Barrier(len(acts))
    results = [None] * len(acts)

    def run(index, act):
        barrier.wait()
        try:
            results[index] = act()
        except Fault as fault:
            results[index] = fault

    threads = [threading.Thread(target=run, args=(index, act)) for index, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def _second(world, role, login):
    groups = {"pm": "g2p_programs.g2p_program_manager", "finance": "g2p_programs.g2p_finance_validator"}
    return world.add_person(login, login, (groups[role],)).client


def _readable(results):
    """Nobody reads a traceback or a word of SQL."""
    for result in results:
        if isinstance(result, Fault):
            assert "odoo.exceptions" in result.kind, (result, result.kind)
            assert not any(
                word in str(result).lower() for word in ("duplicate", "constraint", "serialize")
            ), result


def test_two_press_prepare(world):
    other = _second(world, "pm", f"pm_other_{world.program}")
    for number in range(ROUNDS):
        cycle = world.add_cycle(f"Race {number}")
        world.entitle([f"2771381{number}{row:03d}" for row in range(30)], cycle=cycle)
        results = _at_once(
            *(
                lambda client=client: client.button("g2p.cycle", [cycle], "prepare_payment")
                for client in (world.program_manager, other, world.program_manager)
            )
        )
        _readable(results)
        payments = world.payments("entitlement_id", cycle=cycle)
        assert len(payments) == len({payment["entitlement_id"][0] for payment in payments}) == 30
        assert len(world.batches(cycle=cycle)) == 1


def test_two_press_send(world, hub, eventually):
    other = _second(world, "finance", f"finance_other_{world.program}")
    world.entitle([f"2771382{row:04d}" for row in range(10)])
    world.prepare()
    (batch,) = world.batches()
    world.approve([batch])
    results = _at_once(
        *(
            lambda client=client: client.button("g2p.payment.batch", [batch], "send_payment")
            for client in (world.finance, other, world.finance, other)
        )
    )
    _readable(results)
    eventually(lambda: world.batches("sent", "done"))
    assert len(hub.batches()) == 1
    assert world.admin.search_count("g2p.payment.submission", [("batch_id", "=", batch)]) == 1


def test_one_approves_while_another_rejects(world):
    other = _second(world, "finance", f"finance_other_{world.program}")
    world.entitle(["27713830001"])
    world.prepare()
    (batch,) = world.batches()
    wizard = other.create(
        "g2p.payment.batch.reject.wizard", {"batch_ids": [(6, 0, [batch])], "reason": "wrong list"}
    )
    results = _at_once(
        lambda: world.finance.button("g2p.payment.batch", [batch], "action_approve"),
        lambda: other.button("g2p.payment.batch.reject.wizard", [wizard], "action_reject"),
    )
    _readable(results)
    (row,) = world.admin.read("g2p.payment.batch", [batch], ["batch_state", "frozen_digest", "reject_reason"])
    if row["batch_state"] == "approved":
        assert row["frozen_digest"] and not row["reject_reason"]
    else:
        assert (row["batch_state"], row["reject_reason"]) == ("rejected", "wrong list")
        assert not row["frozen_digest"]
