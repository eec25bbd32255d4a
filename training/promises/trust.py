"""Calibration of a stream that drifts: a curve from sureness to the probability of being right, and a threshold on it.

`fit` fits the curve once, on labels without dates. `learn` fits it to the verdicts of a desk, most of which are about unsure
answers: automatic routings are seen in the blind audit only. Whether a row is seen depends on its sureness alone, so verdicts are
missing at random (Rubin 1976), and a curve of the right form needs no weights. But no form is exactly right: for the most confident
answers the curve extrapolates, and is too optimistic. So automatic routings get an offset of their own, at most 0, whose prior
gives way as audited verdicts come in. `Trust` carries the uncertainty of all this: fewer and older verdicts mean a wider error
and a stricter threshold. The replay and a version's own policy (`promises.keeping`) both use it.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit
from scipy.stats import norm

from model.policy import NEVER, Threshold
from model.reliability import TINY, Reliability

Array = NDArray[Any]
HALF_LIFE = 180.0
"""Days after which a verdict counts half for the curve."""
LATELY = 30.0
"""Days after which a verdict counts half for what is special of late."""
SPREAD, SPREAD_PER_AGENCY = 0.2, 0.4
"""Standard deviations, in log-odds, of the priors at 0 on recent offsets: that of all answers, and that of one agency's."""
SPREAD_UNSEEN = 0.3
"""The same for the offset of automatic routings."""
_EXPECTED, _EXPECTED_SPREAD = np.array([0.0, 1.0, 0.5, 0.0]), 3.0
"""A prior on the curve so wide that it only keeps a handful of rows from making a step of it."""
_LEAST = 1e-3
_NEWTON_STEPS = 8


@dataclass(frozen=True)
class Trust:
    """A curve with its offsets of late, and how surely it is known.

    `unseen`, 0 or less, is added to the log-odds of what goes out by itself, for the threshold alone: the probability that is
    shown is the curve's. `covariance` (4, 4) is that of intercept, gain, loss and `unseen`; offsets of agencies are taken as known.
    """

    reliability: Reliability
    unseen: float
    covariance: Array

    def honest(self, sureness: Array, said: Array) -> Array:
        """(rows,) probability of being right, computed by the curve itself so that a threshold matches to the last digit."""
        return np.array([self.reliability(*answer) for answer in zip(sureness.tolist(), said.tolist(), strict=True)])

    def threshold(
        self, sureness: Array, said: Array, target: float, confidence: float, stands_for: Array | None = None
    ) -> Threshold:
        """Find the laxest threshold at which, of traffic like this, no more than `target` goes wrong, as far as is known.

        `sureness` and `said` (rows,) are of what came in of late, whether anybody saw the answers or not; where only some of
        it is at hand, `stands_for` (rows,) says how many complaints each of these stands for. Held against the target is the
        expected share of wrong answers, `unseen` included, plus as many of its standard errors (delta method) as `confidence`
        asks for: so the target is kept where curve and offset together have the right form. Unlike `promises.promise` this is
        no guarantee for a finite sample: it is for a stream where every step is corrected by what reviews and the audit found.
        """
        honest = self.honest(sureness, said)
        order = np.argsort(-honest, kind="stable")
        each = np.ones(len(order)) if stands_for is None else stands_for[order]
        count = np.cumsum(each)
        sent = expit(logit(np.clip(honest[order], TINY, 1 - TINY)) + self.unseen)
        expected = np.cumsum(each * (1 - sent)) / count
        columns = _columns(sureness[order], np.ones(len(order)))
        slopes = np.cumsum((each * sent * (1 - sent))[:, None] * columns, axis=0) / count[:, None]
        error = np.sqrt(np.einsum("ij,jk,ik->i", slopes, self.covariance, slopes))
        within = np.flatnonzero(expected + norm.ppf(confidence) * error <= target)
        return Threshold(float(honest[order][within[-1]]), int(within[-1]) + 1) if len(within) else Threshold(NEVER, 0)


