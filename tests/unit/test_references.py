"""References are derived: the same thing always gets the same name, on every server and after every crash."""

import re
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from g2p_payment_hub.client.csv_file import Problem, problems
from g2p_payment_hub.client.instructions import Instruction
from g2p_payment_hub.client.references import derived_reference, derived_uuid

parts = st.lists(st.text() | st.integers(), min_size=1, max_size=4)


def test_golden():
    """A release that derives other names would not recognise what an earlier one has sent."""
    assert derived_uuid("database", "submission", 7, 1) == UUID("e746b148-5f03-5522-8be0-7b9eb534e3bc")
    assert derived_reference("database", 7, 1) == "3DjmxosXO403B2ZLMF8ZNz"


@given(parts)
def test_same_parts_same_name_and_nothing_the_hub_cannot_carry(some):
    reference = derived_reference(*some)
    assert reference == derived_reference(*some)
    assert re.fullmatch(r"[0-9A-Za-z]{22}", reference)
    assert Problem.REFERENCE not in problems(
        Instruction(reference=reference, payee_identifier_type="", payee_identifier="", amount=1, currency="")
    )
    assert derived_uuid(*some).version == 5


@given(parts, parts)
def test_other_parts_other_name(some, others):
    same_texts = [str(one) for one in some] == [str(one) for one in others]
    assert (derived_reference(*some) == derived_reference(*others)) == same_texts


def test_where_a_part_ends_matters():
    assert derived_reference("a|b", "c") != derived_reference("a", "b|c")
    assert derived_reference("a", "bc") != derived_reference("ab", "c")
    assert derived_reference("a", "") != derived_reference("a")


def test_every_uuid_fits():
    """Two UUIDs that differ only in their highest or lowest bits have different references of one length."""
    from unittest import mock

    seen = set()
    for number in (0, 1, 2**128 - 1, 2**127):
        with mock.patch("g2p_payment_hub.client.references.derived_uuid", return_value=UUID(int=number)):
            seen.add(derived_reference("x"))
    assert len(seen) == 4 and {len(one) for one in seen} == {22}
