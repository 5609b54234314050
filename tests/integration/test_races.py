"""Two people at the same time, each with a connection of their own."""

import base64
import threading

from steps.rpc import Fault

ROUNDS = 5
REISSUES = 3


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


def test_one_sends_while_another_approves(world, hub, eventually):
    """What leaves has been approved and frozen, whoever was quicker."""
    other = _second(world, "finance", f"finance_other_{world.program}")
    sent = 0
    for number in range(ROUNDS):
        cycle = world.add_cycle(f"Race {number}")
        world.entitle([f"2771384{number:04d}"], cycle=cycle)
        world.prepare(cycle)
        (batch,) = world.batches(cycle=cycle)
        results = _at_once(
            lambda batch=batch: other.button("g2p.payment.batch", [batch], "send_payment"),
            lambda batch=batch: world.finance.button("g2p.payment.batch", [batch], "action_approve"),
            lambda batch=batch: other.button("g2p.payment.batch", [batch], "send_payment"),
        )
        _readable(results)
        if world.batches("to_approve", cycle=cycle):  # the approval found the row taken
            world.approve([batch])
        if world.batches("approved", cycle=cycle):
            world.send([batch])
        sent += 1
        eventually(lambda cycle=cycle: world.batches("sent", "done", cycle=cycle))
        assert len(hub.batches()) == sent
        (row,) = world.admin.read(
            "g2p.payment.batch", [batch], ["frozen_digest", "approved_by_id", "submission_ids"]
        )
        (submission,) = world.admin.read("g2p.payment.submission", row["submission_ids"], ["digest"])
        assert row["approved_by_id"] and submission["digest"] == row["frozen_digest"]


def test_one_sends_while_another_takes_it_back(world, hub, eventually):
    """It leaves as it was approved, or it does not leave and is a draft again; never both."""
    sent = 0
    for number in range(ROUNDS):
        cycle = world.add_cycle(f"Race {number}")
        world.entitle([f"2771385{number:04d}"], cycle=cycle)
        world.prepare(cycle)
        (batch,) = world.batches(cycle=cycle)
        world.approve([batch])
        results = _at_once(
            lambda batch=batch: world.finance.button("g2p.payment.batch", [batch], "send_payment"),
            lambda batch=batch: world.program_manager.button(
                "g2p.payment.batch", [batch], "action_back_to_draft"
            ),
        )
        _readable(results)
        eventually(lambda cycle=cycle: world.batches("draft", "approved", "sent", "done", cycle=cycle))
        sent += bool(world.batches("sent", "done", cycle=cycle))
        assert len(hub.batches()) == sent


def test_two_apply_the_same_evidence(world, eventually):
    """One of them does; the other reads why not."""
    others = [_second(world, "finance", f"finance_{number}_{world.program}") for number in (1, 2)]
    world.entitle([f"2771386{row:04d}" for row in range(5)])
    world.prepare()
    (batch,) = world.batches()
    world.approve([batch])
    world.send([batch])
    eventually(lambda: world.batches("sent", "done"))

    def asked_until_done():
        world.finance.button("g2p.payment.batch", [batch], "action_check_now")
        return world.batches("done")

    eventually(asked_until_done)
    mapping = world.admin.create(
        "g2p.payment.evidence.mapping",
        {
            "name": "Result file",
            "gateway_id": world.gateway,
            "reference_column": "ref",
            "amount_column": "amount",
            "currency_column": "currency",
            "status_column": "status",
            "paid_words": "Done",
        },
    )
    for number in range(ROUNDS):
        stranger = f"stranger-{world.program}-{number}"
        references = [payment["name"] for payment in world.payments("name")] + [stranger]
        rows = [f"{reference},100,USD,Done" for reference in references]
        wizard = world.finance.create(
            "g2p.payment.evidence.upload.wizard",
            {
                "gateway_id": world.gateway,
                "mapping_id": mapping,
                "file": base64.b64encode("\n".join(["ref,amount,currency,status", *rows]).encode()).decode(),
                "filename": f"{number}.csv",
            },
        )
        uploaded = world.finance.button("g2p.payment.evidence.upload.wizard", [wizard], "action_upload")
        if number:  # the lines of the first file once more, without numbers of their own
            world.finance.button("g2p.payment.evidence", [uploaded["res_id"]], "action_repeats_same")
        (row,) = world.finance.read("g2p.payment.evidence", [uploaded["res_id"]], ["preview", "digest"])
        apply = ("g2p.payment.evidence", "action_apply", [[row["id"]]])
        seen = {"context": {"preview": row["preview"]}}
        results = _at_once(
            *(lambda client=client: client.execute_kw(*apply, seen) for client in (*others, *others))
        )
        _readable(results)
        assert [result for result in results if not isinstance(result, Fault)] == [True]
        (now,) = world.admin.read("g2p.payment.evidence", [row["id"]], ["state"])
        assert now["state"] == "applied"
        applied = [("batch_id", "=", batch), ("digest", "=", row["digest"])]
        # The first file agrees with the payments; in later ones these lines are duplicates.
        assert world.admin.search_count("g2p.payment.event", applied) == (1 if number == 0 else 0)
        (seen,) = world.admin.search_read(
            "g2p.payment.exception", [("reference", "=", stranger)], ["times_seen"]
        )
        assert seen["times_seen"] == 1


