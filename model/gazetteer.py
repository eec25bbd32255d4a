"""The names of a region's places and roads, in every spelling that is understood, and what each may mean.

Names are compared without their spaces and in a folded spelling, so that "Sangata", "Jemur Wonosari" and "jemurwonosari",
"Dabek" and "Dabeq" are found as they come; in long words a slip is forgiven. `model.place` finds them in a text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from model.register import ROAD_WORDS, Place, Register
from model.remembered import Remembered
from model.routing import FoundPlace
from model.text import CACHE_SIZE, load_abbreviations, load_roots, tokenise

MIN_TYPO = 7
"""Letters of a word in a name from which a missing, added or swapped letter or a wrong vowel is forgiven."""
MIN_WRONG_LETTER = 10
"""Letters from which a wrong consonant is forgiven too."""
MIN_FOLDED = 5
"""Letters from which a word is recognised in another spelling at all."""
_LONGEST = 12
"""Words of a form's field that are looked at."""


def word_set(text: str) -> frozenset[str]:
    """Answer the words of a text, each once."""
    return frozenset(text.split())


# Papua, Yogyakarta, Aceh, West Sumatra and Lampung have names of their own for the two, and for who heads them.
KECAMATAN_CUES = word_set("kecamatan kec camat sekcam distrik kapanewon panewu kemantren")
DESA_CUES = word_set(
    "desa ds kelurahan kel lurah kades dusun dsn kampung kampong kp kpg kalurahan gampong keuchik geuchik nagari pekon peratin"
)
_SHORT = {
    "tanjung": ("tj", "tjg"),
    "teluk": ("tlk",),
    "muara": ("mra",),
    "batu": ("bt",),
    "bukit": ("bkt",),
    "danau": ("dn",),
    "pulau": ("pl",),
    "gunung": ("gn",),
    "sungai": ("sei",),
    "simpang": ("simp", "spg"),
}
"""How maps and people shorten the first word of a name: "Tj. Labu", "Tlk. Lingga". One that is also something else is none
("MA Bengalon" is a school)."""

_JALAN = ROAD_WORDS - {"poros"}
ROAD, TRUNK = "J", "P"
"""What a key has for a word like "jalan" and for "poros"; folded words are lower-case, so none is mistaken for these."""

_FOLDS = re.compile(r"oe|dj|tj|sj|([bdgkt])h|ph|(?<=a)w\b|[vfqyzx]")
_FOLDED = {
    "w": "u",
    "oe": "u",
    "dj": "j",
    "tj": "c",
    "sj": "si",
    "ph": "p",
    "v": "p",
    "f": "p",
    "q": "k",
    "y": "i",
    "z": "s",
    "x": "ks",
}
_DOUBLED = re.compile(r"(.)\1+")
_PREFIXES = word_set("pe pem pen peng peny per pel me mem men meng meny ber be ter te se ke di")
_SUFFIXES = word_set("an kan nya annya kannya i lah ku mu")


def fold(word: str) -> str:
    """Fold a normalised word into the spelling that names are compared in: "sangatta" and "sangata" are one."""
    return _DOUBLED.sub(r"\1", _FOLDS.sub(lambda match: match[1] or _FOLDED[match[0]], word))


class Meaning(NamedTuple):
    """What a name stands for; `caution` says behind which words it counts.

    0 any, 1 one like "di", 2 one like "desa", 3 a preposition: "sgt" is Sangatta in "di sgt", but "jalan sgt rusak" is "sangat".
    """

    kind: str
    name: str
    kecamatan: str = ""
    desa: str = ""
    road_class: str = ""
    caution: int = 0


