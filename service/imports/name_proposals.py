"""Which agency of the register a name means, as an operator of another system wrote it: proposals, never decisions."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from model.register import DISTRICT_TYPES, Agency, Register

SURE = 0.85
"""A proposal of this score is offered as already chosen; one below it waits for a person to choose it."""
LEAST = 0.3
MAX_NAME = 300
_SPELLING = 0.84
"""Two words this alike, letter for letter, are one word misspelt: "perhubugan"."""
_UNKNOWN = 0.6
"""Weight of a word that no agency is called by, as a share of a rare word's: it speaks against every proposal alike."""
_REGION = re.compile(r"(?:pemkab|pemkot|pemda)(?: \w+){0,3}|pemerintah(?:an)?(?: (?:daerah|kabupaten|kab|kota)\b.*)?")
_TAIL = re.compile(r"(?<=\S) (?:pemerintah )?(?:kabupaten|kab|kota) \S.*$")
_BEHIND = frozenset((*DISTRICT_TYPES, "kota", "kabupaten"))
"""What may follow an office's name: "Kelurahan Melati Kecamatan Kenanga", "Kecamatan Kenanga Kabupaten Bandung"."""
_SAME = {
    "dan": "",
    "&": "",
    "pt": "",
    "persero": "",
    "kab": "kabupaten",
    "prov": "provinsi",
    "kec": "kecamatan",
    "kel": "kelurahan",
    "ketenagakerjaan": "tenaga kerja",
}


@dataclass(frozen=True, slots=True)
class _Family:
    """How a family's offices are called: one of its names, then one of its units."""

    openings: frozenset[tuple[str, ...]]
    units: frozenset[tuple[str, ...]]

    @classmethod
    def of(cls, agency: Agency, register: Register) -> _Family:
        """Take a family's names and units as words."""
        names = (agency.name.partition(" (")[0], *agency.aliases)
        units = {place.kecamatan if agency.per == "kecamatan" else place.desa for place in register.places} - {""}
        return cls(*(frozenset(tuple(_words(name)) for name in some) for some in (names, units)))

    def has(self, words: Sequence[str]) -> bool:
        """Tell whether words name one of its offices: "Kelurahan Melati", "Kantor Camat Kenanga Kabupaten Bandung"."""
        starts = [start for start in range(1, len(words)) if tuple(words[:start]) in self.openings]
        ends = [end for end in range(2, len(words) + 1) if end == len(words) or words[end] in _BEHIND]
        # From the first word on, it is a unit that begins as its family: "Kampung Baru".
        return any(tuple(words[start:end]) in self.units for start in (0, *starts) for end in ends) if starts else False


@dataclass(frozen=True, slots=True)
class Proposal:
    """An agency and how well its names fit, from 0 to 1."""

    agency: str
    score: float


class NameIndex:
    """The names of a register, weighed by how rare their words are."""

    def __init__(self, register: Register) -> None:
        """Read every name and alias once."""
        self._forms = [
            (agency.id, words) for agency in register.agencies for form in (agency.name, *agency.aliases) if (words := _words(form))
        ]
        self._families = {agency.id: _Family.of(agency, register) for agency in register.agencies if agency.per}
        counts = Counter(word for _, words in self._forms for word in set(words))
        self._rarest = math.log(1 + len(self._forms))
        self._weights = {word: math.log(1 + len(self._forms) / count) for word, count in counts.items()}

    def propose(self, name: str) -> Sequence[Proposal]:
        """Answer the three agencies whose names fit best, the best first; none where nothing fits at all."""
        whole, words = _words(name), _words(_TAIL.sub("", plain(name)))
        if not words:
            return ()
        written, known = set(whole), {word: self._nearest(word) for word in words}
        best = {agency: 1.0 for agency, family in self._families.items() if family.has(whole)}
        for agency, form in self._forms:
            # A register may name its region too, as in "Dinas Kesehatan Kota Bontang": then the tail is no stranger's.
            score = 1.0 if written == set(form) else self._score([known[word] or word for word in words], form)
            if score > best.get(agency, 0.0):
                best[agency] = score
        ranked = sorted(best.items(), key=lambda item: (-item[1], item[0]))
        return tuple(Proposal(agency, round(score, 3)) for agency, score in ranked[:3] if score >= LEAST)

    def _score(self, words: Sequence[str], form: Sequence[str]) -> float:
        """Twice what both share over what both have (Dice), each word by its weight."""
        ours, theirs = set(words), set(form)
        shared = sum(self._weight(word) for word in ours & theirs)
        return 2 * shared / (sum(map(self._weight, ours)) + sum(map(self._weight, theirs))) if shared else 0.0

    def _weight(self, word: str) -> float:
        return self._weights.get(word, _UNKNOWN * self._rarest)

    def _nearest(self, word: str) -> str:
        """Answer the register's own spelling of a word; empty where it has none."""
        if word in self._weights:
            return word
        if len(word) < 5:
            return ""
        near = ((_alike(word, known), known) for known in self._weights if abs(len(known) - len(word)) <= 3 and known[0] == word[0])
        likeness, known = max(near, default=(0.0, ""))
        return known if likeness >= _SPELLING else ""


def is_region(name: str) -> bool:
    """Tell whether a name is that of the whole government ("Pemerintah Kabupaten ..."): not yet passed on to anyone."""
    return _REGION.fullmatch(plain(name)) is not None


def plain(text: str) -> str:
    """Reduce a name to what is compared: lower case, words and single spaces only."""
    return " ".join(re.findall(r"[^\W_]+|&", text[:MAX_NAME].casefold()))


@lru_cache(maxsize=20_000)
def _alike(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


def _words(text: str) -> list[str]:
    return [part for word in plain(text).split() for part in _SAME.get(word, word).split()]
