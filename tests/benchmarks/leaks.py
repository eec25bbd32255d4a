"""What answers give away: python -P tests/benchmarks/leaks.py. Half of the default corpus trains; the other half was never seen.

Membership: from the probability of the right agency, which an attacker who has a text and its label sees, how well can one tell
seen texts from unseen ones? 0.5 is not at all. Extraction: a stranger's model, trained on nothing but texts and our answers to
them, how often does it answer as ours does on texts that neither saw?
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import roc_auc_score, roc_curve
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from model.labelled import LabelledComplaint, load
from model.register import Register
from model.router import Router
from model.routing import Routing
from training import train
from training.config import TrainingConfig
from training.rows import dataset
from training.rows.training_set import TrainingSet

DATA = Path(__file__).parents[2] / "data" / "kutai-timur"
QUERIES = (250, 500, 1_000)
KEPT = 500
"""Unseen texts on which a copy is compared with the original."""


def halves(rows: Sequence[LabelledComplaint]) -> tuple[list[LabelledComplaint], list[LabelledComplaint]]:
    """Split at random, near-duplicates together: a twin on the other side would count as unseen and is not."""
    groups = np.asarray(dataset.near_duplicate_groups(rows))
    chosen = np.random.default_rng(1).permutation(np.unique(groups))
    seen = np.isin(groups, chosen[: len(chosen) // 2])
    return [row for row, one in zip(rows, seen, strict=True) if one], [row for row, one in zip(rows, seen, strict=True) if not one]


def membership(
    seen: Sequence[tuple[LabelledComplaint, Routing]], unseen: Sequence[tuple[LabelledComplaint, Routing]]
) -> dict[str, float]:
    """Answer the area under the curve, and the share of seen texts found where one accusation in a hundred is false."""

    def sure(row: LabelledComplaint, routing: Routing) -> float:
        return next((one.probability for one in routing.candidates if one.agency == row.agency), 0.0)

    scores = [sure(*pair) for pair in (*seen, *unseen)]
    truth = [1] * len(seen) + [0] * len(unseen)
    false, found, _ = roc_curve(truth, scores)
    return {
        "auc": round(float(roc_auc_score(truth, scores)), 3),
        "found_at_1_percent_false": round(float(found[false <= 0.01].max()), 3),
    }


def extraction(asked: Sequence[tuple[LabelledComplaint, Routing]]) -> dict[str, float]:
    """Answer how often a copy made of so many answers agrees with the original."""
    texts = [f"{row.title} {row.text}" for row, _ in asked]
    answers = [routing.candidates[0].agency for _, routing in asked]
    found = {}
    for count in QUERIES:
        copy = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LinearSVC())
        copy.fit(texts[KEPT : KEPT + count], answers[KEPT : KEPT + count])
        found[str(count)] = round(float(np.mean(copy.predict(texts[:KEPT]) == np.array(answers[:KEPT]))), 3)
    return found


def main(say: Callable[[str], object] = print) -> None:
    """Measure, print, and write JSON where asked to."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--json", type=Path)
    given = asked.parse_args()
    register = Register.load(DATA)
    rows = [row for row in load(DATA / "complaints.jsonl") if row.agency]
    seen, unseen = halves(rows)
    artifact, _ = train.train(register, TrainingSet(seen), TrainingConfig(), "2026-01-01T00:00:00+00:00")
    router = Router(artifact)
    order = np.random.default_rng(2).permutation(len(unseen))
    told = [[(row, router.route(row.complaint)) for row in part] for part in (seen, [unseen[n] for n in order])]
    right = [float(np.mean([routing.candidates[0].agency == row.agency for row, routing in part])) for part in told]
    found: dict[str, Any] = {
        "seen": len(seen),
        "unseen": len(unseen),
        "right_on_seen": round(right[0], 3),
        "right_on_unseen": round(right[1], 3),
        "membership": membership(*told),
        "extraction": extraction(told[1]),
    }
    say(json.dumps(found, indent=1))
    if given.json:
        given.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
