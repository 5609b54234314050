"""What others say, in the form in which it can be written down: types for the fields of models.

JSON can say what PostgreSQL cannot hold (NUL), what UTF-8 cannot (half of a character), amounts whose digits
fill the memory, and times that no calendar has. One such word would keep everything else from being written.
"""

import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator

# Fits into an index of PostgreSQL, 2704 bytes, in any alphabet.
MAX_TEXT = 500
_CANNOT_BE_KEPT = re.compile("[\x00\ud800-\udfff]")
_WHOLE_DIGITS, _DECIMALS = 18, 18
_FIRST_YEAR, _LAST_YEAR = 1970, 9998


def text(said: Any) -> Any:
    """Cut to size, and marked."""
    return marked(said[:MAX_TEXT]) if isinstance(said, str) else said


def marked(said: str) -> str:
    """With a mark where something cannot be kept: without one, a reference could turn into another."""
    return _CANNOT_BE_KEPT.sub("\ufffd", said)


def amount(said: Any) -> Any:
    """None, not told, for what is no amount of money."""
    if not isinstance(said, Decimal):
        return said
    usual = said.is_finite() and said.adjusted() < _WHOLE_DIGITS and said.as_tuple().exponent >= -_DECIMALS
    return said if usual else None


def moment(said: Any) -> Any:
    """None, not told, for a time that not every zone has."""
    if not isinstance(said, datetime):
        return said
    return said if _FIRST_YEAR <= said.year <= _LAST_YEAR else None


Text = Annotated[str, BeforeValidator(text)]
Amount = Annotated[Decimal | None, BeforeValidator(amount)]
Moment = Annotated[datetime | None, BeforeValidator(moment)]
