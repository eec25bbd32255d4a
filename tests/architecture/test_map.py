"""The README's map has every room of the service, once, so that whoever looks for one finds it there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_room_of_the_service_is_on_the_map_once() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rooms = readme.partition("| in `service/` |")[2].partition("\n\n")[0]
    there = [path.stem for path in (ROOT / "service").glob("*.py") if path.stem != "__init__"]
    assert sorted(re.findall(r"`(\w+)`", rooms)) == sorted(there)
