"""A small region and a small model, made once for all that test at the same time: real parts, a few seconds."""

from __future__ import annotations

import csv
import fcntl
import gc
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

# Before numpy is loaded, here and in every process that a test starts: testers and their servers are more than there are cores,
# and threads that wait for each other in small sums only burn time. What threads must not change has a test that sets their number.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest
from hypothesis import settings

from model import artifact as artifacts
from model.labelled import EMERGENCIES, LabelledComplaint, dump, load
from model.register import Register
from model.router import Router
from training.config import TrainingConfig

# The same cases every time, so that whoever changes one thing is not stopped by another; "default" draws new ones, to hunt.
# Neither has a time limit for a case: what a busy machine takes says nothing.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("default", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
# Hardly anything that is loaded by now is ever garbage: to look through it all each time took a sixth of the service's tests.
gc.set_threshold(20_000)
DATA = Path(__file__).parent.parent / "data" / "kutai-timur"
AGENCIES = ("dishub", "dlh", "disdukcapil", "perumdam", "pln", "bptd", "kecamatan")
ROWS_EACH = 70
LONGEST = ("browser", "end_to_end", "faults", "training")
"""Folders whose files take longest: they go first, so that no tester is left alone with one of them at the end."""
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest first; within them, and among the others, the order stays."""
    items.sort(key=lambda item: item.path.parent.name not in LONGEST)


def once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Answer a folder that `make` fills once, whichever of the session's testers asks first; the others wait for it."""
    together = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        together = together.parent
    with (together / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder, done = together / name, together / f"{name}.done"
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)  # what a tester that failed left
            folder.mkdir()
            make(folder)
            done.touch()
    return folder


@pytest.fixture(scope="session", autouse=True)
def fitting_here() -> Iterator[None]:
    """Let trainings fit in the process that asks, not in others that must first load scikit-learn each: the numbers are the same.

    That they are is for end_to_end/test_training.py to see, where a command trains as it always does.
    """
    import joblib  # here, as what trains: whoever hands out the tests need not wait for it

    with joblib.parallel_config(backend="sequential"):
        yield


@pytest.fixture(scope="session")
def region(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with seven agencies of Kutai Timur, its places and roads, one rule, and some 400 of the default complaints."""
    return once(tmp_path_factory, "region", _make_region)


def _make_region(folder: Path) -> None:
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


def _few(rows: list[LabelledComplaint]) -> list[LabelledComplaint]:
    counts: Counter[str] = Counter()
    kept = []
    for row in rows:
        wanted = row.agency in AGENCIES or not row.agency
        counts[row.agency or row.use] += wanted
        if wanted and counts[row.agency or row.use] <= ROWS_EACH and {*row.also, *row.acceptable} <= set(AGENCIES):
            kept.append(row)
    return kept


@pytest.fixture(scope="session")
def plain_region(region: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That region as a desk's exports tell of it: no kinds and no emergencies, which are three quarters of a training's time."""

    def make(folder: Path) -> None:
        shutil.copytree(region, folder, dirs_exist_ok=True)
        rows = load(region / "complaints.jsonl")
        dump([replace(row, kind="") for row in rows if row.use != EMERGENCIES], folder / "complaints.jsonl")

    return once(tmp_path_factory, "plain", make)


@pytest.fixture(scope="session")
def tiny_config() -> TrainingConfig:
    """Two folds are enough to see that everything is there."""
    return TrainingConfig(folds=2)


@pytest.fixture(scope="session")
def tiny_artifact(region: Path, tiny_config: TrainingConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a version trained on the region. Nobody may change it: others test with it at the same time."""
    from training import train
    from training.reports import report
    from training.rows import training_set

    def make(folder: Path) -> None:
        register = Register.load(region)
        given = training_set.load(register, [region / "complaints.jsonl"], [], "2026-11-24")
        artifact, judged = train.train(register, given, tiny_config, "2026-11-24T08:00:00+00:00")
        artifacts.save(folder / artifact.version, artifact, report.files(artifact, judged) | train.seen_file(given))

    (version,) = once(tmp_path_factory, "models", make).iterdir()
    return version


@pytest.fixture(scope="session")
def router(tiny_artifact: Path) -> Router:
    """That version, loaded."""
    return Router.load(tiny_artifact)


@pytest.fixture(scope="session")
def lax(tiny_artifact: Path) -> Router:
    """That version with a threshold that nearly all reach: what waits all the same, waits for another reason."""
    artifact = artifacts.load(tiny_artifact)
    policy = {**artifact.manifest["policy"], "overall": [0.05, 100], "per_agency": {}}
    return Router(replace(artifact, manifest={**artifact.manifest, "policy": policy}))


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave reports without their drawings, where these are not looked at: they take half a second each."""
    from training.reports import plots

    monkeypatch.setattr(plots, "_drawing", lambda *_: plots.Drawing(""))
