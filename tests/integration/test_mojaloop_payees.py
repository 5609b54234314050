"""Who the payees are, and under which identifiers they are found: asked of Mojaloop's own software, and no
money moves."""

import pytest
from peers import payee, usual_payee

KNOWN, RENAMED, UNKNOWN = usual_payee(), payee("other_name"), payee("not_found")


def _verifications(world, **narrow):
    fields = [
        "identifier",
        "state",
        "told_name",
        "name_differs",
        "is_doubtful",
        "checked_at",
        "decided_by_id",
    ]
    domain = [(name, "=", value) for name, value in narrow.items()]
    found = world.finance.search_read("g2p.payee.verification", domain, fields)
    return {one["identifier"]: one for one in found}


@pytest.fixture
def batch(mojaloop_world, peers, eventually):
    """Prepared, and its payees have been verified."""
    world = mojaloop_world
    peers.name_payees({KNOWN: "HOUSEHOLD 00001"})
    world.entitle([KNOWN, RENAMED, UNKNOWN])
    world.prepare()
    (batch,) = world.batches()
    world.finance.button("g2p.payment.batch", [batch], "action_verify_payees")
    eventually(lambda: not _verifications(world, batch_id=batch, state="waiting"))
    return batch


def test_payees_are_verified_and_no_money_moves(mojaloop_world, peers, batch):
    world, found = mojaloop_world, _verifications(mojaloop_world, batch_id=batch)
    assert {number: one["state"] for number, one in found.items()} == {
        KNOWN: "found",
        RENAMED: "found",
        UNKNOWN: "not_found",
    }
    assert found[RENAMED]["told_name"] == "Somebody Else"
    assert {number for number, one in found.items() if one["is_doubtful"]} == {RENAMED, UNKNOWN}
    assert all(one["checked_at"] for one in found.values())
    assert _doubts(world, batch) == 2
    world.finance.button("g2p.payee.verification", [found[RENAMED]["id"]], "action_same_person")
    assert _doubts(world, batch) == 1
    assert _verifications(world, batch_id=batch)[RENAMED]["decided_by_id"]
    asked = {row["path"].rpartition("/")[2] for row in peers.requests("get", "/parties")}
    assert asked == {KNOWN, RENAMED, UNKNOWN}
    assert not peers.requests("post"), "neither a quote nor a transfer"


def _doubts(world, batch):
    return world.finance.read("g2p.payment.batch", [batch], ["payee_doubt_count"])[0]["payee_doubt_count"]


@pytest.fixture
def aliases(mojaloop_world):
    """A wizard with two identifiers, of which the scheme refuses one, and its lines."""
    world = mojaloop_world
    world.entitle([usual_payee(number) for number in (1, 2)])
    payments = world.admin.search_read("g2p.entitlement", [("cycle_id", "=", world.cycle)], ["partner_id"])
    names = ("household-1", "household-0404")
    values = {
        "gateway_id": world.gateway,
        "currency_id": world.admin.search("res.currency", [("name", "=", "USD")])[0],
        "line_ids": [
            (0, 0, {"partner_id": one["partner_id"][0], "identifier": name})
            for one, name in zip(payments, names, strict=True)
        ],
    }
    return world.program_manager.create("g2p.payee.alias.wizard", values)


def _results(world, wizard):
    fields = ["identifier", "works", "result"]
    lines = world.program_manager.search_read(
        "g2p.payee.alias.wizard.line", [("wizard_id", "=", wizard)], fields
    )
    return {one["identifier"]: (one["works"], one["result"]) for one in lines}


def test_secondary_identifiers_are_registered_with_a_result_for_each(mojaloop_world, peers, aliases):
    world = mojaloop_world
    world.program_manager.button("g2p.payee.alias.wizard", [aliases], "action_register")
    results = _results(world, aliases)
    assert results["household-1"] == (True, "Done.")
    assert not results["household-0404"][0] and "3204" in results["household-0404"][1]
    (request,) = peers.requests("post", "/participants")
    told = {one["partyIdentifier"]: one["fspId"] for one in request["body"]["partyList"]}
    assert told == dict.fromkeys(results, peers.info["dfsp"])


def test_the_adapter_of_npm_cannot_take_them_back_and_that_is_said(mojaloop_world, peers, aliases):
    world = mojaloop_world
    world.program_manager.button("g2p.payee.alias.wizard", [aliases], "action_remove")
    for works, result in _results(world, aliases).values():
        assert not works and "cannot remove identifiers" in result
    assert not peers.requests("post")
