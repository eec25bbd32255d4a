"""How often an emergency is noticed, and an ordinary complaint called one: python -P tests/benchmarks/emergencies.py [--model M].

Judged on invented messages that no model has seen: danger that is happening, by its kind, and near misses in the same words. Who
invented them knew neither the messages that a model learns from nor the program. No real emergencies are at hand. Real
complaints, if there are any (--real), show how often an ordinary one is called an emergency, and some of them are one.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterable
from pathlib import Path

from model.complaint import Complaint
from model.registry import Registry
from model.router import Router
from tests.benchmarks.transfer import SOURCES
from training.measures.figures import wilson
from training.reading.sources import read_unlabelled

MESSAGES = Path("tests/golden/emergencies.tsv")


def noticed(router: Router, complaints: Iterable[Complaint]) -> list[bool]:
    """Tell of each complaint whether the model takes it for an emergency."""
    return [bool(router.route(complaint, evidence=False).emergency) for complaint in complaints]


def told(name: str, found: list[bool]) -> str:
    """Write a line of the table."""
    low, high = wilson(sum(found), len(found))
    return f"{name:<40}{sum(found):>6} of {len(found):>6,}  {sum(found) / len(found):.4f} ({low:.4f} to {high:.4f})"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="current", help="a version, a path, or current")
    parser.add_argument("--models", type=Path, default=Path("var/models"))
    parser.add_argument("--real", type=Path, default=Path("../shared/real"))
    given = parser.parse_args()
    router = Router.load(Registry(given.models).resolve(given.model))
    with MESSAGES.open(encoding="utf-8", newline="") as lines:
        messages = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    for label, name in (("now", "emergencies"), ("not", "near misses")):
        chosen = [message for message in messages if message["label"] == label]
        found = noticed(router, (Complaint(text=message["text"]) for message in chosen))
        print(told(name, found))
        if label == "now":
            for kind in dict.fromkeys(message["kind"] for message in chosen):
                print(told(f"  {kind}", [hit for hit, message in zip(found, chosen, strict=True) if message["kind"] == kind]))
    for name, (file, _) in SOURCES.items() if given.real.is_dir() else ():
        print(told(name, noticed(router, (row.complaint for row in read_unlabelled(given.real / file)))))


if __name__ == "__main__":
    main()
