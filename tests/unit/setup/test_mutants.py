"""What setup/mutants takes out is there, and each row of its table can be told from the others."""

from steps import mutants, places


def test_what_is_taken_out_stands_once_in_its_file():
    stale = [
        one.name for one in mutants.MUTANTS if (places.CHECKOUT / one.path).read_text().count(one.old) != 1
    ]
    assert not stale


def test_names_are_unique():
    names = [one.name for one in mutants.MUTANTS]
    assert len(set(names)) == len(names)
