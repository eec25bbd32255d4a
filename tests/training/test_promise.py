"""The promise: what goes out by itself goes wrong no more often than said, and a test that can fail shows it."""

import numpy as np
import pytest
from scipy.stats import binom

from model.policy import NEVER
from training import promise

TARGET, DELTA = 0.05, 0.1


def drawn(rng: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Answers that are right as often as they say."""
    sure = rng.beta(5, 1, rows)
    return sure, rng.random(rows) < sure


def test_the_promise_is_broken_in_no_more_calibrations_than_delta() -> None:
    rng = np.random.default_rng(1)
    broken = 0
    for _ in range(300):
        cut = promise.threshold(*drawn(rng, 1500), TARGET, DELTA)
        sure, _ = drawn(rng, 20_000)
        sent = sure >= cut.value
        broken += bool(sent.any() and (1 - sure[sent]).mean() > TARGET)
    assert broken <= binom.ppf(0.99, 300, DELTA)


def test_enough_good_answers_are_sent_at_all() -> None:
    sure, right = drawn(np.random.default_rng(2), 5000)
    cut = promise.threshold(sure, right, TARGET, DELTA)
    assert (sure >= cut.value).mean() > 0.1


def test_too_few_cases_promise_nothing() -> None:
    assert promise.threshold(np.full(40, 0.99), np.ones(40, dtype=bool), TARGET, DELTA).value == NEVER


def test_answers_that_are_mostly_wrong_are_never_sent() -> None:
    rng = np.random.default_rng(3)
    assert promise.threshold(rng.random(2000), rng.random(2000) < 0.5, TARGET, DELTA).value == NEVER


def test_answers_of_equal_sureness_go_or_stay_together() -> None:
    sure = np.repeat([0.9, 0.5], 500)
    right = np.concatenate([np.ones(500, dtype=bool), np.zeros(500, dtype=bool)])
    assert promise.threshold(sure, right, TARGET, DELTA).cases == 500


def test_the_list_holds_the_truth_as_often_as_asked() -> None:
    rng = np.random.default_rng(4)
    calibration, later = rng.random(2000), rng.random(20_000)
    assert (later >= promise.list_cut(calibration, 0.95)).mean() == pytest.approx(0.95, abs=0.015)


def test_the_list_holds_the_truth_as_often_as_asked_where_some_stand_for_many() -> None:
    """One in ten surest answers of an audit: the one that comes may be of the many that nobody saw."""
    rng = np.random.default_rng(5)
    covered = []
    for _ in range(400):
        came = rng.random(1_500)
        seen = (came < 0.6) | (rng.random(len(came)) < 0.1)
        cut = promise.list_cut(came[seen], 0.95, np.where(came[seen] < 0.6, 1.0, 10.0))
        covered.append(1 - cut)  # the share of [0, 1) at the cut or above it
    assert np.mean(covered) >= 0.95


def test_too_few_cases_for_a_list_list_all() -> None:
    assert promise.list_cut(np.array([0.1, 0.2, 0.3]), 0.95, np.array([1.0, 1.0, 20.0])) == 0.0
    assert promise.list_cut(np.array([]), 0.95) == 0.0
