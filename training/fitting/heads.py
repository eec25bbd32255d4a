"""Fit what reads an aspect: a linear machine over the scorer's features, whose scores are a column, and a head over all columns.

A head is a logistic regression over three things: the columns, made by machines that had not seen the row; the facts; and how
usual each aspect is among complaints to the likely agencies. Its threshold is chosen on out-of-fold answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from model.aspect_facts import FACTS, NEAR, Case, measure
from model.aspects import EMERGENCY, NOT_A_COMPLAINT, OVERSIGHT, Aspects, Head
from model.cues import Cues
from model.labelled import KINDS
from training.fitting.aspect_figures import figures_of

Array = NDArray[Any]

COLUMN_C = 0.2
KIND_C, ALLEGATION_C, OTHER_C = 0.1, 0.3, 0.03
"""LinearSVC's C for the columns, LogisticRegression's for what joins them; each on a plateau."""
ALLEGATION_FACTS = (
    "misuse",
    "official",
    "money",
    "demand",
    "secrecy",
    "probe",
    "inform",
    "wish",
    "want",
    *(f"{one} near {other}" for one, other, _ in NEAR),
    "agency sure",
)
"""With a hundred allegations to learn from, all facts at once teach chance; these and the aspect's own column do not."""
LENGTH_FACTS = ("words", "under 14 words")
"""Not for telling what is no complaint: where people write three words, three words are a complaint."""
RATE_PRIOR = 10.0
"""Complaints at the overall rate that every agency is given beside its own, so that a rare one's rate is no accident."""
FOLDS = 5
OVERSIGHT_PRECISION = 0.63
"""Share of what is taken for an allegation that must be one; out-of-fold figures come out 2 points above new ones."""
HELD_BACK = 0.007
"""Largest share of real complaints that may be held back as none; below the promised 1 %, as other regions write differently."""
FALSE_ALARMS = 0.01
"""Largest share of ordinary complaints that may be taken for an emergency: one costs an officer a glance, a miss perhaps a life."""
_GRID = [round(0.1 * step, 1) for step in range(-30, 21)]
_TINY = 1e-6


@dataclass(frozen=True)
class Rows:
    """Labelled rows column by column: features, cases, (rows,) truth of each aspect, and the strata of folds.

    `known` (rows,) is whether a row tells of an aspect at all.
    """

    X: csr_matrix
    cases: Sequence[Case]
    truth: Mapping[str, Array]
    known: Mapping[str, Array]
    strata: Array

    def __len__(self) -> int:
        """How many rows."""
        return len(self.cases)

    @property
    def probabilities(self) -> Array:
        """(rows, agencies), the classifier's."""
        return np.array([case.probabilities for case in self.cases])

    def take(self, numbers: Array) -> Rows:
        """Take the rows of these numbers."""
        truth, known = ({name: values[numbers] for name, values in told.items()} for told in (self.truth, self.known))
        cases = [self.cases[number] for number in numbers]
        return Rows(self.X[numbers], cases, truth, known, self.strata[numbers])


@dataclass(frozen=True)
class Machines:
    """The columns, (columns, features) and (columns,), and the logarithms of the agencies' rates, (columns, agencies)."""

    coef: Array
    bias: Array
    needs: Array

    def columns(self, rows: Rows) -> Array:
        """(rows, columns) scores."""
        scores: Array = np.asarray(rows.X @ self.coef.T) + self.bias
        return scores


def folds(strata: Array, seed: int) -> list[tuple[Array, Array]]:
    """FOLDS pairs of row numbers, to train on and to test on: each stratum spread evenly, however rare it is."""
    shuffled = np.random.default_rng(seed).permutation(len(strata))
    order = shuffled[np.argsort(strata[shuffled], kind="stable")]
    fold = np.empty(len(strata), dtype=int)
    fold[order] = np.arange(len(strata)) % FOLDS
    return [(np.flatnonzero(fold != number), np.flatnonzero(fold == number)) for number in range(FOLDS)]


def fit_machines(data: Rows, names: Sequence[str], seed: int) -> Machines:
    """One linear machine for each aspect, and each agency's rate of it."""
    coef, bias = np.zeros((len(names), data.X.shape[1])), np.zeros(len(names))
    needs = np.zeros((len(names), data.probabilities.shape[1]))
    for place, name in enumerate(names):
        known = data.known[name]
        truth, probabilities = data.truth[name][known], data.probabilities[known]
        totals = probabilities.sum(axis=0)
        needs[place] = np.log((probabilities.T @ truth + RATE_PRIOR * truth.mean()) / (totals + RATE_PRIOR) + _TINY)
        machine = LinearSVC(C=COLUMN_C, random_state=seed).fit(data.X[known], truth)
        coef[place], bias[place] = machine.coef_[0], machine.intercept_[0]
    return Machines(coef, bias, needs)


def fit_heads(
    data: Rows, names: Sequence[str], cues: Cues, agencies: Sequence[str], seed: int, kept: Sequence[str]
) -> tuple[Machines, Aspects]:
    """Fit a column for each of `names`, and for each of `kept` a head over all columns and facts with its threshold."""
    facts = np.array([measure(cues, case) for case in data.cases])
    columns, needs = np.zeros((2, len(data), len(names)))
    inner = folds(data.strata, seed + 1)
    for train, test in inner:
        machines = fit_machines(data.take(train), names, seed)
        held = data.take(test)
        columns[test], needs[test] = machines.columns(held), held.probabilities @ machines.needs.T
    machines = fit_machines(data, names, seed)
    inputs = np.hstack([columns, needs, facts])
    kinds = [kind for kind in KINDS[1:] if kind in kept]
    heads: dict[str, Head] = {}
    for group in filter(None, (kinds, *([name] for name in kept if name not in kinds))):
        heads |= zip(group, _fit_group(data, inputs, group, names, inner), strict=True)
    rates = {name: [float(value) for value in machines.needs[place]] for place, name in enumerate(names)}
    return machines, Aspects(agencies, names, cues, rates, heads)


