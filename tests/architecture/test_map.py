"""The README's map has every module once, so that whoever looks for one finds it there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = [path.parent for folder in ("model", "training", "service") for path in sorted((ROOT / folder).rglob("__init__.py"))]


def on_the_map(room: Path) -> list[str]:
    """Answer the modules that the README's map names for a folder: of a table by its head, of a room within by its row."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    folder, *within = room.relative_to(ROOT).parts
    table = readme.partition(f"| in `{folder}/`")[2].partition("\n\n")[0]
    rows = [row for row in table.splitlines()[2:] if re.match(rf"\| `{within[0]}/`" if within else r"\| [^`]", row)]
    return re.findall(r"`(\w+)`", "".join(rows))


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.relative_to(ROOT).as_posix())
def test_every_module_is_on_the_map_once(room: Path) -> None:
    there = [path.stem for path in room.glob("*.py") if path.stem != "__init__"]
    assert sorted(on_the_map(room)) == sorted(there)
