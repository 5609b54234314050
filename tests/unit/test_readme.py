"""README and proofs name the tests behind what they say; the names are true."""

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


def test_tests_named_in_the_proofs_exist():
    cited = set(re.findall(r"(test_\w+\.py)::(\w+)", (ROOT / "docs" / "proofs.md").read_text()))
    assert len(cited) >= 6
    folders = [ROOT / "tests" / "unit", ROOT / "tests" / "integration", *ROOT.glob("g2p_*/tests")]
    defined = {
        (path.name, name)
        for folder in folders
        for path in folder.rglob("test_*.py")
        for name in re.findall(r"def (\w+)\(", path.read_text())
    }
    assert not cited - defined


def test_links_lead_somewhere():
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", README)
    assert not [link for link in links if not (ROOT / link).exists()]
