"""Landmarks: what stands behind "di depan" or "dekat" says where a matter is, not what it is.

A lamp in front of the hospital is no matter of the hospital's. A sum over words cannot tell, so features are made without
landmarks; places, rules and cues still read every word. `tests/benchmarks/landmarks.py` measures what that is worth.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

from model.text import Word, load_landmarks

MAX_BETWEEN = 2
"""Words between "depan" and the landmark: "di depan pintu gerbang sekolah"."""
MAX_LANDMARK = 4
"""Words of one landmark that are left out: "kantor dinas kesehatan kota"."""
_TEXT = attrgetter("text")


class Landmarks:
    """Finds landmarks by model/lexicon/landmarks.tsv. Threads share one."""

    def __init__(self) -> None:
        """Take the words apart by their part in a landmark."""
        parts = load_landmarks()
        self._near, self._between, self._landmark, self._detail = (
            frozenset(word for word, part in parts.items() if part == name) for name in ("near", "between", "landmark", "detail")
        )

    def leave_out(self, words: Sequence[Word]) -> Sequence[Word]:
        """List a complaint's words without its landmarks; the words themselves where there is none, as mostly."""
        if self._near.isdisjoint(map(_TEXT, words)):
            return words
        kept: list[Word] = []
        at = 0
        while at < len(words):
            kept.append(words[at])
            at += 1
            if kept[-1].text in self._near:
                begin, end = self._behind(words, at)
                kept += words[at:begin]
                at = end
        return kept

    def _behind(self, words: Sequence[Word], at: int) -> tuple[int, int]:
        """Answer where the landmark behind a word of nearness begins and ends; both `at` where there is none."""
        begin = at
        while begin < min(at + MAX_BETWEEN, len(words)) and words[begin].text in self._between and not words[begin].first:
            begin += 1
        if begin == len(words) or words[begin].text not in self._landmark or not _opens(words[begin]):
            return at, at
        end = begin + 1
        while end < len(words) and not words[end].first and (self._goes_on(words[end], end - begin) or not words[end].written):
            end += 1
        return begin, end

    def _goes_on(self, word: Word, length: int) -> bool:
        """Tell whether a word still belongs to a landmark of so many words: "kantor" "desa", "sd" "004"."""
        named = word.text in self._detail or word.text in self._landmark or word.text.isdigit()
        return named and length < MAX_LANDMARK


def _opens(word: Word) -> bool:
    """Tell whether a word can open a landmark: it is in the field of the word before, and no later part of an abbreviation."""
    return not word.first and bool(word.written)
