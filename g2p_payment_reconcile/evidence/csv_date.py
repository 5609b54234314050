"""Days as files write them, in a format of `strptime` or in one of several."""

import re
from datetime import date, datetime

from .lines import Problem, Unreadable

_DIRECTIVE = re.compile("%(.)")
_DAY, _MONTH, _YEAR = "dj", "mbBj", "Yy"
_TIME = "HIMSfpzZ"
_ALLOWED = set(_DAY + _MONTH + _YEAR + _TIME + "aA%")
# Numbers side by side may be cut in more than one place: 2026111.
_SIDE_BY_SIDE = re.compile("%[dmyYjHIMSf]%[dmyYjHIMSf]")
# A time of day, with or without fraction and zone; it changes nothing about the day that was written.
_TIME_OF_DAY = re.compile(
    r"(?:T|\s+)[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?"
    r"(?:\s*[AaPp]\.?[Mm]\.?)?\s*(?:Z|[A-Z]{2,5})?\s*(?:[+-][0-9]{2}:?(?:[0-9]{2})?)?$"
)
_ZONE = re.compile(r"\b(?:GMT|UTC)[+-][0-9]{2}:?[0-9]{2}\b|\b(?!AM\b|PM\b)[A-Z]{2,5}\b")
_MAX_TEXT = 100
_FIRST_YEAR = 2000  # of a year of two digits: nobody is paid before
_SAMPLES = (datetime(2026, 12, 31, 23, 59, 58, 120000), datetime(2027, 1, 2, 3, 4, 5))


def formats_of(text: str) -> list[str]:
    return [part.strip() for part in text.split("|")]


def is_usable(date_format: str) -> bool:
    """Return True if each format names one day, one month and one year, and reads what it writes."""
    return all(_reads_what_it_writes(one_format) for one_format in formats_of(date_format))


def example(date_format: str) -> str:
    """Return the last day of 2026 in a usable format."""
    return " | ".join(_written(_SAMPLES[0], one_format) for one_format in formats_of(date_format))


def read(text: str, date_format: str) -> date:
    """Return the day. Raise Unreadable where no format fits, or two give different days."""
    if len(text) > _MAX_TEXT:
        raise Unreadable(Problem.DATE, text)
    days = {day for one_format in formats_of(date_format) if (day := _day(text, one_format))}
    if len(days) != 1:
        raise Unreadable(Problem.DATE, text)
    return days.pop()


def _day(text: str, date_format: str) -> date | None:
    names = set(_DIRECTIVE.findall(date_format))
    if not names & set(_TIME):
        text = _TIME_OF_DAY.sub("", text)
    if "Z" in names:
        text = _ZONE.sub("UTC", text)  # Python knows the names of few zones
    try:
        moment = datetime.strptime(text, date_format)
        exact = not _SIDE_BY_SIDE.search(date_format) or moment.strftime(date_format) == text
    except (ValueError, OverflowError, re.error):
        return None
    if not exact or ("y" in names and moment.year < _FIRST_YEAR):
        return None
    return moment.date()


def _reads_what_it_writes(date_format: str) -> bool:
    names = _DIRECTIVE.findall(date_format)
    told = [name for name in names if name != "%"]
    once = len(told) == len(set(told)) and not set(names) - _ALLOWED
    parts = [sum(name in kind for name in told) for kind in (_DAY, _MONTH, _YEAR)]
    if not once or parts != [1, 1, 1]:
        return False
    try:
        return all(_day(_written(moment, date_format), date_format) == moment.date() for moment in _SAMPLES)
    except ValueError:
        return False


def _written(moment: datetime, date_format: str) -> str:
    return moment.strftime(date_format.replace("%z", "+0000").replace("%Z", "UTC"))
