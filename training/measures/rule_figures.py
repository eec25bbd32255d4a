"""What each rule of competence is worth: how many answers are right with and without it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from model.authority import apply
from model.place import ResolvedPlace
from model.routing import Candidate, FoundPlace
from model.rules import Rule, Rules
from model.text import Word


class Case(NamedTuple):
    """A labelled complaint with a model's candidates, and all that a rule may ask about it."""

    candidates: Sequence[Candidate]
    words: Sequence[Word]
    place: ResolvedPlace
    found: Sequence[FoundPlace]
    agency: str


@dataclass(frozen=True, slots=True)
class RuleFigures:
    """One rule alone, whether it is on or off: where it fired, and what became of the first candidate there."""

    id: str
    on: bool
    moves: bool
    fired: int
    right_without: int
    right_with: int

    @property
    def gain(self) -> int:
        """Complaints that the rule puts right, less those that it puts wrong."""
        return self.right_with - self.right_without


def measure_rules(rules: Iterable[Rule], cases: Sequence[Case]) -> tuple[RuleFigures, ...]:
    """Measure each rule of competence by itself, in the order given, and last, as "all", those that are on together."""
    rules = tuple(rule for rule in rules if not rule.emergency)
    figures = [_measure(rule.id, rule.on, bool(rule.move_to), Rules([replace(rule, on=True)]), cases) for rule in rules]
    return (*figures, _measure("all", True, True, Rules(rule for rule in rules if rule.on), cases))


def _measure(name: str, on: bool, moves: bool, rules: Rules, cases: Sequence[Case]) -> RuleFigures:
    fired = without = with_rules = 0
    for case in cases:
        candidates, reports = apply(rules, case.candidates, case.words, case.place, case.found)
        if reports:
            fired += 1
            without += case.candidates[0].agency == case.agency
            with_rules += candidates[0].agency == case.agency
    return RuleFigures(name, on, moves, fired, without, with_rules)
