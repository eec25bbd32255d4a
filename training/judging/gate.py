"""The gate: whether a challenger may take the champion's place, by the figures of both on the same rows, and why.

A challenger passes the gate where
* it is not worse over all (95 % interval of the paired difference), neither on the verdicts nor, where a blind audit allows to
  estimate it, on all complaints that came,
* no agency with at least MIN_AGENCY rows loses more than MAX_LOSS of its accuracy beyond chance,
* the promise about automatic routings is kept, and
* it sends at most MAX_LESS fewer complaints automatically, as a share of all, than a champion that keeps its own promise.

"Beyond chance", because MAX_LOSS of MIN_AGENCY rows is one and a half complaints: the bare threshold would hold back 44 to 98 % of
challengers that are exactly as good (twenty agencies, 4 to 20 % of the answers changed). So each agency's changed rows go through
an exact one-sided sign test, with Holm's correction (1979) over agencies, without those that have too few changed rows to be ever
significant (Tarone 1990). That holds back 2 to 9 % of equals and finds a true loss of 15 points of 60 rows in 45 to 86 % of cases
(`tests/benchmarks/gate.py`). A loss above MAX_LOSS that chance explains is a warning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, binomtest

from model.ledger import Verdict
from training.measures import figures

Array = NDArray[Any]

MIN_ROWS = 100
"""Fewer rows than this decide nothing."""
MAX_WIDTH = 0.10
"""An interval of the difference that is wider than this, and does not show it to be better, decides nothing either."""
MIN_AGENCY = 30
MAX_LOSS = 0.05
"""An agency with at least MIN_AGENCY rows may lose this much of its accuracy; more where chance explains it, with a warning."""
MAX_LESS = 0.05
"""A challenger may send this much less automatically, as a share of all complaints; more would be noticed at once."""
CHANCE = 0.2
"""Family-wise error rate of the tests by agency: at most this share of equally good challengers is held back by them."""
RESAMPLES = 10_000


@dataclass(frozen=True, slots=True)
class Paired:
    """Two models' answers to the same rows. `better` and `worse` count the rows that one alone of the two gets right.

    `interval` is of `difference` (challenger less champion), 95 %, by bootstrap; `p_value` is McNemar's, exact and two-sided.
    """

    rows: int
    champion: float
    challenger: float
    better: int
    worse: int
    interval: tuple[float, float]
    p_value: float

    @property
    def difference(self) -> float:
        """Accuracy gained; below zero where it was lost."""
        return self.challenger - self.champion


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of the rows: all of one agency, month, channel ..."""

    kind: str
    name: str
    paired: Paired


@dataclass(frozen=True, slots=True)
class Automatic:
    """What a model would have sent by itself, and how much of that is wrong.

    `cases` is the effective sample size of the error: below `sent` where some rows represent many.
    """

    sent: int
    wrong: int
    coverage: float
    error: float
    error_interval: tuple[float, float]
    cases: int

    def breaks(self, target_error: float, confidence: float) -> bool:
        """Tell whether so many wrong are beyond chance, at `confidence`, if only `target_error` of what is sent goes wrong."""
        return figures.kept(self.error, self.cases, target_error, confidence) is False


def pair(before: Array, after: Array, rng: np.random.Generator) -> Paired:
    """Compare (rows,) right or wrong of two models. Resampling rows is drawing how many are better, worse and the same."""
    rows, better, worse = len(before), int((~before & after).sum()), int((before & ~after).sum())
    if not rows:
        return Paired(0, 0.0, 0.0, 0, 0, (-1.0, 1.0), 1.0)
    drawn = rng.multinomial(rows, [better / rows, worse / rows, (rows - better - worse) / rows], RESAMPLES)
    low, high = np.quantile((drawn[:, 0] - drawn[:, 1]) / rows, [0.025, 0.975])
    p_value = float(binomtest(better, better + worse).pvalue) if better + worse else 1.0
    return Paired(rows, float(before.mean()), float(after.mean()), better, worse, (float(low), float(high)), p_value)


