"""The line parser that stands in for a multipart parser (ph-ee-connector-common 1.8.1, JWSUtil).

It looks for lines that contain the boundary, skips headers to the first empty line, then takes lines up to
the next boundary or the next empty line. So the first part only, line ends become LF, whatever follows an
empty line is lost, and a boundary in quotes is never found.
"""

import re

BLANKS = "".join(map(chr, range(0x21)))
LINE_END = re.compile(r"\r\n|\n|\r")


def is_multipart(content_type):
    return "multipart/form-data" in content_type


def boundary_of(content_type):
    """Everything after the first `boundary=`, as it stands; empty when there is none."""
    parts = content_type.split("boundary=")
    return parts[1].strip() if len(parts) > 1 else ""


def lines_of(text):
    """The lines of a text as java.io.BufferedReader gives them."""
    lines = LINE_END.split(text)
    return lines[:-1] if lines[-1] == "" else lines


def first_part(body, boundary, charset="ascii"):
    """The text of the upload. Bytes that the charset does not know become U+FFFD, one each."""
    lines = iter(lines_of(body.decode(charset, "replace")))
    content = []
    for line in lines:
        if boundary in line:
            _skip_headers(lines)
            content.extend(_content(lines, boundary))
    return "\n".join(content).strip(BLANKS)


def _skip_headers(lines):
    for line in lines:
        if not line:
            return


def _content(lines, boundary):
    """Consumes the line that ends the part, as the original does."""
    for line in lines:
        if not line or boundary in line:
            return
        yield line
