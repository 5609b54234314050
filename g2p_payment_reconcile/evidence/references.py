"""What stands on a line where there is no reference. Plain Python."""

import re
import unicodedata
from datetime import date

# Below this a number counts lines, statements or days: no bank names its bookings so.
_COUNTS = 10_000
_DIGITS_IN_ORDER = "01234567890123456789"
# One or two characters again and again, such as 0000, 0101 and XXXX.
_REPEATED = re.compile(r"(..?)\1+")
_FILLERS = frozenset(
    """NONREF NOREF NOREFERENCE NOREFERENCEPROVIDED NONE NULL NIL NAN NA NOTPROVIDED NOTPROVIDE NOTGIVEN
    NOTAVAILABLE NOTAVAIL NOTAPPLICABLE NOTSPECIFIED NOTKNOWN NOTUSED UNSPECIFIED UNKNOWN UNDEFINED UNDEF
    EMPTY BLANK DEFAULT DUMMY TBD REF REFERENCE ENDTOENDID ENDTOEND EREF KREF TXID STRING
    KEINE KEINEREFERENZ OHNE OHNEREFERENZ NICHTANGEGEBEN UNBEKANNT
    SANS SANSREFERENCE AUCUNE AUCUN NEANT INCONNU INCONNUE NONFOURNI NONFOURNIE NONCOMMUNIQUE NONDISPONIBLE
    NONRENSEIGNE NONRENSEIGNEE SINREF SINREFERENCIA NINGUNO NINGUNA NOINFORMADO NOINFORMADA NOPROVISTO
    DESCONOCIDO SEMREF SEMREFERENCIA NENHUM NENHUMA NAOINFORMADO NAODISPONIVEL DESCONHECIDO
    NESSUNO NESSUNA NONFORNITO NONDISPONIBILE GEEN GEENREFERENTIE""".split()
)
# What some banks write in front of a reference.
_LABELS = ("ENDTOENDID", "ENDTOEND", "REFERENCE", "EREF", "KREF", "E2E", "TXID", "REF")
_DATES = ("%Y%m%d", "%d%m%Y", "%m%d%Y", "%y%m%d", "%d%m%y", "%m%d%y")


def is_filler(reference: str) -> bool:
    """Check for what stands where there is no reference, however it is written."""
    key = key_of(reference)
    if not key or len(key) == 1 or _REPEATED.fullmatch(key) or _is_in_order(key) or key in _FILLERS:
        return True
    return any(key.startswith(label) and _is_word(key[len(label) :]) for label in _LABELS)


def _is_word(rest: str) -> bool:
    return rest in _FILLERS or bool(_REPEATED.fullmatch(rest))


def _is_in_order(key: str) -> bool:
    return len(key) > 2 and key in _DIGITS_IN_ORDER


def first_reference(*candidates: str | None) -> str:
    """Return the first that is no filler, or ""."""
    texts = ((candidate or "").strip() for candidate in candidates)
    return next((text for text in texts if not is_filler(text)), "")


def counts(reference: str) -> bool:
    """Check for a running number: of a line, a statement, a day."""
    key = key_of(reference)
    return key.isdecimal() and int(key) < _COUNTS


def is_date(reference: str, day: date | None) -> bool:
    """Check for the day's date in any of the usual orders."""
    return bool(day) and key_of(reference) in {day.strftime(form) for form in _DATES}


def key_of(text: str) -> str:
    """Return letters and digits of any script, in capitals."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(character for character in plain if character.isalnum()).upper()
