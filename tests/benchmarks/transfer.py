"""What other regions are worth to Kutai Timur: python -P tests/benchmarks/transfer.py [--real ../shared/real] [--json].

Three test sets under Kutai Timur's ids: Surabaya from 2022-11-01 and the newest three tenths of Kabupaten Bandung, through
their crosswalks and without what their operators sent to a kecamatan, kelurahan or desa; and a fixed fifth of the default
corpus. Trained on (a) the other four fifths of the default corpus alone, (b) these and all other regions but the tested
one, (c) these and all regions, the tested one up to its split. The same configuration throughout: the default one.
Each is trained twice, as the tested region would train it and as Kutai Timur would: they differ in whose way of doing
things is home's (`fitting.fit`). In (b) the tested region has no complaints, and nobody's is.
Between (b) and (c) stands (b) with what the tested region has before its split, as complaints whose agency nobody has told
(`train --unlabelled`).
Three figures each: accuracy, accuracy where an agency that the crosswalk calls acceptable counts too, top-3.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from model.labelled import LabelledComplaint, load
from model.reader import Reader
from model.register import Register
from training.config import TrainingConfig
from training.fitting.calibrate import fit_pipeline
from training.measures.figures import wilson
from training.reading.importing import import_export
from training.rows import dataset
from training.rows.data import HOME, Data, own_words, read, without_labels

REGION = Path("data/kutai-timur")
SOURCES = {
    "surabaya": ("surabaya/complaints.jsonl", {}),
    "kabupaten-bandung": ("laporan-ringkas-kab-bandung.xlsx", {}),
    "lapor-national-2017": ("lapor-national-2017.csv", {"agency": "addressed_to", "id": "tracking_id"}),
}
SURABAYA_SPLIT = "2022-11-01"
BANDUNG_PAST = 0.7
DEFAULT = "default corpus"
UNTOLD = "(b) and its own, unlabelled"
Rows = Sequence[LabelledComplaint]


def in_fifth(row: LabelledComplaint) -> bool:
    """Tell whether a row of the default corpus belongs to the fixed fifth: by a hash of its id."""
    return int(hashlib.sha256(row.id.encode()).hexdigest(), 16) % 5 == 0


def imported(real: Path, register: Register) -> dict[str, list[LabelledComplaint]]:
    """Import the three sources through their crosswalks, without duplicates."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, (file, columns) in SOURCES.items():
            out = Path(folder) / f"{name}.jsonl"
            import_export(real / file, out, register, Path("data/crosswalks") / f"{name}.csv", columns=columns or None)
            found[name] = dataset.deduplicate(load(out)).kept
    return found


def divided(real: Path, register: Register) -> tuple[dict[str, Rows], dict[str, Rows]]:
    """Answer what may be learnt from, by region and in order of time, and what tests it: each region from its split on."""
    corpus = [row for row in load(REGION / "complaints.jsonl") if row.agency]
    sources = imported(real, register)
    bandung = sorted(sources["kabupaten-bandung"], key=lambda row: row.received_at)
    cut = bandung[int(len(bandung) * BANDUNG_PAST)].received_at
    past: dict[str, Rows] = {
        DEFAULT: [row for row in corpus if not in_fifth(row)],
        "surabaya": [row for row in sources["surabaya"] if row.received_at < SURABAYA_SPLIT],
        "kabupaten-bandung": [row for row in bandung if row.received_at < cut],
        "lapor-national-2017": sources["lapor-national-2017"],
    }
    tests: dict[str, Rows] = {
        "surabaya": dataset.testable(row for row in sources["surabaya"] if row.received_at >= SURABAYA_SPLIT),
        "kabupaten-bandung": dataset.testable(row for row in bandung if row.received_at >= cut),
        DEFAULT: [row for row in corpus if in_fifth(row)],
    }
    return past, tests


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--real", type=Path, default=Path("../shared/real"))
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if not given.real.is_dir():
        sys.exit(f"{given.real}: not here; nothing measured")
    config, register = TrainingConfig(), Register.load(REGION)
    reader = Reader(register)
    past, tests = divided(given.real, register)
    named = list(own_words(register))

    parts = {}
    for name, rows in past.items():
        kept = [row for row in rows if not register.by_id[row.agency].per]
        parts[name] = read(kept, reader, np.ones(len(kept)))
    words = read(named, reader, np.full(len(named), config.matters_weight))

    def taught(names: Sequence[str], home: str) -> Data:
        """What a region has itself counts whole, as in `salur-training train`; the default corpus where it has nothing."""
        total = words
        for name in names:
            rows, whole = len(parts[name]), name == (home if home in names else DEFAULT)
            origins = np.full(rows, HOME if name == home else name, dtype=object)
            total += replace(parts[name], weights=np.full(rows, 1.0 if whole else config.transfer_weight), origins=origins)
        return total

    read_tests = {name: read(rows, reader, np.ones(len(rows))).words for name, rows in tests.items()}
    table: dict[str, dict[str, Any]] = {}
    for training, others in (
        ("(a) default alone", ()),
        ("(b) and others", tuple(past)),
        (UNTOLD, tuple(past)),
        ("(c) and all, to the split", tuple(past)),
    ):
        for test, home in dict.fromkeys((name, home) for name in tests for home in (name, DEFAULT)):
            left_out = test if training.startswith("(b)") else ""
            names = [DEFAULT, *(name for name in others if name not in (DEFAULT, left_out))]
            if (not others and home != DEFAULT) or (training == UNTOLD and test == DEFAULT):
                continue
            texts = without_labels(past[test], reader, config.unlabelled_weight) if training == UNTOLD else None
            model = fit_pipeline(config, taught(names, home), reader, unlabelled=texts)
            name = f"{training} | {test} | as {home}"
            table[name] = figures_of(model, tests[test], read_tests[test])
            _print(name, table[name])
    if given.json:
        print(json.dumps(table))


def figures_of(model: Pipeline, rows: Rows, words: Sequence[Any]) -> dict[str, Any]:
    """Judge a fitted pipeline on rows, whose `words` are read already."""
    ranked = model.classes_[np.argsort(-model.decision_function(words), axis=1)[:, :3]]
    right = [row.agency == best[0] for row, best in zip(rows, ranked, strict=True)]
    return {
        "rows": len(rows),
        "accuracy": float(np.mean(right)),
        "interval": wilson(sum(right), len(rows)),
        "acceptable": float(np.mean([best[0] in (row.agency, *row.acceptable) for row, best in zip(rows, ranked, strict=True)])),
        "top3": float(np.mean([row.agency in best for row, best in zip(rows, ranked, strict=True)])),
    }


def _print(name: str, figures: Mapping[str, Any]) -> None:
    low, high = figures["interval"]
    print(
        f"{name:<78}{figures['rows']:>6} rows  accuracy {figures['accuracy']:.3f} ({low:.3f} to {high:.3f})"
        f"  acceptable {figures['acceptable']:.3f}  top-3 {figures['top3']:.3f}",
        file=sys.stderr,
        flush=True,
    )


if __name__ == "__main__":
    main()
