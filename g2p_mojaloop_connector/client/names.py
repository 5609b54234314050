"""How alike two names are, for a person who decides."""

import unicodedata
from difflib import SequenceMatcher


def score(ours: str, theirs: str) -> int:
    """From 0, nothing in common, to 100, the same but for case, accents, marks and the order of the words."""
    return round(100 * SequenceMatcher(None, _comparable(ours), _comparable(theirs)).ratio())


def _comparable(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(char if char.isalnum() else " " for char in decomposed if not unicodedata.combining(char))
    return " ".join(sorted(plain.split()))
