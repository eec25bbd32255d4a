"""Cues: words and phrases that speak for an aspect of a complaint, from model/lexicon/cues.tsv, found by word or by stem.

No cue decides alone: how many there are of a group, and which stand near each other, are facts among others (`model.aspect_facts`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from importlib import resources
from types import MappingProxyType
from typing import Any, NamedTuple

from model.faults import Fault, InvalidData
from model.remembered import Remembered
from model.text import CACHE_SIZE, Word, normalise_word, stand

GROUPS = (
    "misuse",
    "official",
    "money",
    "demand",
    "secrecy",
    "probe",
    "ask",
    "inform",
    "wish",
    "want",
    "harm",
    "praise",
    "thanks",
    "but",
    "advert",
    "rumour",
    "private",
    "several",
    "test",
    "refers",
    "spot",
    "address",
)
"""What a cue can be a cue of; model/lexicon/cues.tsv says what each group means. The last two may name a place."""
NUMBER_OF = MappingProxyType({group: number for number, group in enumerate(GROUPS)})
"""A group's place among GROUPS, by which it is known once cues are compiled."""
HERE = "here"
"""The group of words that, behind "gang" or "di", name no place: "gang kami", "di sini"."""
MAX_CUE_WORDS = 4

Rest = tuple[tuple[str, ...], int]
"""How a cue goes on after its second word, and its group."""


class Meaning(NamedTuple):
    """What one word is a cue of: alone, and with a second word `behind` it."""

    groups: tuple[int, ...]
    behind: Mapping[str, tuple[Rest, ...]]


class Cues:
    """Words and phrases by what they are a cue of, ready to be looked up word by word. Threads may share one."""

    def __init__(self, phrases: Mapping[str, Sequence[str]]) -> None:
        """Index cues by their first word. `phrases` has groups of GROUPS, or HERE, each with its cues."""
        self.phrases = MappingProxyType({group: tuple(items) for group, items in phrases.items()})
        self.here = frozenset(self.phrases.get(HERE, ()))
        self._meanings: dict[str, Meaning] = {}
        for group, number in NUMBER_OF.items():
            for phrase in self.phrases.get(group, ()):
                first, *rest = phrase.split()
                groups, behind = self._meanings.get(first, Meaning((), {}))
                if rest:
                    behind = {**behind, rest[0]: (*behind.get(rest[0], ()), (tuple(rest[1:]), number))}
                else:
                    groups = (*groups, number)
                self._meanings[first] = Meaning(groups, behind)
        self.of_word = Remembered(self._look_up, CACHE_SIZE)

    def __reduce__(self) -> tuple[type[Cues], tuple[Any, ...]]:
        """Travel to another process without the cache: it fills again."""
        return type(self), (dict(self.phrases),)

    @property
    def digest(self) -> str:
        """SHA-256 of all cues, each with its group, in whatever order they were written."""
        lines = sorted(f"{phrase}\t{group}" for group, items in self.phrases.items() for phrase in items)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def _look_up(self, word: tuple[str, str]) -> Meaning | None:
        """Answer what a word, its text and stem, is a cue of; None if nothing."""
        text, stem = word
        one = self._meanings.get(text)
        other = self._meanings.get(stem) if stem != text else None
        if one is None or other is None:
            return one or other
        behind = {key: (*one.behind.get(key, ()), *other.behind.get(key, ())) for key in (*one.behind, *other.behind)}
        return Meaning((*one.groups, *other.groups), behind)


def read_cues(content: str, file: str) -> Cues:
    """Read lines of a cue of one to four normalised words, a tab, and its group; a line that opens with "#" is a comment.

    Raises InvalidData naming every line that is not that, and every cue that stands twice in a group.
    """
    phrases: dict[str, list[str]] = {group: [] for group in (*GROUPS, HERE)}
    faults = []
    for number, line in enumerate(content.splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        phrase, _, group = line.partition("\t")
        if reason := wrong_cue(phrase, group):
            faults.append(Fault(file, number, reason))
        elif phrase in phrases[group]:
            faults.append(Fault(file, number, f"{phrase!r} stands already above in {group}"))
        else:
            phrases[group].append(phrase)
    if faults:
        raise InvalidData(faults)
    return Cues(phrases)


def load_cues() -> Cues:
    """Read model/lexicon/cues.tsv."""
    return read_cues(resources.files("model").joinpath("lexicon", "cues.tsv").read_text(encoding="utf-8"), "model/lexicon/cues.tsv")


def wrong_cue(phrase: str, group: str) -> str:
    """Say what is wrong with a cue, "" if nothing is."""
    if group not in NUMBER_OF and group != HERE:
        return f"group {group!r}: one of {', '.join((*GROUPS, HERE))}"
    words = phrase.split(" ")
    most = 1 if group == HERE else MAX_CUE_WORDS
    if len(words) > most or any(not word or word != normalise_word(word) for word in words):
        return f"cue {phrase!r}: must be {'one normalised word' if most == 1 else f'1 to {most} normalised words'}"
    return ""


def longer_cues(words: Sequence[Word], at: int, behind: Mapping[str, tuple[Rest, ...]]) -> tuple[int, ...]:
    """Answer the groups of the cues of several words that begin at a word, all in one field."""
    following = words[at + 1]
    if following.first:
        return ()
    seconds = (following.text,) if following.text == following.stem else (following.text, following.stem)
    return tuple(group for second in seconds for rest, group in behind.get(second, ()) if stand(words, at + 2, rest))
