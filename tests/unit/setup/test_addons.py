"""Which add-ons are found, and when a database has to be made again."""

import pytest
from steps import addons, places, say


@pytest.fixture(autouse=True)
def checkout(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "CHECKOUT", tmp_path)
    monkeypatch.setattr(places, "STAND_IN", tmp_path / "tests" / "openg2p")
    for name, depends in (("g2p_one", []), ("g2p_two", ["g2p_one", "mail"]), ("tests/openg2p/g2p_base", [])):
        folder = tmp_path / name
        (folder / "tests").mkdir(parents=True)
        (folder / "__manifest__.py").write_text(repr({"name": name, "depends": depends}))
        (folder / "model.py").touch()
    (tmp_path / "g2p_unfinished").mkdir()
    return tmp_path


def test_an_add_on_is_a_folder_with_a_manifest():
    selection = addons.select()
    assert addons.names(selection.ours) == ["g2p_one", "g2p_two"]
    assert addons.names(selection.stand_in) == ["g2p_base"]
    assert selection.tested == ["g2p_base", "g2p_one", "g2p_two"]


def test_one_add_on_brings_those_it_depends_on():
    selection = addons.select(["g2p_two"])
    assert addons.names(selection.ours) == ["g2p_one", "g2p_two"]
    assert selection.stand_in == []
    assert selection.tested == ["g2p_two"]


def test_listeners_are_found_and_bring_what_they_build_on(checkout):
    folder = checkout / "tests" / "addons" / "g2p_listener"
    folder.mkdir(parents=True)
    (folder / "__manifest__.py").write_text(repr({"depends": ["g2p_one"]}))
    assert addons.names(addons.select().listeners) == ["g2p_listener"]
    assert addons.names(addons.select(["g2p_listener"]).ours) == ["g2p_one"]
    assert addons.select(["g2p_two"]).listeners == []


def test_an_unknown_add_on_is_named():
    with pytest.raises(say.Problem, match="no add-on g2p_three here"):
        addons.select(["g2p_three"])


def test_a_manifest_that_cannot_be_read_is_named(checkout):
    (checkout / "g2p_one" / "__manifest__.py").write_text("{")
    with pytest.raises(say.Problem, match="g2p_one/__manifest__.py cannot be read"):
        addons.select(["g2p_one"])


@pytest.mark.parametrize(
    ("changed", "sources", "database"),
    [("model.py", True, True), ("tests/test_a.py", True, False), ("__pycache__/a.pyc", False, False)],
)
def test_what_a_change_makes_necessary(checkout, changed, sources, database):
    folders = addons.ours()
    before = addons.digest(folders), addons.digest(folders, installed_only=True)
    path = checkout / "g2p_one" / changed
    path.parent.mkdir(exist_ok=True)
    path.write_text("# changed")
    after = addons.digest(folders), addons.digest(folders, installed_only=True)
    assert (before[0] != after[0], before[1] != after[1]) == (sources, database)
