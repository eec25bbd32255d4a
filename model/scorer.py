"""The fitted pipeline as plain arrays: scikit-learn's numbers at a fraction of the time, and why.

The model is linear: an agency's score is a sum over the features of the text, and the softmax of the scores
are the probabilities. So what each word added to a score is a sum too, and exact.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
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
MAX_EVIDENCE = 12
"""Words of evidence in one answer: the strongest; a page shows no more."""
MAX_RANKED = 12
"""Candidates that the rest of the way sees; those behind have almost no probability left."""
MAX_COUNT = 100_000
"""How often one feature can occur in one complaint: 20,500 characters make fewer than five n-grams each."""
_NO_ROWS: Floats = np.zeros((0, 0), dtype=np.float32)
_NO_PAIRS: Mapping[str, int] = {}
_LOG_COUNTS = np.concatenate([[0.0], 1 + np.log(np.arange(1, MAX_COUNT + 1))]).astype(np.float32)


class Features(NamedTuple):
    """What of a text the model knows: distinct features with their weights, and every occurrence of them."""

    ids: Ints
    """Distinct feature numbers, ascending."""
    values: Floats
    """Their TF-IDF, each block of length 1."""
    counts: NDArray[np.intp]
    """How often each of `ids` occurs."""
    occurrences: Ints
    """The feature number of every occurrence: word by word, then those of pairs of words."""
    lengths: Sequence[int]
    """How many occurrences lie in each word alone."""
    seconds: Sequence[int]
    """For each occurrence in a pair, the number of the pair's second word."""
    known: int
    """How many of the words have a stem that the model knows."""


