"""What the rules of emergency find, and what they take for one: python -P tests/benchmarks/emergencies.py [--real ../shared/real].

Judged on invented messages, `now` or `not`: danger that is happening, and near misses in the same words. The rules were written
with the `seen` ones in sight; whoever invented the `unseen` ones knew no rule, and whoever wrote the rules has not read them. No
real emergencies are at hand. Real complaints, if there are any, show how often an ordinary one is flagged.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from model.complaint import Complaint
from model.labelled import load
from model.reader import Reader
from model.register import Register
from tests.benchmarks.transfer import SOURCES
from training.figures import wilson
from training.sources import read_unlabelled

REGION = Path("data/kutai-timur")
GOLDEN = Path("tests/golden")


def flagged(reader: Reader, complaints: Iterable[Complaint]) -> list[bool]:
    """Tell of each complaint whether the rules of the register call it an emergency."""
    return [bool(reader.apply_rules((), reader.read(complaint)).emergency) for complaint in complaints]


def told(name: str, found: list[bool]) -> str:
    """Write a line of the table."""
    low, high = wilson(sum(found), len(found))
    return f"{name:<40}{sum(found):>6} of {len(found):>6,}  {sum(found) / len(found):.4f} ({low:.4f} to {high:.4f})"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--real", type=Path, default=Path("../shared/real"))
    given = parser.parse_args()
    reader = Reader(Register.load(REGION))
    for part in ("seen", "unseen"):
        lines = (GOLDEN / f"emergencies_{part}.tsv").read_text(encoding="utf-8").splitlines()
        for label, words in (("now", "emergencies"), ("not", "near misses")):
            texts = [Complaint(text=line.partition("\t")[2]) for line in lines if line.startswith(f"{label}\t")]
            print(told(f"{part} {words}", flagged(reader, texts)))
    print(told("default corpus", flagged(reader, (row.complaint for row in load(REGION / "complaints.jsonl")))))
    for name, (file, _) in SOURCES.items() if given.real.is_dir() else ():
        rows = read_unlabelled(given.real / file)
        print(told(name, flagged(reader, (row.complaint for row in rows))))


if __name__ == "__main__":
    main()
