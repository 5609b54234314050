"""Our references as banks write them."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g2p_payment_hub.client.references import ALPHABET, derived_reference, former_reference, normal_form
from g2p_payment_reconcile.evidence.spelling import PIECE, Spelling

OLD = "5huIthym2YGBCHCYzwF9h4"
NEW = derived_reference("database", 7, 1)


def payments(*references):
    """As they are found in the database."""
    found = {}
    for number, reference in enumerate(references):
        form = normal_form(reference)
        for piece in (form[:PIECE], form[-PIECE:]):
            found.setdefault(piece, set()).add((number, form))
    return found


def named(text, *references):
    return Spelling([text]).named(payments(*references))


@pytest.mark.parametrize("reference", [OLD, NEW])
@pytest.mark.parametrize(
    "spelled",
    [
        "{0}",
        '="{0}"',
        "'{0}",
        '"{0}"',
        "EREF+{0}SVWZ+RENT",
        "RFB {0} END",
        "/ROC/{0}//",
        "PAYMENT REF:{0}.",
        "a x {0}, 12.50 USD",
        "Ｒｅｆ：{0}",
        "{0}\n",
    ],
)
def test_between_and_behind_what_banks_add(spelled, reference):
    for written in (reference, reference.upper(), f"{reference[:9]} {reference[9:]}", "-".join(reference)):
        assert named(spelled.format(written), OLD, NEW).whole == {[OLD, NEW].index(reference)}, written


def test_a_reference_of_ours_in_a_word_of_the_bank():
    assert named(f"EREF{OLD}SVWZ", OLD, NEW).whole == {0}
    assert named(f"XX{NEW[:10]} {NEW[10:]}YY", OLD, NEW).whole == {1}


@pytest.mark.parametrize("reference", [OLD, NEW])
def test_a_slip_is_no_match_but_a_doubt(reference):
    slips = [reference[:place] + "7" + reference[place + 1 :] for place in range(len(reference))]
    slips += [reference[:place] + reference[place + 1 :] for place in range(len(reference))]
    slips += [reference[:place] + "7" + reference[place:] for place in range(1, len(reference))]
    slips += [reference[:16], reference[-16:]]
    for slip in slips:
        found = named(f"ref {slip} end", reference)
        if normal_form(reference) in normal_form(slip):
            continue
        assert (found.whole, found.almost) == (set(), {0}), slip


def test_two_that_a_bank_does_not_tell_apart_are_both_meant():
    other = OLD.swapcase()
    assert named(OLD.upper(), OLD, other).whole == {0, 1}


def test_text_without_a_reference_names_nothing():
    for text in ("", "RENT MARCH 2026", "NOTPROVIDED", "DE02120300000000202051", "a" * 300, "1" * 300):
        found = named(text, OLD, NEW)
        assert not found.whole | found.almost, text


@st.composite
def written(draw, reference):
    """As any bank may carry it: other case, other looks, cut into parts, between other words."""
    alike = {"0": "0Oo", "1": "1IiLl"}
    text = "".join(
        draw(st.sampled_from(alike.get(letter, letter + letter.lower()))) + draw(gaps) for letter in reference
    )
    return draw(words) + draw(breaks) + text + draw(breaks) + draw(words)


gaps = st.sampled_from(["", "", "", "", "", " ", "-", "\n", "\r\n", " / ", ".", "\u00a0"])
breaks = st.sampled_from([" ", "'", '="', "\n", "/", "+", ": "])
words = st.lists(st.text("ABCDEFGHIJabcxyz0189:.", max_size=12), max_size=4).map(" ".join)
keys = st.tuples(st.uuids(), st.integers(0, 10**9))


@given(keys, st.data())
def test_any_writing_of_a_reference_names_its_payment_alone(key, data):
    reference = derived_reference(*key)
    others = [derived_reference(*key, number) for number in range(3)]
    text = data.draw(written(reference))
    assert named(text, reference, *others) == ({0}, set())
    assert named(text, *others) == (set(), set())


@given(keys, st.data())
def test_any_writing_of_a_former_reference_names_its_payment(key, data):
    reference = former_reference(*key)
    text = data.draw(written(reference))
    assert 0 in named(text, reference, former_reference(*key, 1)).whole


def test_no_two_references_have_one_form_or_piece():
    references = [derived_reference("key", number) for number in range(20_000)]
    for forms in (references, [text[:PIECE] for text in references], [text[-PIECE:] for text in references]):
        assert len({normal_form(form) for form in forms}) == len(references)


def test_the_letters_are_those_that_are_not_taken_for_others():
    assert not set("ILOU") & set(ALPHABET)
    for one, other in itertools.combinations(ALPHABET, 2):
        assert normal_form(one) != normal_form(other)
