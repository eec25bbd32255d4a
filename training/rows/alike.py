"""Texts that are nearly the same, found without comparing each with every other.

Two sets with a Jaccard similarity of `threshold` must share one of their rarest members, where so many count as rarest that the
rest is too small to reach `threshold` alone (prefix filter: Chaudhuri, Ganti and Kaushik 2006; Bayardo, Ma and Srikant 2007). Only
texts that share such a pair of words are compared, by all their pairs. So the answer is the same as comparing all with all, but
time grows with the texts that are much alike, not with the square of all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components
from sklearn.feature_extraction.text import HashingVectorizer

Array = NDArray[Any]
_PRODUCTS = 5_000_000
"""Candidate pairs that are held at a time."""
_COMPARED = 100_000
"""Candidates that are compared at a time."""
_ROUNDING = 1e-9


def groups(texts: Sequence[str], threshold: float) -> list[int]:
    """Answer a group number for each text, from 0 in the order in which groups first occur; words must have one blank between.

    Texts share a group where they are the same, or have at least the share `threshold` (above 0) of their pairs of neighbouring
    words in common; so do texts that are both like a third.
    """
    if not texts:
        return []
    place = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    found = _components(_word_pairs(list(place)), threshold)
    return [int(found[place[text]]) for text in texts]


def _word_pairs(texts: Sequence[str]) -> csr_matrix:
    word = r"\S+"  # in a name of its own: linters take a literal `token_pattern` for a password
    vectorizer = HashingVectorizer(
        n_features=2**24, ngram_range=(2, 2), binary=True, norm=None, alternate_sign=False, lowercase=False, token_pattern=word
    )
    return csr_matrix(vectorizer.transform(texts), dtype=np.int32)


def _components(sets: csr_matrix, threshold: float) -> Array:
    """(rows,) component of each row of a binary matrix, where rows that are alike are linked."""
    rare = _rarest(sets, threshold)
    links = _alike(sets, _stars(rare), threshold)
    component = _joined(links, sets.shape[0])
    for block in _pairs(_undecided(rare, component)):
        apart = component[block[0]] != component[block[1]]
        links = np.hstack([links, _alike(sets, block[:, apart], threshold)])
    return _joined(links, sets.shape[0])


def _rarest(sets: csr_matrix, threshold: float) -> csr_matrix:
    """Keep of each row its rarest members, one of which it must share with every row that is alike."""
    members, column = np.unique(sets.indices, return_inverse=True)
    rows = np.repeat(np.arange(sets.shape[0]), np.diff(sets.indptr))
    order = np.lexsort((column, np.bincount(column)[column], rows))
    sizes = np.diff(sets.indptr)
    needed = sizes - np.ceil(threshold * sizes - _ROUNDING).astype(int) + 1
    kept = order[np.arange(len(order)) - sets.indptr[rows] < needed[rows]]
    return _incidence(rows[kept], column[kept], (sets.shape[0], len(members)))


def _incidence(rows: Array, columns: Array, shape: tuple[int, int]) -> csr_matrix:
    return csr_matrix((np.ones(len(rows), dtype=np.int32), (rows, columns)), shape=shape)


def _stars(rare: csr_matrix) -> Array:
    """(2, pairs): each row with the first that shares a member. One look at a text sent a thousand times finds its group."""
    by_member = rare.tocsc()
    by_member.sort_indices()
    counts = np.diff(by_member.indptr)
    first = np.repeat(by_member.indices[by_member.indptr[:-1][counts > 0]], counts[counts > 0])
    return np.unique(np.stack([first, by_member.indices])[:, first != by_member.indices], axis=1)


def _undecided(rare: csr_matrix, component: Array) -> csr_matrix:
    """Drop the members whose rows are all of one component: they have no more to tell."""
    cells = rare.tocoo()
    low, high = np.full(rare.shape[1], len(component)), np.full(rare.shape[1], -1)
    np.minimum.at(low, cells.col, component[cells.row])
    np.maximum.at(high, cells.col, component[cells.row])
    kept = (low < high)[cells.col]
    return _incidence(cells.row[kept], cells.col[kept], rare.shape)


def _pairs(rare: csr_matrix) -> Iterator[Array]:
    """Yield (2, pairs) of rows that share a member, each pair once, in blocks of about `_PRODUCTS`."""
    by_member = rare.T.tocsr()
    products = np.cumsum(rare @ np.diff(by_member.indptr))
    edges = np.searchsorted(products, np.arange(0, products[-1] + _PRODUCTS, _PRODUCTS))
    edges[-1] = len(products)
    for start, end in pairwise(edges):
        shared = (rare[start:end] @ by_member).tocoo()
        pairs = np.stack([shared.row + start, shared.col])
        yield pairs[:, pairs[0] < pairs[1]]


def _alike(sets: csr_matrix, pairs: Array, threshold: float) -> Array:
    """(2, pairs): those of the pairs that are alike."""
    sizes = np.diff(sets.indptr)
    left, right = sizes[pairs]
    near = pairs[:, np.minimum(left, right) >= threshold * np.maximum(left, right) - _ROUNDING]
    kept = []
    for start in range(0, near.shape[1], _COMPARED):
        part = near[:, start : start + _COMPARED]
        shared = np.asarray(sets[part[0]].multiply(sets[part[1]]).sum(axis=1)).ravel()
        kept.append(part[:, shared >= threshold * (sizes[part].sum(axis=0) - shared) - _ROUNDING])
    return np.hstack(kept) if kept else near[:, :0]


def _joined(links: Array, count: int) -> Array:
    graph = coo_matrix((np.ones(links.shape[1], dtype=np.int8), (links[0], links[1])), shape=(count, count))
    component: Array = connected_components(graph, directed=False)[1]
    return component
