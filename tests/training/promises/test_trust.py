"""How far answers can be trusted: the curve is found again, doubt makes thresholds stricter, and what went wrong of late counts."""

import math
from dataclasses import replace

import numpy as np
import pytest

from model.policy import NEVER
from model.reliability import Reliability
from training.promises import trust

TARGET, CONFIDENCE = 0.05, 0.9
TRUTH = Reliability(0.3, 0.9, 0.6)


def answers(seed: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Answers that are right as often as TRUTH says."""
    rng = np.random.default_rng(seed)
    sure = rng.beta(3, 0.5, rows)
    return sure, rng.random(rows) < np.array([TRUTH(value) for value in sure])


def learnt(sure: np.ndarray, right: np.ndarray, age: float = 0.0) -> trust.Trust:
    """What is known after these verdicts, all of one agency, where all that came was seen."""
    return trust.learn(sure, np.full(len(sure), "dinas"), right, np.full(len(sure), age), None)


def desk(seed: int, rows: int, share: float, surest: float = 0.0) -> trust.Trust:
    """What a desk knows that sent what is surer than 0.9 and saw a share of it; `surest` of that goes wrong against all signs."""
    sure, right = answers(seed, rows)
    chance = np.random.default_rng(seed + 1000)
    sent = sure >= 0.9
    right = right & ~(sent & (chance.random(rows) < surest))
    seen = ~sent | (chance.random(rows) < share)
    return trust.learn(sure[seen], np.full(seen.sum(), "dinas"), right[seen], np.zeros(seen.sum()), sent[seen])


def wrong(known: trust.Trust, traffic: np.ndarray, surest: float = 0.0) -> float:
    """Which share is wrong of what it would send of some traffic, by TRUTH, and `surest` of the surest besides; NaN of nothing."""
    said = np.full(len(traffic), "dinas")
    sent = traffic[known.honest(traffic, said) >= known.threshold(traffic, said, TARGET, CONFIDENCE).value]
    right = np.array([TRUTH(value) for value in sent]) * np.where(sent >= 0.9, 1 - surest, 1)
    return float(1 - right.mean()) if len(sent) else math.nan


def cases(known: trust.Trust, traffic: np.ndarray) -> int:
    """How many of some traffic it would send."""
    return known.threshold(traffic, np.full(len(traffic), "dinas"), TARGET, CONFIDENCE).cases


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


@pytest.mark.parametrize("many", [5, 50])
def test_a_handful_of_answers_that_are_all_right_makes_none_certain(many: int) -> None:
    sure = np.random.default_rng(0).uniform(0.6, 0.999, many)
    found = trust.fit(sure, np.ones(many, dtype=bool))
    assert 1 - 2 / many <= found(float(sure.mean())) <= 1 - 0.5 / many


def test_a_curve_rises_even_where_the_data_fall() -> None:
    sure = np.linspace(0.01, 0.99, 500)
    found = trust.fit(sure, sure < 0.5)
    assert found.gain > 0
    assert found.loss > 0


def test_what_is_sent_keeps_the_target_in_most_draws() -> None:
    traffic, _ = answers(3, 5_000)
    shares = np.array([wrong(learnt(*answers(100 + seed, 1500)), traffic) for seed in range(100)])
    assert np.isfinite(shares).sum() > 90
    assert (shares > TARGET).sum() <= 20  # 10 are expected; the chance of more than 20 is below 0.001


@pytest.mark.parametrize("surest", [0.0, 0.01])
def test_a_desk_that_sees_a_part_of_what_it_sends_keeps_the_target_in_most_draws(surest: float) -> None:
    traffic, _ = answers(7, 5_000)
    shares = np.array([wrong(desk(200 + seed, 2_000, 0.1, surest), traffic, surest) for seed in range(100)])
    assert np.isfinite(shares).sum() > 90
    assert (shares > TARGET).sum() <= 20


def test_a_desk_that_audits_nothing_is_doubted_most_and_one_whose_office_saw_everything_not_at_all() -> None:
    sure, right = answers(13, 3_000)
    said, age = np.full(3_000, "dinas"), np.zeros(3_000)
    traffic, _ = answers(14, 5_000)
    whole, none = (trust.learn(sure, said, right, age, audited) for audited in (None, np.zeros(3_000, dtype=bool)))
    assert whole.reliability == none.reliability
    assert none.covariance[3, 3] == pytest.approx(trust.SPREAD_UNSEEN**2), "nothing was learnt of it"
    assert whole.covariance[3, 3] == pytest.approx(0, abs=1e-5)
    assert cases(none, traffic) < cases(whole, traffic)


def test_the_offset_of_what_nobody_saw_and_its_own_doubt_are_part_of_the_threshold() -> None:
    known, (traffic, _) = desk(8, 20_000, 0.1, surest=0.05), answers(16, 5_000)
    assert cases(known, traffic) < 0.95 * cases(replace(known, unseen=0.0), traffic)
    doubted = known.covariance.copy()
    doubted[3, 3] += 0.09
    assert cases(replace(known, covariance=doubted), traffic) < 0.95 * cases(known, traffic)


def test_how_far_all_stray_of_late_is_doubted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    sure, right = answers(17, 3_000)
    traffic, _ = answers(18, 5_000)
    doubted = cases(learnt(sure, right, age=120.0), traffic)
    monkeypatch.setattr(trust, "SPREAD", 1e-6)
    assert cases(learnt(sure, right, age=120.0), traffic) > doubted


def test_what_the_audit_finds_wrong_among_the_surest_sends_less() -> None:
    as_expected, worse = desk(8, 20_000, 0.1), desk(8, 20_000, 0.1, surest=0.05)
    assert worse.unseen < -0.1
    assert as_expected.unseen == pytest.approx(0, abs=0.1)
    traffic, _ = answers(9, 5_000)
    assert cases(worse, traffic) < 0.8 * cases(as_expected, traffic)
    assert worse.reliability(0.6) == pytest.approx(as_expected.reliability(0.6), abs=0.05)


def test_an_audit_that_finds_nothing_wrong_is_no_proof_that_the_surest_fare_better() -> None:
    sure, right = answers(11, 2_000)
    audited = sure >= 0.9
    known = trust.learn(sure, np.full(2_000, "dinas"), right | audited, np.zeros(2_000), audited)
    assert known.unseen == 0


def test_a_desk_that_knows_nothing_but_its_audit_can_be_learnt_from() -> None:
    sure, right = answers(12, 200)
    known = trust.learn(sure, np.full(200, "dinas"), right, np.zeros(200), np.ones(200, dtype=bool))
    assert 0 < known.reliability(0.9, "dinas") < 1


def test_the_more_is_audited_the_more_is_sent() -> None:
    traffic, _ = answers(10, 5_000)
    few, many = (np.mean([cases(desk(300 + seed, 3_000, share), traffic) for seed in range(20)]) for share in (0.02, 0.5))
    assert many > 1.1 * few


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
    curve = trust.learn(sure, said, right, age, None).reliability
    assert curve(0.95, "badan") < curve(0.95, "dinas") - 0.05
    assert curve(0.95, "unheard of") > curve(0.95, "badan")


def test_a_handful_of_verdicts_of_late_moves_an_agency_no_further_than_its_prior_lets_it() -> None:
    """One wrong answer that was as good as sure: the likeliest offset is the prior's variance below 0, and one right one's is 0."""
    sure, right = answers(6, 6000)
    said, age = np.full(6000, "dinas", dtype="<U6"), np.full(6000, 200.0)
    said[-2:], sure[-2:], age[-2:], right[-2:] = ("badan", "kantor"), 0.999, 0.0, (False, True)
    offsets = trust.learn(sure, said, right, age, None).reliability.per_agency
    assert offsets["badan"] == pytest.approx(-(trust.SPREAD_PER_AGENCY**2), rel=0.1)
    assert offsets["kantor"] == pytest.approx(0, abs=0.01)


def test_nothing_is_sent_where_no_answer_can_be_trusted() -> None:
    sure = np.random.default_rng(7).random(2000)
    known = learnt(sure, np.zeros(2000, dtype=bool))
    assert known.threshold(sure, np.full(2000, "dinas"), TARGET, CONFIDENCE).value == NEVER
    assert known.threshold(sure[:0], np.array([], dtype="<U5"), TARGET, CONFIDENCE).value == NEVER
