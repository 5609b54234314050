"""Odoo finds the reader's language in the frame that calls `_()`: the frame of a comprehension has none."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = [path for path in ROOT.glob("g2p_*/**/*.py") if "tests" not in path.parts]
FRAMES = (ast.GeneratorExp, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_sentence_is_translated_in_a_frame_of_its_own(path):
    nodes = ast.walk(ast.parse(path.read_text()))
    lines = {line for node in nodes if isinstance(node, FRAMES) for line in _translations(node)}
    assert not lines


def _translations(node):
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "_":
            yield call.lineno
