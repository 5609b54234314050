"""One log-in serves all workers, also after a restart."""

import pytest
from steps.rpc import Fault


def _logins(hub):
    return len(hub.requests("/oauth/token"))


def test_all_jobs_and_the_next_server_share_one_login(world, hub, odoo, eventually):
    world.program_manager.write("g2p.program.payment.manager.hub", [world.manager], {"batch_size": 5})
    world.entitle([f"2771390{row:04d}" for row in range(30)])
    world.prepare()
    batches = world.batches()
    assert len(batches) == 6
    world.approve(batches)
    world.send(batches)
    eventually(lambda: not world.batches("approved", "sending"))
    assert len(hub.batches()) == 6
    assert _logins(hub) == 1
    odoo.restart()
    for batch in batches:
        world.finance.button("g2p.payment.batch", [batch], "action_check_now")
    eventually(lambda: len(hub.requests("/batch/detail")) >= 6)
    assert _logins(hub) == 1


def test_a_token_that_the_hub_rejects_is_replaced_once(world, hub, eventually):
    world.entitle(["27713910001"])
    world.prepare()
    world.approve(world.batches())
    hub.faults({"fault": "expired_token", "path": "/api/v1/", "count": 1})
    world.send(world.batches())
    eventually(lambda: world.batches("sent", "done"))
    assert _logins(hub) == 2
    assert len(hub.batches()) == 1


def test_nobody_reads_what_is_kept(world, hub):
    for client in (world.admin, world.finance, *(person.client for person in world.people.values())):
        with pytest.raises(Fault, match="access|allowed"):
            client.search_read("g2p.payment.gateway.secret", [], ["value"])
