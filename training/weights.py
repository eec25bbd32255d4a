"""How much an n-gram weighs: what makes a text the sum of its words."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, TransformerMixin

Array = NDArray[Any]


class OccurrenceWeights(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Weigh counted n-grams by how rare they are, and divide a text by the square root of what its occurrences weigh.

    A feature f weighs v = (1 + log((1 + rows) / (1 + rows with f))) ** `rareness`: scikit-learn's smoothed idf to a power.
    A row of counts c becomes c * v / sqrt(sum(c * v ** 2)). TF-IDF differs in dividing by sqrt(sum((c * v) ** 2)): here each
    occurrence counts as a direction of its own. Both sums run over occurrences, so they are sums over the words of a text,
    and a word's share of them can be worked out beforehand; it costs no accuracy (CONTRIBUTING.md).
    """

    def __init__(self, rareness: float = 1.0) -> None:
        self.rareness = rareness

    def fit(self, X: csr_matrix, y: object = None) -> Self:  # noqa: ARG002 -- scikit-learn's signature
        """Learn the weights, (features,), from the counts of training, (rows, features)."""
        rows, features = X.shape
        seen_in = np.bincount(X.indices, minlength=features)
        self.weights_: Array = (1 + np.log((1 + rows) / (1 + seen_in))) ** self.rareness
        return self

    def transform(self, X: csr_matrix) -> csr_matrix:
        """Weigh counts (rows, features); a row without any stays zero."""
        squares = X @ self.weights_**2
        scale = np.divide(1.0, np.sqrt(squares), out=np.zeros(len(squares)), where=squares > 0)
        data = X.data * self.weights_[X.indices] * np.repeat(scale, np.diff(X.indptr))
        return csr_matrix((data, X.indices, X.indptr), X.shape)