class Scores(NamedTuple):
    """Scores of every column (agencies first), the probability of every agency, and what stands behind them.

    `rows` (distinct features, columns) are the weights of the text's features; empty unless kept for evidence.
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
        self._ids: dict[str, int] = {}
        self._followers: dict[str, dict[str, int]] = {}
        for number, name in enumerate(vocabulary):
            first, space, second = name.partition(" ")
            if name[0] == "s" and space:
                self._followers.setdefault(first, {})[second] = number
            else:
                self._ids[name] = number
        sizes = [sum(name[0] == block for name in vocabulary) for block in BLOCKS]
        self._edges = np.cumsum([0, *sizes]).astype(np.int32)
        self._local = threading.local()
        self._of_word = lru_cache(maxsize=WORD_CACHE)(self._look_up)

    def _look_up(self, text: str, stem: str) -> tuple[bytes, int, bool, Mapping[str, int]]:
        """Answer the numbers of a word's features, how many, whether its stem is known, and the pairs that it opens.

        The numbers are the bytes of int32, so that those of a whole text are joined at once; a pair's number is found by its
        second stem.
        """
        grams = (f"s{stem}", *char_grams_of(text))
        numbers = array("i", [number for gram in grams if (number := self._ids.get(gram, -1)) >= 0])
        followers = self._followers.get(grams[0], _NO_PAIRS)
        return numbers.tobytes(), len(numbers), grams[0] in self._ids, followers

    def features(self, words: Sequence[Word]) -> Features:
        """Count the known features of a text and weigh them as scikit-learn's TfidfVectorizer does (sublinear tf)."""
        of_word = self._of_word
        parts: list[bytes] = []
        lengths: list[int] = []
        pairs: list[int] = []
        seconds: list[int] = []
        known = 0
        followers = _NO_PAIRS
        for place, (text, stem, _, _, _, first) in enumerate(words):
            if stem in followers and not first:
                pairs.append(followers[stem])
                seconds.append(place)
            numbers, length, is_known, followers = of_word(text, stem)
            parts.append(numbers)
            lengths.append(length)
            known += is_known
        parts.append(array("i", pairs).tobytes())
        occurrences: Ints = np.frombuffer(b"".join(parts), dtype=np.int32)
        distinct, counts = _counted(occurrences)
        values = _LOG_COUNTS[counts] * self.arrays.idf[distinct]
        edges = distinct.searchsorted(self._edges).tolist()
        for start, end in pairwise(edges):
            if end > start:
                block = values[start:end]
                block /= np.sqrt(np.einsum("i,i", block, block))
        return Features(distinct, values, counts, occurrences, lengths, seconds, known)

    def scores(self, words: Sequence[Word], *, explained: bool = True) -> Scores:
        """Score every column and turn the agencies' into probabilities.

        Where nobody will ask for evidence, the weights of the text's features, some 150 kB, are not kept.
        """
        features = self.features(words)
        # Not `@`: BLAS adds up a long text in an order that depends on its threads, and the last digits of an answer with it.
        rows = self.arrays.weights.take(features.ids, axis=0)
        columns = np.einsum("i,ij", features.values, rows) + self.arrays.bias
        own = columns[: len(self.agencies)]
        probabilities = np.exp(own - own.max())
        probabilities /= probabilities.sum()
        return Scores(columns, probabilities, rows if explained else _NO_ROWS, features)

    def probabilities(self, words: Sequence[Word]) -> Floats:
        """Probability of each of `agencies`: shape (agencies,), summing to 1."""
        return self.scores(words, explained=False).probabilities

    def ranked(self, scores: Scores, most: int = MAX_RANKED) -> list[Candidate]:
        """List the likeliest agencies, first the first; equals stand in the order of `agencies`."""
        order = np.argsort(-scores.probabilities, kind="stable")[:most].tolist()
        values = scores.probabilities.tolist()
        return [Candidate(self.agencies[place], values[place]) for place in order]

    def evidence(self, words: Sequence[Word], scores: Scores, first: str, second: str) -> tuple[Evidence, ...]:
        """Tell what each word added to the first agency's score and to its lead over the second, strongest first.

        Without a limit on their number, the words' weights and the bias add up to the score.
        """
        features = scores.features
        if not len(features.ids) or not {first, second} <= self._place.keys():  # a rule may name an agency never trained on
            return ()
        one, other = scores.rows[:, self._place[first]], scores.rows[:, self._place[second]]
        # Two sums at once: the part in the score is real, the part in the lead imaginary.
        each = np.empty(len(features.ids), dtype=np.complex64)
        each.real, each.imag = one, one - other
        each *= features.values / features.counts
        scratch = self._scratch()
        scratch[features.ids] = each
        added = self._by_word(features, scratch.take(features.occurrences))
        # The words of one abbreviation stand next to each other and share one place in the text.
        starts = [place for place, word in enumerate(words) if not place or word[2:4] != words[place - 1][2:4]]
        if len(starts) < len(words):
            added = np.add.reduceat(added, starts)
        ends = [*starts[1:], len(words)]
        strongest = np.argsort(-np.abs(added.imag), kind="stable")[:MAX_EVIDENCE].tolist()
        weights, margins = added.real.tolist(), added.imag.tolist()
        found = []
        for place in strongest:
            text, _, field, start, end, _ = words[starts[place]]
            if ends[place] - starts[place] > 1:
                text = " ".join(word.text for word in words[starts[place] : ends[place]])
            found.append(Evidence(Span(field, start, end), text, weights[place], margins[place]))
        return tuple(found)

    def _scratch(self) -> NDArray[np.complex64]:
        """Give this thread's (features,) to write on: finding features by number beats searching for them."""
        scratch: NDArray[np.complex64] | None = getattr(self._local, "scratch", None)
        if scratch is None:
            scratch = self._local.scratch = np.zeros(len(self.arrays.idf), dtype=np.complex64)
        return scratch

    @staticmethod
    def _by_word(features: Features, occurrences: NDArray[np.complex64]) -> NDArray[np.complex128]:
        """Sum what every occurrence of a feature adds by the words it lies in: (words,)."""
        edges = [0, *accumulate(features.lengths)]
        sums = np.zeros(edges[-1] + 1, dtype=np.complex128)
        np.cumsum(occurrences[: edges[-1]], out=sums[1:])
        at_edges = sums.take(edges)
        by_word = at_edges[1:] - at_edges[:-1]
        if features.seconds:  # a pair's part goes in halves to its two words
            second, halves = np.array(features.seconds), occurrences[edges[-1] :] / 2
            by_word[second] += halves
            by_word[second - 1] += halves
        return by_word


def _counted(numbers: Ints) -> tuple[Ints, NDArray[np.intp]]:
    """Answer the distinct numbers, ascending, and how often each occurs: `np.unique` in a third of its time."""
    ordered = np.sort(numbers)
    is_edge = np.ones(len(ordered) + 1, dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=is_edge[1:-1])
    edges = is_edge.nonzero()[0]
    return ordered[edges[:-1]], edges[1:] - edges[:-1]
