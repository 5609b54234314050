"""Bank messages of every kind that is read, told apart by what stands in them."""

from . import archive, iso20022, swift_mt
from .iso20022 import Message
from .lines import MAX_BYTES, EvidenceError, Problem

_SPACE = b"\xef\xbb\xbf\0 \t\r\n"


def is_bank_message(content: bytes) -> bool:
    """Return True when the file needs no mapping: XML, or a statement of SWIFT."""
    return _is_xml(content) or swift_mt.is_swift(content)


def read(content: bytes) -> Message:
    """Return the lines. Raise EvidenceError when the file cannot be read at all."""
    if len(content) > MAX_BYTES:
        raise EvidenceError(Problem.TOO_LARGE)
    if not content.strip(_SPACE):
        raise EvidenceError(Problem.EMPTY)
    archive.check_not_packed(content)
    if archive.is_archive(content):
        raise EvidenceError(Problem.ARCHIVE_NESTED)
    if _is_xml(content):
        return iso20022.read(content)
    if swift_mt.is_swift(content):
        return swift_mt.read(content)
    raise EvidenceError(Problem.OTHER_KIND)


def _is_xml(content: bytes) -> bool:
    start = content[:4000]
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        start = start.decode("utf-16", errors="ignore").encode()
    return start.lstrip(_SPACE).startswith(b"<")
