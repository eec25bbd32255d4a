"""Who is competent at which level: a region's rules (`model.rules`) applied to a complaint.

Rules of competence move probability from one agency to another, or ask for a person; those of emergency say what the reporter
should do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from operator import attrgetter

from model.faults import Fault
from model.place import ResolvedPlace
from model.routing import Candidate, FiredRule, FoundPlace
from model.rules import FILE, MAX_WITHIN, Phrase, Rule, Rules
from model.text import Word, stand

MOVED = 0.9
"""Share of the probability that a rule moves: rules are right about nine times in ten, and the rest keeps the old one in sight."""

_TEXT, _STEM = attrgetter("text"), attrgetter("stem")


class _Text:
    """The words of a complaint as rules ask for them; each view of them is made only when a rule first needs it."""

    __slots__ = ("_found_at", "_known", "_words")

    def __init__(self, words: Sequence[Word]) -> None:
        self._words = words
        self._known: set[str] | None = None
        self._found_at: dict[str, list[int]] | None = None

    @property
    def _forms(self) -> set[str]:
        if self._known is None:
            self._known = {*map(_TEXT, self._words), *map(_STEM, self._words)}
        return self._known

    @property
    def _at(self) -> Mapping[str, Sequence[int]]:
        if self._found_at is None:
            self._found_at = {}
            for number, word in enumerate(self._words):
                for form in {word.text, word.stem}:
                    self._found_at.setdefault(form, []).append(number)
        return self._found_at

    def has_any(self, phrases: Iterable[Phrase]) -> bool:
        return any(map(self.has, phrases))

    def has(self, phrase: Phrase) -> bool:
        if len(phrase) == 1:
            return phrase[0] in self._forms
        return self._forms.issuperset(phrase) and any(stand(self._words, at + 1, phrase[1:]) for at in self._at[phrase[0]])


def _holds(rule: Rule, text: _Text, place: ResolvedPlace, roads: Collection[str]) -> bool:
    """Tell whether the part of a condition that looks at the complaint holds, the candidates left aside."""
    if rule.roads and rule.roads.isdisjoint(roads):
        return False
    if rule.kecamatan and place.kecamatan not in rule.kecamatan:
        return False
    if rule.unplaced and (place.kecamatan or place.candidates or roads):
        return False
    return (not rule.any or text.has_any(rule.any)) and all(map(text.has, rule.all)) and not text.has_any(rule.none)


def what_to_do(rules: Rules, words: Sequence[Word], place: ResolvedPlace, found: Iterable[FoundPlace]) -> str:
    """Answer, for an emergency, the sentence of the first rule of emergency that holds; "" where none does."""
    text, roads = _Text(words), _road_classes(found, place)
    return next((rule.sentence for rule in rules.of_emergency if _holds(rule, text, place, roads)), "")


def _road_classes(found: Iterable[FoundPlace], place: ResolvedPlace) -> set[str]:
    """Answer the classes of the roads that are named. A road of one kecamatan is not meant where the place is another."""
    here = ("", place.kecamatan) if place.kecamatan else None
    return {road.road_class for road in found if road.road_class and (here is None or road.kecamatan in here)}


def apply(
    rules: Rules,
    candidates: Sequence[Candidate],
    words: Sequence[Word],
    place: ResolvedPlace,
    found: Iterable[FoundPlace],
) -> tuple[tuple[Candidate, ...], tuple[FiredRule, ...]]:
    """Apply the rules that are on to ranked candidates; answer the candidates as they then are, and the rules that fired.

    All conditions are judged on the candidates as they came in, so the order of the file decides nothing. A rule that
    moves gives MOVED of the probability of each of its agencies to its target; the sum stays what it was. A rule whose
    target leads already does nothing. Where rules that hold would move the matter to different agencies, none does, and
    each is reported with an empty `agency`, like a rule that asks for a person: that is the authority conflict.
    """
    text, roads = _Text(words), _road_classes(found, place)
    order = [candidate.agency for candidate in candidates[:MAX_WITHIN]]
    first = order[0] if order else ""
    fired = [
        rule
        for rule in rules.for_first(first)
        if (not rule.agencies or first in rule.agencies or not rule.agencies.isdisjoint(order[: rule.within]))
        and rule.move_to != first
        and _holds(rule, text, place, roads)
    ]
    if not fired:
        return tuple(candidates), ()
    moving = [rule for rule in fired if rule.move_to]
    torn = len({rule.move_to for rule in moving}) > 1
    if moving and not torn:
        candidates = _moved(candidates, moving[0].move_to, frozenset().union(*(rule.agencies for rule in moving)))
    return tuple(candidates), tuple(FiredRule(rule.id, rule.sentence, "" if torn else rule.move_to) for rule in fired)


def _moved(candidates: Sequence[Candidate], target: str, sources: Collection[str]) -> tuple[Candidate, ...]:
    probabilities: dict[str, float] = {}
    gained = 0.0
    for candidate in candidates:
        part = MOVED * candidate.probability if candidate.agency in sources else 0.0
        probabilities[candidate.agency] = candidate.probability - part
        gained += part
    probabilities[target] = probabilities.get(target, 0.0) + gained
    return tuple(Candidate(agency, p) for agency, p in sorted(probabilities.items(), key=lambda item: (-item[1], item[0])))


def lint(
    rules: Sequence[Rule], complaints: Iterable[tuple[Sequence[Word], ResolvedPlace, Iterable[FoundPlace]]]
) -> tuple[Fault, ...]:
    """Name the rules whose condition on words, place and roads holds for no complaint of a corpus."""
    silent = list(rules)
    for words, place, found in complaints:
        text, roads = _Text(words), _road_classes(found, place)
        silent = [rule for rule in silent if not _holds(rule, text, place, roads)]
        if not silent:
            break
    return tuple(Fault(FILE, rule.line, f"rule {rule.id!r} holds for no complaint of the corpus") for rule in silent)