def _all_failed(world, eventually, cycle, payees):
    """A batch of these payees, sent and answered; its id."""
    world.entitle(payees, cycle=cycle)
    world.prepare(cycle)
    (batch,) = world.batches(cycle=cycle)
    world.approve([batch])
    world.send([batch])
    eventually(lambda: world.batches("sent", cycle=cycle))

    def failed():
        world.finance.button("g2p.payment.batch", [batch], "action_check_now")
        return all(payment["status"] == "failed" for payment in world.payments("status", cycle=cycle))

    eventually(failed)
    eventually(lambda: not _jobs_left(world))
    return batch


def _jobs_left(world):
    return world.admin.search_count("queue.job", [("state", "not in", ["done", "failed"])])


def _reissue_wizard(client, batch):
    """What Re-issue Failed opens, with every line chosen that can be."""
    wizard = client.button("g2p.payment.batch", [batch], "action_reissue_failed")["res_id"]
    lines = client.search("g2p.payment.reissue.line", [("wizard_id", "=", wizard), ("left_out", "=", False)])
    client.write("g2p.payment.reissue.line", lines, {"chosen": True})
    return wizard


def test_two_press_reissue(world, eventually):
    other = _second(world, "pm", f"pm_other_{world.program}")
    for number in range(REISSUES):
        cycle = world.add_cycle(f"Re-issue {number}")
        payees = [f"2771{number}{row:02d}0402" for row in range(10)]
        batch = _all_failed(world, eventually, cycle, payees)
        people = (world.program_manager, other, world.program_manager)
        wizards = [_reissue_wizard(client, batch) for client in people]
        results = _at_once(
            *(
                lambda client=client, wizard=wizard: client.button(
                    "g2p.payment.reissue.wizard", [wizard], "action_reissue"
                )
                for client, wizard in zip(people, wizards, strict=True)
            )
        )
        _readable(results)
        payments = world.payments("entitlement_id", "status", "reissue_of_id", cycle=cycle)
        live = [payment for payment in payments if not payment["status"]]
        assert len(live) == len({payment["entitlement_id"][0] for payment in live}) == 10
        assert len({payment["reissue_of_id"][0] for payment in live}) == 10
        assert len(world.batches(cycle=cycle)) == 2


def test_reissue_while_the_hub_says_paid_after_all(world, hub, eventually):
    """Whoever is first: nobody is paid a second time."""
    hub.plan(rows={"*": {"like": "late_success"}})
    made = 0
    for number in range(REISSUES):
        cycle = world.add_cycle(f"Late {number}")
        payee = f"27713840{number:03d}"
        batch = _all_failed(world, eventually, cycle, [payee])
        wizard = _reissue_wizard(world.program_manager, batch)
        hub.clock(advance=60)
        _at_once(
            lambda wizard=wizard: world.program_manager.button(
                "g2p.payment.reissue.wizard", [wizard], "action_reissue"
            ),
            lambda batch=batch: world.finance.button("g2p.payment.batch", [batch], "action_check_now"),
        )
        eventually(lambda: not _jobs_left(world))
        failed, *new = world.payments("status", "attention", "batch_id", cycle=cycle)
        assert (failed["status"], bool(failed["attention"])) == ("failed", True), failed
        made += len(new)
        for payment in new:
            (refused,) = _at_once(lambda payment=payment: world.approve([payment["batch_id"][0]]))
            assert failed["name"] in str(refused), refused
        assert "nothing to prepare" in world.prepare(cycle)
        assert len(hub.ledger(payee=payee)) == 1
    print(f"re-issued before the late answer was written down: {made} of {REISSUES}")
