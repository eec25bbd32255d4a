"""What a desk gets that retrains by its own verdicts: python -P tests/benchmarks/deployed.py [--real DIR] [--draws N] [--json].

The replay steps through the past with the answers of every model that was live. Here the parts themselves do what a desk does: a
version is trained as `salur-training train` does, routes a month of Surabaya's complaints as the service does, and the next is
trained on the first quarter and on the verdicts that there are by then: of what did not go out by itself, and of the blind audit.
Told are each month's accuracy, what went out, and how much of that was wrong, by labels that the desk never saw. Who is drawn for
the audit moves all that follows: `--draws` runs the same past with others drawn, `--jobs` of them beside each other.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from model.labelled import LabelledComplaint
from model.register import Register
from model.reliability import Reliability
from model.router import Router
from model.routing import Decision, Routing
from tests.benchmarks import surabaya
from training import train
from training.config import TrainingConfig
from training.judging.evaluate import route
from training.measures import figures
from training.replay import FIRST_DAYS, audited, edges
from training.rows.seen import digest
from training.rows.training_set import TrainingSet

AUDIT = 0.05


def as_verdict(row: LabelledComplaint, said: Routing, curve: Reliability, draw: int) -> LabelledComplaint | None:
    """What the desk exports of a complaint (`service.complaints.labels`); None where nobody looked at it."""
    verdict = replace(row, answered=curve.answered(said.candidates[0]))
    if said.decision is not Decision.AUTO:
        return verdict
    drawn = audited(row.id or digest(row), AUDIT, draw)
    return replace(verdict, blind=True, audit_share=AUDIT) if drawn else None


def lived(register: Register, rows: Sequence[LabelledComplaint], draw: int) -> dict[str, Any]:
    """Live through the past, month by month; answers each month's figures and the sum."""
    config = TrainingConfig()
    days = [date.fromisoformat(row.received_at[:10]) for row in rows]
    steps = list(edges(days, "month"))
    known = [row for row, day in zip(rows, days, strict=True) if day < steps[0][0]]
    table: list[dict[str, Any]] = []
    print(f"draw {draw}: {FIRST_DAYS} days labelled whole: {len(known):,} complaints", file=sys.stderr)
    for start, end in steps:
        month = [row for row, day in zip(rows, days, strict=True) if start <= day < end]
        if not month:
            continue
        artifact, _ = train.train(register, TrainingSet(known, ()), config, f"{start}T00:00:00+00:00")
        answers = route(Router(artifact), month)
        sent = np.array([routing.decision is Decision.AUTO for routing in answers.routings])
        line = {
            "month": start.isoformat()[:7],
            "known": len(known),
            "rows": len(month),
            "accuracy": float(answers.right.mean()),
            "sent": int(sent.sum()),
            "wrong": int((sent & ~answers.right).sum()),
            "calibrated": artifact.manifest["metrics"]["auto"]["coverage"],
        }
        table.append(line)
        print(f"draw {draw}: {_line(line)}", file=sys.stderr, flush=True)
        curve = Reliability.from_dict(artifact.manifest["reliability"])
        verdicts = (as_verdict(row, said, curve, draw) for row, said in zip(answers.rows, answers.routings, strict=True))
        known += [row for row in verdicts if row is not None]
    total = {name: sum(line[name] for line in table) for name in ("rows", "sent", "wrong")}
    right = sum(line["accuracy"] * line["rows"] for line in table) / total["rows"]
    interval = figures.clopper_pearson(total["wrong"], total["sent"])
    return {"draw": draw, "months": table, **total, "accuracy": right, "error_interval": interval}


def main() -> None:
    """Print a line for each month of each draw, and the sums."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--real", type=Path, default=Path("../shared/real"))
    parser.add_argument("--draws", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    register, rows = surabaya.past(given.real)
    rows = sorted((row for row in rows if row.agency and row.received_at), key=lambda row: row.received_at)
    found = Parallel(given.jobs)(delayed(lived)(register, rows, draw) for draw in range(given.draws))
    if given.json:
        print(json.dumps(found))
        return
    for one in found:
        low, high = one["error_interval"]
        print(
            f"draw {one['draw']}: {one['rows']:,} complaints: accuracy {one['accuracy']:.3f}, sent {one['sent'] / one['rows']:.3f},"
            f" wrong among these {one['wrong'] / max(1, one['sent']):.4f} ({low:.4f} to {high:.4f})"
        )


def _line(line: dict[str, Any]) -> str:
    return (
        f"{line['month']}  known {line['known']:>5}  rows {line['rows']:>4}  accuracy {line['accuracy']:.3f}"
        f"  sent {line['sent'] / line['rows']:.3f} (calibrated {line['calibrated']:.3f})"
        f"  wrong {line['wrong'] / max(1, line['sent']):.3f}"
    )


if __name__ == "__main__":
    main()
