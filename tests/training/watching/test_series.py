"""Tests of one series of weekly counts."""

import numpy as np
import pytest
from scipy.stats import betabinom

from training.watching.series import Past, predictive_tail


def test_the_tails_are_those_of_the_beta_binomial() -> None:
    for observed in (0, 3, 20):
        a, b = 0.05 * 70, 0.95 * 70
        assert predictive_tail(observed, 100, 0.05, 70, upper=True) == pytest.approx(betabinom.sf(observed - 1, 100, a, b))
        assert predictive_tail(observed, 100, 0.05, 70, upper=False) == pytest.approx(betabinom.cdf(observed, 100, a, b))


def test_dispersion_is_one_for_chance_and_more_for_storms() -> None:
    rng = np.random.default_rng(0)
    calm = [(int(rng.binomial(100, 0.2)), 100) for _ in range(400)]
    stormy = [(int(rng.binomial(100, rng.choice([0.1, 0.3]))), 100) for _ in range(400)]
    assert Past.of(calm).dispersion == pytest.approx(1.0, abs=0.2)
    assert Past.of(stormy).dispersion > 5
    assert [Past.of(counts).dispersion for counts in ([(0, 10)] * 5, [], [(3, 10)])] == [1.0] * 3
