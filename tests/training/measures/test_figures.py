"""Figures, against scikit-learn's and against numbers worked out by hand."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from training.measures import figures


def test_macro_f1_is_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    truth, said = rng.choice(list("abcde"), 300).tolist(), rng.choice(list("abcdef"), 300).tolist()
    assert figures.macro_f1(truth, said) == pytest.approx(f1_score(truth, said, average="macro"))


def test_the_exact_interval_of_no_error_in_45_reaches_8_percent() -> None:
    assert figures.clopper_pearson(0, 45) == pytest.approx((0.0, 0.0787), abs=1e-3)


def test_wilsons_interval_holds_the_share() -> None:
    low, high = figures.wilson(80, 100)
    assert (low, high) == pytest.approx((0.711, 0.867), abs=1e-3)


@pytest.mark.parametrize("interval", [figures.wilson, figures.clopper_pearson])
def test_no_rows_say_nothing(interval) -> None:  # type: ignore[no-untyped-def]
    assert interval(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("wrong", "cases", "kept"),
    [
        (0, 0, None),
        (0, 3, None),
        (0, 44, None),
        (0, 45, True),
        (1, 25, None),
        (28, 939, True),
        (16, 299, None),
        (21, 299, False),
        (2, 3, False),
    ],
)
def test_of_a_few_cases_nobody_can_say_whether_a_promise_of_5_percent_is_kept(wrong: int, cases: int, kept: bool | None) -> None:
    assert figures.kept(wrong / max(1, cases), cases, 0.05, 0.9) is kept


def test_honest_probabilities_have_almost_no_calibration_error() -> None:
    rng = np.random.default_rng(1)
    sure = rng.random(50_000)
    assert figures.expected_calibration_error(sure, rng.random(50_000) < sure) < 0.01


def test_boasting_shows_as_calibration_error() -> None:
    assert figures.expected_calibration_error(np.full(1000, 0.99), np.arange(1000) % 2 == 0) == pytest.approx(0.49)


def test_sending_the_sure_ones_first_lowers_the_area_under_the_risk_curve() -> None:
    right = np.array([True] * 80 + [False] * 20)
    good = np.linspace(1, 0, 100)
    assert figures.aurc(good, right) < figures.aurc(good[::-1], right)
    assert figures.augrc(good, right) < figures.augrc(good[::-1], right)


def test_the_interval_of_what_is_sent_knows_that_few_were_audited() -> None:
    """As a bootstrap over the rows does: what a handful of audited ones stand for may be half as much or twice."""
    rng = np.random.default_rng(2)
    sent = np.concatenate([np.zeros(1_344, dtype=bool), np.ones(27, dtype=bool)])
    each = np.where(sent, 10.0, 1.0)
    low, high = figures.automatic(sent, np.ones(len(sent), dtype=bool), 0.05, 0.9, each)["coverage_interval"]
    drawn = [each[rows][sent[rows]].sum() / each[rows].sum() for rows in rng.integers(0, len(sent), (4_000, len(sent)))]
    assert (low, high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])), abs=0.01)
    plain = figures.automatic(sent, np.ones(len(sent), dtype=bool), 0.05, 0.9)
    assert plain["coverage_interval"] == pytest.approx(figures.wilson(27, len(sent)))
    assert (plain["traffic"], plain["traffic_sent"]) == (len(sent), 27)
