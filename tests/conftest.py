"""A small region and a small model, made once a session: real parts, a few seconds."""

from __future__ import annotations

import csv
import os
import shutil
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import settings

from model import artifact as artifacts
from model.labelled import LabelledComplaint, dump, load
from model.register import Register
from model.router import Router
from training import report, train
from training.config import TrainingConfig

# The same cases every time, so that whoever changes one thing is not stopped by another; "default" draws new ones, to hunt.
settings.register_profile("same", derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
DATA = Path(__file__).parent.parent / "data" / "kutai-timur"
AGENCIES = ("dishub", "dlh", "disdukcapil", "perumdam", "pln", "bptd", "kecamatan")
ROWS_EACH = 70
RULE = """
[[rule]]
id = "perlengkapan-jalan-nasional"
agencies = ["dishub", "pln"]
roads = ["nasional"]
any = ["lampu jalan", "lampu penerangan", "pju"]
move_to = "bptd"
sentence = "Lampu di jalan nasional diurus BPTD."
source = "S60"
"""


@pytest.fixture(scope="session")
def region(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with seven agencies of Kutai Timur, its places and roads, one rule, and some 400 of the default complaints."""
    folder = tmp_path_factory.mktemp("region")
    for name in ("places.csv", "roads.csv"):
        shutil.copy(DATA / name, folder / name)
    with (DATA / "agencies.csv").open(encoding="utf-8", newline="") as source:
        reader = csv.DictReader(source)
        rows = [row for row in reader if row["id"] in AGENCIES]
        with (folder / "agencies.csv").open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, reader.fieldnames or ())
            writer.writeheader()
            writer.writerows(rows)
    (folder / "rules.toml").write_text(RULE, encoding="utf-8")
    dump(_few(load(DATA / "complaints.jsonl")), folder / "complaints.jsonl")
    return folder


def _few(rows: list[LabelledComplaint]) -> list[LabelledComplaint]:
    counts: Counter[str] = Counter()
    kept = []
    for row in rows:
        wanted = row.agency in AGENCIES or (not row.agency and row.expect == "review")
        counts[row.agency] += wanted
        if wanted and counts[row.agency] <= ROWS_EACH and {*row.also, *row.acceptable} <= set(AGENCIES):
            kept.append(row)
    return kept


@pytest.fixture(scope="session")
def tiny_config() -> TrainingConfig:
    """Two folds are enough to see that everything is there."""
    return TrainingConfig(folds=2)


@pytest.fixture(scope="session")
def tiny_artifact(region: Path, tiny_config: TrainingConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a version trained on that region."""
    register = Register.load(region)
    given = train.load(register, [region / "complaints.jsonl"], [], "2026-11-24")
    artifact, judged = train.train(register, given, tiny_config, "2026-11-24T08:00:00+00:00")
    folder = tmp_path_factory.mktemp("models") / artifact.version
    artifacts.save(folder, artifact, report.files(artifact, judged) | train.seen_file(given))
    return folder


@pytest.fixture(scope="session")
def router(tiny_artifact: Path) -> Router:
    """That version, loaded."""
    return Router.load(tiny_artifact)
