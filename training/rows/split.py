"""Folds for training and testing: by time where rows have dates, else at random with near-duplicates in the same part."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from model.faults import Fault, InvalidData

Rows = NDArray[np.intp]


class Fold(NamedTuple):
    """Row numbers to train on and to test on."""

    train: Rows
    test: Rows


UNJUDGED = 0.2
"""Share of dated rows, the oldest, that are only trained on. It is small because a desk's first complaints are often the only ones
of which people labelled all, confident answers included; later ones say little about how often a confident answer is right."""


def forward(dates: Sequence[str], folds: int, first: float = UNJUDGED) -> list[Fold]:
    """Split by time into `folds` blocks after the `first` share: each is tested by what came before it, whole days together."""
    day = np.array([date[:10] for date in dates])
    order = np.argsort(day, kind="stable")
    edges = [day[order[min(len(day) - 1, round(len(day) * (first + (1 - first) * k / folds)))]] for k in range(folds)]
    blocks = []
    for start, end in zip(edges, [*edges[1:], "9999"], strict=True):
        test = np.flatnonzero((day >= start) & (day < end))
        train = np.flatnonzero(day < start)
        if len(test) and len(train):
            blocks.append(Fold(train, test))
    return blocks


def judged_on(folds: Sequence[Fold], rows: NDArray[np.bool_]) -> list[Fold]:
    """Test each fold on the rows marked in `rows` only and train on all; unchanged where nothing would be left to test."""
    kept = [Fold(fold.train, fold.test[rows[fold.test]]) for fold in folds]
    return [fold for fold in kept if len(fold.test)] or list(folds)


def grouped(labels: Sequence[str], groups: Sequence[Any], folds: int, seed: int) -> list[Fold]:
    """Split at random, stratified by label, each group (of near-duplicates) whole.

    Raises InvalidData where no label has as many rows as there are folds.
    """
    if max(Counter(labels).values(), default=0) < folds:
        raise InvalidData([Fault("data", 0, f"no agency has {folds} complaints of this region's own: too few to judge a model by")])
    splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # A label with fewer rows than folds is missing from some of them; rare agencies are no news.
        warnings.filterwarnings("ignore", "The least populated class")
        split = [Fold(train, test) for train, test in splitter.split(np.zeros(len(labels)), labels, groups)]
    return [fold for fold in split if len(fold.train) and len(fold.test)]
