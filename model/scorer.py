"""The fitted pipeline as plain arrays: scikit-learn's numbers at a fraction of the time, and why.

The model is linear: an agency's score is a sum over the features of the text, and the softmax of the scores
are the probabilities. So what each word added to a score is a sum too, and exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from model.artifact import ArtifactError
from model.features import BLOCKS, char_grams_of
from model.routing import Candidate, Evidence, Span
from model.text import Word

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

WORD_CACHE = 50_000
"""Words whose feature numbers are remembered: about 20 MB when full."""
MAX_EVIDENCE = 24
"""Words of evidence in one answer: the strongest; a page shows no more."""
MAX_RANKED = 12
"""Candidates that the rest of the way sees; those behind have almost no probability left."""
MAX_COUNT = 100_000
"""How often one feature can occur in one complaint: 20,500 characters make fewer than five n-grams each."""
_LOG_COUNTS = np.concatenate([[0.0], 1 + np.log(np.arange(1, MAX_COUNT + 1))]).astype(np.float32)


class Features(NamedTuple):
    """What of a text the model knows: distinct features with their weights, and every occurrence of them."""

    ids: NDArray[np.intp]
    """Distinct feature numbers, ascending."""
    values: Floats
    """Their TF-IDF, each block of length 1."""
    occurrences: NDArray[np.intp]
    """For every occurrence, its place in `ids`."""
    counts: NDArray[np.intp]
    """How often each of `ids` occurs."""
    owners: tuple[Ints, Ints]
    """For every occurrence, the words it lies in: twice the same, or the two of a pair."""
    known: int
    """How many of the words have a stem that the model knows."""


class Scores(NamedTuple):
    """Scores of every column (agencies first), the probability of every agency, and the features behind them.

    `rows` (distinct features, columns) are the weights of the text's features.
    """

    columns: Floats
    probabilities: Floats
    rows: Floats
    features: Features


@dataclass(frozen=True)
class Arrays:
    """The arrays of an artifact, by name as they are stored.

    `weights` is (features, columns) with blocks' weights and temperature folded in; `bias` (columns,);
    `idf` (features,). The first columns are the agencies'; further ones are other heads over the same features.
    """

    weights: Floats
    bias: Floats
    idf: Floats

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]], features: int, agencies: int) -> Self:
        """Take them from an artifact. Raises ArtifactError where one has not the shape or type that the others ask for."""
        found = cls(arrays["weights"], arrays["bias"], arrays["idf"])
        columns = len(found.bias)
        wanted = {"weights": (features, columns), "bias": (columns,), "idf": (features,)}
        for name, shape in wanted.items():
            array = arrays[name]
            if array.shape != shape or array.dtype != np.float32 or not np.isfinite(array).all():
                raise ArtifactError(f"{name}: {array.dtype} of shape {array.shape}; must be finite float32 of shape {shape}")
        if columns < agencies or agencies < 2:
            raise ArtifactError(f"bias: {columns} columns for {agencies} agencies; there must be two agencies at least")
        return found


class Scorer:
    """Scores words. Read-only after construction, and shared by threads."""

    def __init__(self, vocabulary: Sequence[str], arrays: Arrays, agencies: Sequence[str]) -> None:
        """Index the vocabulary, whose names are grouped by block in the order of `features.BLOCKS`."""
        self.agencies = tuple(agencies)
        self._place = {agency: place for place, agency in enumerate(self.agencies)}
        self.arrays = arrays
        self._ids: Mapping[str, int] = {name: number for number, name in enumerate(vocabulary)}
        sizes = [sum(name[0] == block for name in vocabulary) for block in BLOCKS]
        self._edges = np.cumsum([0, *sizes])
        self._of_word = lru_cache(maxsize=WORD_CACHE)(self._look_up)

    def _look_up(self, text: str, stem: str) -> tuple[Ints, int]:
        ids = self._ids
        grams = (f"s{stem}", *char_grams_of(text))
        return np.array([number for gram in grams if (number := ids.get(gram, -1)) >= 0], dtype=np.int32), int(grams[0] in ids)

    def features(self, words: Sequence[Word]) -> Features:
        """Count the known features of a text and weigh them as scikit-learn's TfidfVectorizer does (sublinear tf)."""
        ids, of_word = self._ids, self._of_word
        parts: list[Ints] = []
        lengths: list[int] = []
        pairs: list[int] = []
        seconds: list[int] = []
        known = 0
        last: Word | None = None
        for place, word in enumerate(words):
            numbers, is_known = of_word(word.text, word.stem)
            parts.append(numbers)
            lengths.append(len(numbers))
            known += is_known
            if last is not None and not word.first:
                number = ids.get(f"s{last.stem} {word.stem}", -1)
                if number >= 0:
                    pairs.append(number)
                    seconds.append(place)
            last = word
        second = np.array(seconds, dtype=np.int32)
        owner = np.repeat(np.arange(len(parts), dtype=np.int32), lengths)
        everything = np.concatenate([*parts, np.array(pairs, dtype=np.int32)])
        owners = (np.concatenate([owner, second - 1]), np.concatenate([owner, second]))
        distinct, occurrences, counts = np.unique(everything, return_inverse=True, return_counts=True)
        values = _LOG_COUNTS[counts] * self.arrays.idf[distinct]
        edges = np.searchsorted(distinct, self._edges)
        for start, end in zip(edges, edges[1:], strict=False):
            if end > start:
                block = values[start:end]
                block /= np.sqrt(block @ block)
        return Features(distinct, values, occurrences, counts, owners, known)

    def scores(self, words: Sequence[Word]) -> Scores:
        """Score every column and turn the agencies' into probabilities."""
        features = self.features(words)
        rows = self.arrays.weights[features.ids]
        columns = features.values @ rows + self.arrays.bias
        own = columns[: len(self.agencies)]
        probabilities = np.exp(own - own.max())
        probabilities /= probabilities.sum()
        return Scores(columns, probabilities, rows, features)

    def probabilities(self, words: Sequence[Word]) -> Floats:
        """Probability of each of `agencies`: shape (agencies,), summing to 1."""
        return self.scores(words).probabilities

    def ranked(self, scores: Scores, most: int = MAX_RANKED) -> list[Candidate]:
        """The likeliest agencies, first the first; equals stand in the order of `agencies`."""
        order = np.argsort(-scores.probabilities, kind="stable")[:most].tolist()
        values = scores.probabilities.tolist()
        return [Candidate(self.agencies[place], values[place]) for place in order]

    def evidence(self, words: Sequence[Word], scores: Scores, first: str, second: str) -> tuple[Evidence, ...]:
        """What each word added to the first agency's score and to its lead over the second, strongest first.

        Without a limit on their number, the words' weights and the bias add up to the score.
        """
        features = scores.features
        if not len(features.ids):
            return ()
        ones, others = scores.rows[:, self._place[first]], scores.rows[:, self._place[second]]
        each = features.values / features.counts
        weight = self._by_word(features, each * ones, len(words))
        margin = self._by_word(features, each * (ones - others), len(words))
        merged: dict[tuple[str, int, int], tuple[str, float, float]] = {}
        for word, one, lead in zip(words, weight, margin, strict=True):  # the words of one abbreviation share one place
            where = (word.field, word.start, word.end)
            text, sum_one, sum_lead = merged.get(where, ("", 0.0, 0.0))
            merged[where] = (f"{text} {word.text}".lstrip(), sum_one + one, sum_lead + lead)
        strongest = sorted(merged.items(), key=lambda item: (-abs(item[1][2]), item[0]))[:MAX_EVIDENCE]
        return tuple(Evidence(Span(*where), *found) for where, found in strongest)

    @staticmethod
    def _by_word(features: Features, each: Floats, count: int) -> list[float]:
        halves = each[features.occurrences] / 2
        one, two = features.owners
        total: list[float] = (np.bincount(one, halves, count) + np.bincount(two, halves, count)).tolist()
        return total
