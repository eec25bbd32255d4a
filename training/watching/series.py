"""Whether a weekly count departs from its past: exact predictive tests of one series, x of n complaints a week.

The sum of the last one, two and four weeks is held against the weeks before: given a baseline, x follows a beta-binomial
distribution (Geisser 1993, "Predictive Inference"), whose concentration also takes up how much more the baseline's weeks vary than
chance alone would let them (Williams 1982, "Extra-binomial variation in logistic linear models").
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, gammaln

WINDOWS = (1, 2, 4)
"""Weeks that are summed up: a sharp rise shows in one, a slow one in four."""
MEMORY = 52
"""Weeks before a window that make its baseline, at most."""
MIN_BASELINE = 8
_PRIOR_WEEKS = 26
"""Weeks that the variation common to all agencies counts for, beside that of an agency's own weeks."""
_COMMON = 2.0
"""Complaints a week from which an agency has a say in what is common."""


class Departure(NamedTuple):
    """A window that left its baseline, by the number of its last week; the rest as for `drift.Alarm`."""

    week: int
    kind: str
    name: str
    weeks: int
    observed: int
    complaints: int
    expected: float
    chance: float


def predictive_tail(observed: int, complaints: int, share: float, concentration: float, *, upper: bool) -> float:
    """How likely a count so high (`upper`) or so low is: beta-binomial of mean `share` and the given concentration."""
    a, b = share * concentration, (1 - share) * concentration
    k = np.arange(observed, complaints + 1) if upper else np.arange(0, observed + 1)
    choose = gammaln(complaints + 1) - gammaln(k + 1) - gammaln(complaints - k + 1)
    return float(min(1.0, np.exp(choose + betaln(k + a, complaints - k + b) - betaln(a, b)).sum()))


class Past(NamedTuple):
    """A stretch of a series, as sums over its weeks: x, n, x² / n, how many have any complaint, how many there are."""

    part: float
    whole: float
    squares: float
    filled: float
    weeks: float

    @classmethod
    def of(cls, counts: Iterable[tuple[int, int]]) -> Self:
        """Sum up (x, n) of each week."""
        return cls(*_sums(counts)[-1].tolist())

    @property
    def share(self) -> float:
        """The series' share, which half a complaint keeps from 0 and 1."""
        return (self.part + 0.5) / (self.whole + 1)

    @property
    def weekly(self) -> float:
        """Complaints of all series a week."""
        return self.whole / self.weeks

    @property
    def dispersion(self) -> float:
        """How much more weekly shares vary than chance lets them: Pearson's statistic over its degrees of freedom; 1 is chance."""
        if self.filled < 2 or not self.part:
            return 1.0
        share = self.share
        pearson = (self.squares - 2 * share * self.part + share * share * self.whole) / (share * (1 - share))
        return max(0.0, pearson / (self.filled - 1))


def _sums(counts: Iterable[tuple[int, int]]) -> NDArray[np.float64]:
    """(weeks + 1, 5): sum a series up; the k-th row is what the first k weeks come to, in the order of `Past`."""
    weeks = [(part, whole, part * part / whole if whole else 0.0, whole > 0, 1) for part, whole in counts]
    return np.cumsum(np.array([(0, 0, 0.0, False, 0), *weeks], dtype=float), axis=0)


def common_variation(series: Sequence[Sequence[tuple[int, int]]]) -> list[float]:
    """For each week, how much agencies' weekly rates varied before it, beyond chance: the mean squared coefficient of variation."""
    sums = [_sums(counts) for counts in series]
    common = []
    for week in range(len(series[0]) if series else 0):
        pasts = [Past(*(each[week] - each[max(0, week - MEMORY)]).tolist()) for each in sums]
        rates = [(past.dispersion, past.part / max(1, past.weeks)) for past in pasts]
        squares = [max(0.0, spread - 1) / rate for spread, rate in rates if rate >= _COMMON]
        common.append(float(np.mean(squares)) if squares else 0.0)
    return common


def departures(
    kind: str,
    name: str,
    counts: Sequence[tuple[int, int]],
    rise: float,
    fall: float = 0.0,
    variation: Sequence[float] | None = None,
) -> Iterator[Departure]:
    """Test a series week by week for a rise and a fall, of at most these chances; `variation` is common to all series."""
    sums = _sums(counts)
    for week, window, begin, start in windows(len(counts)):
        past = Past(*(sums[start] - sums[begin]).tolist())
        observed, complaints = (int(count) for count in (sums[week + 1] - sums[start])[:2])
        if not past.whole or not complaints:
            continue
        share, spread = past.share, past.dispersion
        if variation is not None:
            usual = 1 + share * past.weekly * variation[start]
            spread = (past.weeks * spread + _PRIOR_WEEKS * usual) / (past.weeks + _PRIOR_WEEKS)
        concentration = _concentration(past, spread, window)
        expected = share * complaints
        deviation = math.sqrt(expected * (1 - share) * (concentration + complaints) / (concentration + 1))
        upper = observed > expected
        chance = rise if upper else fall
        if not chance or abs(observed - expected) < 2 * deviation:
            continue  # no tail that counts begins so near the middle
        tail = predictive_tail(observed, complaints, share, concentration, upper=upper)
        if tail < chance:
            yield Departure(week, kind, name, window, observed, complaints, expected, tail)


def chance_of_rise(past: Past, observed: int, complaints: int, window: int) -> float:
    """How likely a count so high is in a window of so many weeks, if nothing changed since."""
    return predictive_tail(observed, complaints, past.share, _concentration(past, past.dispersion, window), upper=True)


def windows(weeks: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield (week, window, where its baseline begins, where it ends and the window starts) wherever the past is long enough."""
    for week in range(MIN_BASELINE, weeks):
        for window in WINDOWS:
            start = week + 1 - window
            if start >= MIN_BASELINE:
                yield week, window, max(0, start - MEMORY), start


def _concentration(past: Past, spread: float, window: int) -> float:
    """Join what the baseline's size leaves uncertain and what single weeks vary beyond chance to one concentration."""
    inverse = 1 / (past.whole + 1)
    if spread > 1:
        inverse += (spread - 1) / max(past.weekly - spread, 1.0) / window
    return 1 / inverse
