"""Whether labelling what `watching.next_labels` picks teaches more than labelling as many at random: a learning curve.

Run `python -P tests/benchmarks/next_labels.py [--register DIR] [--start N] [--rounds N] [--seeds N] [--json]`. A quarter of the
complaints, near-duplicates together, is set aside to judge; of the rest, `start` are labelled at random, and every round 100 more
by each way of picking. Told is accuracy, mean over seeds, after each round.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import click
import numpy as np
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer

from model.features import stem_grams
from model.labelled import load
from model.reader import Reader
from model.register import Register
from training.config import TrainingConfig
from training.fitting.calibrate import fit_pipeline
from training.rows import dataset
from training.rows.data import Data, read
from training.rows.split import grouped
from training.watching.next_labels import margins_of, pick

BATCH = 100


def curve(data: Data, reader: Reader, start: int, rounds: int, seed: int) -> dict[str, list[float]]:
    """Accuracy after each round, by way of picking; all begin with the same labels."""
    config = TrainingConfig(topic_weight=0.0, seed=seed)
    folds = grouped(data.labels.tolist(), dataset.near_duplicate_groups(data.rows), 4, seed)
    open_, test = data.take(folds[0].train), data.take(folds[0].test)
    matrix = csr_matrix(TfidfVectorizer(analyzer=stem_grams, sublinear_tf=True).fit_transform(open_.words))
    rng = np.random.default_rng(seed)
    first = rng.permutation(len(open_))[:start]
    found: dict[str, list[float]] = {}
    for way in ("random", "unsure", "next_labels"):
        labelled = first
        found[way] = []
        for step in range(rounds + 1):
            model = fit_pipeline(config, open_.take(labelled), reader)
            found[way].append(float((model.predict(test.words) == test.labels).mean()))
            rest = np.setdiff1d(np.arange(len(open_)), labelled)
            if step == rounds or not len(rest):
                break
            if way == "random":
                new = rng.permutation(rest)[:BATCH]
            else:
                margins = margins_of(model.predict_proba(open_.take(rest).words))
                new = rest[np.argsort(margins, kind="stable")[:BATCH] if way == "unsure" else pick(margins, matrix[rest], BATCH)]
            labelled = np.concatenate([labelled, new])
    return found


@click.command()
@click.option("--register", "folder", type=click.Path(path_type=Path), default=Path("data/kutai-timur"), show_default=True)
@click.option("--start", default=200, show_default=True)
@click.option("--rounds", default=8, show_default=True)
@click.option("--seeds", default=3, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def main(folder: Path, start: int, rounds: int, seeds: int, as_json: bool) -> None:
    """Draw the learning curves."""
    if not (folder / "complaints.jsonl").is_file():
        click.echo(f"skipped: {folder} has no complaints.jsonl")
        return
    reader = Reader(Register.load(folder))
    rows = [row for row in dataset.deduplicate(load(folder / "complaints.jsonl")).kept if row.agency]
    data = read(rows, reader, np.ones(len(rows)))
    curves = defaultdict(list)
    for seed in range(seeds):
        for way, values in curve(data, reader, start, rounds, seed).items():
            curves[way].append(values)
        click.echo(f"seed {seed} done", err=True)
    means = {way: np.mean(values, axis=0).round(4).tolist() for way, values in curves.items()}
    if as_json:
        click.echo(json.dumps({"rows": len(rows), "start": start, "batch": BATCH, "seeds": seeds, "accuracy": means}))
        return
    click.echo(f"{'labelled':<20}" + "".join(f"{start + BATCH * step:>8}" for step in range(rounds + 1)))
    for way, values in means.items():
        click.echo(f"{way:<20}" + "".join(f"{value:>8.1%}" for value in values))


if __name__ == "__main__":
    main()
