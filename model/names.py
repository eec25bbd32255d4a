"""What is a name of a person: by lexicons written by hand, and by what no name is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import resources

from model.text import load_abbreviations, load_roots

_PREFIXES = {
    "": (
        *("", "di", "ter", "ber", "be", "me", "mem", "men", "meng", "pe", "pem", "pen", "peng", "per", "se", "ke", "nge", "ng"),
        *("n", "menge", "penge", "diper", "memper", "diber", "keber", "keter"),
    ),
    "p": ("mem", "pem", "m"),
    "t": ("men", "pen", "n"),
    "k": ("meng", "peng", "ng"),
    "s": ("meny", "peny", "ny"),
}
"""By the first letter of the root that a prefix has swallowed."""
_SUFFIXES = ("", "nya", "kan", "an", "i", "lah", "kah", "ku", "mu", "pun", "annya", "kannya", "inya")
_BREAKS = re.compile(r"[^\w .\t\u00a0]")
_TOKENS = re.compile(r"[^\W\d_]+|\d+")
_MAX_TITLES = 3
_POLICE = ("polres", "polsek", "polda")
"""Offices whose name goes on with a city's: "Polresta", "Polrestabes"."""
_LEAST_HEADED = 4
"""Letters up to which no head is looked for: "Kasman" is nobody of an SMAN."""
_LEAST_TELLING = 4
"""Letters of a name that tells by itself: "Ani" and "Edi" are also the ends and the beginnings of other words."""


def _lines(name: str) -> list[str]:
    content = resources.files("model").joinpath("lexicon", name).read_text(encoding="utf-8")
    return [line for line in content.splitlines() if not line.startswith("#")]


def _lexicon(name: str) -> frozenset[str]:
    return frozenset(word for line in _lines(name) for word in line.split())


@cache
def known() -> frozenset[str]:
    """Read the given and family names that are known, in small letters; some are ordinary words too."""
    return _lexicon("names.txt")


@cache
def offices() -> frozenset[str]:
    """Read the words that follow a cue for a name and are none."""
    return _lexicon("no_names.txt")


@cache
def of_streets() -> frozenset[str]:
    """Read the names after which streets, schools, companies and feasts are called more often than somebody alive."""
    return _lexicon("street_names.txt")


@cache
def mostly() -> frozenset[str]:
    """Read the names that are short, or words too, but within a sentence and in capitals hardly anything else."""
    return _lexicon("mostly_names.txt")


@cache
def beside(group: str) -> frozenset[str]:
    """Read the words of a group that stand beside names (`lexicon/beside_names.tsv` tells what each group says of the name)."""
    rows = (line.split("\t") for line in _lines("beside_names.tsv"))
    return frozenset(word for word, of in rows if of == group)


@cache
def announcing() -> Mapping[str, str]:
    """Read the words that announce a name, and of which kind they are. Of two words ("pak long") the second alone has none: ""."""
    kinds = dict(line.split("\t") for line in _lines("announcing.tsv"))
    return {**{words.split()[-1]: "" for words in kinds}, **kinds}


@cache
def common() -> frozenset[str]:
    """Words of the dictionary that nobody is called by. Made once: that takes a millisecond, and a text can hold many "bin"."""
    return load_roots() - known()


def is_telling(word: str) -> bool:
    """Tell whether a word in small letters is a name that is hardly anything else: somebody's, wherever it stands."""
    return len(word) >= _LEAST_TELLING and word in known() and word not in of_streets() and not is_ordinary(word)


def is_of_place(before: str) -> bool:
    """Tell whether a name behind these characters is a place's: "depan Jl. H. ", "pasar ", "simpang 3 Haji ".

    The teacher and the head of a school are somebody: "kepala sd ".
    """
    words = _TOKENS.findall(_BREAKS.split(before)[-1].lower())
    titles = 0
    while titles < min(_MAX_TITLES, len(words)) and words[-1 - titles] in beside("title"):
        titles += 1
    words = words[: len(words) - titles]
    if words[-2:-1] == ["simpang"] and words[-1].isdigit():
        return True
    return words[-1:] != [] and words[-1] in beside("place") and (len(words) < 2 or announcing().get(words[-2]) != "job")


@lru_cache(maxsize=20_000)
def is_ordinary(word: str) -> bool:
    """Tell whether a word is no name: a root of the dictionary, with or without affixes, an abbreviation, an office."""
    return _is_office(word) or _is_built_on(load_roots(), word)


@lru_cache(maxsize=20_000)
def is_common(word: str) -> bool:
    """Tell whether a word is so common that it is no part of a name either: the dictionary's rarer roots may be ("Seran")."""
    return _is_office(word) or _is_built_on(_common_roots(), word)


def may_follow(word: str) -> bool:
    """Tell whether a word with a capital may be part of a name that begins before it; of one in capitals alone less is believed."""
    return len(word) > 2 and not (is_ordinary if word.isupper() else is_common)(word.lower())


@cache
def _common_roots() -> frozenset[str]:
    return _lexicon("common_roots.txt")


def _is_office(word: str) -> bool:
    """Tell whether a word is an office, its head ("Kadinkes", "Wakapolresta") or an abbreviation."""
    of = word.removeprefix("wa").removeprefix("ka")
    headed = len(of) > _LEAST_HEADED and (of in offices() or of.startswith(_POLICE))
    return word in offices() or word in load_abbreviations() or headed or word.startswith("kemen")


def _is_built_on(roots: frozenset[str], word: str) -> bool:
    bodies = [word[: len(word) - len(suffix)] for suffix in _SUFFIXES if word.endswith(suffix)]
    return any(
        body.startswith(prefix) and len(body) > len(prefix) + 2 and lost + body[len(prefix) :] in roots
        for body in bodies
        for lost, prefixes in _PREFIXES.items()
        for prefix in prefixes
    )
