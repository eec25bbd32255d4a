"""From words to weighed features: what makes a text the sum of its words."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags
from sklearn.base import BaseEstimator, TransformerMixin

from model.features import Unit, Units
from model.text import Word

Array = NDArray[Any]


class UnitSums(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Weigh the features of one block by how rare they are, and add them up unit by unit.

    A feature in at least `min_df` texts (of one group, one) weighs v = (1 + log((1 + texts) / (1 + texts with it))) ** `rareness`:
    scikit-learn's smoothed idf to a power. A unit that a text has c times counts g = 1 + log(c) times, and the text is divided by
    sqrt(sum(g ** 2 * w)), with w the sum of v ** 2 over the unit's features. TF-IDF damps and squares by features instead:
    here both sums run over units, so a word's share in them can be worked out beforehand (CONTRIBUTING.md on what it costs).
    """

    def __init__(self, units: Units, min_df: int = 2, rareness: float = 1.0) -> None:
        self.units = units
        self.min_df = min_df
        self.rareness = rareness

    def fit(
        self,
        X: Sequence[Sequence[Word]],
        y: object = None,  # noqa: ARG002 -- scikit-learn's signature
        groups: Sequence[int] | None = None,
    ) -> Self:
        """Learn the names of the features, sorted, and their weights (features,) from the words of texts.

        `groups` (texts,): for `min_df` texts of one group count once, as copies of a complaint are one person's words.
        """
        group_of = range(len(X)) if groups is None else groups
        sizes = Counter(group_of)
        texts: Counter[str] = Counter()
        again: Counter[str] = Counter()
        met: defaultdict[int, set[str]] = defaultdict(set)
        for words, group in zip(X, group_of, strict=True):
            held = {name for *_, names in self.units(words) for name in names}
            texts.update(held)
            if sizes[group] > 1:
                again.update(held & met[group])
                met[group] |= held
        self.names_ = sorted(name for name, count in texts.items() if count - again[name] >= self.min_df)
        self._column = {name: place for place, name in enumerate(self.names_)}
        seen_in = np.array([texts[name] for name in self.names_], dtype=float)
        self.weights_: Array = (1 + np.log((1 + len(X)) / (1 + seen_in))) ** self.rareness
        return self

    def transform(self, X: Sequence[Sequence[Word]]) -> csr_matrix:
        """Answer (texts, features); a text without a known feature stays zero."""
        column = self._column
        places: dict[Unit, int] = {}
        gains: list[float] = []
        indices: list[int] = []
        ends = [0]
        for words in X:
            for unit, count in Counter(self.units(words)).items():
                if len(unit[2]) > 1 or unit[2][0] in column:  # a single feature that is not known adds nothing
                    indices.append(places.setdefault(unit, len(places)))
                    gains.append(1 + math.log(count))
            ends.append(len(indices))
        of_texts = csr_matrix((gains, indices, ends), shape=(len(X), len(places)))
        counted = _counted(list(places), column)
        squares = of_texts.multiply(of_texts) @ (counted @ self.weights_**2)
        scale = np.divide(1.0, np.sqrt(squares), out=np.zeros(len(X)), where=squares > 0)
        return (diags(scale) @ of_texts @ counted @ diags(self.weights_)).tocsr()


def _counted(units: Sequence[Unit], column: dict[str, int]) -> csr_matrix:
    """(units, features) how often a unit has each known feature."""
    indices: list[int] = []
    ends = [0]
    for *_, names in units:
        indices += [column[name] for name in names if name in column]
        ends.append(len(indices))
    found = csr_matrix((np.ones(len(indices)), indices, ends), shape=(len(units), len(column)))
    found.sum_duplicates()
    return found
