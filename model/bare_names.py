"""Mask the names of people that no word announces: "Kemarin Sutrisno sudah lapor", "hub. Dewi Lestari 0812…".

Such a name is found by the lexicon alone: a name that is hardly anything else (`names.is_telling`), with the names around it. It
stays where it is a street's, a school's or a shop's: behind a word for one, beside another proper name ("Permata Hartono"), before
one for a firm ("Hartono Motor"). Small letters say less than capitals, as do capitals where all is in capitals: there it takes two
names, or a word such as "oleh" or "si" before one. Time is linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from itertools import pairwise

from model import names

MAX_BESIDE = 4
"""Words of a name on each side of the one that tells."""
_BEFORE = 60
"""Characters before a name in which a word for a place is looked for."""
_LEAST = 3
"""Letters of a word that says something of a name; fewer are an initial or a particle."""
_MAX_ACRONYM = 4
"""Letters of a word in capitals that may be an abbreviation."""
_SHOUTED = 0.6
"""Share of words in capitals from which capitals say nothing of a text's words."""
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_BLANKS = re.compile(r"[ \t\u00a0]{1,2}")
_FULL_STOP = re.compile(r"\.[ ]?")
_NUMBER = re.compile(r"[ .]{0,3}(?:[IVX]{1,4}\b|\d)")
_ITEM = re.compile(r" \d{1,2}[.)] ")
"""What opens the next part of a list."""
_SIGNS = " \t\u00a0.,:(\"'"
_OPENS = re.compile(r"(?:^|[.!?:;,\n(\-–—/])\s{0,3}$")
"""What stands before a word that opens a sentence, a line or a part of a list."""


def mask_bare(text: str, said: AbstractSet[str]) -> str:
    """Answer the text with a mark for each such name. `said` are its words in small letters."""
    telling, mostly = set(filter(names.is_telling, names.known() & said)), names.mostly() & said
    if not telling and not mostly:
        return text
    words = _Words(text)
    pieces: list[str] = []
    done = free = 0  # the end of the last mark; the first word that is part of no name yet
    for number, word in enumerate(words.written):
        small = word.islower() or (word.isupper() and (words.shouted or len(word) <= _MAX_ACRONYM))
        if number < free or not (word.lower() in telling or (word.lower() in mostly and not small and words.tells(number))):
            continue
        first, last = words.name_around(number, free, small)
        free = last + 1
        if words.is_somebody(first, last, small):
            pieces += (text[done : words.starts[first]], "[NAMA]")
            done = words.ends[last]
    return "".join((*pieces, text[done:])) if pieces else text


