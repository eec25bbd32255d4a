"""The default model on complaints by writers who never saw it: python -P tests/benchmarks/unseen.py [--model M] [--wrong].

Two writers knew the papers on Kutai Timur's agencies and their boundaries, and neither the program nor the complaints it learnt
from; each wrote 200 complaints (tests/golden/routed.tsv) and said who is responsible, and whom an officer would accept besides.
They wrote for every agency, also for those that hardly ever get a complaint, and plainer than most people do: real ones are harder.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from model.complaint import Complaint
from model.registry import Registry
from model.router import Router
from model.routing import Decision
from tests.benchmarks.emergencies import told

COMPLAINTS = Path("tests/golden/routed.tsv")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="current", help="a version, a path, or current")
    parser.add_argument("--models", type=Path, default=Path("var/models"))
    parser.add_argument("--wrong", action="store_true", help="show what is answered wrongly")
    given = parser.parse_args()
    router = Router.load(Registry(given.models).resolve(given.model))
    with COMPLAINTS.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    routings = [router.route(Complaint(text=row["text"]), evidence=False) for row in rows]
    for writer in dict.fromkeys(row["writer"] for row in rows):
        chosen = [(row, said) for row, said in zip(rows, routings, strict=True) if row["writer"] == writer]
        right = [said.agency == row["agency"] for row, said in chosen]
        taken = [said.agency in (row["agency"], *row["acceptable"].split()) for row, said in chosen]
        listed = [row["agency"] in [candidate.agency for candidate in said.candidates[: said.listed]] for row, said in chosen]
        sent = [said.decision is Decision.AUTO for _, said in chosen]
        print(told(f"{writer}: right", right))
        print(told("  right or acceptable", taken))
        print(told("  the right one in the list", listed))
        print(told("  sent by themselves", sent))
        if any(sent):
            print(told("  wrong of these", [not hit for hit, auto in zip(right, sent, strict=True) if auto]))
    for row, said in zip(rows, routings, strict=True) if given.wrong else ():
        if said.agency != row["agency"]:
            print(f"{row['agency']} ({row['acceptable']}), said {said.agency}, {said.decision}: {row['text']}")


if __name__ == "__main__":
    main()
