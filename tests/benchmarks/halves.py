"""The replay's two halves: python -P tests/benchmarks/halves.py [--json FILE].

What adapts to a stream has settings (`promises.trust`: half-lives, priors), and whoever chooses them by the same replay that
it then reports, flatters it. They were chosen on the first half of Surabaya's past, by whole months; the second half shows
what that was worth. (Both halves were looked at for the form of what doubts unseen answers: CONTRIBUTING.md.) The confidence
that is asked for (1 - delta) was not chosen at all; two others stand beside it, for a method that holds must not hang on one value.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed, parallel_config

from model.register import Register
from training import replay
from training.config import TrainingConfig
from training.measures import figures
from training.rows import dataset

DELTAS = (0.25, 0.10, 0.05)
Months = Mapping[str, Mapping[str, Any]]


def replayed(real: Path, delta: float) -> dict[str, Any]:
    """Replay all, asking for confidence 1 - delta."""
    register = Register.load(real)
    rows = dataset.load(real / "complaints.jsonl")
    kept = dataset.deduplicate([row.complaint for row in rows]).kept
    with parallel_config(backend="sequential"):  # folds in threads would each time give other last digits
        return replay.summarise(replay.replay(register, kept, TrainingConfig(delta=delta), replay.Plan(every="week")))


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
    return {
        "months": f"{names[0]} to {names[-1]}",
        "rows": rows,
        "accuracy": sum(months[name]["accuracy"] * months[name]["rows"] for name in names) / rows,
        "coverage": sent / rows,
        "error": wrong / max(sent, 1),
        "error_interval": figures.clopper_pearson(wrong, sent),
        "worst_month": replay.worst_month(months[name] for name in names),
    }


def main(say: Callable[[str], object] = print) -> None:
    """Replay with each confidence, and print both halves and the whole."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--real", type=Path, default=Path("../shared/real/surabaya"))
    asked.add_argument("--jobs", type=int, default=2)
    asked.add_argument("--json", type=Path)
    given = asked.parse_args()
    table: list[dict[str, Any]] = []
    for delta, found in zip(DELTAS, Parallel(n_jobs=given.jobs)(delayed(replayed)(given.real, d) for d in DELTAS), strict=True):
        first, second = halves(found["months"])
        parts = {"first": first, "second": second, "all": [*first, *second]}
        ece = {"ece": found["ece"]}
        table.append({"delta": delta, **ece, **{part: judged(found["months"], names) for part, names in parts.items()}})
    say(f"{'delta':>5}  {'months':<20}{'rows':>7}{'accuracy':>10}{'sent':>8}{'wrong':>8}  {'interval':<18}{'worst month':>11}")
    for row in table:
        for part in ("first", "second", "all"):
            one = row[part]
            low, high = one["error_interval"]
            worst = "-" if one["worst_month"] is None else f"{one['worst_month']:.4f}"
            say(
                f"{row['delta']:>5.2f}  {one['months']:<20}{one['rows']:>7,}{one['accuracy']:>10.3f}{one['coverage']:>8.3f}"
                f"{one['error']:>8.4f}  {low:.4f} to {high:.4f}  {worst:>11}"
            )
    if given.json:
        given.json.write_text(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