class _Words:
    """The words of a text, by number, as names are looked for among them."""

    def __init__(self, text: str) -> None:
        found = list(_WORD.finditer(text))
        self.written = [word[0] for word in found]
        self.starts, self.ends = [word.start() for word in found], [word.end() for word in found]
        longer = [word.isupper() for word in self.written if len(word) >= _LEAST]
        self.shouted = sum(longer) > _SHOUTED * len(longer)
        self._text = text

    def name_around(self, number: int, free: int, small: bool) -> tuple[int, int]:
        """Answer the numbers of the first and the last word of the name around one that tells; no word before `free` is in it.

        Words in capitals that nobody knows are in it too where no further word in capitals stands beside them: else they may be a
        place's ("Camat Kaubun Hendra Wijaya", "Hendra Wijaya Mawar Kali 63").
        """
        low, high = max(free, number - MAX_BESIDE), min(number + MAX_BESIDE, len(self.written) - 1)

        def reach(step: int, fits: Callable[[str], bool]) -> int:
            at = number
            while low <= at + step <= high and self._joined(at, at + step) and fits(self.written[at + step]):
                at += step
            return at

        if small:
            return reach(-1, _is_known_small), reach(1, _is_known_small)
        first, last = reach(-1, _is_known), reach(1, _is_known)
        begin, end = reach(-1, _may_begin), reach(1, _may_be)
        return (begin if self._begins(begin) else first), (end if self._ends(end) else last)

    def is_somebody(self, first: int, last: int, small: bool) -> bool:
        """Tell whether a name is a person's, and not a place's."""
        plain = [word.lower() for word in self.written[first : last + 1]]
        streets = names.of_streets().intersection((*plain, *map("_".join, pairwise((self._beside(first, -1).lower(), *plain)))))
        begins_as_street = streets == {plain[0]} and any(map(names.is_telling, plain[1:]))  # "Teuku Zulfadli"
        if (streets and not begins_as_street) or self._is_of_place(first):
            return False
        behind = self._beside(last, 1).lower()
        if behind in names.beside("firm") or behind in names.of_streets():
            return False
        before = self.written[first - 1] if first and not self._between(first).strip(_SIGNS) else ""
        if small:
            return sum(len(word) >= _LEAST for word in plain) > 1 or before.lower() in names.beside("small")
        if not before[:1].isupper() or before.lower() in names.beside("capital") or self._between(first).strip():
            return True
        # A proper name goes on ("Gereja Yakobus"), unless its capital only opens a sentence ("Kemarin Sutrisno").
        goes_on = before.isupper() or before.lower() in names.beside("rank") or self._is_of_place(first - 1)
        return not goes_on and self.opens(first - 1)

    def _between(self, number: int) -> str:
        """Answer what stands between the word before and a word."""
        return self._text[self.ends[number - 1] : self.starts[number]]

    def _joined(self, one: int, other: int) -> bool:
        """Tell whether two neighbours may be parts of one name, by what stands between them."""
        between, word = self._between(max(one, other)), self.written[min(one, other)]
        if between == "-" or _BLANKS.fullmatch(between):
            return True
        return (len(word) == 1 or word.lower() in names.beside("short")) and _FULL_STOP.fullmatch(between) is not None

    def _beside(self, number: int, step: int) -> str:
        """Answer the word that is joined to a word on one side, "" where none is."""
        beside = number + step
        return self.written[beside] if 0 <= beside < len(self.written) and self._joined(number, beside) else ""

    def _begins(self, first: int) -> bool:
        """Tell whether nothing before a word speaks against a name's beginning with it."""
        before = self._beside(first, -1)
        return not before[:1].isupper() or before.lower() in names.beside("capital") or self.opens(first - 1)

    def _ends(self, last: int) -> bool:
        """Tell whether nothing behind a word speaks against a name's ending with it."""
        behind = self._beside(last, 1)
        if _NUMBER.match(self._text, self.ends[last]) and not _ITEM.match(self._text, self.ends[last]):
            return False  # a street's
        return not behind[:1].isupper() or behind.lower() in names.beside("capital") or names.is_ordinary(behind.lower())

    def tells(self, number: int) -> bool:
        """Tell whether a word that is mostly a name is one here: within a sentence, or before a word that may be nothing else."""
        behind = self._beside(number, 1)
        return not self.opens(number) or (behind[:1].isupper() and _may_be(behind) and not names.is_ordinary(behind.lower()))

    def opens(self, number: int) -> bool:
        """Tell whether a word opens a sentence, a line or a part of a list; not behind "Hub." or "Sdr."."""
        if number and self.written[number - 1].lower() in names.beside("capital") and self._between(number).strip() == ".":
            return False
        start = self.starts[number]
        return _OPENS.search(self._text, max(start - 4, 0), start) is not None

    def _is_of_place(self, number: int) -> bool:
        start = self.starts[number]
        return names.is_of_place(self._text[max(start - _BEFORE, 0) : start])


def _is_known_small(word: str) -> bool:
    """Tell whether a word in small letters beside a name is part of it."""
    plain = word.lower()
    return plain in names.mostly() or (plain in names.known() and not names.is_ordinary(plain))


def _is_known(word: str) -> bool:
    """Tell whether a word beside a name in capitals is part of it: known, an initial, or a particle ("Nurlela Br Ginting")."""
    plain = word.lower()
    return _is_known_small(word) or (
        word[0].isupper() and (len(word) == 1 or plain in names.known() or plain in names.beside("part"))
    )


def _may_begin(word: str) -> bool:
    """Tell whether a word before a name in capitals may be part of it: no word of the language ("Bakso Sutrisno")."""
    return _is_known(word) or (_may_be(word) and not names.is_ordinary(word.lower()))


def _may_be(word: str) -> bool:
    """Tell whether a word beside a name in capitals may be part of it: known, or in capitals and no word of the language."""
    plain = word.lower()
    if plain in names.beside("firm") or plain in names.beside("rank") or plain in names.beside("place"):
        return False
    return _is_known(word) or (len(word) >= _LEAST and word[0].isupper() and not word.isupper() and not names.is_common(plain))
