"""Answers of models that had not seen the question, as the service would have given them: what all figures stand on."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from model.policy import Policy, Threshold
from model.reliability import Reliability
from model.routing import Candidate
from training.fitting.calibrate import ABSENT, OutOfFold, fit_temperature, widen
from training.promises.judge import Judged, judge

AGENCIES = np.array(["bpbd", "dinsos", "dlh", "pln"])


class Swapping:
    """A reader whose one rule gives the first candidate's place to the second, where the text says so."""

    def apply_rules(self, ranked: Sequence[Candidate], reading: str) -> tuple[tuple[Candidate, ...], tuple[()]]:
        first, second, *rest = ranked
        if reading != "aturan":
            return tuple(ranked), ()
        swapped = (Candidate(second.agency, first.probability), Candidate(first.agency, second.probability), *rest)
        return swapped, ()


def answers(*rows: Sequence[float], numbers: Sequence[int]) -> OutOfFold:
    return OutOfFold(np.array(numbers), AGENCIES, np.log(np.array(rows)), 1.0)


def asked(*complaints: tuple[str, str]) -> Any:
    labels = [agency for agency, _ in complaints]
    rows = [SimpleNamespace(agency=agency) for agency in labels]
    return SimpleNamespace(rows=rows, readings=[reading for _, reading in complaints], labels=np.array(labels))


def test_answers_are_judged_after_the_rules_and_the_curve_each_beside_its_own_label() -> None:
    own = asked(("dlh", ""), ("pln", "aturan"), ("pln", ""))
    given = answers([0.1, 0.2, 0.3, 0.4], [0.05, 0.1, 0.15, 0.7], numbers=[1, 2])  # of rows 1 and 2; 0 was never tested
    reader: Any = Swapping()
    found = judge(given, own, reader)
    assert (found.truth.tolist(), found.said.tolist(), found.right.tolist()) == (["pln", "pln"], ["dlh", "pln"], [False, True])
    assert found.sureness == pytest.approx([0.4, 0.7])
    assert found.truth_probability == pytest.approx([0.3, 0.7])
    doubting = Reliability(intercept=-1.0)
    assert judge(given, own, reader, doubting).sureness == pytest.approx([doubting(0.4), doubting(0.7)])


def test_the_truth_is_among_the_first_three_or_it_is_not() -> None:
    reader: Any = Swapping()
    found = judge(answers([0.1, 0.2, 0.3, 0.4], [0.1, 0.2, 0.3, 0.4], numbers=[0, 1]), asked(("dinsos", ""), ("bpbd", "")), reader)
    assert found.top3.tolist() == [True, False]
    unknown = judge(answers([0.1, 0.2, 0.3, 0.4], numbers=[0]), asked(("dprd", "")), reader)
    assert (unknown.top3.tolist(), unknown.truth_probability.tolist()) == ([False], [0.0])


def test_what_would_have_been_sent_reaches_its_own_agencys_threshold_and_counts_for_what_it_stands_for() -> None:
    said = np.array(["dlh", "dlh", "pln", "pln"])
    judged = Judged(np.array(["dlh", "dlh", "dlh", "pln"]), said, np.array([0.8, 0.79, 0.9, 0.9]), np.zeros(4), np.ones(4, bool))
    policy = Policy(0.05, 0.9, Threshold(0.9, 100), {"dlh": Threshold(0.8, 50)})
    sent = judged.figures(policy)["auto"]
    assert (sent["sent"], sent["wrong"], sent["coverage"]) == (3, 1, 0.75)
    of_all = judged.figures(policy, np.array([20.0, 1.0, 1.0, 1.0]))["auto"]
    assert (of_all["coverage"], of_all["error"]) == (pytest.approx(22 / 23), pytest.approx(1 / 22))
    joined = Judged.join([judged, judged])
    assert joined.figures(policy)["rows"] == 8
    assert joined.said.tolist() == [*said, *said]


def test_an_agency_that_a_fold_had_no_complaint_of_gets_the_score_of_an_absent_one() -> None:
    wide = widen(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array(["dinsos", "pln"]), AGENCIES)
    assert wide.tolist() == [[ABSENT, 1.0, ABSENT, 2.0], [ABSENT, 3.0, ABSENT, 4.0]]


def test_probabilities_are_of_each_row_and_cooled_by_the_temperature() -> None:
    scores = 2 * np.log(np.array([[0.1, 0.2, 0.3, 0.4], [0.7, 0.1, 0.1, 0.1]]))
    found = OutOfFold(np.array([0, 1]), AGENCIES, scores, 2.0).probabilities
    assert found == pytest.approx(np.exp(scores / 2))


def test_the_temperature_makes_a_boaster_modest_and_a_modest_one_sure() -> None:
    """Three in four are right, whatever the scores were: with one case more that is not, the log-odds of it are log(300 / 101)."""
    truth = np.tile([0, 0, 0, 1], 100)
    for score in (0.5, 2.0):
        scores = np.tile([score, 0.0], (400, 1))
        assert score / fit_temperature(scores, truth) == pytest.approx(np.log(300 / 101), abs=1e-3)


def test_a_handful_of_answers_that_are_all_right_makes_none_certain() -> None:
    for many in (4, 40):
        scores = np.tile([0.8, 0.0], (many, 1))
        found = OutOfFold(np.arange(many), AGENCIES[:2], scores, fit_temperature(scores, np.zeros(many, dtype=int)))
        assert found.probabilities[0, 0] == pytest.approx(many / (many + 1), abs=1e-3)
