"""What a new region learns from its first verdicts: python -P tests/benchmarks/learning_curve.py [--real DIR] [--draws N] [--json].

Surabaya and Kabupaten Bandung in turn are the new region, under Kutai Timur's ids through their crosswalks, tested on what came
after their split as `transfer.py` has it. Before that the desk has decided on 0, 50, 200, 1,000 complaints, one after the other as
they came; each draw begins at another day. Trained on these and the register's own words alone, and on these with all that the
other regions have (their complaints and the default corpus, as `train --transfer` takes them); and on either with the region's
further complaints up to the split, whose agency nobody has told (`train --unlabelled`). Told are the mean accuracy over the
draws, the lowest and the highest; "all" is everything up to the split.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from model.reader import Reader
from model.register import Register
from tests.benchmarks.transfer import REGION, Rows, divided, figures_of
from training.config import TrainingConfig
from training.fitting.calibrate import fit_pipeline
from training.rows.data import Data, own_words, read, without_labels

NEW = ("surabaya", "kabupaten-bandung")
COUNTS = (0, 50, 200, 1_000)


def windows(rows: int, count: int, draws: int, rng: np.random.Generator) -> Iterator[range]:
    """Yield `draws` stretches of `count` row numbers; one where all are the same, none where there are too few rows."""
    if count > rows:
        return
    if count in (0, rows):
        draws = 1
    for start in rng.integers(0, rows - count + 1, draws).tolist():
        yield range(start, start + count)


def main() -> None:
    """Print the curves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--real", type=Path, default=Path("../shared/real"))
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if not given.real.is_dir():
        sys.exit(f"{given.real}: not here; nothing measured")
    config, register, rng = TrainingConfig(), Register.load(REGION), np.random.default_rng(given.seed)
    reader = Reader(register)
    past, tests = divided(given.real, register)

    def taught(rows: Rows, weight: float, *, elsewhere: bool = False) -> Data:
        kept = [row for row in rows if not register.by_id[row.agency].per]
        return read(kept, reader, np.full(len(kept), weight), elsewhere=elsewhere)

    words = taught(list(own_words(register)), config.matters_weight)
    theirs = {name: taught(rows, config.transfer_weight, elsewhere=True) for name, rows in past.items()}
    curves: dict[str, list[dict[str, Any]]] = {}
    for region in NEW:
        local = taught(past[region], 1.0)
        tested = taught(tests[region], 1.0)
        others = words
        for name, data in theirs.items():
            if name != region:
                others += data
        curves[region] = []
        for count in (*COUNTS, len(local)):
            found: dict[str, list[float]] = {}
            for window in windows(len(local), count, given.draws, rng):
                own = local.take(np.array(window, dtype=int))
                decided = {id(row) for row in own.rows}
                rest = [row for row in past[region] if id(row) not in decided] if count < len(local) else []
                untold = without_labels(rest, reader, config.unlabelled_weight)
                for recipe, known in (("alone", words + own), ("with others", others + own)):
                    for name, beside in ((recipe, None), (f"{recipe} and untold", untold)):
                        if beside is None or len(beside):
                            model = fit_pipeline(config, known, reader, unlabelled=beside)
                            accuracy = figures_of(model, tested.rows, tested.words)["accuracy"]
                            found.setdefault(name, []).append(accuracy)
            for recipe, accuracies in found.items():
                point = {"verdicts": count, "trained": recipe, "accuracy": float(np.mean(accuracies)), "draws": accuracies}
                curves[region].append({**point, "rows": len(tested)})
                told = f"{region:<20}{count:>6} verdicts{' (all)' * (count == len(local)):<7}{recipe:<24}"
                spread = f"{min(accuracies):.3f} to {max(accuracies):.3f}, {len(accuracies)} draws"
                print(f"{told}accuracy {np.mean(accuracies):.3f} ({spread})", file=sys.stderr, flush=True)
    if given.json:
        print(json.dumps(curves))


if __name__ == "__main__":
    main()
