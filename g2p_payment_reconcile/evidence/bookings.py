"""Which bookings lines tell of: the same one once more, or another. Plain Python."""

import hashlib
import json
from collections import Counter, defaultdict

from odoo.addons.g2p_payment_hub.client.references import normal_form

from .lines import EvidenceLine, EvidenceStatus
from .references import counts, is_date, is_filler, key_of

BOOKED = (EvidenceStatus.PAID, EvidenceStatus.RETURNED)
# Shorter ones are no references of ours.
_OURS = 11
# What is not said by the line, but about it.
_NOT_SAID = {"number", "raw", "fault", "free_text", "statement", "entry_number", "entry_reference"}


def tell_apart(lines: list[EvidenceLine]) -> list[bool]:
    """Say for each line of a file whether the bank's own reference on it names its booking.

    It does not where lines that differ share it: then it is the number of a collective booking, or of
    nothing. Where it may be either, it does not: two lines are two payments then, and a person looks.
    """
    keys = [key_of(line.remote_reference) for line in lines]
    bookings = defaultdict(set)
    in_entry: Counter[tuple[int, str]] = Counter()
    for key, line in zip(keys, lines, strict=True):
        if line.status in BOOKED:
            bookings[key].add(_booking(line))
            in_entry[line.entry_number, key] += 1
    return [
        len(bookings[key]) < 2 and _is_alone(line, in_entry[line.entry_number, key]) and _may_name(line)
        for key, line in zip(keys, lines, strict=True)
    ]


def _is_alone(line: EvidenceLine, in_entry: int) -> bool:
    return not line.entry_number or in_entry < 2


def _booking(line: EvidenceLine) -> tuple[object, ...]:
    whom = normal_form(line.reference) or normal_form(line.payee)
    return whom, line.amount, line.currency, line.happened_on, line.status


def _may_name(line: EvidenceLine) -> bool:
    """By itself; what other lines say is not looked at."""
    reference = line.remote_reference
    ours = normal_form(line.reference)
    if is_filler(reference) or counts(reference) or is_date(reference, line.happened_on):
        return False
    return not (len(ours) >= _OURS and ours in normal_form(reference))


def fingerprints(lines: list[EvidenceLine], named: list[bool] | None = None) -> list[str]:
    """Return one for each line: a line that stands in two files has the same in both.

    Two lines of one file that say the same are two things that happened, unless the bank's own reference
    names the booking (`named`: see `tell_apart`, which is asked where it is not given).
    """
    named = tell_apart(lines) if named is None else named
    seen: dict[str, int] = {}
    found = []
    for line, is_named in zip(lines, named, strict=True):
        said = _without_count(line).model_dump_json(exclude=_NOT_SAID)
        seen[said] = 0 if is_named else seen.get(said, -1) + 1
        found.append(hashlib.sha256(json.dumps([said, seen[said]]).encode()).hexdigest())
    return found


def _without_count(line: EvidenceLine) -> EvidenceLine:
    """A running number is another one in each file."""
    return line.model_copy(update={"remote_reference": ""}) if counts(line.remote_reference) else line
