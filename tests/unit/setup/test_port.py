"""The port to Odoo 19: what it makes of the idioms of 17.0."""

import pytest
from lxml import etree
from steps.port import categories, guards, manifests, records, views


def ported(port, text, *arguments):
    root = etree.fromstring(f"<odoo>{text}</odoo>")
    port(root, *arguments)
    return etree.tostring(root).decode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<tree><field name='a'/></tree>", '<list><field name="a"/></list>'),
        ("<form><tree/></form>", "<form><list/></form>"),
        ("<xpath expr='//field/tree/field'/>", '<xpath expr="//field/list/field"/>'),
        ("<field name='view_mode'>tree,form</field>", '<field name="view_mode">list,form</field>'),
        ("<field name='a' mode='tree,kanban'/>", '<field name="a" mode="list,kanban"/>'),
        ("<div class='oe_chatter'><field name='message_ids'/></div>", "<chatter/>"),
        ("<xpath expr=\"//div[hasclass('oe_chatter')]\"/>", '<xpath expr="//chatter"/>'),
        (
            "<search><group expand='0' string='By'><filter/></group></search>",
            "<search><group><filter/></group>",
        ),
        ("<t t-name='kanban-box'/>", '<t t-name="card"/>'),
        ("<field name='subtree'>street</field>", '<field name="subtree">street</field>'),
    ],
)
def test_views(before, after):
    assert after in ported(views.port, before)


def test_upgrade_scripts_move_to_the_series(tmp_path):
    manifest = tmp_path / "__manifest__.py"
    manifest.write_text('{"version": "17.0.1.2.0"}')
    (tmp_path / "migrations" / "17.0.1.2.0").mkdir(parents=True)
    manifests.port(manifest)
    assert [path.name for path in (tmp_path / "migrations").iterdir()] == ["19.0.1.2.0"]
    assert "19.0.1.2.0" in manifest.read_text()


def test_form_group_keeps_its_title():
    assert 'string="Title"' in ported(views.port, '<form><group string="Title"/></form>')


def test_cron_loses_the_fields_that_are_gone():
    cron = '<record model="ir.cron"><field name="name">a</field><field name="numbercall">-1</field></record>'
    assert "numbercall" not in ported(records.port, cron)


@pytest.mark.parametrize("model", ["ir.actions.act_window", "ir.ui.view", "res.users"])
def test_groups_of_a_record(model):
    record = f'<record model="{model}"><field name="groups_id" eval="[]"/></record>'
    assert 'name="group_ids"' in ported(records.port, record)


def test_users_of_a_group():
    assert 'name="user_ids"' in ported(
        records.port, '<record model="res.groups"><field name="users"/></record>'
    )


GROUP = '<record id="g" model="res.groups"><field name="category_id" ref="{}"/></record>'


def test_category_of_the_same_add_on_gets_a_privilege():
    text = '<record id="c" model="ir.module.category"><field name="name">Pay</field></record>' + GROUP.format(
        "c"
    )
    root = etree.fromstring(f"<odoo>{text}</odoo>")
    categories.port_groups(root, "ours", {"ours.c": "Pay"})
    categories.add_privileges(root, "ours")
    privilege = root.find("record[@model='res.groups.privilege']")
    assert privilege.get("id") == "ours.c_privilege"
    assert privilege.find("field[@name='category_id']").get("ref") == "ours.c"
    assert root.find("record[@model='res.groups']/field").attrib == {
        "name": "privilege_id",
        "ref": "ours.c_privilege",
    }


def test_category_of_another_add_on_shares_its_privilege():
    result = ported(categories.port_groups, GROUP.format("theirs.c"), "ours", {"theirs.c": "Pay"})
    assert 'ref="theirs.c_privilege"' in result
    assert "res.groups.privilege" not in result


def test_category_of_odoo_gets_one_privilege_however_many_groups():
    result = ported(categories.port_groups, GROUP.format("base.c") + GROUP.format("base.c"), "ours", {})
    assert result.count('model="res.groups.privilege"') == 1
    assert result.count('ref="ours.base_c_privilege"') == 2


def test_manifest_version(tmp_path):
    manifest = tmp_path / "__manifest__.py"
    manifest.write_text('{"name": "17.0.1", "version": "17.0.1.2.3"}')
    manifests.port(manifest)
    assert manifest.read_text() == '{"name": "17.0.1", "version": "19.0.1.2.3"}'


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("models/a.py", "class A:\n    _sql_constraints = []\n", "a.py:2: _sql_constraints"),
        ("views/a.xml", '<odoo>\n<field name="target">inline</field></odoo>', "a.xml:2: target"),
    ],
)
def test_what_cannot_be_ported_is_named(tmp_path, name, text, problem):
    path = tmp_path / "addon" / name
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert [problem in found for found in guards.problems(tmp_path / "addon", tmp_path)] == [True]
