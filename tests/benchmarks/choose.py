"""What a training setting is worth: python -P tests/benchmarks/choose.py char_rareness 1 1.5 2 [--real DIR].

Judged on rows that no reported figure is from: Surabaya in three steps of time before the test period of `peers.py`, each
trained on what came before it, and three fifths of the default corpus, each trained on the others but the fifth that
`transfer.py` tests. Settings are chosen by this, and reported elsewhere. Differences of less than a point are within chance.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from model.labelled import LabelledComplaint, load
from model.reader import Reader
from model.register import Register
from training.config import TrainingConfig
from training.fitting.calibrate import fit_pipeline
from training.measures import figures
from training.rows import dataset
from training.rows.data import Data, own_words, read

REGION = Path("data/kutai-timur")
STEPS = ("2022-04-01", "2022-06-01", "2022-08-01", "2022-11-01")
FIFTHS = (1, 2, 3)
"""The fifth with number 0 is for testing."""
Rows = Sequence[LabelledComplaint]


def fifth(row: LabelledComplaint) -> int:
    """Number of the fifth that a row of the default corpus belongs to: by a hash of its id, as in `transfer.py`."""
    return int(hashlib.sha256(row.id.encode()).hexdigest(), 16) % 5


def splits(real: Path) -> Iterator[tuple[str, Register, Rows, Rows]]:
    """Yield (name, register, rows to learn from, rows to judge by)."""
    if real.is_dir():
        register = Register.load(real)
        rows = dataset.deduplicate([row.complaint for row in dataset.load(real / "complaints.jsonl")]).kept
        for start, end in pairwise(STEPS):
            past = [row for row in rows if row.received_at < start]
            yield f"Surabaya {start}", register, past, [row for row in rows if start <= row.received_at < end]
    corpus = [row for row in load(REGION / "complaints.jsonl") if row.agency]
    for number in FIFTHS:
        others = [row for row in corpus if fifth(row) not in (0, number)]
        yield f"default, fifth {number}", Register.load(REGION), others, [row for row in corpus if fifth(row) == number]


def parts_of(register: Register, learnt: Rows, judged: Rows) -> tuple[Reader, Data, Data, Data]:
    """Read everything once: what is learnt, the register's own words, what is judged."""
    reader, named = Reader(register), list(own_words(register))
    parts = [read(rows, reader, np.ones(len(rows))) for rows in (learnt, named, judged)]
    return reader, parts[0], parts[1], parts[2]


def judged(config: TrainingConfig, reader: Reader, learnt: Data, named: Data, tested: Data) -> tuple[float, float]:
    """Answer accuracy and macro-F1."""
    weighed = replace(named, weights=np.full(len(named), config.matters_weight))
    said = fit_pipeline(config, learnt + weighed, reader).predict(tested.words)
    return float((said == tested.labels).mean()), figures.macro_f1(tested.labels.tolist(), said.tolist())


def main() -> None:
    """Print a line for each value."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("setting", help="a field of training.config.TrainingConfig")
    parser.add_argument("values", type=float, nargs="+")
    parser.add_argument("--real", type=Path, default=Path("../shared/real/surabaya"))
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    found = list(splits(given.real))
    read_parts = [parts_of(register, learnt, tested) for _, register, learnt, tested in found]
    print(" " * 10, *(f"{name:>20}" for name, *_ in found))
    for value in given.values:
        change: dict[str, Any] = {given.setting: value}
        config = replace(TrainingConfig(), **change)
        answers = Parallel(given.jobs)(delayed(judged)(config, *parts) for parts in read_parts)
        print(f"{value:<10g}", *(f"{f'{accuracy:.4f} / {macro:.4f}':>20}" for accuracy, macro in answers), flush=True)


if __name__ == "__main__":
    main()
