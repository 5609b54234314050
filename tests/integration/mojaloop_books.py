"""A batch that is paid through Mojaloop, and the books of both sides."""

import collections


def pay(world, numbers):
    """Prepared, approved and sent; the batches."""
    world.entitle(numbers)
    world.prepare()
    batches = world.batches()
    world.approve(batches)
    world.send(batches)
    return batches


def transfers(world, *fields):
    """Ours."""
    return world.admin.search_read(
        "g2p.mojaloop.transfer", [("batch_id", "in", world.batches())], ["payment_id", "attempt", *fields]
    )


def agree(world, peers):
    """Our books and the hub's: the same ids, payees and amounts, and nobody twice."""
    found = transfers(world, "transfer_id", "state")
    ours = {one["transfer_id"] for one in found if one["state"] in ("committed", "suspect")}
    theirs = peers.payments()
    assert ours <= theirs.keys()
    # What an earlier test left open can end at the hub meanwhile; nothing else may be there.
    everyones = world.admin.search_read("g2p.mojaloop.transfer", [], ["transfer_id"])
    strange = theirs.keys() - {one["transfer_id"] for one in everyones}
    assert not strange, [theirs[one] for one in strange]
    known = {one["transfer_id"] for one in found}
    theirs = {one: row for one, row in theirs.items() if one in known}
    by_payee = collections.Counter(row["payee"] for row in theirs.values())
    twice = {payee for payee, count in by_payee.items() if count > 1}
    assert not twice, [(one, row) for one, row in theirs.items() if row["payee"] in twice]
    for one in world.payments("account_number", "status", "amount_paid", "remote_reference"):
        if one["status"] == "paid":
            row = theirs[one["remote_reference"]]
            assert (row["payee"], one["amount_paid"]) == (one["account_number"], 100.0)
