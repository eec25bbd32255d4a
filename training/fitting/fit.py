"""Features and classifier: a scikit-learn pipeline from words to probabilities, and its arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_matrix, diags, hstack
from scipy.special import softmax
from sklearn.naive_bayes import ComplementNB
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.svm import LinearSVC

from model.faults import Fault, InvalidData
from model.features import BLOCKS
from model.scorer import Arrays
from model.text import Word
from training.config import TrainingConfig
from training.fitting.weights import UnitSums
from training.rows.data import HOME

Words = Sequence[Word]
Array = NDArray[Any]
_SMOOTHING = 0.1


class TemperedSVC(LinearSVC):  # type: ignore[misc]  # scikit-learn has no types
    """One-versus-rest linear support vector machines whose scores, divided by a temperature, go through a softmax.

    To each machine `bayes` times the weights of complement naive Bayes is added: it is linear too, costs nothing, and
    errs elsewhere. Classes are balanced by (their share of the weight) ** -`balance`: 0 is not at all, 1 is
    scikit-learn's "balanced". Rifkin and Klautau (2004) for the machines, Rennie et al. (2003) for complement naive
    Bayes, Guo et al. (2017) for the temperature.

    Rows of several origins are fitted with every feature twice, once shared and once, `local` times as long, for its
    origin alone (Daumé III, 2007): what a region does its own way stays with it, and what all do is learnt from all.
    What is kept is how HOME speaks, shared and own weights in one, so answering costs no more than without.
    """

    coef_: Array
    intercept_: Array
    """(classes, features) and (classes,): a machine for each class, where there are two as well."""

    def __init__(
        self,
        C: float = 0.2,
        balance: float = 0.5,
        bayes: float = 0.05,
        local: float = 0.7,
        temperature: float = 0.15,
        random_state: int = 0,
    ) -> None:
        super().__init__(C=C, random_state=random_state)
        self.balance = balance
        self.bayes = bayes
        self.local = local
        self.temperature = temperature

    def fit(self, X: csr_matrix, y: ArrayLike, sample_weight: ArrayLike | None = None, origins: ArrayLike | None = None) -> Self:
        """Fit on (rows, features). Rows may weigh differently and come from several `origins`.

        Raises InvalidData where all are of one class.
        """
        labels = np.asarray(y)
        if len(set(labels.tolist())) < 2:
            named = ", ".join(sorted(set(labels.tolist())))
            only = f"what there is to learn from, or the earliest part of it, is of one agency alone ({named})"
            raise InvalidData([Fault("data", 0, f"{only}: it takes two to tell them apart")])
        weight = np.ones(len(labels)) if sample_weight is None else np.asarray(sample_weight, dtype=float)
        _, place = np.unique(labels, return_inverse=True)
        totals = np.bincount(place, weight)
        balanced = weight * (totals.sum() / np.maximum(totals[place], 1e-12)) ** self.balance
        widened = X if origins is None or not self.local else _apart(X, np.asarray(origins), self.local)
        super().fit(widened, labels, balanced * weight.sum() / balanced.sum())
        if widened is not X:
            features = X.shape[1]
            self.coef_ = self.coef_[:, :features] + self.local * self.coef_[:, features : 2 * features]
            self.n_features_in_ = features
        if len(self.classes_) == 2:  # liblinear makes one machine of two classes; everything here expects one each
            self.coef_ = np.vstack([-self.coef_, self.coef_])
            self.intercept_ = np.concatenate([-self.intercept_, self.intercept_])
        if self.bayes:
            naive = ComplementNB(alpha=_SMOOTHING).fit(X, labels, weight).feature_log_prob_
            self.coef_ += self.bayes * (naive - naive.mean(axis=0))
        return self

    def decision_function(self, X: csr_matrix) -> Array:
        """Score every class: (rows, classes)."""
        scores: Array = np.asarray(X @ self.coef_.T) + self.intercept_
        return scores

    def predict_proba(self, X: csr_matrix) -> Array:
        """Probability of every class: (rows, classes)."""
        probabilities: Array = softmax(self.decision_function(X) / self.temperature, axis=1)
        return probabilities

    def predict(self, X: csr_matrix) -> Array:
        """Answer the likeliest class of every row."""
        best: Array = self.classes_[self.decision_function(X).argmax(axis=1)]
        return best


def _apart(X: csr_matrix, origins: Array, local: float) -> csr_matrix:
    """Put beside all features those of HOME's rows and of each other origin's, `local` times as long; X where all are HOME's.

    (rows, features) become (rows, features * (1 + origins)).
    """
    others = sorted(set(origins.tolist()) - {HOME})
    if not others:
        return X
    return hstack([X, *(diags(local * (origins == origin)) @ X for origin in (HOME, *others))], format="csr")


def pipeline(config: TrainingConfig, temperature: float = 0.15) -> Pipeline:
    """Build the unfitted pipeline: `features` from words, `classifier` to probabilities."""
    rareness = {"c": config.char_rareness}
    blocks = [(block, UnitSums(units, config.min_df, rareness.get(block, 1.0))) for block, units in BLOCKS.items()]
    union = FeatureUnion(blocks, transformer_weights={"c": config.char_weight})
    return Pipeline(
        [
            ("features", union),
            ("classifier", TemperedSVC(config.c, config.balance, config.bayes, config.local_weight, temperature, config.seed)),
        ]
    )


def compile_arrays(fitted: Pipeline, coef: Array | None = None, bias: Array | None = None) -> tuple[list[str], Arrays]:
    """Turn a fitted pipeline into the vocabulary and arrays that `model.scorer` reads.

    `coef` (columns, features) and `bias` (columns,) are further linear heads over the same features.
    """
    union, classifier = fitted["features"], fitted["classifier"]
    shares: Mapping[str, float] = union.transformer_weights or {}
    vocabulary: list[str] = []
    weights, scaled = [], []
    for block, sums in union.transformer_list:
        vocabulary += sums.names_
        weights.append(sums.weights_)
        scaled.append(sums.weights_ * shares.get(block, 1.0))
    coefs, intercepts = classifier.coef_ / classifier.temperature, classifier.intercept_ / classifier.temperature
    if coef is not None and bias is not None:
        coefs, intercepts = np.vstack([coefs, coef]), np.concatenate([intercepts, bias])
    additions = np.empty((len(vocabulary), len(intercepts) + 1), dtype=np.float32)
    additions[:, :-1] = (coefs * np.concatenate(scaled)).T
    additions[:, -1] = np.concatenate(weights) ** 2
    return vocabulary, Arrays(additions, intercepts.astype(np.float32))
