"""Two matters in one text: python -P tests/benchmarks/matters.py [--real DIR] [--pairs 1000] [--json].

A version is trained on Surabaya before 2022-11-01. Of what came later and would go out by itself, pairs to different agencies are
made one text, title and all, and routed again: how many would go out by themselves to one agency alone, and how many of these
does `model.matters` stop? Beside it what that costs: how many single complaints it stops, and how many of these were wrong.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from model.labelled import LabelledComplaint
from model.router import Router
from model.routing import Reason, Routing
from tests.benchmarks import surabaya
from training import train
from training.config import TrainingConfig
from training.rows.training_set import TrainingSet

SPLIT = "2022-11-01"
STOPPED = (Reason.SEVERAL_MATTERS,)
Sent = Sequence[tuple[LabelledComplaint, Routing]]


def joined(first: LabelledComplaint, second: LabelledComplaint) -> LabelledComplaint:
    """Write one complaint behind the other."""
    texts = (f"{row.title}. {row.text}" if row.title else row.text for row in (first, second))
    return replace(first, title="", text=". ".join(texts))


def of_pairs(router: Router, sent: Sent, pairs: int) -> dict[str, float]:
    """Route pairs to different agencies as one: shares of them."""
    chance = random.Random(0)  # noqa: S311
    reasons: list[tuple[Reason, ...]] = []
    while len(reasons) < pairs:
        (first, one), (second, other) = chance.sample(sent, 2)
        if one.agency != other.agency:
            reasons.append(router.route(joined(first, second).complaint, evidence=False).reasons)
    stopped, out = (float(np.mean([reason == wanted for reason in reasons])) for wanted in (STOPPED, ()))
    return {"pairs": pairs, "without it": out + stopped, "stopped": stopped, "still sent": out}


def of_singles(sent: Sent) -> dict[str, float]:
    """Tell what it stops of complaints as they came, and how many of those that it stops or lets go were wrong."""
    stops = np.array([said.reasons == STOPPED for _, said in sent])
    wrong = np.array([said.agency != row.agency for row, said in sent])
    return {
        "rows": len(sent),
        "stopped": float(stops.mean()),
        "wrong of these": float(wrong[stops].mean()) if stops.any() else 0.0,
        "wrong of the others": float(wrong[~stops].mean()),
    }


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--real", type=Path, default=Path("../shared/real"))
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    register, rows = surabaya.past(given.real)
    rows = [row for row in rows if row.agency and row.received_at]
    known = [row for row in rows if row.received_at < SPLIT]
    artifact, _ = train.train(register, TrainingSet(known), TrainingConfig(), f"{SPLIT}T00:00:00+00:00")
    router = Router(artifact)
    routed = ((row, router.route(row.complaint, evidence=False)) for row in rows if row.received_at >= SPLIT)
    sent = [(row, said) for row, said in routed if said.reasons in ((), STOPPED)]
    found: dict[str, Any] = {"two in one": of_pairs(router, sent, given.pairs), "as they came": of_singles(sent)}
    if given.json:
        print(json.dumps(found))
        return
    for name, figures in found.items():
        print(
            f"{name}: "
            + ", ".join(f"{key} {value:.3f}" if isinstance(value, float) else f"{key} {value:,}" for key, value in figures.items())
        )


if __name__ == "__main__":
    main()
