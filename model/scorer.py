"""The fitted pipeline as plain arrays: scikit-learn's numbers in a fraction of the time, and the explanation of each.

The model is linear and a text is the sum of its words: what a word adds to every score is worked out once and remembered,
so a text costs one sum over its distinct words. That sum is also the explanation, and an exact one.
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, repeat
from operator import attrgetter
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from model.artifact import ArtifactError
from model.features import char_grams_of
from model.remembered import Remembered
from model.routing import Candidate, Evidence
from model.text import Word

Table = NDArray[np.float32]
Floats = NDArray[np.float64]

WORD_CACHE = 30_000
"""Words for which is remembered what they add: about 25 MB when full."""
MAX_EVIDENCE = 12
"""Words of evidence in one answer: the strongest; a page shows no more."""
MAX_RANKED = 12
"""Candidates that the rest of the way sees; those behind have almost no probability left."""
MAX_COUNT = 5_000
"""How often one word can come in one complaint: `text.MAX_TOKENS` of title and text each, some of several words."""
_TINY = np.float32(1e-30)
_FORM, _TEXT, _STEM = attrgetter("text", "stem"), attrgetter("text"), attrgetter("stem")
_FIRST, _WRITTEN = attrgetter("first"), attrgetter("written")
_COUNTS = np.maximum(np.arange(MAX_COUNT + 1), 1)
_COUNTED: Floats = np.array([(1 + np.log(_COUNTS)) ** power / _COUNTS for power in (1, 2)])
"""(2, MAX_COUNT + 1): a word that comes so often counts 1 + log(count). This is each time's part of it, and of its square."""


class Scores(NamedTuple):
    """Scores of every column (agencies first), the probability of every agency, and what stands behind them."""

    columns: Floats
    probabilities: Floats
    words: Table
    """(words, 2, columns + 1) what each word, counted once, adds by its stem and by its characters."""
    pairs: Table
    """(words - 1, columns + 1) what each word with the one behind it adds to the block of stems; 0 where that is no feature."""
    shares: Floats
    """Weight of each word, then of each pair; repetitions share the weight of their kind, 1 + log(count)."""
    scale: tuple[float, float]
    """What the sums of the block of stems and of that of characters are multiplied by: 1 / sqrt(weight)."""
    known: int
    """How many of the words have a stem that the model knows."""


@dataclass(frozen=True)
class Arrays:
    """The arrays of an artifact, by name as they are stored.

    `additions` is (features, columns + 1): what one occurrence of a feature adds to every column, the temperature and the
    block's share folded in, and, last, to the weight of its block. `bias` is (columns,). The first columns are the
    agencies'; further ones are other heads over the same features.
    """

    additions: Table
    bias: Table

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]], features: int, agencies: int) -> Self:
        """Take them from an artifact. Raises ArtifactError where one has not the shape or type that the others ask for."""
        found = cls(arrays["additions"], arrays["bias"])
        columns = len(found.bias)
        wanted = {"additions": (features, columns + 1), "bias": (columns,)}
        for name, shape in wanted.items():
            array = arrays[name]
            if array.shape != shape or array.dtype != np.float32 or not np.isfinite(array).all():
                raise ArtifactError(f"{name}: {array.dtype} of shape {array.shape}; must be finite float32 of shape {shape}")
        if (found.additions[:, -1] < 0).any():
            raise ArtifactError("additions: the last column has weights below 0")
        if columns < agencies or agencies < 2:
            raise ArtifactError(f"bias: {columns} columns for {agencies} agencies; there must be two agencies at least")
        return found


