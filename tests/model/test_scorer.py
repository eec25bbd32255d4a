"""The scorer gives scikit-learn's numbers, and its reasons add up."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from model.artifact import ArtifactError
from model.complaint import Complaint
from model.labelled import load
from model.reader import Reader
from model.register import Register
from model.router import Router
from model.scorer import Arrays, Scorer, Table
from model.text import Word
from training.config import TrainingConfig
from training.fitting.calibrate import fit_pipeline
from training.fitting.fit import compile_arrays
from training.rows.data import Data, read


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
    evidence = router.scorer.evidence(words, scores, "perumdam", "dlh")
    assert {found.word for found in evidence} == {"air", "pdam", "keruh", "tolong"}
    for found in evidence:
        assert text[found.span.start : found.span.end].lower() == found.word


def test_the_water_company_is_named_by_its_own_words(router: Router) -> None:
    words = router.reader.analyzer.words(Complaint(text="air pdam keruh dan bau"))
    assert router.scorer.ranked(router.scorer.scores(words))[0].agency == "perumdam"


def by_hand(features: dict[str, tuple[float, ...]], agencies: Sequence[str]) -> Scorer:
    """A scorer of words that each weigh 1; what each says for each agency is written beside it."""
    additions = np.array([(*says, 1.0) for says in features.values()], dtype=np.float32)
    return Scorer(list(features), Arrays(additions, np.zeros(len(agencies), np.float32)), agencies)


@pytest.mark.parametrize(
    ("additions", "bias", "said"),
    [
        (np.zeros((3, 3), np.float32), np.zeros(2, np.float32), "additions: float32 of shape"),
        (np.zeros((2, 2), np.float32), np.zeros(2, np.float32), "additions: float32 of shape"),
        (np.zeros((2, 3), np.float64), np.zeros(2, np.float32), "additions: float64"),
        (np.zeros((2, 3), np.float32), np.zeros(2, np.float64), "bias: float64"),
        (np.full((2, 3), np.nan, np.float32), np.zeros(2, np.float32), "must be finite"),
        (np.zeros((2, 3), np.float32), np.array([0, np.inf], np.float32), "must be finite"),
        (np.full((2, 3), -1, np.float32), np.zeros(2, np.float32), "weights below 0"),
        (np.zeros((2, 2), np.float32), np.zeros(1, np.float32), "1 columns for 2 agencies"),
    ],
)
def test_arrays_that_do_not_fit_each_other_are_no_model(additions: Table, bias: Table, said: str) -> None:
    with pytest.raises(ArtifactError, match=said):
        Arrays.of({"additions": additions, "bias": bias}, features=2, agencies=2)


def test_a_model_tells_two_agencies_apart_and_may_have_further_columns() -> None:
    given = {"additions": np.ones((2, 4), np.float32), "bias": np.zeros(3, np.float32)}
    assert Arrays.of(given, features=2, agencies=2).bias.tolist() == [0, 0, 0]
    assert len(Arrays.of(given, features=2, agencies=3).bias) == 3
    with pytest.raises(ArtifactError, match="there must be two agencies at least"):
        Arrays.of(given, features=2, agencies=1)


def as_words(text: str) -> list[Word]:
    return [Word(word, word, "text", place, place + 1, not place, word) for place, word in enumerate(text.split())]


def test_words_that_speak_against_the_first_agency_are_evidence_as_much_as_those_for_it() -> None:
    scorer = by_hand({"slampu": (3.0, 0.0), "ssampah": (0.0, 4.0), "spasar": (9.0, 9.0)}, ["dishub", "dlh"])
    words = as_words("lampu pasar sampah")
    scores = scorer.scores(words)
    found = scorer.evidence(words, scores, "dishub", "dlh")
    scale = 3**-0.5
    assert [one.word for one in found] == ["sampah", "lampu", "pasar"]
    assert [one.weight / scale for one in found] == pytest.approx([0.0, 3.0, 9.0])
    assert [one.margin / scale for one in found] == pytest.approx([-4.0, 3.0, 0.0])


def test_no_pair_reaches_across_two_parts_and_a_repeated_word_counts_less_each_time() -> None:
    scorer = by_hand({"slampu": (3.0, 0.0), "ssampah": (0.0, 5.5), "slampu sampah": (0.0, 50.0)}, ["dishub", "dlh"])
    best, _, known = scorer.parts(scorer.scores(as_words("lampu sampah")), [0, 1])
    assert (best.tolist(), known.tolist()) == ([0, 1], [1, 1])
    best, _, known = scorer.parts(scorer.scores(as_words("sampah lampu lampu")), [0])  # 5.5 beside 3 * (1 + log 2), not 3 * 2
    assert (best.tolist(), known.tolist()) == ([1], [3])


def test_no_more_than_the_strongest_twelve_words_are_told() -> None:
    scorer = by_hand({f"sw{number}": (float(number), 0.0) for number in range(30)}, ["dishub", "dlh"])
    words = as_words(" ".join(f"w{number}" for number in range(30)))
    found = scorer.evidence(words, scorer.scores(words), "dishub", "dlh")
    assert [one.word for one in found] == [f"w{number}" for number in range(29, 17, -1)]


@pytest.mark.parametrize(("text", "first", "second"), [("", "dishub", "dlh"), ("lampu", "bptd", "dlh"), ("lampu", "dlh", "bptd")])
def test_where_nothing_is_said_or_a_rule_names_who_was_never_trained_on_there_is_no_evidence(
    text: str, first: str, second: str
) -> None:
    scorer = by_hand({"slampu": (3.0, 0.0)}, ["dishub", "dlh"])
    words = as_words(text)
    assert scorer.evidence(words, scorer.scores(words), first, second) == ()


def test_the_words_of_an_abbreviation_are_one_evidence_at_the_place_where_it_stands(router: Router) -> None:
    text = "RS di Sangatta kotor"
    words = router.reader.analyzer.words(Complaint(text=text))
    scores = router.scorer.scores(words)
    found = router.scorer.evidence(words, scores, "dishub", "pln")
    assert {(text[one.span.start : one.span.end], one.word) for one in found} == {
        ("RS", "rumah sakit"), ("di", "di"), ("Sangatta", "sangatta"), ("kotor", "kotor"),
    }  # fmt: skip
    first, second = (router.scorer.agencies.index(agency) for agency in ("dishub", "pln"))
    bias = router.scorer.arrays.bias
    assert sum(one.weight for one in found) + bias[first] == pytest.approx(scores.columns[first], abs=1e-3)
    lead = scores.columns[first] - scores.columns[second]
    assert sum(one.margin for one in found) + bias[first] - bias[second] == pytest.approx(lead, abs=1e-3)


def test_the_likeliest_twelve_are_ranked_and_equals_stand_in_the_registers_order() -> None:
    agencies = [f"a{number}" for number in range(40)]
    scorer = by_hand({"slampu": (*[0.0] * 39, 5.0)}, agencies)
    ranked = scorer.ranked(scorer.scores(as_words("lampu")))
    assert [candidate.agency for candidate in ranked] == ["a39", *agencies[:11]]


SCORE = """
import hashlib
import numpy as np
from model.scorer import Arrays, Scorer, Table
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
