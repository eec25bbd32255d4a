"""The threat model names the tests that show what it says; each of them is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`(test_\w+)`")


def test_every_test_that_the_threat_model_names_is_there() -> None:
    text = (ROOT / "service" / "THREATS.md").read_text(encoding="utf-8")
    there = {
        node.name
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }
    assert set(NAMED.findall(text)) - there == set()


def test_every_threat_names_a_test_that_shows_how_it_is_stopped() -> None:
    text = (ROOT / "service" / "THREATS.md").read_text(encoding="utf-8")
    threats = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| who | what")]
    assert len(threats) > 10
    assert [line for line in threats if not NAMED.search(line)] == []
