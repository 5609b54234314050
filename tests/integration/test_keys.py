"""The keys of the gateways' secrets beneath a running server, and what PostgreSQL refuses at a commit."""

import os

import pytest
from steps import commands, odoo_process, places, postgres, servers
from steps.rpc import Fault
from steps.say import Problem

RESTRICT = "mail.restrict.template.rendering"
_VARIABLE = "G2P_PAYMENT_KEY_FILE"
_PAYMENTS = "object.env['g2p.payment'].sudo().search([])"


@pytest.fixture(scope="module")
def key_file(tmp_path_factory):
    """Of its own: the other databases here go on needing theirs."""
    path = tmp_path_factory.mktemp("keys") / "payment-keys"
    os.environ[_VARIABLE] = str(path)
    yield path
    del os.environ[_VARIABLE]


@pytest.fixture(scope="module")
def odoo(environment, key_file):
    with servers.odoo(environment) as server:
        yield server


@pytest.fixture
def keys(environment, odoo, key_file):
    def run(*arguments):
        """What the command prints."""
        conf = places.run_folder() / "conf" / f"{odoo.database}.conf"
        words = ["-c", str(conf), "-d", odoo.database, *arguments]
        return commands.output(
            odoo_process.subcommand(environment, "g2p_payment_keys", *words), env=environment.variables()
        )

    if not key_file.exists():
        assert str(key_file) in run("--make")
    return run


def _pay(world, hub, phone, eventually):
    world.entitle([phone])
    world.prepare()
    batches = world.batches("to_approve")
    world.approve(batches)
    world.send(batches)
    eventually(lambda: not world.batches("approved", "sending"))
    assert world.batches("sent", "done")


def _kept(odoo):
    return postgres.sql(
        "SELECT name, value FROM g2p_payment_gateway_secret ORDER BY gateway_id, name", odoo.database
    )


def _render(world, client, expression):
    """In a template of an e-mail to a contact, as its preview does."""
    template = client.create(
        "mail.template",
        {
            "name": "Harmless",
            "model_id": world.admin.search("ir.model", [("model", "=", "res.partner")])[0],
            "subject": f"{{{{ {expression} }}}}",
        },
    )
    contact = client.search("res.partner", [], limit=1)[0]
    values = {"mail_template_id": template, "resource_ref": f"res.partner,{contact}"}
    preview = client.create("mail.template.preview", values)
    return client.read("mail.template.preview", [preview], ["subject"])


def test_keys_are_rotated_while_the_server_runs(keys, key_file, world, hub, odoo, eventually):
    _pay(world, hub, "27713950001", eventually)
    before = _kept(odoo)
    assert hub.info["password"] not in before
    assert "PRIVATE KEY" not in before
    assert "the first of" in keys("--rotate")
    assert len(key_file.read_text().split()) == 2
    assert "Keys taken away: 1" in keys("--retire")
    assert key_file.stat().st_mode & 0o777 == 0o600
    assert set(_kept(odoo).splitlines()).isdisjoint(
        row for row in before.splitlines() if not row.startswith("references")
    )
    _pay(world, hub, "27713950002", eventually)
    assert len(hub.batches()) == 2


def test_a_server_without_its_key_sends_nothing(keys, key_file, world, hub, eventually):
    world.entitle(["27713950003"])
    world.prepare()
    world.approve(world.batches())
    aside = key_file.rename(key_file.with_suffix(".aside"))
    try:
        world.send(world.batches())
        eventually(lambda: world.batches("approved"))
        assert hub.batches() == []
        with pytest.raises(Problem, match="key file is missing"):
            keys("--encrypt")
    finally:
        aside.rename(key_file)
    world.send(world.batches())
    eventually(lambda: world.batches("sent", "done"))
    assert len(hub.batches()) == 1


def test_neither_sql_nor_a_template_makes_a_payment_paid(keys, world, hub, odoo, eventually):
    """A user without any role, in an Odoo as 17.0 comes, and a hand on the database."""
    world.entitle(["27713950004"])
    world.prepare()
    (payment,) = world.payments("status")
    made = f"UPDATE g2p_payment SET status = 'paid', status_is_final = TRUE WHERE id = {payment['id']}"
    with pytest.raises(Problem, match="audit trail has no event"):
        postgres.sql(made, odoo.database)
    nobody = world.add_person(f"nobody_{world.cycle}", "Nobody", ()).client
    world.admin.execute_kw("ir.config_parameter", "set_param", [RESTRICT, False])
    try:
        # 19.0 tries a template out when it is made, 17.0 when somebody looks at its preview.
        with pytest.raises(Fault, match="audit trail has no event"):
            _render(world, nobody, f"{_PAYMENTS}.write({{'status': 'paid', 'status_is_final': True}})")
    finally:
        world.admin.execute_kw("ir.config_parameter", "set_param", [RESTRICT, "1"])
    assert not world.payments("status")[0]["status"]
