"""What the port cannot do, and Odoo 19 would pass over in silence or refuse in words that do not help."""

import re

_PYTHON = (
    (
        re.compile(r"^\s*_sql_constraints\s*=", re.MULTILINE),
        "_sql_constraints could not be ported: only plain texts, and no ']' inside a constraint",
    ),
)
_XML = (
    (re.compile(r'<field name="target">inline</field>'), 'target "inline" is gone in 19: write "current"'),
    (re.compile(r"<tree\b"), "a <tree> element is left"),
)


def problems(addon, destination):
    """Sentences, each with its file and line."""
    yield from _search(addon.rglob("*.py"), _PYTHON, destination)
    views = (path for path in addon.rglob("*.xml") if "static" not in path.relative_to(addon).parts)
    yield from _search(views, _XML, destination)


def _search(paths, rules, destination):
    for path in sorted(paths):
        text = path.read_text()
        for pattern, sentence in rules:
            for match in pattern.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                yield f"{path.relative_to(destination)}:{line}: {sentence}"