def decide(
    overall: Paired,
    agencies: Sequence[Slice],
    automatic: tuple[Automatic, Automatic],
    target_error: float,
    confidence: float,
    more_sent: tuple[float, float] = (0.0, 0.0),
    traffic: tuple[float, float] | None = None,
) -> tuple[Verdict, tuple[str, ...], tuple[str, ...]]:
    """Put the gate to the figures: a verdict, its reasons, and warnings.

    `more_sent`: how much more the challenger sends by itself, as a share of all, and the highest that chance would explain.
    `traffic`: the difference in accuracy of all that came, not of the verdicts alone, and the highest that chance would explain.
    A broken promise is a warning only where the champion breaks it no less: to keep that one live would help nobody.
    """
    low, high = overall.interval
    gained = f"{overall.difference:+.1%} [{low:+.1%}, {high:+.1%}]"
    objections = []
    if overall.rows and high < 0:
        objections.append(f"worse over all: {gained}")
    if traffic and traffic[1] < 0 <= high:
        objections.append(f"worse of all that came, by what the audit tells of what went out by itself: {traffic[0]:+.1%}")
    counted = [item for item in agencies if item.paired.rows >= MIN_AGENCY]
    lost, explained = _losses(counted)
    objections += lost
    warnings = explained
    before, after = automatic
    kept_before, kept = (not auto.breaks(target_error, confidence) for auto in automatic)
    if kept and kept_before and more_sent[1] < 0 and more_sent[0] < -MAX_LESS:
        objections.append(f"sends {after.coverage:.1%} of all by itself where the champion sends {before.coverage:.1%}")
    if not kept:
        too_many = f"{after.wrong} of {after.sent} sent by itself are wrong ({after.error:.1%}, champion {before.error:.1%})"
        broken = f"the promise of {target_error:.1%} is broken: {too_many}"
        if not kept_before and after.error <= before.error:
            warnings += (broken,)
        else:
            objections.append(broken)
    if objections:
        return Verdict.HOLD, tuple(objections), warnings
    if overall.rows < MIN_ROWS:
        few = f"only {overall.rows} complaints that neither has seen; {MIN_ROWS} are needed"
        return Verdict.NOT_ENOUGH_DATA, (few,), warnings
    if low <= 0 and high - low > MAX_WIDTH:
        return Verdict.NOT_ENOUGH_DATA, (f"the difference is uncertain: {gained}",), warnings
    reasons = (
        f"{'better' if low > 0 else 'not worse'} over all: {gained}",
        f"none of {len(counted)} agencies with {MIN_AGENCY} complaints or more loses more than {MAX_LOSS:.0%}"
        + (f" beyond chance; {len(explained)} within it: {', '.join(explained)}" if explained else ""),
        f"{after.wrong} of {after.sent} sent by itself are wrong: "
        + (f"the promise of {target_error:.1%} is not broken" if kept else "too many, but no more than the champion's"),
    )
    return Verdict.PROMOTE, reasons, warnings


def _losses(agencies: Sequence[Slice]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Tell which agencies lose more than MAX_LOSS: those that lose it beyond chance, and those whose loss chance explains."""
    told = [
        (f"{item.name} loses {-item.paired.difference:.1%} of {item.paired.rows}", beyond)
        for item, beyond in zip(agencies, beyond_chance([item.paired for item in agencies]), strict=True)
        if item.paired.worse - item.paired.better > MAX_LOSS * item.paired.rows
    ]
    lost = tuple(f"{loss}, beyond chance" for loss, beyond in told if beyond)
    return lost, tuple(f"{loss}, which chance explains" for loss, beyond in told if not beyond)


def beyond_chance(agencies: Sequence[Paired], chance: float = CHANCE) -> list[bool]:
    """Tell of each agency whether it gets worse by more than chance explains.

    If no agency really got worse, one is named with probability `chance` at most. By the exact one-sided sign test of the rows
    that changed, Holm's step-down correction, and Tarone's screening: a test whose least p-value is too large to count is no test.
    """
    better, worse = (np.array([getattr(paired, name) for paired in agencies], dtype=int) for name in ("better", "worse"))
    p_values = binom.sf(worse - 1, better + worse, 0.5)
    least = 0.5 ** (better + worse)
    tests = next((k for k in range(1, len(agencies) + 1) if np.sum(least <= chance / k) <= k), 1)
    screened = np.flatnonzero(least <= chance / tests)
    order = screened[np.argsort(p_values[screened], kind="stable")]
    passed = p_values[order] <= chance / np.arange(len(order), 0, -1)
    found = np.zeros(len(agencies), dtype=bool)
    found[order[: len(order) if passed.all() else int(np.argmin(passed))]] = True
    return [bool(one) for one in found]