def fit(sureness: Array, right: Array) -> Reliability:
    """Fit the curve on answers that count the same, and on one wrong answer more, as sure as they are on average.

    Without it, a handful that are all right would make a curve that calls every later one certain.
    """
    if len(right):
        sureness, right = np.append(sureness, sureness.mean()), np.append(right, False)
    columns = _columns(sureness, np.zeros(len(right)))
    intercept, gain, loss, _ = _fit(columns, right, np.ones(len(right)), _LEAST)[0].tolist()
    return Reliability(intercept, gain, loss)


def learn(sureness: Array, said: Array, right: Array, age: Array, audited: Array | None) -> Trust:
    """Fit the curve on verdicts of different `age` in days, and what is special of late: over all, and for each agency said.

    `audited` (rows,): which of them went out by themselves, and are known by the blind audit alone: none, where nothing is
    audited. It is None where nothing went out by itself yet: then all that came was seen, and there is nothing to doubt besides.
    """
    unseen_rows, spread = (np.zeros(len(right)), _LEAST) if audited is None else (audited, SPREAD_UNSEEN)
    columns, lately = _columns(sureness, unseen_rows), 0.5 ** (age / LATELY)
    curve, covariance = _fit(columns, right, 0.5 ** (age / HALF_LIFE), spread)
    odds = columns @ curve
    (everywhere,), (variance,) = _offsets(odds, right, np.zeros(len(right), dtype=int), lately, SPREAD)
    covariance[0, 0] += variance
    agencies, place = np.unique(said, return_inverse=True)
    offsets, _ = _offsets(odds + everywhere, right, place, lately, SPREAD_PER_AGENCY)
    per_agency = MappingProxyType(dict(zip(agencies.tolist(), offsets.tolist(), strict=True)))
    intercept, gain, loss, unseen = curve.tolist()
    return Trust(Reliability(intercept + float(everywhere), gain, loss, per_agency), unseen, covariance)


def _columns(sureness: Array, unseen: Array) -> Array:
    """(rows, 4): what intercept, gain, loss and the offset of what goes out unseen are multiplied with."""
    p = np.clip(sureness, TINY, 1 - TINY)
    return np.column_stack([np.ones(len(p)), np.log(p), -np.log(1 - p), unseen])


def _fit(columns: Array, right: Array, counts: Array, spread_unseen: float) -> tuple[Array, Array]:
    """Find the most likely (4,) coefficients of `columns`, and their covariance.

    `counts` (rows,) is how much of an answer's information is left. The last coefficient is 0 or less: a few audited answers that
    were right move the curve like any others, but are no proof that the surest fare better than it says.
    """
    y, spread = right.astype(float), np.array([_EXPECTED_SPREAD] * 3 + [spread_unseen])

    def loss(parameters: Array) -> tuple[float, Array]:
        odds, away = columns @ parameters, (parameters - _EXPECTED) / spread
        surprise = float(counts @ (np.logaddexp(0, odds) - y * odds)) + float(away @ away) / 2
        return surprise, columns.T @ (counts * (expit(odds) - y)) + away / spread

    bounds = [(None, None), (_LEAST, None), (_LEAST, None), (None, 0.0)]
    best: Array = minimize(loss, _EXPECTED, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-12}).x
    honest = expit(columns @ best)
    bends = (columns * (counts * honest * (1 - honest))[:, None]).T @ columns
    return best, np.linalg.inv(bends + np.diag(1 / spread**2))


def _offsets(odds: Array, right: Array, place: Array, counts: Array, spread: float) -> tuple[Array, Array]:
    """(places,) what to add to the log-odds of each place's rows, and how surely it is known, as variances.

    The likeliest under a normal prior at 0, by Newton's method.
    """
    places = int(place.max()) + 1
    offsets: Array = np.zeros(places)
    bend: Array = np.ones(places)
    for _ in range(_NEWTON_STEPS):
        honest = expit(odds + offsets[place])
        slope = np.bincount(place, counts * (right - honest), places) - offsets / spread**2
        bend = np.bincount(place, counts * honest * (1 - honest), places) + 1 / spread**2
        offsets += np.clip(slope / bend, -1, 1)
    return offsets, 1 / bend
