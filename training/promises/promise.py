"""Thresholds that keep a promise: of what goes out by itself, at most `target` wrong, with confidence 1 - delta.

Learn-then-Test (Angelopoulos et al. 2021, arXiv 2110.01052) with exact binomial p-values: candidate thresholds
stand in a fixed order, the strictest first; each is tested for "more than `target` of what it sends is wrong", and
the last one before the first that cannot be rejected is taken. The rows must be ones that the model had not seen.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from model.policy import NEVER, Policy, Threshold
from training.config import TrainingConfig

Array = NDArray[Any]
STARTS = (0.15, 0.25)
"""Shares of the rows at which a sequence of tests begins, each with an equal part of delta: one unlucky top does not end all.

Chosen on made-up rows, where both sequences end at once in one calibration of fifty; with 0.1 and 0.3 in one of fifteen, for a
tenth of 4,000 rows is few, and soon behind three tenths the error may pass 5 %. The price: where less than a fifth can be sent,
less is. A sequence keeps its part to itself: where it was handed on to the next (Wiens and Dmitrienko 2005) more was sent, and
the promise broke too often (`tests/benchmarks/promise.py`).
"""
STEP = 0.01
"""Share of the rows between two tests of a sequence."""
MIN_AGENCY_ROWS = 150
"""Rows that an agency needs to be looked at by itself."""
LIST_COVERAGE = 0.95
"""Share of cases in which the list of candidates shall hold the right agency."""


def threshold(sureness: Array, right: Array, target: float, delta: float) -> Threshold:
    """Find the laxest threshold that keeps the promise on rows like these, or NEVER. Ties in sureness go together."""
    order = np.argsort(-sureness, kind="stable")
    sure, wrong, rows = sureness[order], np.cumsum(~right[order].astype(bool)), len(order)
    fewest = math.ceil(math.log(delta / len(STARTS)) / math.log(1 - target))  # that pass where none of them is wrong
    best = Threshold(NEVER, 0)
    for start in STARTS:
        sent = np.arange(max(fewest, math.ceil(start * rows)), rows + 1, max(1, round(STEP * rows)))
        whole = np.searchsorted(-sure, -sure[sent - 1], side="right")
        # How likely so few wrong are if more than `target` go wrong: exact binomial.
        failed = np.flatnonzero(binom.cdf(wrong[whole - 1], whole, target) > delta / len(STARTS))
        passed = whole[: failed[0]] if len(failed) else whole
        if len(passed) and passed[-1] > best.cases:
            best = Threshold(float(sure[passed[-1] - 1]), int(passed[-1]))
    return best


def list_cut(probability_of_truth: Array, coverage: float, stands_for: Array | None = None) -> float:
    """Probability from which agencies are listed, so that the truth is listed in `coverage` of cases (split conformal).

    `stands_for` (rows,): how many cases each stands for; the case to come counts as the heaviest of them (Tibshirani et al.
    2019, arXiv 1904.06019).
    """
    each = np.ones(len(probability_of_truth)) if stands_for is None else stands_for
    if not len(each):
        return 0.0
    order = np.argsort(probability_of_truth, kind="stable")
    missed_before = np.cumsum(each[order]) - each[order]
    # The case to come counts among the missed: of what is not known the worst must be feared.
    allowed = (1 - coverage) * (each.sum() + each.max()) - each.max()
    rank = int(np.searchsorted(missed_before, allowed + 1e-9, side="right"))
    return float(probability_of_truth[order[rank - 1]]) if rank else 0.0


def policy(sureness: Array, said: Array, right: Array, probability_of_truth: Array, config: TrainingConfig) -> Policy:
    """Fit the whole policy on out-of-fold rows: sureness, the agency said, whether it was right, the truth's probability.

    One threshold is fitted on all rows. An agency with MIN_AGENCY_ROWS of whose share of what it sends more than the target goes
    wrong, beyond chance, has a threshold of its own, fitted on its rows; so have all smaller agencies, taken as one. Surer agencies
    thus lend nobody their promise. This takes out what is wrong too often, so what is still sent altogether keeps it.
    """
    everyone = threshold(sureness, right, config.target_error, config.delta)

    def threshold_of(rows: Array) -> Threshold:
        sent = right[rows & (sureness >= everyone.value)].astype(bool)
        if binom.sf((~sent).sum() - 1, len(sent), config.target_error) > config.delta:
            return everyone
        return threshold(sureness[rows], right[rows], config.target_error, config.delta)

    agencies, counts = np.unique(said, return_counts=True)
    large = agencies[counts >= MIN_AGENCY_ROWS]
    overall = threshold_of(~np.isin(said, large))
    own = {str(agency): threshold_of(said == agency) for agency in large}
    return Policy(
        target_error=config.target_error,
        confidence=1 - config.delta,
        overall=overall,
        per_agency={agency: found for agency, found in own.items() if found != overall},
        list_cut=list_cut(probability_of_truth, LIST_COVERAGE),
        list_coverage=LIST_COVERAGE,
    )
