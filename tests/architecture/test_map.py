"""The README's map has every module once, so that whoever looks for one finds it there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("folder", ["model", "training", "service"])
def test_every_module_is_on_the_map_once(folder: str) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rooms = readme.partition(f"| in `{folder}/` |")[2].partition("\n\n")[0]
    there = [path.stem for path in (ROOT / folder).glob("*.py") if path.stem != "__init__"]
    assert sorted(re.findall(r"`(\w+)`", rooms)) == sorted(there)