def _fit_group(
    data: Rows, given: Array, group: Sequence[str], names: Sequence[str], inner: Sequence[tuple[Array, Array]]
) -> Iterator[Head]:
    """Fit the heads of aspects that exclude each other, over `given` (rows, columns + needs + facts) of the aspects `names`."""
    known, target, read = data.known[group[0]], target_of(data.truth, group), inputs_of(group, names)
    middle, spread = given[known].mean(axis=0), given[known].std(axis=0)
    spread[spread == 0] = 1.0
    inputs = (given - middle) / spread
    scores = np.zeros((len(data), len(group)))
    for train, test in inner:
        taught = train[known[train]]
        coef, bias = _join(inputs[taught], target[taught], read, group)
        scores[test] = inputs[test] @ coef.T + bias
    thresholds = choose_thresholds(group, scores[known], target[known])
    coef, bias = _join(inputs[known], target[known], read, group)
    coef /= spread
    for weights, offset, threshold in zip(coef, bias, thresholds, strict=True):
        of_columns, of_needs, of_facts = (tuple(part.tolist()) for part in np.split(weights, [len(names), 2 * len(names)]))
        yield Head(of_columns, of_needs, of_facts, float(offset - weights @ middle), threshold)


def target_of(truth: Mapping[str, Array], group: Sequence[str]) -> Array:
    """(rows,) which of the aspects of a group holds, by its place; the number of them where none does."""
    target: Array = np.select([truth[name] for name in group], list(range(len(group))), len(group))
    return target


def inputs_of(group: Sequence[str], names: Sequence[str]) -> Array:
    """Which inputs the head of an aspect reads: (columns + needs + facts,)."""
    own = np.array([name in group for name in names])
    facts = np.ones(len(FACTS), dtype=bool)
    if OVERSIGHT in group:
        facts = np.isin(FACTS, ALLEGATION_FACTS)
    elif NOT_A_COMPLAINT in group or EMERGENCY in group:
        facts = ~np.isin(FACTS, LENGTH_FACTS)
    else:
        own = np.array([name != EMERGENCY for name in names])  # all but that of emergencies, which learns from other rows too
    return np.concatenate([own, own, facts])


def _join(inputs: Array, target: Array, read: Array, group: Sequence[str]) -> tuple[Array, Array]:
    """Fit the log-odds of each class against the last, from the inputs that are read: (classes - 1, inputs) and (classes - 1,)."""
    c = KIND_C if group[0] in KINDS else ALLEGATION_C if group[0] == OVERSIGHT else OTHER_C
    model = LogisticRegression(C=c, max_iter=2000).fit(inputs[:, read], target)
    # Of two classes scikit-learn keeps the last one's coefficients alone.
    pair = len(group) == 1
    bias: Array = -model.intercept_ if pair else model.intercept_[:-1] - model.intercept_[-1]
    coef = np.zeros((len(group), inputs.shape[1]))
    coef[:, read] = -model.coef_ if pair else model.coef_[:-1] - model.coef_[-1]
    return coef, bias


def choose_thresholds(group: Sequence[str], scores: Array, target: Array) -> list[float]:
    """Choose from which score each aspect of a group holds; `scores` (rows, aspects) must be out-of-fold.

    Kinds: the highest macro-F1. Allegations: the most found at OVERSIGHT_PRECISION. What is missing: the highest F1.
    No complaint, and emergency: the most found while at most HELD_BACK and FALSE_ALARMS of the others are taken for one.
    """
    if group[0] in KINDS:
        return _kind_thresholds(scores, target)
    values, truth = scores[:, 0], target == 0
    if most := {NOT_A_COMPLAINT: HELD_BACK, EMERGENCY: FALSE_ALARMS}.get(group[0]):
        others = np.sort(values[~truth])[::-1]
        return [float(others[int(most * len(others))])]
    return [_threshold(values, truth, OVERSIGHT_PRECISION if group[0] == OVERSIGHT else None)]


def _threshold(scores: Array, truth: Array, least_precision: float | None) -> float:
    """Find the threshold with the highest F1, or the lowest that keeps a precision; above every score if none does."""
    order = np.argsort(-scores, kind="stable")
    ranked, right = scores[order], np.cumsum(truth[order])
    said = np.arange(1, len(scores) + 1)
    if least_precision is None:
        last = int(np.argmax(2 * right / (said + truth.sum())))
    else:
        enough = np.flatnonzero(right / said >= least_precision)
        if not len(enough):
            return float(ranked[0])
        last = int(enough[-1])
    below = ranked[last + 1] if last + 1 < len(ranked) else ranked[last] - 1.0
    return float((ranked[last] + below) / 2)


def _kind_thresholds(scores: Array, target: Array) -> list[float]:
    """Thresholds that together give the highest macro-F1: each in turn, the others held, twice."""
    chosen = np.zeros(scores.shape[1])

    def macro_f1() -> float:
        margins = scores - chosen
        said = np.where(margins.max(axis=1) > 0, margins.argmax(axis=1), len(chosen))
        return float(np.mean([figures_of(said == kind, target == kind)["f1"] for kind in range(len(chosen) + 1)]))

    for _ in range(2):
        for place in range(len(chosen)):
            tried = []
            for value in _GRID:
                chosen[place] = value
                tried.append(macro_f1())
            chosen[place] = _GRID[int(np.argmax(tried))]
    return [float(value) for value in chosen]
