"""What the register alone says of a complaint, before any model: words, places, and who is competent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from model import authority
from model.complaint import Complaint
from model.landmarks import Landmarks
from model.place import PlaceFinder, ResolvedPlace
from model.register import Register
from model.routing import Candidate, FiredRule, FoundPlace
from model.rules import load_rules
from model.text import Analyzer, Word


def protected_words(register: Register) -> list[str]:
    """Names of one word that must keep their form: places, and the short names of agencies."""
    places = [name for place in register.places for name in (place.kecamatan, place.desa, *place.aliases)]
    names = [*places, *(alias for agency in register.agencies for alias in agency.aliases)]
    return sorted({name for name in names if name and len(name.split()) == 1})


class Reading(NamedTuple):
    """A complaint as read: its words, and the places and roads that text and form name."""

    complaint: Complaint
    words: Sequence[Word]
    matter: Sequence[Word]
    """The words that features are made of: without landmarks, which say where it is, not what."""
    found: tuple[FoundPlace, ...]
    place: ResolvedPlace


class Reader:
    """What a register alone says of a complaint, before any model: words, places, competence. Threads share one."""

    def __init__(self, register: Register) -> None:
        """Compile the register's names and rules. Raises InvalidData where a rule is wrong."""
        self.register = register
        self.analyzer = Analyzer(protected_words(register))
        self._landmarks = Landmarks()
        self._places = PlaceFinder(register)
        self.rules = load_rules(register)

    def read(self, complaint: Complaint) -> Reading:
        """Read the words and find the places."""
        words = self.analyzer.words(complaint)
        found = self._places.find(words, complaint.kecamatan, complaint.desa)
        place = self._places.resolve(found, complaint.kecamatan, complaint.desa)
        return Reading(complaint, words, self._landmarks.leave_out(words), found, place)

    def apply_rules(self, candidates: Sequence[Candidate], reading: Reading) -> tuple[tuple[Candidate, ...], tuple[FiredRule, ...]]:
        """Let the rules of authority move the matter to the level that is competent; answer the candidates ranked anew."""
        return authority.apply(self.rules, candidates, reading.words, reading.place, reading.found)

    def what_to_do(self, reading: Reading) -> str:
        """Answer what a reporter in danger should do, "" where the region's rules have nothing to say."""
        return authority.what_to_do(self.rules, reading.words, reading.place, reading.found)
