"""References are derived: the same thing always gets the same name, on every server and after every crash."""

import re
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from g2p_payment_hub.client.csv_file import Problem, problems
from g2p_payment_hub.client.instructions import Instruction
from g2p_payment_hub.client.references import (
    ALPHABET,
    derived_reference,
    derived_uuid,
    former_reference,
    is_well_formed,
    normal_form,
)

parts = st.lists(st.text() | st.integers(), min_size=1, max_size=4)


def test_golden():
    """A release that derives other names would not recognise what an earlier one has sent."""
    assert derived_uuid("database", "submission", 7, 1) == UUID("e746b148-5f03-5522-8be0-7b9eb534e3bc")
    assert former_reference("database", 7, 1) == "3DjmxosXO403B2ZLMF8ZNz"
    assert derived_reference("database", 7, 1) == "G2P12EJJ8QBA3AB19W8Q6FX3"


@given(parts)
def test_same_parts_same_name_and_nothing_the_hub_cannot_carry(some):
    for derive, form in (
        (derived_reference, "G2P[0-9A-HJKMNP-TV-Z]{21}"),
        (former_reference, "[0-9A-Za-z]{22}"),
    ):
        reference = derive(*some)
        assert reference == derive(*some)
        assert re.fullmatch(form, reference)
        assert Problem.REFERENCE not in problems(
            Instruction(
                reference=reference, payee_identifier_type="", payee_identifier="", amount=1, currency=""
            )
        )
    assert derived_uuid(*some).version == 5


@given(parts, parts)
def test_other_parts_other_name_in_any_spelling(some, others):
    same_texts = [str(part) for part in some] == [str(part) for part in others]
    assert (normal_form(derived_reference(*some)) == normal_form(derived_reference(*others))) == same_texts
    assert (former_reference(*some) == former_reference(*others)) == same_texts


@given(parts)
def test_a_reference_is_its_own_normal_form(some):
    reference = derived_reference(*some)
    assert normal_form(reference) == reference
    assert normal_form(reference.lower().replace("0", "o").replace("1", "l")) == reference


@given(parts, st.data())
def test_the_check_character_tells_every_slip_of_one_letter(some, data):
    reference = derived_reference(*some)
    assert is_well_formed(reference)
    place = data.draw(st.integers(0, len(reference) - 1))
    other = data.draw(st.sampled_from(ALPHABET.replace(reference[place], "")))
    assert not is_well_formed(reference[:place] + other + reference[place + 1 :])
    assert not is_well_formed(reference[:place] + reference[place + 1 :])
    assert not is_well_formed(reference[:place] + other + reference[place:])


@given(st.text(max_size=30))
def test_nothing_else_is_a_reference(text):
    assert not is_well_formed(text)


def test_where_a_part_ends_matters():
    for derive in (derived_reference, former_reference):
        assert derive("a|b", "c") != derive("a", "b|c")
        assert derive("a", "bc") != derive("ab", "c")
        assert derive("a", "") != derive("a")


def test_every_uuid_fits_the_former_kind():
    """Two UUIDs that differ only in their highest or lowest bits have different references of one length."""
    from unittest import mock

    seen = set()
    for number in (0, 1, 2**128 - 1, 2**127):
        with mock.patch("g2p_payment_hub.client.references.derived_uuid", return_value=UUID(int=number)):
            seen.add(former_reference("x"))
    assert len(seen) == 4 and {len(reference) for reference in seen} == {22}


def test_each_part_of_the_hash_counts():
    references = [derived_reference(number) for number in range(2000)]
    for place in range(3, 24):
        assert {reference[place] for reference in references} == set(ALPHABET), place
