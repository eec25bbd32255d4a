"""What it is worth to leave landmarks out of the features: python -P tests/benchmarks/landmarks.py [--real ../shared/real].

Trained on four fifths of the default corpus, with landmarks and without. Judged on what other regions' people wrote before
the splits of `transfer.py` (rows of no figure there), through their crosswalks, and on the fifth left out; then on short
complaints of that fifth with a landmark behind them ("... di depan puskesmas"), whose agency stays what it was.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from model.labelled import LabelledComplaint
from model.reader import Reader
from model.register import Register
from tests.benchmarks.transfer import DEFAULT, REGION, divided
from training.config import TrainingConfig
from training.fitting.calibrate import fit_pipeline
from training.rows import dataset
from training.rows.data import Data, own_words, read

SHORT = 14
"""Words of a complaint to which a landmark is added: in a longer one it would be lost anyway."""
ADDED = (
    "di depan puskesmas",
    "dekat SMP",
    "di samping pasar",
    "di depan kantor camat",
    "dekat rumah sakit",
    "di seberang SPBU",
    "di belakang masjid",
    "di depan kantor desa",
    "di sebelah polsek",
    "dekat terminal",
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--real", type=Path, default=Path("../shared/real"))
    given = parser.parse_args()
    if not given.real.is_dir():
        sys.exit(f"{given.real}: not here; nothing measured")
    config, register = TrainingConfig(), Register.load(REGION)
    reader = Reader(register)
    past, tests = divided(given.real, register)
    own = [row for row in past[DEFAULT] if not register.by_id[row.agency].per]
    named = list(own_words(register))
    taught = read(own, reader, np.ones(len(own))) + read(named, reader, np.full(len(named), config.matters_weight))
    models = [fit_pipeline(config, data, reader) for data in (_with_landmarks(taught), taught)]

    fifth = tests[DEFAULT]
    short = [row for row in fifth if len(row.text.split()) <= SHORT]
    added = [replace(row, text=f"{row.text.rstrip('. ')} {where}") for row, where in zip(short, cycle(ADDED), strict=False)]
    judged: dict[str, Sequence[LabelledComplaint]] = {
        name: dataset.testable(rows) for name, rows in past.items() if name != DEFAULT
    }
    judged |= {"the corpus' fifth": fifth, "its short ones, a landmark added": added}
    print(f"{'complaints with a landmark of':<34} {'there are':>11}  {'right with':>10}  {'without':>8}  better  worse")
    for name, rows in judged.items():
        data = read(rows, reader, np.ones(len(rows)))
        hit = np.array([len(reading.matter) < len(reading.words) for reading in data.readings])
        before, after = (_right(model, part)[hit] for model, part in zip(models, (_with_landmarks(data), data), strict=True))
        better, worse = int((after & ~before).sum()), int((before & ~after).sum())
        share = f"{hit.sum():,}/{len(rows):,}"
        print(f"{name:<34} {share:>11}  {before.mean():>10.3f}  {after.mean():>8.3f}  {better:>6}  {worse:>5}")


def _with_landmarks(data: Data) -> Data:
    return replace(data, readings=[reading._replace(matter=reading.words) for reading in data.readings])


def _right(model: Pipeline, data: Data) -> NDArray[np.bool_]:
    """(rows,) whether the first agency is the one that was, or one that a crosswalk calls acceptable."""
    said = model.predict(data.words)
    return np.array([agency in _accepted(row) for agency, row in zip(said, data.rows, strict=True)], dtype=bool)


def _accepted(row: LabelledComplaint) -> tuple[str, ...]:
    return (row.agency, *row.acceptable)


if __name__ == "__main__":
    main()