class Gazetteer:
    """The names of one register. Read-only once compiled; threads may share it.

    A name's key is its folded words in one: "jemurwonosari". That of a road opens with ROAD or TRUNK, for the word before its name.
    """

    def __init__(self, register: Register) -> None:
        """Compile them: some 20 ms."""
        self._roots = load_roots()
        self.kecamatan = {name: Place(name, type="kecamatan") for name in register.kecamatan}
        self.kecamatan |= {place.kecamatan: place for place in register.places if not place.desa}
        self.desa = {(place.kecamatan, place.desa): place for place in register.places if place.desa}
        self._spelled: set[str] = set()
        self.meanings: dict[str, tuple[Meaning, ...]] = {}
        """By key."""
        self.labels: dict[str, str] = {}
        """By key, the name as the register writes it."""
        self.seams: dict[str, set[int]] = {}
        """By key, where within it the words of the name may begin."""
        for label, meaning in self._names(register):
            for spelling in _spellings(label):
                self._add(spelling, label, meaning)
        self.prefixes = frozenset(key[:end] for key in self.meanings for end in range(1, len(key) + 1))
        """What keys begin with, and the keys themselves."""
        self._near = self._near_spellings()
        self.key = Remembered(self._key_anew, CACHE_SIZE)
        """What stands for a written word in a key; "" where it cannot be part of a name."""

    def _names(self, register: Register) -> Iterator[tuple[str, Meaning]]:
        for name, place in self.kecamatan.items():
            for label in (name, *place.aliases):
                yield label, Meaning("kecamatan", name, name, caution=self._caution(label, place))
        for (kecamatan, desa), place in self.desa.items():
            for label in (desa, *place.aliases):
                yield label, Meaning("desa", desa, kecamatan, desa, caution=self._caution(label, place))
        for road in register.roads:
            for label in (road.name, *road.aliases):
                yield label, Meaning("road", road.name, road.kecamatan, road_class=road.road_class)

    def _caution(self, label: str, place: Place) -> int:
        if place.ordinary and label == place.name:
            return 2
        words = [token.text for token in tokenise(label)]
        if len(words) > 1:
            return 0
        if words[0] in load_abbreviations():
            return 3
        if words[0] in self._roots:
            return 2
        return 1 if len(words[0]) < 4 or self._is_word(words[0]) else 0

    def _is_word(self, word: str) -> bool:
        """Tell whether a word is, or may be, an ordinary affixed one; errs on that side, and costs microseconds."""
        cores = {word, *(word[len(prefix) :] for prefix in _PREFIXES if word.startswith(prefix))}
        cores |= {core[: -len(suffix)] for core in cores for suffix in _SUFFIXES if core.endswith(suffix)}
        return any(len(core) > 2 and core in self._roots for core in cores)

    def _add(self, spelling: str, label: str, meaning: Meaning) -> None:
        words = [token.text for token in tokenise(spelling)]
        marks = [""]
        if meaning.kind == "road" and words[0] in _JALAN:
            # Who says "jalan poros" for a road means the same road as who says "jalan".
            words, marks = (words[2:], [TRUNK]) if words[1:2] == ["poros"] else (words[1:], [ROAD, TRUNK])
        elif meaning.kind == "road" and words[0] == "poros":
            words, marks = words[1:], [TRUNK]
        self._spelled.update(words)
        folded = [fold(word) for word in words]
        # Joined, "Kapas Sari" loses one s; apart, it keeps both.
        for mark in marks:
            for key in {mark + "".join(folded), mark + fold("".join(words))}:
                seams = {len(mark) + len("".join(folded[:count])) for count in range(len(words))}
                self.seams.setdefault(key, set()).update(seams)
                self.labels.setdefault(key, label)
                known = self.meanings.get(key, ())
                if not any(other[:4] == meaning[:4] for other in known):
                    self.meanings[key] = (*known, meaning)

    def _near_spellings(self) -> dict[str, str]:
        """Map each long, uncommon word of a name, and the word less any one letter, to that word; "" where two would claim it."""
        near: dict[str, str] = {}
        for word in sorted(fold(word) for word in self._spelled if len(word) >= MIN_TYPO and not self._is_word(word)):
            for spelling in (word, *_without_one(word)):
                near[spelling] = word if near.get(spelling, word) == word else ""
        return near

    def _key_anew(self, word: str) -> str:
        """Answer what stands for a written word in a key; "" where it cannot be part of a name."""
        if word in _JALAN:
            return ROAD
        if word == "poros":
            return TRUNK
        folded = fold(word)
        if word in self._spelled:
            return folded
        if len(folded) < MIN_FOLDED or self._is_word(word):
            # "bayi" is not Baay, nor "pengadaan" Pengadan, though they fold alike.
            return folded if folded == word else ""
        if len(folded) < MIN_TYPO - 1:
            return folded
        for spelling in (folded, *_without_one(folded)):
            meant = self._near.get(spelling, "")
            if meant and meant[0] == folded[0] and _is_typo(folded, meant):
                return meant
        return folded

    def lookup(self, name: str, kind: str) -> tuple[Place, ...]:
        """Answer the places of a kind that a written name may stand for; words such as "Kec." before it are stepped over.

        A name may begin with such a word itself ("Kampung Baru", "Dusun Utara"), so the whole is looked for first.
        """
        words = [token.text for token in tokenise(name)][:_LONGEST]
        while True:
            key = "".join(self.key[word] for word in words)
            meanings = [meaning for meaning in self.meanings.get(key, ()) if meaning.kind == kind]
            if meanings or len(words) < 2 or not (words[0] in KECAMATAN_CUES or words[0] in DESA_CUES):
                break
            words = words[1:]
        return tuple(
            self.desa[meaning.kecamatan, meaning.desa] if meaning.desa else self.kecamatan[meaning.kecamatan]
            for meaning in meanings
        )

    def places_of(self, found: FoundPlace) -> tuple[Place, ...]:
        """Answer the places that a name found in a text may stand for; of a road its kecamatan, where it lies in one."""
        if found.kind == "road":
            return (self.kecamatan[found.kecamatan],) if found.kecamatan in self.kecamatan else ()
        if (found.kecamatan, found.desa) in self.desa:
            return (self.desa[found.kecamatan, found.desa],)
        if found.kind == "kecamatan" and found.kecamatan in self.kecamatan:
            return (self.kecamatan[found.kecamatan],)
        return self.lookup(found.name, found.kind)


def _spellings(label: str) -> Iterator[str]:
    """Yield a name, and each way of writing it with its first word shortened."""
    yield label
    first, _, rest = label.partition(" ")
    if rest:
        yield from (f"{short} {rest}" for short in _SHORT.get(first.lower(), ()))


def _without_one(word: str) -> Iterator[str]:
    return (word[:index] + word[index + 1 :] for index in range(len(word)))


def _is_typo(written: str, meant: str) -> bool:
    """Tell whether a word is one slip away from a name: a letter added, missing, or swapped with its neighbour, or a wrong one.

    A wrong consonant makes another name too easily (Sidomulyo is not Simomulyo), so only long names are forgiven that.
    """
    short, long = sorted((written, meant), key=len)
    if short == long or len(long) - len(short) > 1:
        return short == long
    at = next((index for index, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if len(short) < len(long):
        return short[at:] == long[at + 1 :]
    if short[at + 1 :] == long[at + 1 :]:
        return len(meant) >= MIN_WRONG_LETTER or (short[at] in "aeiou" and long[at] in "aeiou")
    return short[at : at + 2] == long[at : at + 2][::-1] and short[at + 2 :] == long[at + 2 :]
