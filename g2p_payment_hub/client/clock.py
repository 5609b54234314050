"""Whether our clock and another system's agree."""

from email.utils import parsedate_to_datetime

from .errors import Reason, Refused
from .http import Answer

_MAX_SKEW = 60  # seconds


def skew_text(answer: Answer, now: float) -> str:
    """How far the clocks are apart, by the answer's Date; "" without one. Refused(CLOCK) beyond a minute."""
    try:
        skew = abs(parsedate_to_datetime(answer.headers.get("Date", "")).timestamp() - now)
    except (TypeError, ValueError):
        return ""
    if skew > _MAX_SKEW:
        raise Refused(Reason.CLOCK, f"{skew:.0f} s")
    return f"{skew:.0f} s"
