"""How far answers can be trusted: the curve that makes their probability honest, and a threshold for a stream that drifts.

A curve fitted once, on everything, is for labels without a date (`fit`). A desk learns from verdicts of which most are of
unsure answers, for what went out by itself is seen in the blind audit only; whether a row was seen depends on its
sureness and on nothing else that matters, so such rows are missing at random (Rubin 1976). `Trust` keeps account of what is
not known: the fewer and the older the verdicts, the wider the curve's error, and the stricter the threshold. The replay and
a version's own policy (`training.keeping`) are made by it alike.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import norm

from model.policy import NEVER, Threshold
from model.reliability import TINY, Reliability

Array = NDArray[Any]
HALF_LIFE = 180.0
"""Days after which a verdict counts half for the curve."""
LATELY = 30.0
"""Days after which a verdict counts half for what is special of late."""
SPREAD, SPREAD_PER_AGENCY = 0.2, 0.4
"""How far, in log-odds, all answers and those of one agency are expected to stray of late: standard deviations of priors at 0."""
_EXPECTED, _EXPECTED_SPREAD = np.array([0.0, 1.0, 0.5]), 3.0
"""A prior on the curve so wide that it only keeps a handful of rows from making a step of it."""
_LEAST = 1e-3
_NEWTON_STEPS = 8


@dataclass(frozen=True)
class Trust:
    """A curve with its offsets of late, and how surely it is known: `covariance` (3, 3) of intercept, gain and loss."""

    reliability: Reliability
    covariance: Array

    def honest(self, sureness: Array, said: Array) -> Array:
        """(rows,) how often such answers are right: what the curve itself says, so that a threshold is met to the last digit."""
        return np.array([self.reliability(*answer) for answer in zip(sureness.tolist(), said.tolist(), strict=True)])

    def threshold(
        self, sureness: Array, said: Array, target: float, confidence: float, stands_for: Array | None = None
    ) -> Threshold:
        """Find the laxest threshold at which, of traffic like this, no more than `target` goes wrong, as far as is known.

        `sureness` and `said` (rows,) are of what came in of late, whether anybody saw the answers or not; where only some of
        it is at hand, `stands_for` (rows,) says how many complaints each of these stands for. What is held
        against the target is the expected share of wrong answers and so many of its standard errors (delta method) that
        it is kept with `confidence` if the curve has the right form. Unlike `training.promise` this is no guarantee for
        a finite sample: it is for a stream where every step is corrected by what reviews and the audit found since.
        """
        honest = self.honest(sureness, said)
        order = np.argsort(-honest, kind="stable")
        each = np.ones(len(order)) if stands_for is None else stands_for[order]
        count = np.cumsum(each)
        expected = np.cumsum(each * (1 - honest[order])) / count
        slopes = np.cumsum((each * (honest * (1 - honest))[order])[:, None] * _columns(sureness)[order], axis=0) / count[:, None]
        error = np.sqrt(np.einsum("ij,jk,ik->i", slopes, self.covariance, slopes))
        within = np.flatnonzero(expected + norm.ppf(confidence) * error <= target)
        return Threshold(float(honest[order][within[-1]]), int(within[-1]) + 1) if len(within) else Threshold(NEVER, 0)


def fit(sureness: Array, right: Array) -> Reliability:
    """Fit the curve on answers that count the same."""
    return _fit(sureness, right, np.ones(len(right)), np.ones(len(right)))[0]


def learn(sureness: Array, said: Array, right: Array, age: Array, weights: Array) -> Trust:
    """Fit the curve on verdicts of different `age` in days, and what is special of late: over all, and for each agency said.

    `weights` (rows,): an audited answer stands for those that nobody saw, but is known no better than any other.
    """
    curve, covariance = _fit(sureness, right, 0.5 ** (age / HALF_LIFE), weights)
    lately = weights * 0.5 ** (age / LATELY)
    odds = _columns(sureness) @ [curve.intercept, curve.gain, curve.loss]
    agencies, place = np.unique(said, return_inverse=True)
    everywhere = _offsets(odds, right, np.zeros(len(right), dtype=int), lately, SPREAD)[0]
    offsets = _offsets(odds + everywhere, right, place, lately, SPREAD_PER_AGENCY)
    per_agency = MappingProxyType(dict(zip(agencies.tolist(), offsets.tolist(), strict=True)))
    return Trust(replace(curve, intercept=curve.intercept + float(everywhere), per_agency=per_agency), covariance)


def _columns(sureness: Array) -> Array:
    """(rows, 3): what intercept, gain and loss are multiplied with."""
    p = np.clip(sureness, TINY, 1 - TINY)
    return np.column_stack([np.ones(len(p)), np.log(p), -np.log(1 - p)])


def _fit(sureness: Array, right: Array, counts: Array, stands_for: Array) -> tuple[Reliability, Array]:
    """Find the most likely curve, and its covariance.

    `counts` (rows,) is how much of an answer's information is left; `stands_for` (rows,) how many answers each stands for.
    The covariance is that of a logistic regression, with the sandwich of a weighted sample around it (Binder 1983): one
    answer that stands for four is no four answers.
    """
    x, y, weights = _columns(sureness), right.astype(float), counts * stands_for

    def loss(parameters: Array) -> tuple[float, Array]:
        odds, away = x @ parameters, (parameters - _EXPECTED) / _EXPECTED_SPREAD
        surprise = float(weights @ (np.logaddexp(0, odds) - y * odds)) + float(away @ away) / 2
        return surprise, x.T @ (weights * (expit(odds) - y)) + away / _EXPECTED_SPREAD

    bounds = [(None, None), (_LEAST, None), (_LEAST, None)]
    best = minimize(loss, _EXPECTED, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-12}).x
    honest = expit(x @ best)
    bends, prior = weights * honest * (1 - honest), np.eye(3) / _EXPECTED_SPREAD**2
    bread = np.linalg.inv((x * bends[:, None]).T @ x + prior)
    filling = (x * (bends * stands_for)[:, None]).T @ x + prior
    return Reliability(*best.tolist()), bread @ filling @ bread


def _offsets(odds: Array, right: Array, place: Array, weights: Array, spread: float) -> Array:
    """(places,) what to add to the log-odds of each place's rows: the likeliest under a normal prior at 0, by Newton's method."""
    places = int(place.max()) + 1
    offsets = np.zeros(places)
    for _ in range(_NEWTON_STEPS):
        honest = expit(odds + offsets[place])
        slope = np.bincount(place, weights * (right - honest), places) - offsets / spread**2
        bend = np.bincount(place, weights * honest * (1 - honest), places) + 1 / spread**2
        offsets += np.clip(slope / bend, -1, 1)
    return offsets
