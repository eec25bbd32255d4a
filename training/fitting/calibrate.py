"""Probabilities that mean what they say: out-of-fold scores, and the temperature that fits them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import delayed
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import softmax
from sklearn.pipeline import Pipeline

from model.reader import Reader
from training.config import TrainingConfig
from training.fitting import self_training
from training.fitting.fit import Words, pipeline
from training.rows.data import Data, agencies_of, with_topics
from training.rows.dataset import near_duplicate_groups
from training.rows.split import Fold
from training.workers import JOBS, workers

Array = NDArray[Any]
ABSENT = -3.0
"""Score of an agency that a fold's training rows lack: lower than any machine gives."""


@dataclass(frozen=True)
class OutOfFold:
    """What models that had not seen them said of rows.

    `rows` (n,) are row numbers, in the order of the folds; `scores` (n, agencies) in the order of `agencies`.
    """

    rows: Array
    agencies: Array
    scores: Array
    temperature: float

    @property
    def probabilities(self) -> Array:
        """(n, agencies), after the temperature."""
        probabilities: Array = softmax(self.scores / self.temperature, axis=1)
        return probabilities


def fit_pipeline(
    config: TrainingConfig, data: Data, reader: Reader, temperature: float = 1.0, unlabelled: Data | None = None
) -> Pipeline:
    """Fit features and classifier on all of `data` and on the names of its categories, then on what is `unlabelled` besides.

    Nearly the same texts count once for `min_df`: a name in a flood of copies is still the name of one complaint.
    """

    def fit(taught: Data) -> Pipeline:
        if config.topic_weight:
            taught = with_topics(taught, reader, config.topic_weight)
        model = pipeline(config, temperature)
        weighed = {"classifier__sample_weight": taught.weights, "classifier__origins": taught.origins}
        return model.fit(taught.words, taught.labels, features__groups=near_duplicate_groups(taught.rows), **weighed)

    return self_training.teach(fit, data, unlabelled) if unlabelled else fit(data)


def out_of_fold(
    config: TrainingConfig,
    own: Data,
    other: Data,
    reader: Reader,
    folds: Sequence[Fold],
    step: Callable[[], object] = lambda: None,
    unlabelled: Data | None = None,
) -> OutOfFold:
    """Train on each fold's past (or other folds) and on all `other` rows, score the fold's own test rows, fit one temperature.

    Each fold labels the `unlabelled` rows with a model of its own, so that its test rows cannot leak through them.
    `step` is called after each fold, for a progress bar.
    """
    agencies = agencies_of(own, other)
    tasks = (
        delayed(_score)(config, own.take(fold.train) + other, unlabelled, own.take(fold.test).words, agencies, reader)
        for fold in folds
    )
    parts = []
    for scores in workers(min(JOBS, len(folds)))(tasks):
        parts.append(scores)
        step()
    rows = np.concatenate([fold.test for fold in folds])
    scores = np.concatenate(parts)
    return OutOfFold(rows, agencies, scores, fit_temperature(scores, np.searchsorted(agencies, own.labels[rows])))


def _score(
    config: TrainingConfig, taught: Data, unlabelled: Data | None, tested: Sequence[Words], agencies: Array, reader: Reader
) -> Array:
    model = fit_pipeline(config, taught, reader, unlabelled=unlabelled)
    return widen(model.decision_function(tested), model.classes_, agencies)


def widen(scores: Array, of: Array, agencies: Array) -> Array:
    """Turn (rows, columns) scores of some agencies into (rows, agencies), ABSENT for the others; both lists are in order."""
    wide = np.full((len(scores), len(agencies)), ABSENT)
    wide[:, np.searchsorted(agencies, of)] = scores
    return wide


def fit_temperature(scores: Array, truth: Array) -> float:
    """Find the temperature with the least log loss (Guo et al. 2017); `truth` (rows,) are columns of `scores`.

    One made-up case counts beside the rows, as clear as they are on average, in which the second agency is right: without it, a
    handful of answers that are all right would make the next one certain.
    """
    second = np.argsort(scores, axis=1)[:, -2:][:, :1]

    def loss(log_temperature: float) -> float:
        told = np.log(np.clip(softmax(scores / np.exp(log_temperature), axis=1), 1e-6, None))
        right = np.take_along_axis(told, truth[:, None], axis=1).sum()
        return -float(right + np.take_along_axis(told, second, axis=1).mean()) / (len(truth) + 1)

    return float(np.exp(minimize_scalar(loss, bounds=(np.log(0.02), np.log(2.0)), method="bounded").x))
