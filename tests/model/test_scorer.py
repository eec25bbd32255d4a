"""The scorer gives scikit-learn's numbers, and its reasons add up."""

import os
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest

from model.complaint import Complaint
from model.labelled import load
from model.reader import Reader
from model.register import Register
from model.router import Router
from model.scorer import Scorer
from training import train
from training.calibrate import dismiss_workers, fit_pipeline
from training.config import TrainingConfig
from training.data import Data, read
from training.fit import compile_arrays


@pytest.fixture(scope="module")
def fitted(region: Path, tiny_config: TrainingConfig):  # type: ignore[no-untyped-def]
    register = Register.load(region)
    reader = Reader(register)
    rows = [row for row in load(region / "complaints.jsonl") if row.agency]
    data: Data = read(rows, reader, np.ones(len(rows)))
    pipeline = fit_pipeline(tiny_config, data, reader, temperature=0.2)
    vocabulary, arrays = compile_arrays(pipeline)
    return pipeline, Scorer(vocabulary, arrays, pipeline.classes_.tolist()), data


def test_probabilities_are_scikit_learns_on_every_text(fitted) -> None:  # type: ignore[no-untyped-def]
    pipeline, scorer, data = fitted
    expected = pipeline.predict_proba(data.words)
    found = np.array([scorer.probabilities(words) for words in data.words])
    assert np.abs(found - expected).max() < 1e-5


@pytest.mark.parametrize("text", ["", "!!!", "😀😀", "zzqx qqzz", "a" * 20_000, "lampu " * 3000])
def test_odd_texts_have_scikit_learns_probabilities_too(fitted, text: str) -> None:  # type: ignore[no-untyped-def]
    pipeline, scorer, data = fitted
    words = data.readings and Reader(Register(agencies=())).analyzer.words(Complaint(text=text))
    assert scorer.probabilities(words) == pytest.approx(pipeline.predict_proba([words])[0], abs=1e-5)


def test_probabilities_sum_to_one(router: Router) -> None:
    words = router.reader.analyzer.words(Complaint(text="sampah di pasar tidak diangkut"))
    assert router.scorer.probabilities(words).sum() == pytest.approx(1.0, abs=1e-6)


def test_what_words_added_and_the_bias_make_the_score(router: Router) -> None:
    words = router.reader.analyzer.words(Complaint(text="lampu jalan di gang kami mati, tolong diperbaiki"))
    scores = router.scorer.scores(words)
    first, second = (candidate.agency for candidate in router.scorer.ranked(scores)[:2])
    evidence = router.scorer.evidence(words, scores, first, second)
    place = router.scorer.agencies.index(first)
    bias = router.scorer.arrays.bias[place]
    assert sum(found.weight for found in evidence) + bias == pytest.approx(float(scores.columns[place]), abs=1e-3)


def test_evidence_points_at_the_words_that_it_names(router: Router) -> None:
    text = "Air PDAM keruh, tolong!"
    words = router.reader.analyzer.words(Complaint(text=text))
    scores = router.scorer.scores(words)
    for found in router.scorer.evidence(words, scores, "perumdam", "dlh"):
        assert text[found.span.start : found.span.end].lower() == found.word


def test_the_water_company_is_named_by_its_own_words(router: Router) -> None:
    words = router.reader.analyzer.words(Complaint(text="air pdam keruh dan bau"))
    assert router.scorer.ranked(router.scorer.scores(words))[0].agency == "perumdam"


def test_training_twice_here_and_in_processes_of_their_own_gives_the_same_arrays(
    region: Path, tiny_config: TrainingConfig, router: Router
) -> None:
    register = Register.load(region)
    given = train.load(register, [region / "complaints.jsonl"], [], "2026-11-24")
    with joblib.parallel_config("loky"):  # the router's own training did all in one process
        artifact, _ = train.train(register, given, tiny_config, "2026-11-24T08:00:00+00:00")
        dismiss_workers()
    assert artifact.version == router.version
    assert np.array_equal(artifact.arrays["additions"], router.scorer.arrays.additions)


SCORE = """
import hashlib
import numpy as np
from model.scorer import Arrays, Scorer
from model.text import Word
chance = np.random.default_rng(0)
names = [f"sw{number}" for number in range(20_000)]
additions = chance.normal(size=(20_000, 67)).astype(np.float32) ** 2
arrays = Arrays(additions, chance.normal(size=66).astype(np.float32))
scorer = Scorer(names, arrays, [f"a{number}" for number in range(66)])
words = [Word(name[1:], name[1:], "text", 0, 1, False, name[1:]) for name in names[::2]]
print(hashlib.sha256(scorer.scores(words).columns.tobytes()).hexdigest())
"""


def test_no_number_of_threads_changes_a_digit_of_a_long_text() -> None:
    said = {
        subprocess.run(
            [sys.executable, "-c", SCORE], env={**os.environ, "OPENBLAS_NUM_THREADS": threads}, capture_output=True, check=True
        ).stdout
        for threads in ("1", "2")
    }
    assert len(said) == 1
