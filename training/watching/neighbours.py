"""The complaints most like each complaint, by the cosine of their stems' TF-IDF.

Comparing all pairs takes quadratic time, most of it for words that occur everywhere and tell nothing. So candidates are found by
each row's rarest features, as many as fit into BUDGET, and the CANDIDATES that share most of these are then compared by all
features. With few rows the budget covers every feature, and the answer is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer

from model.features import stem_grams
from training.rows.data import Data

Array = NDArray[Any]
NEIGHBOURS = 10
"""Nearest complaints whose agencies vote (k of k-NN)."""
BUDGET = 30_000
"""Most postings (row, feature) that are read to find a row's candidates; its rarest feature is always looked up."""
CANDIDATES = 100
"""Rows that are compared by all their features."""
_PRODUCTS = 5_000_000
"""Cells of a block of the similarity matrix that are held at a time."""


@dataclass(frozen=True)
class Nearest:
    """The NEIGHBOURS nearest other rows of every row, nearest first: (rows, neighbours) numbers and cosines; 0 is none."""

    rows: Array
    similarities: Array

    def votes(self, labels: Array, agencies: Array) -> Array:
        """(rows, agencies): where the neighbours went, each by its similarity; shares, or zeros where there are none."""
        votes = np.zeros((len(labels), len(agencies)))
        places = np.searchsorted(agencies, labels)
        np.add.at(votes, (np.arange(len(labels))[:, None], places[self.rows]), self.similarities)
        total = votes.sum(axis=1, keepdims=True)
        shares: Array = np.divide(votes, total, out=np.zeros_like(votes), where=total > 0)
        return shares


def nearest(data: Data) -> Nearest:
    """Find the rows most like each row, in time that grows with the rows and no more."""
    return nearest_rows(tf_idf(data), min(NEIGHBOURS, len(data) - 1))


def tf_idf(data: Data) -> csr_matrix:
    """(rows, features): TF-IDF of stems, one and two in a row; rows of length 1, or 0 where there are no words."""
    return csr_matrix(TfidfVectorizer(analyzer=stem_grams, sublinear_tf=True, dtype=np.float32).fit_transform(data.words))


def nearest_rows(matrix: csr_matrix, count: int, budget: int = BUDGET) -> Nearest:
    """Find the `count` rows most like each row of (rows, features), whose rows have length 1 or 0."""
    looked_up, by_feature = _looked_up(matrix, budget), matrix.T.tocsr()
    rows = np.repeat(np.arange(matrix.shape[0])[:, None], count, axis=1)
    similarities = np.zeros(rows.shape, dtype=matrix.dtype)
    work = np.cumsum(_pattern(looked_up) @ np.diff(by_feature.indptr))
    start = 0
    while start < matrix.shape[0]:
        done = work[start - 1] if start else 0
        end = max(start + 1, int(np.searchsorted(work, done + _PRODUCTS, side="right")))
        each, other = _candidates(looked_up[start:end] @ by_feature, start)
        cosines = np.asarray(matrix[each].multiply(matrix[other]).sum(axis=1)).ravel()
        order = np.lexsort((other, -cosines, each))
        each, other, cosines = each[order], other[order], cosines[order]
        rank = np.arange(len(each)) - np.searchsorted(each, each)
        best = rank < count
        rows[each[best], rank[best]], similarities[each[best], rank[best]] = other[best], cosines[best]
        start = end
    return Nearest(rows, similarities)


def _pattern(matrix: csr_matrix) -> csr_matrix:
    return csr_matrix((np.ones(matrix.nnz, dtype=np.int64), matrix.indices, matrix.indptr), shape=matrix.shape)


def _looked_up(matrix: csr_matrix, budget: int) -> csr_matrix:
    """Keep of each row its rarest features, until the rows that have them add up to the budget."""
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    cost = np.bincount(matrix.indices, minlength=matrix.shape[1])[matrix.indices]
    order = np.lexsort((cost, rows))
    spent = np.cumsum(cost[order])
    before = np.concatenate([[0], spent])[matrix.indptr[:-1]]
    first = np.arange(len(order)) == matrix.indptr[rows]
    kept = order[(spent - before[rows] <= budget) | first]
    return csr_matrix((matrix.data[kept], (rows[kept], matrix.indices[kept])), shape=matrix.shape)


def _candidates(block: csr_matrix, start: int) -> tuple[Array, Array]:
    """Numbers of rows and of the CANDIDATES others that have most in common with each, as far as it was looked up."""
    each, other = [], []
    for number, (low, high) in enumerate(pairwise(block.indptr)):
        columns, values = block.indices[low:high], block.data[low:high]
        if len(values) > CANDIDATES + 1:
            columns = columns[np.argpartition(-values, CANDIDATES)[: CANDIDATES + 1]]  # one of them is the row itself
        columns = columns[columns != start + number]
        each.append(np.full(len(columns), start + number))
        other.append(columns)
    return np.concatenate(each), np.concatenate(other)
