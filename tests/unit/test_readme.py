"""The README names the test behind each guarantee; the names are true."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def test_cited_tests_exist():
    cited = re.findall(r"\[([\w/]+\.py)\]\(\1\): ((?:`\w+`(?:, )?)+)", README)
    assert len(cited) > 20
    missing = [
        f"{path}: {name}"
        for path, names in cited
        for name in re.findall(r"`(\w+)`", names)
        if f"def {name}(" not in (ROOT / path).read_text()
    ]
    assert not missing


def test_links_lead_somewhere():
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", README)
    assert not [link for link in links if not (ROOT / link).exists()]
