"""Each mechanism that setup/invariants takes out is marked once, and taking it out leaves Python."""

import collections
import pathlib

import pytest
from steps import invariants, places, say

_ONE = invariants.Invariant("two-people", "says", "return", ())


def test_every_listed_invariant_is_marked_once_and_vice_versa():
    marked = {name: len(paths) for name, paths in invariants.marks(places.CHECKOUT).items()}
    listed = collections.Counter(invariant.name for invariant in invariants.read())
    assert marked == dict(listed)


def test_what_is_left_is_python():
    for invariant in invariants.read():
        (path,) = invariants.marks(places.CHECKOUT)[invariant.name]
        source = path.read_text()
        assert invariants.without(source, invariant) != source


def test_there_are_25_at_most():
    assert len(invariants.read()) <= 25


def test_marked_statement_is_replaced_with_its_block():
    source = "def f(user):\n    # invariant: two-people\n    if user:\n        raise Stop\n    return 1\n"
    expected = "def f(user):\n    # invariant: two-people\n    return\n    return 1\n"
    assert invariants.without(source, _ONE) == expected


def test_missing_mark_is_an_error(tmp_path):
    (tmp_path / "g2p_x").mkdir()
    pathlib.Path(tmp_path, "g2p_x", "a.py").write_text("x = 1\n")
    with pytest.raises(say.Problem, match="0 statements carry the mark"):
        invariants.remove(_ONE, tmp_path)


def test_sql_line_loses_its_unique_or_goes():
    source = 'SQL = """\n-- invariant: two-people\nCREATE UNIQUE INDEX one ON x (y)\n"""\n'
    assert invariants.without(source, _ONE) == source.replace("UNIQUE ", "")
    source = 'SQL = """\nWHERE a\n-- invariant: two-people\n AND b\n"""\n'
    assert invariants.without(source, _ONE) == source.replace(" AND b\n", "")