class Scorer:
    """Scores words. Read-only after construction, and shared by threads."""

    def __init__(self, vocabulary: Sequence[str], arrays: Arrays, agencies: Sequence[str]) -> None:
        """Index the vocabulary, whose names open with the letter of their block (`features.BLOCKS`)."""
        self.agencies = tuple(agencies)
        self._place = {agency: place for place, agency in enumerate(self.agencies)}
        # A row of zeros at the end stands for all that is no feature, so that nothing has to be sifted out of a text.
        self._additions: Table = np.concatenate([arrays.additions, np.zeros((1, len(arrays.bias) + 1), np.float32)])
        self._nothing = len(arrays.additions)
        self.arrays = Arrays(self._additions[:-1], arrays.bias)
        self._ids: dict[str, int] = {}
        self._pairs: dict[tuple[str, str], int] = {}
        for number, name in enumerate(vocabulary):
            first, space, second = name.partition(" ")
            if name[0] == "s" and space:
                self._pairs[sys.intern(first[1:]), sys.intern(second)] = number
            else:
                self._ids[name] = number
        self._of_word = Remembered(self._look_up, WORD_CACHE)

    def _look_up(self, word: tuple[str, str]) -> bytes:
        """Answer what a word, its text and stem, adds: float32 (2, columns + 1), as bytes, so that a text's are joined at once."""
        ids, additions = self._ids, self._additions
        text, stem = word
        adds = np.empty((2, additions.shape[1]), dtype=np.float32)
        adds[0] = additions[ids.get(f"s{stem}", self._nothing)]
        grams = [ids[gram] for gram in char_grams_of(text) if gram in ids]
        adds[1] = additions.take(grams, axis=0).sum(axis=0, dtype=np.float64)
        return adds.tobytes()

    def scores(self, words: Sequence[Word]) -> Scores:
        """Score every column and turn the agencies' into probabilities.

        It walks over the words in maps rather than in loops: this is most of the time of an answer.
        """
        size, columns = len(words), len(self.arrays.bias)
        adds = b"".join(map(self._of_word.__getitem__, map(_FORM, words)))
        table: Table = np.frombuffer(adds, np.float32).reshape(size, 2, columns + 1)
        followed = list(map(self._pairs.get, pairwise(map(_STEM, words)), repeat(self._nothing)))
        if size and words[0].field != words[-1].field:
            followed[list(map(_FIRST, words)).index(True, 1) - 1] = self._nothing  # no pair reaches across title and text
        pairs = self._additions.take(followed, axis=0)
        # One text has one stem for a word, so its text names it.
        kinds = [*map(_TEXT, words), *followed]
        shares, squares = _COUNTED.take(list(map(Counter(kinds).__getitem__, kinds)), axis=1, mode="clip")
        # Not as a product of matrices: BLAS adds up a long text in an order that depends on its threads, the last digits too.
        sums = np.einsum("i,ijk->jk", shares[:size], table)
        sums[0] += np.einsum("i,ik->k", shares[size:], pairs)
        weights = np.einsum("i,ij->j", squares[:size], table[:, :, -1])
        weights[0] += np.einsum("i,i", squares[size:], pairs[:, -1])
        by_stem, by_characters = (1 / math.sqrt(weight) if weight > 0 else 0.0 for weight in weights.tolist())
        found = sums[0, :-1] * by_stem + sums[1, :-1] * by_characters + self.arrays.bias
        own = found[: len(self.agencies)]
        probabilities = np.exp(own - own.max())
        probabilities /= probabilities.sum()
        known = int(np.count_nonzero(table[:, 0, -1]))
        return Scores(found, probabilities, table, pairs, shares, (by_stem, by_characters), known)

    def probabilities(self, words: Sequence[Word]) -> Floats:
        """Probability of each of `agencies`: shape (agencies,), summing to 1."""
        return self.scores(words).probabilities

    def parts(self, scores: Scores, starts: Sequence[int]) -> tuple[NDArray[np.intp], Table, NDArray[np.intp]]:
        """Judge parts of a scored text each by itself: the likeliest agency's number, its probability, how many words are known.

        `starts` are the numbers of the words that open a part, 0 first; all answers are (parts,). A word that comes several times
        in the text has its share of the whole in each part, so that nothing is counted again: the part's scores are then not
        quite those of its text alone.
        """
        size, own = len(scores.words), len(self.agencies)
        shares = scores.shares.astype(np.float32)
        shares[[size + start - 1 for start in starts[1:]]] = 0.0  # no pair reaches across two parts
        adds = scores.words * shares[:size, None, None]
        adds[:-1, 0] += scores.pairs * shares[size:, None]
        sums = np.add.reduceat(adds, starts, axis=0)
        scale = 1 / np.sqrt(np.maximum(sums[:, :, -1:], _TINY))
        found = sums[:, 0, :own] * scale[:, 0] + sums[:, 1, :own] * scale[:, 1] + self.arrays.bias[:own]
        best = found.argmax(axis=1)
        likely = 1 / np.exp(found - found.max(axis=1, keepdims=True)).sum(axis=1)
        return best, likely, np.add.reduceat(scores.words[:, 0, -1] > 0, starts, dtype=np.intp)

    def known(self, words: Sequence[Word]) -> int:
        """Count the words whose stem the model knows."""
        return sum(f"s{word.stem}" in self._ids for word in words)

    def ranked(self, scores: Scores) -> list[Candidate]:
        """List the MAX_RANKED likeliest agencies, first the first; equals stand in the order of `agencies`."""
        order = np.argsort(-scores.probabilities, kind="stable")[:MAX_RANKED]
        return list(map(Candidate, map(self.agencies.__getitem__, order.tolist()), scores.probabilities.take(order).tolist()))

    def evidence(self, words: Sequence[Word], scores: Scores, first: str, second: str) -> tuple[Evidence, ...]:
        """Tell what each word added to the first agency's score and to its lead over the second, strongest first.

        Without a limit on their number, the words' weights and the bias add up to the score.
        """
        if not {first, second} <= self._place.keys():  # a rule may name an agency never trained on
            return ()
        both = [self._place[first], self._place[second]]
        size = len(words)
        added = np.einsum("i,ijk,j->ki", scores.shares[:size], scores.words.take(both, axis=2), scores.scale)
        # A pair's part goes in halves to its two words.
        halves = np.einsum("i,ik->ki", scores.shares[size:] * (scores.scale[0] / 2), scores.pairs.take(both, axis=1))
        added[:, :-1] += halves
        added[:, 1:] += halves
        texts = list(map(_TEXT, words))
        if not all(map(_WRITTEN, words)):
            # The words of one abbreviation stand next to each other and share one place in the text.
            starts = [place for place, word in enumerate(words) if word.written]
            texts = [" ".join(texts[start:end]) for start, end in pairwise([*starts, size])]
            words = [words[start] for start in starts]
            added = np.add.reduceat(added, starts, axis=1)
        added[1] = added[0] - added[1]
        order = np.argsort(-np.abs(added[1]), kind="stable")[:MAX_EVIDENCE]
        weights, margins = added.take(order, axis=1).tolist()
        places = order.tolist()
        spans = [words[place].span for place in places]
        return tuple(map(Evidence, spans, map(texts.__getitem__, places), weights, margins))
