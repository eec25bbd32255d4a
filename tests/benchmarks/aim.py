"""The replay's aim, chosen on the first half of the past and judged on the second: python -P tests/benchmarks/aim.py [--json FILE].

How much room the thresholds leave for what tomorrow does differently is a setting (`Plan.aim`), and whoever chooses it by the
same replay that it then reports, flatters it. Here each value is replayed over all of Surabaya, week by week; the first half of its
rows, by whole months, chooses the one that sends most while it keeps the promise there; the figures are those of the second half.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed

from model.register import Register
from training import dataset, figures, replay
from training.config import TrainingConfig

AIMS = (0.74, 0.78, 0.82, 0.86, 0.90)
WORST_MONTH = 0.08
ENOUGH = 100
"""Complaints sent in a month from which on its error counts."""
Months = Mapping[str, Mapping[str, Any]]


def replayed(real: Path, aim: float) -> dict[str, Any]:
    """Replay all with one aim."""
    register = Register.load(real)
    rows = dataset.load(real / "complaints.jsonl")
    kept = dataset.deduplicate([row.complaint for row in rows]).kept
    return replay.summarise(replay.replay(register, kept, TrainingConfig(), replay.Plan(every="week", aim=aim)))


def halves(months: Months) -> tuple[list[str], list[str]]:
    """Cut the months where half of the rows are past."""
    total, seen = sum(month["rows"] for month in months.values()), 0
    first = []
    for name, month in months.items():
        if seen >= total / 2:
            break
        first.append(name)
        seen += month["rows"]
    return first, [name for name in months if name not in first]


def judged(months: Months, names: Sequence[str]) -> dict[str, Any]:
    """Add some months up."""
    rows, sent, wrong = (sum(months[name][what] for name in names) for what in ("rows", "sent", "wrong"))
    worst = max((months[name]["error"] for name in names if months[name]["sent"] >= ENOUGH), default=0.0)
    return {
        "months": f"{names[0]} to {names[-1]}",
        "rows": rows,
        "accuracy": sum(months[name]["accuracy"] * months[name]["rows"] for name in names) / rows,
        "coverage": sent / rows,
        "error": wrong / max(sent, 1),
        "error_interval": figures.clopper_pearson(wrong, sent),
        "worst_month": worst,
    }


def main(say: Callable[[str], object] = print) -> None:
    """Replay, choose, judge, and print both halves of every aim."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--real", type=Path, default=Path("../shared/real/surabaya"))
    asked.add_argument("--jobs", type=int, default=2)
    asked.add_argument("--json", type=Path)
    given = asked.parse_args()
    all_found = Parallel(n_jobs=given.jobs)(delayed(replayed)(given.real, aim) for aim in AIMS)
    table: list[dict[str, Any]] = []
    for aim, found in zip(AIMS, all_found, strict=True):
        first, second = (judged(found["months"], names) for names in halves(found["months"]))
        table.append({"aim": aim, "first": first, "second": second})
    target = all_found[0]["target_error"]
    keeping = [row for row in table if row["first"]["error"] <= target and row["first"]["worst_month"] <= WORST_MONTH]
    chosen = max(keeping, key=lambda row: float(row["first"]["coverage"]), default=None)
    say(f"{'aim':>5}  {'half':<20}{'rows':>7}{'accuracy':>10}{'sent':>8}{'wrong':>8}  {'interval':<18}{'worst month':>11}")
    for row in table:
        for half in ("first", "second"):
            one = row[half]
            low, high = one["error_interval"]
            mark = " <- chosen by the first half" if row is chosen and half == "second" else ""
            say(
                f"{row['aim']:>5.2f}  {one['months']:<20}{one['rows']:>7,}{one['accuracy']:>10.3f}{one['coverage']:>8.3f}"
                f"{one['error']:>8.4f}  {low:.4f} to {high:.4f}  {one['worst_month']:>11.4f}{mark}"
            )
    if chosen is None:
        say("no aim keeps the promise on the first half")
    if given.json:
        given.json.write_text(json.dumps({"chosen": chosen, "all": table}, indent=1))


if __name__ == "__main__":
    main()
