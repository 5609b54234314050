"""ZIP archives, in which many banks deliver their statements. Nothing is unpacked onto the disk."""

import io
import zipfile
import zlib
from typing import NamedTuple

from .lines import MAX_BYTES, EvidenceError, Problem

MAX_MEMBERS = 100
# Bank messages are packed to a tenth or a twentieth; more is made to fill memory.
MAX_RATIO = 200
_RATIO_FROM = 1_000_000  # bytes: what is smaller harms nobody
_MAGIC = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_PACKED = (b"\x1f\x8b", b"7z\xbc\xaf\x27\x1c", b"Rar!", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd")
_SPREADSHEET = "[Content_Types].xml"
_LOCKED = 0x1  # flag of an encrypted member


class Member(NamedTuple):
    name: str
    content: bytes


def is_archive(content: bytes) -> bool:
    return content.startswith(_MAGIC)


def check_not_packed(content: bytes) -> None:
    """Raise EvidenceError for what is packed in a way that is not opened."""
    if content.startswith(_PACKED):
        raise EvidenceError(Problem.PACKED)


def read(content: bytes) -> list[Member]:
    """Return the files in the archive. EvidenceError when it is not a plain, small archive of files."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _members(archive)
    except NotImplementedError as error:
        raise EvidenceError(Problem.PACKED) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, OverflowError) as error:
        raise EvidenceError(Problem.ARCHIVE) from error


def _members(archive: zipfile.ZipFile) -> list[Member]:
    names = archive.namelist()
    if _SPREADSHEET in names or any(name.startswith("META-INF/") for name in names):
        raise EvidenceError(Problem.SPREADSHEET)
    infos = [info for info in archive.infolist() if not _is_none(info)]
    if not infos:
        raise EvidenceError(Problem.EMPTY)
    if len(infos) > MAX_MEMBERS:
        raise EvidenceError(Problem.ARCHIVE_MEMBERS, 0, str(len(infos)))
    members: list[Member] = []
    room = MAX_BYTES
    for info in infos:
        content = _unpacked(archive, info, room)
        room -= len(content)
        members.append(Member(info.filename.replace("\\", "/").rsplit("/", 1)[-1], content))
    return members


def _is_none(info: zipfile.ZipInfo) -> bool:
    """A folder, or what a desktop computer puts beside the files."""
    name = info.filename.rsplit("/", 1)[-1]
    return info.is_dir() or info.filename.startswith("__MACOSX/") or name in (".DS_Store", "Thumbs.db")


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo, room: int) -> bytes:
    """Read no more than is left, whatever size the archive names."""
    if info.flag_bits & _LOCKED:
        raise EvidenceError(Problem.ARCHIVE_LOCKED, 0, info.filename[:100])
    with archive.open(info) as packed:
        content = packed.read(room + 1)
    if len(content) > _RATIO_FROM and len(content) > MAX_RATIO * max(info.compress_size, 1):
        raise EvidenceError(Problem.ARCHIVE_RATIO, 0, info.filename[:100])
    if len(content) > room:
        raise EvidenceError(Problem.ARCHIVE_SIZE)
    if is_archive(content) or content.startswith(_PACKED):
        raise EvidenceError(Problem.ARCHIVE_NESTED, 0, info.filename[:100])
    return content
