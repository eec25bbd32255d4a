"""How far answers can be trusted: the curve is found again, doubt makes thresholds stricter, and what went wrong of late counts."""

import numpy as np
import pytest

from model.policy import NEVER
from model.reliability import Reliability
from training import trust

TARGET, CONFIDENCE = 0.05, 0.9
TRUTH = Reliability(0.3, 0.9, 0.6)


def answers(seed: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Answers that are right as often as TRUTH says."""
    rng = np.random.default_rng(seed)
    sure = rng.beta(3, 0.5, rows)
    return sure, rng.random(rows) < np.array([TRUTH(value) for value in sure])


def learnt(sure: np.ndarray, right: np.ndarray, age: float = 0.0) -> trust.Trust:
    """What is known after these verdicts, all of one agency."""
    return trust.learn(sure, np.full(len(sure), "dinas"), right, np.full(len(sure), age), np.ones(len(sure)))


def breaks(known: trust.Trust, traffic: np.ndarray) -> bool:
    """Whether more than TARGET of what it would send of some traffic is wrong, by TRUTH."""
    said = np.full(len(traffic), "dinas")
    sent = known.honest(traffic, said) >= known.threshold(traffic, said, TARGET, CONFIDENCE).value
    return bool(sent.any() and np.mean([1 - TRUTH(value) for value in traffic[sent]]) > TARGET)


def test_the_curve_is_found_again() -> None:
    found = trust.fit(*answers(1, 20_000))
    for value in (0.2, 0.5, 0.8, 0.95, 0.999):
        assert found(value) == pytest.approx(TRUTH(value), abs=0.02)


def test_the_curve_is_found_again_although_what_was_sent_stays_unseen() -> None:
    sure, right = answers(2, 40_000)
    seen = (sure < 0.9) | (np.random.default_rng(2).random(40_000) < 0.05)
    found = trust.fit(sure[seen], right[seen])
    for value in (0.5, 0.8, 0.95, 0.999):
        assert found(value) == pytest.approx(TRUTH(value), abs=0.02)


def test_a_curve_rises_even_where_the_data_fall() -> None:
    sure = np.linspace(0.01, 0.99, 500)
    found = trust.fit(sure, sure < 0.5)
    assert found.gain > 0
    assert found.loss > 0


def test_what_is_sent_keeps_the_target_in_most_draws() -> None:
    traffic, _ = answers(3, 5_000)
    broken = sum(breaks(learnt(*answers(100 + seed, 1500)), traffic) for seed in range(100))
    assert broken <= 20  # 10 are expected; the chance of more than 20 is below 0.001


def test_one_audited_answer_that_stands_for_many_is_not_known_like_many() -> None:
    traffic, _ = answers(7, 5_000)
    broken = 0
    for seed in range(100):
        sure, right = answers(200 + seed, 2000)
        drawn = np.random.default_rng(seed).random(len(sure)) < 0.25
        seen = (sure < 0.9) | drawn
        weights = np.where(sure < 0.9, 1.0, 4.0)[seen]
        known = trust.learn(sure[seen], np.full(seen.sum(), "dinas"), right[seen], np.zeros(seen.sum()), weights)
        broken += breaks(known, traffic)
    assert broken <= 20  # 10 are expected


def test_fewer_and_older_verdicts_send_less() -> None:
    traffic, _ = answers(4, 5000)
    said = np.full(len(traffic), "dinas")
    sure, right = answers(5, 1500)
    new, old = learnt(sure, right), learnt(sure, right, age=2 * trust.HALF_LIFE)
    many = learnt(np.tile(sure, 10), np.tile(right, 10))
    cases = [known.threshold(traffic, said, TARGET, CONFIDENCE).cases for known in (many, new, old)]
    assert cases[0] > cases[1] > cases[2]


def test_an_agency_whose_answers_went_wrong_of_late_is_trusted_less_and_others_are_not() -> None:
    sure, right = answers(6, 6000)
    said = np.where(np.arange(6000) % 2, "dinas", "badan")
    age = np.where(np.arange(6000) < 5600, 200.0, 5.0)
    right[(age < 10) & (said == "badan")] = False
    curve = trust.learn(sure, said, right, age, np.ones(6000)).reliability
    assert curve(0.95, "badan") < curve(0.95, "dinas") - 0.05
    assert curve(0.95, "unheard of") > curve(0.95, "badan")


def test_nothing_is_sent_where_no_answer_can_be_trusted() -> None:
    sure = np.random.default_rng(7).random(2000)
    known = learnt(sure, np.zeros(2000, dtype=bool))
    assert known.threshold(sure, np.full(2000, "dinas"), TARGET, CONFIDENCE).value == NEVER
    assert known.threshold(sure[:0], np.array([], dtype="<U5"), TARGET, CONFIDENCE).value == NEVER
