"""How fair the gate (`judging.gate`) is to agencies and challengers: python -P tests/benchmarks/gate.py [--draws N] [--json].

Simulated are challengers whose answers differ from the champion's in a share of the rows, as often to the better as to the
worse, so that they are equally good: how many are held, by the bare figure (an agency with 30 rows or more loses more than 5
points) and by the gate, for whatever reason and for an agency's loss alone. Then the same with one more agency of 60 rows that
truly loses 15 points: in how many cases that agency is held, and in how many at least warned of. Nothing but numbers is needed.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.ledger import Verdict
from training.judging.gate import MAX_LOSS, Automatic, Slice, decide, pair

SIZES = (400, 300, 220, 160, 120, 100, 90, 80, 70, 60, 60, 50, 45, 40, 40, 35, 35, 30, 30, 30)
"""Rows of agencies in a month or two of a city, as unevenly spread as they are."""
CHANGED = (0.04, 0.10, 0.20)
ROWS, LOSS = 60, 0.15
LOSER = "the one that loses"
NONE_SENT = Automatic(0, 0, 0.0, 0.0, (0.0, 1.0), 0)
Right = tuple[NDArray[np.bool_], NDArray[np.bool_]]


def answers(rows: int, better: float, worse: float, rng: np.random.Generator) -> Right:
    """(rows,) each: whether champion and challenger are right; the rest is right with both."""
    drawn = rng.random(rows)
    return drawn >= better, (drawn < better) | (drawn >= better + worse)


def judged(parts: dict[str, Right], rng: np.random.Generator) -> tuple[bool, bool, str, str]:
    """Held by the bare figure; held by the gate; all that it objects to, and all that it warns of, in one text each."""
    slices = [Slice("agency", name, pair(before, after, rng)) for name, (before, after) in parts.items()]
    before, after = (np.concatenate([part[side] for part in parts.values()]) for side in (0, 1))
    overall = pair(before, after, rng)
    verdict, reasons, warnings = decide(overall, slices, (NONE_SENT, NONE_SENT), 0.05, 0.9)
    bare = any(one.paired.worse - one.paired.better > MAX_LOSS * one.paired.rows for one in slices)
    held = verdict is Verdict.HOLD
    return bare, held, "; ".join(reasons) if held else "", "; ".join(warnings)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    found: list[dict[str, Any]] = []
    for agencies in (len(SIZES), 6, 1):
        for changed in CHANGED:
            seen = np.zeros((given.draws, 5), dtype=bool)
            for draw in range(given.draws):
                parts = {
                    f"instansi-{number}": answers(rows, changed / 2, changed / 2, rng)
                    for number, rows in enumerate(SIZES[-agencies:])
                }
                bare, held, reasons, _ = judged(parts, rng)
                better = changed / 4
                _, _, objections, warnings = judged({**parts, LOSER: answers(ROWS, better, better + LOSS, rng)}, rng)
                seen[draw] = bare, held, " loses " in reasons, LOSER in objections, LOSER in objections + warnings
            names = ("equal_held_by_bare_figure", "equal_held", "equal_held_for_an_agency", "loss_held", "loss_held_or_warned")
            shares = dict(zip(names, seen.mean(axis=0).tolist(), strict=True))
            found.append({"agencies": agencies, "changed": changed, **shares})
    if given.json:
        print(json.dumps(found))
        return
    print("                    equal challengers held          a true loss")
    print("agencies  changed    bare    gate  agency      held  or warned")
    for row in found:
        told = [f"{row[name]:>7.1%}" for name in names]
        print(f"{row['agencies']:>8} {row['changed']:>8.0%} {' '.join(told[:3])}   {'    '.join(told[3:])}")


if __name__ == "__main__":
    main()
