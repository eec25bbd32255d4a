"""How many of 500 labels flipped at random `watching.suspects` finds among the 500 that it suspects most.

Run `python -P tests/benchmarks/suspects.py [--real DIR] [--seed N] [--json]`; it ends at once where Surabaya's file
is absent. A flipped label is one of the region's other agencies, each as likely. Suspects that were not flipped need not be false
alarms, for real labels have noise of their own: told is how many of them have a near twin, a text with a cosine of TWIN or more,
that the city sent elsewhere, and how many of all rows have one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
import numpy as np

from model.labelled import LabelledComplaint
from model.reader import Reader
from tests.benchmarks import surabaya
from training.config import TrainingConfig
from training.rows.data import read
from training.watching import suspects
from training.watching.neighbours import nearest

TWIN = 0.6


def flip(rows: Sequence[LabelledComplaint], count: int, seed: int) -> tuple[list[LabelledComplaint], set[str]]:
    """Give `count` rows another agency's label at random; answer the rows and the ids of those."""
    rng = np.random.default_rng(seed)
    agencies = sorted({row.agency for row in rows})
    flipped = list(rows)
    chosen = rng.choice(len(rows), count, replace=False)
    for number in chosen:
        others = [agency for agency in agencies if agency != rows[number].agency]
        flipped[number] = replace(rows[number], agency=str(rng.choice(others)))
    return flipped, {rows[number].id for number in chosen}


def with_twin_elsewhere(rows: Sequence[LabelledComplaint], reader: Reader) -> set[str]:
    """Ids of the complaints whose nearest other text is a near twin with another label."""
    near = nearest(read(rows, reader, np.ones(len(rows))))
    twins = zip(rows, near.rows[:, 0], near.similarities[:, 0], strict=True)
    return {row.id for row, other, cosine in twins if cosine >= TWIN and rows[other].agency != row.agency}


@click.command()
@click.option("--real", type=click.Path(path_type=Path), default=Path("../shared/real"), envvar="SALUR_REAL", show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--flipped", default=500, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def main(real: Path, seed: int, flipped: int, as_json: bool) -> None:
    """Measure precision and recall at as many suspects as labels were flipped."""
    register, rows = surabaya.past(real)
    noisy, ids = flip(rows, flipped, seed)
    start = time.perf_counter()
    config = TrainingConfig(seed=seed)
    reader = Reader(register)
    found = suspects.find(noisy, reader, config, most=len(rows), say=lambda step: click.echo(step, err=True))
    seconds = time.perf_counter() - start
    top = found.suspects[:flipped]
    hits = sum(suspect.id in ids for suspect in top)
    by_id = {row.id: row for row in rows}
    right = sum(suspect.likely == by_id[suspect.id].agency for suspect in top if suspect.id in ids)
    twins = with_twin_elsewhere(rows, reader)
    others = [suspect.id for suspect in top if suspect.id not in ids]
    figures = {
        "rows": len(rows),
        "flipped": flipped,
        "seed": seed,
        "precision": hits / len(top),
        "recall": hits / flipped,
        "right_label_named": right / max(hits, 1),
        "recall_in_all_suspects": sum(suspect.id in ids for suspect in found.suspects) / flipped,
        "suspects": len(found.suspects),
        "not_flipped": len(others),
        "of_these_with_twin_elsewhere": sum(other in twins for other in others) / max(len(others), 1),
        "of_all_with_twin_elsewhere": len(twins) / len(rows),
        "seconds": round(seconds, 1),
    }
    if as_json:
        click.echo(json.dumps(figures))
        return
    for name, value in figures.items():
        click.echo(
            f"{name.replace('_', ' '):<32} {value:.3f}" if isinstance(value, float) else f"{name.replace('_', ' '):<32} {value}"
        )


if __name__ == "__main__":
    main()
