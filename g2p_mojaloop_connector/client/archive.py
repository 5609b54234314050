"""A ZIP file of texts."""

import io
import zipfile
from collections.abc import Mapping

_MODE = 0o644


def packed(files: Mapping[str, str]) -> bytes:
    """`files`: path in the archive to content. The same files make the same archive, whenever it is made."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in sorted(files.items()):
            entry = zipfile.ZipInfo(path)
            entry.external_attr = _MODE << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, text)
    return buffer.getvalue()
