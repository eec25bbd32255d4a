"""The fitted pipeline as plain arrays: scikit-learn's numbers at a fraction of the time, and why.

The model is linear and a text is the sum of its words: what a word adds to every score is worked out once and remembered,
so a text costs one sum over its distinct words. It is also the explanation, and exact.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from model.artifact import ArtifactError
from model.features import char_grams_of
from model.remembered import Remembered
from model.routing import Candidate, Evidence, Span
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
_NO_PAIRS: Mapping[str, int] = {}
_GAINS: Floats = np.concatenate([[0.0], 1 + np.log(np.arange(1, MAX_COUNT + 1))])
"""How much a word counts that comes so often: 1 + log(count)."""


class Parts(NamedTuple):
    """The distinct words of a text, or the distinct pairs of words."""

    adds: Table
    """(distinct, ..., columns + 1) what each adds to every column and to its block's weight."""
    counts: Mapping[Any, int]
    """How often each comes, in the same order: words by text and stem, pairs by number."""

    def gains(self) -> Floats:
        """(distinct,) how much each counts."""
        gains: Floats = _GAINS.take(list(self.counts.values()), mode="clip")
        return gains

    def at(self, occurrences: Iterable[Any], shares: NDArray[np.floating[Any]]) -> Floats:
        """Give each occurrence its part of what the distinct one adds: (distinct, 2) become (occurrences, 2)."""
        place = {key: number for number, key in enumerate(self.counts)}
        each = shares * (self.gains() / np.array(list(self.counts.values())))[:, None]
        parts: Floats = each.take([place[key] for key in occurrences], axis=0)
        return parts


