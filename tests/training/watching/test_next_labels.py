"""What to have labelled next: unsure, standing for many, unlike each other; and worth more than labels at random."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline

from model.complaint import Complaint
from model.features import stem_grams
from model.labelled import LabelledComplaint, load
from model.reader import Reader
from model.register import Register
from model.router import Router
from training import train
from training.config import TrainingConfig
from training.fitting.calibrate import fit_pipeline
from training.rows.data import Data, read
from training.rows.training_set import TrainingSet
from training.watching.next_labels import choose, margins_of, pick

REGION = Path("data/kutai-timur")
AGENCIES = ("dlh", "dpupr", "dinsos", "disdukcapil", "dinkes", "dishub", "perumdam", "satpol-pp", "perkim", "disdikbud")
CONFIG = TrainingConfig(folds=2, matters_weight=0.0)


@pytest.fixture(scope="module")
def rows() -> list[LabelledComplaint]:
    taken: dict[str, list[LabelledComplaint]] = defaultdict(list)
    for row in load(REGION / "complaints.jsonl"):
        if row.agency in AGENCIES and len(taken[row.agency]) < 80:
            taken[row.agency].append(row)
    return [row for turn in zip(*taken.values(), strict=True) for row in turn]


@pytest.fixture(scope="module")
def router(rows: list[LabelledComplaint]) -> Router:
    return Router(train.train(Register.load(REGION), TrainingSet(rows[:100]), CONFIG, "2024-01-01T00:00:00+00:00")[0])


def unit(rows: list[list[float]]) -> csr_matrix:
    matrix = np.array(rows)
    return csr_matrix(matrix / np.linalg.norm(matrix, axis=1, keepdims=True))


def test_the_margin_is_the_lead_of_the_first_over_the_second() -> None:
    assert margins_of(np.array([[0.2, 0.7, 0.1], [0.4, 0.2, 0.4]])).tolist() == pytest.approx([0.5, 0.0])


def test_of_two_alike_only_one_is_picked() -> None:
    matrix = unit([[1, 0.1, 0], [1, 0.1, 0], [0, 0.1, 1], [0, 0.1, 1]])
    assert sorted(pick(np.array([0.0, 0.0, 0.3, 0.4]), matrix, 2)) == [0, 2]


def test_the_sure_are_not_in_the_pool() -> None:
    margins = np.linspace(0, 1, 40)
    picked = pick(margins, unit(np.random.default_rng(0).random((40, 8)).tolist()), 4)
    assert max(picked) < 12
    assert len(set(picked)) == 4


def test_an_oddity_is_worth_less_than_what_stands_for_many() -> None:
    matrix = unit([[1, 0.2, 0], [1, 0.3, 0], [1, 0.1, 0.1], [0, 0, 1], [1, 0, 0]])
    assert pick(np.zeros(5), matrix, 1) != [3]


def test_never_more_than_there_are_and_nothing_of_nothing(router: Router, rows: list[LabelledComplaint]) -> None:
    assert sorted(item.number for item in choose(router, [row.complaint for row in rows[100:103]], 10).picks) == [0, 1, 2]
    assert choose(router, [], 10).picks == ()
    assert choose(router, [Complaint("!!!"), Complaint("")], 2).picks == ()
    assert [item.number for item in choose(router, [Complaint(""), Complaint("sampah menumpuk")], 2).picks] == [1]


def test_a_text_that_came_several_times_is_chosen_once_by_its_first(router: Router, rows: list[LabelledComplaint]) -> None:
    complaints = [row.complaint for row in rows[100:110]]
    copies = [replace(complaint, id=f"lagi-{complaint.id}", text=f"{complaint.text.upper()} !") for complaint in complaints]
    found = choose(router, [*complaints, *copies], 20)
    assert sorted(item.number for item in found.picks) == list(range(10))
    assert found.complaints == 20


def test_picks_name_what_the_model_wavers_between(router: Router, rows: list[LabelledComplaint]) -> None:
    complaints = [row.complaint for row in rows[100:400]]
    found = choose(router, complaints, 20)
    assert found == choose(router, complaints, 20)
    for item in found.picks:
        ranked = router.scorer.ranked(router.scorer.scores(router.reader.read(complaints[item.number]).matter))
        assert (item.first, item.second) == (ranked[0].agency, ranked[1].agency)
        assert item.margin == pytest.approx(ranked[0].probability - ranked[1].probability, abs=1e-5)
        assert item.id == complaints[item.number].id
    everyone = [a.probability - b.probability for a, b in (_first_two(router, complaint) for complaint in complaints)]
    assert np.mean([item.margin for item in found.picks]) < 0.5 * np.mean(everyone)
    plain = json.loads(json.dumps(found.to_dict()))
    assert plain["complaints"] == 300
    assert [item["id"] for item in plain["picks"]] == [item.id for item in found.picks]
    assert found.picks[0].id in str(found)
    nameless = choose(router, [Complaint(""), Complaint("sampah menumpuk")], 2)
    assert "no. 2 of the input" in str(nameless), "else nobody knows which complaint to label"


def _first_two(router: Router, complaint: Complaint) -> tuple[Any, Any]:
    first, second, *_ = router.scorer.ranked(router.scorer.scores(router.reader.read(complaint).matter))
    return first, second


def test_what_is_picked_teaches_more_than_as_many_at_random(rows: list[LabelledComplaint]) -> None:
    """A small learning curve; the benchmark draws a large one."""
    reader = Reader(Register.load(REGION))
    data = read(rows, reader, np.ones(len(rows)))
    gains = []
    for seed in range(4):
        order = np.random.default_rng(seed).permutation(len(rows))
        open_, test = data.take(order[:550]), data.take(order[550:])
        matrix = csr_matrix(TfidfVectorizer(analyzer=stem_grams, sublinear_tf=True).fit_transform(open_.words))
        rng = np.random.default_rng(seed)

        def at_random(_: NDArray[Any], rest: NDArray[Any], rng: np.random.Generator = rng) -> NDArray[Any]:
            return rng.permutation(rest)[:50]

        def by_choice(margins: NDArray[Any], rest: NDArray[Any], matrix: csr_matrix = matrix) -> NDArray[Any]:
            return rest[pick(margins, matrix[rest], 50)]

        begun = fit_pipeline(CONFIG, open_.take(np.arange(50)), reader, 0.2)
        gains.append(_learn(begun, open_, test, reader, by_choice) - _learn(begun, open_, test, reader, at_random))
    assert np.mean(gains) > 0.01


def _learn(
    model: Pipeline, open_: Data, test: Data, reader: Reader, way: Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]]
) -> float:
    """Accuracy, mean over two rounds of fifty labels after the first fifty, which `model` was fitted on."""
    labelled, found = np.arange(50), []
    for _ in range(2):
        rest = np.setdiff1d(np.arange(len(open_)), labelled)
        labelled = np.concatenate([labelled, way(margins_of(model.predict_proba(open_.take(rest).words)), rest)])
        model = fit_pipeline(CONFIG, open_.take(labelled), reader, 0.2)
        found.append(float((model.predict(test.words) == test.labels).mean()))
    return float(np.mean(found))
