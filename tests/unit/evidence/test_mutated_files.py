"""Files of every kind, damaged at random: lines or EvidenceError, and the other records survive."""

import copy
import io
import random
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from messages import camt, entry, notification, pain, status, transaction
from test_swift_mt import entry as mt_entry
from test_swift_mt import statement

from g2p_payment_reconcile.evidence import archive
from g2p_payment_reconcile.evidence.bank_file import read
from g2p_payment_reconcile.evidence.lines import EvidenceError, EvidenceStatus

ENTRIES = [
    entry(
        transaction(f"R{n}", "100.00", iban="DE02120300000000202051", name="Amina", own=f"b{n}"), code="ESCT"
    )
    for n in (1, 2, 3)
]
STATUSES = [status(f"R{n}", "ACSC", "AC01", "told", name="Amina", version=10) for n in (1, 2, 3)]
XML = {
    "camt.053": (camt(*ENTRIES), "Ntry"),
    "camt.054": (notification(*ENTRIES), "Ntry"),
    "pain.002": (pain(*STATUSES, version=10), "TxInfAndSts"),
}
SWIFT = statement(*(mt_entry(details=f"/EREF/R{n}/NAME/Amina", own=f"b{n}") for n in (1, 2, 3)))


def lines(content):
    try:
        return read(content).lines
    except EvidenceError:
        return None


def _move(rng, element, all_elements):
    inside = set(element.iter())
    target = rng.choice([other for other in all_elements if other not in inside])
    target.append(element)


def _rename(rng, element, _all):
    element.tag = element.tag[:-1] if rng.random() < 0.5 else f"{{urn:other}}{etree.QName(element).localname}"


def _retype(rng, element, _all):
    element.set("{http://www.w3.org/2001/XMLSchema-instance}type", rng.choice(["x:Y", "Ntry", "", "a b"]))


def _fill(rng, element, _all):
    element.text = rng.choice(["", " x ", "NaN", "1E9999", "-1", "BOOK", "\u0661", "9" * 40, "2026-02-30"])


MUTATIONS = {
    "move": _move,
    "rename": _rename,
    "delete": lambda _rng, element, _all: element.getparent().remove(element),
    "duplicate": lambda _rng, element, _all: element.addnext(copy.deepcopy(element)),
    "retype": _retype,
    "fill": _fill,
    "tail": lambda _rng, element, _all: setattr(element, "tail", "loose"),
}


@settings(max_examples=150)
@given(st.sampled_from(sorted(XML)), st.sampled_from(sorted(MUTATIONS)), st.integers(0, 2**32))
def test_a_damaged_record_loses_no_other(kind, mutation, seed):
    content, record = XML[kind]
    rng = random.Random(seed)
    root = etree.fromstring(content)
    records = list(root.iter(f"{{*}}{record}"))
    inside = [element for element in records[1].iter() if element is not records[1]]
    MUTATIONS[mutation](rng, rng.choice(inside), inside)
    found = lines(etree.tostring(root))
    assert found is not None
    for name in ("R1", "R3"):
        assert [line.status for line in found if line.reference == name] == [EvidenceStatus.PAID], name
    assert len(found) >= 3, "the damaged record is a line as well"


@settings(max_examples=150)
@given(
    st.sampled_from(sorted(XML)),
    st.lists(st.sampled_from(sorted(MUTATIONS)), min_size=1, max_size=4),
    st.integers(0, 2**32),
)
def test_a_damaged_document_loses_no_payment(kind, mutations, seed):
    """Unless the payment was taken out of it."""
    content, _record = XML[kind]
    rng = random.Random(seed)
    root = etree.fromstring(content)
    for mutation in mutations:
        elements = [element for element in root.iter() if element is not root]
        if elements:
            MUTATIONS[mutation](rng, rng.choice(elements), [root, *elements])
    damaged = etree.tostring(root)
    found = lines(damaged)
    told = {line.reference for line in found or ()}
    for name in ("R1", "R2", "R3"):
        left = any(
            element.text == name
            and etree.QName(element).localname in ("EndToEndId", "OrgnlEndToEndId")
            and not any("SplmtryData" in str(above.tag) for above in element.iterancestors())
            for element in root.iter()
        )
        if found is not None and left:
            assert name in told or any(line.problem for line in found), name


@settings(max_examples=150)
@given(st.data())
def test_random_bytes_in_a_file_raise_nothing_else(data):
    content = data.draw(st.sampled_from([*(content for content, _record in XML.values()), SWIFT]))
    place = data.draw(st.integers(0, len(content)))
    gone = data.draw(st.integers(0, 30))
    lines(content[:place] + data.draw(st.binary(max_size=20)) + content[place + gone :])


@settings(max_examples=150)
@given(st.data())
def test_a_damaged_entry_of_swift_loses_no_other(data):
    text = SWIFT.decode().split("\n")
    place = next(number for number, line in enumerate(text) if "R2" in line) - 1
    line = text[place]
    at = data.draw(st.integers(1, len(line)))
    letters = st.text(st.characters(min_codepoint=32, max_codepoint=0x24F), max_size=8)
    text[place] = line[:at] + data.draw(letters) + line[at + data.draw(st.integers(0, 6)) :]
    found = lines("\n".join(text).encode())
    assert found is not None
    told = [line.reference for line in found if line.status is EvidenceStatus.PAID]
    assert {"R1", "R3"} <= set(told)


@settings(max_examples=100)
@given(st.binary(max_size=40), st.integers(0, 300))
def test_a_damaged_archive_raises_nothing_else(noise, place):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("a.xml", XML["camt.053"][0])
    content = packed.getvalue()
    place = place % len(content)
    try:
        archive.read(content[:place] + noise + content[place + len(noise) :])
    except EvidenceError:
        return


@pytest.mark.parametrize("kind", sorted(XML))
def test_the_undamaged_file_is_paid(kind):
    assert [line.status for line in read(XML[kind][0]).lines] == [EvidenceStatus.PAID] * 3
