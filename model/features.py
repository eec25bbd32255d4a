"""From words to feature names: the n-grams that training counts and the scorer looks up.

Two blocks side by side: stems (one and two in a row) and characters inside words as they were written.
A feature's name opens with its block's letter, so that one vocabulary holds both. A block is made of units, each
a word or a pair of words with its features. A text is the sum of its units (`training.fitting.weights`), so what a unit
adds is worked out once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType

from model.text import Word

CHAR_NGRAMS = (2, 5)

Unit = tuple[str, str, tuple[str, ...]]
"""A word (text, stem) or, both empty, a pair of words; and the names of its features."""
Units = Callable[[Sequence[Word]], list[Unit]]


def char_grams_of(word: str) -> tuple[str, ...]:
    """Character n-grams of one word with a space on either side, as scikit-learn's `char_wb` makes them."""
    padded = f" {word} "
    shortest, longest = CHAR_NGRAMS
    grams = []
    for size in range(shortest, longest + 1):
        grams += [f"c{padded[start : start + size]}" for start in range(max(1, len(padded) - size + 1))]
        if size >= len(padded):
            break  # a short word counts once as a whole
    return tuple(grams)


_remembered = lru_cache(maxsize=20_000)(char_grams_of)
"""For training alone, which meets the same words in every fold; 3 kB a word. The scorer remembers numbers instead."""


def stem_units(words: Sequence[Word]) -> list[Unit]:
    """Words with their stems, and pairs of stems in a row."""
    pairs: list[Unit] = [("", "", (f"s{a.stem} {b.stem}",)) for a, b in pairwise(words) if not b.first]
    return [(word.text, word.stem, (f"s{word.stem}",)) for word in words] + pairs


def stem_grams(words: Sequence[Word]) -> list[str]:
    """Names of stems, one and two in a row; no pair reaches across title and text."""
    return [name for *_, (name,) in stem_units(words)]


def char_units(words: Sequence[Word]) -> list[Unit]:
    """Words with the characters inside them as written, two to five in a row."""
    return [(word.text, word.stem, _remembered(word.text)) for word in words]


BLOCKS: MappingProxyType[str, Units] = MappingProxyType({"s": stem_units, "c": char_units})
"""Each block's letter and its units, in the order of the columns."""