class Scores(NamedTuple):
    """Scores of every column (agencies first), the probability of every agency, and what stands behind them."""

    columns: Floats
    probabilities: Floats
    words: Parts
    """What a word adds by its stem and by its characters: (distinct, 2, columns + 1)."""
    pairs: Parts
    """What a pair adds to the block of stems: (distinct, columns + 1)."""
    followed: Sequence[tuple[int, int]]
    """For each occurrence of a pair, the number of its second word and its own."""
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
        self.arrays = arrays
        self._ids: dict[str, int] = {}
        self._followers: dict[str, dict[str, int]] = {}
        for number, name in enumerate(vocabulary):
            first, space, second = name.partition(" ")
            if name[0] == "s" and space:
                self._followers.setdefault(first, {})[second] = number
            else:
                self._ids[name] = number
        self._of_word = Remembered(self._look_up, WORD_CACHE)

    def _look_up(self, word: tuple[str, str]) -> tuple[bytes, bool, Mapping[str, int]]:
        """Answer what a word, its text and stem, adds, whether its stem is known, and the pairs that it opens.

        What it adds is the bytes of float32 (2, columns + 1), so that those of a whole text are joined at once; a pair's
        number is found by its second stem.
        """
        ids, additions = self._ids, self.arrays.additions
        text, stem = word
        name = f"s{stem}"
        adds = np.zeros((2, additions.shape[1]), dtype=np.float32)
        if name in ids:
            adds[0] = additions[ids[name]]
        if grams := [ids[gram] for gram in char_grams_of(text) if gram in ids]:
            adds[1] = additions.take(grams, axis=0).sum(axis=0, dtype=np.float64)
        return adds.tobytes(), name in ids, self._followers.get(name, _NO_PAIRS)

    def scores(self, words: Sequence[Word]) -> Scores:
        """Score every column and turn the agencies' into probabilities."""
        of_word, additions = self._of_word, self.arrays.additions
        counts: dict[tuple[str, str], int] = {}
        pairs: dict[int, int] = {}
        adds: list[bytes] = []
        followed: list[tuple[int, int]] = []
        known = 0
        followers = _NO_PAIRS
        for place, (text, stem, _, _, _, first, _) in enumerate(words):
            if stem in followers and not first:
                number = followers[stem]
                pairs[number] = pairs.get(number, 0) + 1
                followed.append((place, number))
            word = text, stem
            found, is_known, followers = of_word[word]
            known += is_known
            if word in counts:
                counts[word] += 1
            else:
                counts[word] = 1
                adds.append(found)
        table: Table = np.frombuffer(b"".join(adds), dtype=np.float32).reshape(len(adds), 2, additions.shape[1])
        of_words = Parts(table, counts)
        of_pairs = Parts(additions.take(list(pairs), axis=0), pairs)
        # Not as a product of matrices: BLAS adds up a long text in an order that depends on its threads, the last digits too.
        gains = of_words.gains()
        sums = np.einsum("i,ijk->jk", gains, table)
        weights = np.einsum("i,ij->j", gains * gains, table[:, :, -1])
        if pairs:
            gains = of_pairs.gains()
            sums[0] += np.einsum("i,ik->k", gains, of_pairs.adds)
            weights[0] += np.einsum("i,i", gains * gains, of_pairs.adds[:, -1])
        stems, characters = (1 / math.sqrt(weight) if weight > 0 else 0.0 for weight in weights.tolist())
        columns = sums[0, :-1] * stems + sums[1, :-1] * characters + self.arrays.bias
        own = columns[: len(self.agencies)]
        probabilities = np.exp(own - own.max())
        probabilities /= probabilities.sum()
        return Scores(columns, probabilities, of_words, of_pairs, followed, (stems, characters), known)

    def probabilities(self, words: Sequence[Word]) -> Floats:
        """Probability of each of `agencies`: shape (agencies,), summing to 1."""
        return self.scores(words).probabilities

    def known(self, words: Sequence[Word]) -> int:
        """Count the words whose stem the model knows."""
        return sum(f"s{word.stem}" in self._ids for word in words)

    def ranked(self, scores: Scores, most: int = MAX_RANKED) -> list[Candidate]:
        """List the likeliest agencies, first the first; equals stand in the order of `agencies`."""
        values = scores.probabilities.tolist()
        order = sorted(range(len(values)), key=values.__getitem__, reverse=True)[:most]
        return [Candidate(self.agencies[place], values[place]) for place in order]

    def evidence(self, words: Sequence[Word], scores: Scores, first: str, second: str) -> tuple[Evidence, ...]:
        """Tell what each word added to the first agency's score and to its lead over the second, strongest first.

        Without a limit on their number, the words' weights and the bias add up to the score.
        """
        if not len(words) or not {first, second} <= self._place.keys():  # a rule may name an agency never trained on
            return ()
        stems, characters = scores.scale
        both = [self._place[first], self._place[second]]
        of_words = scores.words.adds.take(both, axis=2)
        added = scores.words.at((word[:2] for word in words), of_words[:, 0] * stems + of_words[:, 1] * characters)
        weights, others = added.T.tolist()
        # A pair's part goes in halves to its two words.
        halves = scores.pairs.at((number for _, number in scores.followed), scores.pairs.adds.take(both, axis=1) * (stems / 2))
        for (place, _), (one, other) in zip(scores.followed, halves.tolist(), strict=True):
            weights[place - 1] += one
            weights[place] += one
            others[place - 1] += other
            others[place] += other
        # The words of one abbreviation stand next to each other and share one place in the text.
        starts = [place for place, word in enumerate(words) if word[6]]
        ends = [*starts[1:], len(words)]
        if len(starts) < len(words):
            weights, others = (
                [sum(each[start:end]) for start, end in zip(starts, ends, strict=True)] for each in (weights, others)
            )
        margins = [weight - other for weight, other in zip(weights, others, strict=True)]
        found = []
        strongest = sorted(range(len(margins)), key=[abs(margin) for margin in margins].__getitem__, reverse=True)
        for place in strongest[:MAX_EVIDENCE]:
            text, _, field, start, end, _, _ = words[starts[place]]
            if ends[place] - starts[place] > 1:
                text = " ".join(word.text for word in words[starts[place] : ends[place]])
            found.append(Evidence(Span(field, start, end), text, weights[place], margins[place]))
        return tuple(found)
