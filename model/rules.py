"""The rules of a region: what a rule is, and `rules.toml` read and checked.

A classifier learns what a complaint is about; which level answers for it (whose road, whose school, whose river) is law. A rule
says so in data that an officer can read: a condition over the candidates, the place, the roads and the words, an effect, the
sentence that the admin is shown, and where it stands written. `model.authority` applies them.

Rules of emergency stand in the same file and move nothing: they say what people in danger should do rather than wait for an
answer. Whether it is one, the model tells.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from model.faults import Fault, InvalidData
from model.register import ROAD_CLASSES, Register
from model.text import load_abbreviations, tokenise

FILE = "rules.toml"
MAX_RULES = 500
MAX_WITHIN = 7
"""Candidates among which a rule may look for its agencies, at the most."""

_HEADER = re.compile(r"\s*\[\[\s*rule\s*\]\]\s*(#.*)?")
_AT_LINE = re.compile(r"\(at line (\d+), column \d+\)")
_PATTERN = re.compile(r"[*|^$\\\[\]]")
_TEXTS = ("id", "sentence", "source", "note", "move_to")
_PHRASES = ("any", "all", "none")
_LISTS = ("agencies", "roads", "kecamatan", *_PHRASES)
_SWITCHES = ("on", "review", "emergency", "unplaced")
_KEYS = frozenset((*_TEXTS, *_LISTS, *_SWITCHES, "within"))

Phrase = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of competence. Every part of the condition that is given must hold.

    `agencies`: one of the first `within` candidates is one of these. `roads`: a road of one of these classes is named.
    `kecamatan`: the place is known to lie in one of these. `unplaced`: text and form name no place or road of the region.
    `any`, `all`, `none`: phrases of the text, each word of which matches a word as written or its stem. Effect: `move_to` an
    agency; or it says what to do in an `emergency`; or, where it does neither, a person must look.
    """

    id: str
    sentence: str
    source: str
    move_to: str = ""
    agencies: frozenset[str] = frozenset()
    within: int = 1
    roads: frozenset[str] = frozenset()
    kecamatan: frozenset[str] = frozenset()
    unplaced: bool = False
    any: tuple[Phrase, ...] = ()
    all: tuple[Phrase, ...] = ()
    none: tuple[Phrase, ...] = ()
    on: bool = True
    emergency: bool = False
    line: int = 0

    @property
    def condition(self) -> tuple[object, ...]:
        """What decides whether it fires; two rules with the same one must not differ in effect."""
        return (
            self.agencies,
            self.within,
            self.roads,
            self.kecamatan,
            self.unplaced,
            frozenset(self.any),
            frozenset(self.all),
            frozenset(self.none),
        )


class Rules(tuple[Rule, ...]):
    """The rules of a region in the order of the file, with those that can fire at all for each first candidate at hand."""

    @cached_property
    def of_emergency(self) -> tuple[Rule, ...]:
        """The rules of emergency that are on."""
        return tuple(rule for rule in self if rule.on and rule.emergency)

    @cached_property
    def _of_competence(self) -> tuple[Rule, ...]:
        return tuple(rule for rule in self if rule.on and not rule.emergency)

    @cached_property
    def _elsewhere(self) -> tuple[Rule, ...]:
        return tuple(rule for rule in self._of_competence if not rule.agencies or rule.within > 1)

    @cached_property
    def _by_first(self) -> Mapping[str, tuple[Rule, ...]]:
        agencies = {agency for rule in self for agency in rule.agencies}
        return {
            agency: tuple(rule for rule in self._of_competence if not rule.agencies or agency in rule.agencies or rule.within > 1)
            for agency in agencies
        }

    def outdated(self, register: Register, date: str) -> Iterator[str]:
        """Say what becomes of each rule that is on and names an agency that does not exist on an ISO date, but not its successor.

        It is no fault of the file: a rule is outdated on the day after an agency's last.
        """
        for rule in filter(lambda rule: rule.on, self):
            for agency in (*sorted(rule.agencies), *filter(None, [rule.move_to])):
                if register.by_id[agency].active_on(date):
                    continue
                heir = register.current(agency, date)
                gone = f"rule {rule.id!r} names {agency}, which does not exist on {date}"
                if agency == rule.move_to:
                    yield f"{gone}: what it moves waits for a person" + (f"; name {heir}" if heir != agency else "")
                elif heir not in (*rule.agencies, rule.move_to):  # where nobody took over, that is itself
                    yield f"{gone}: it does not fire where {heir} is likely; name that too"

    def for_first(self, agency: str) -> tuple[Rule, ...]:
        """Answer the rules of competence that are on and may hold where this agency is the first candidate."""
        return self._by_first.get(agency, self._elsewhere)


def load_region(folder: Path) -> tuple[Register, Rules]:
    """Read a region whole, register and rules. Raises InvalidData with every fault of both."""
    register, faults = Register.read(folder)
    rules, wrong = _read_rules(register)
    faults += [replace(fault, file=str(folder / fault.file)) for fault in wrong]
    if faults:
        raise InvalidData(faults)
    return register, rules


def load_rules(register: Register) -> Rules:
    """Read the rules of a region, none where it has no `rules.toml`; those that are off too.

    Raises InvalidData with every fault, each with its line: unknown key, agency, road class or kecamatan, empty
    condition, missing sentence or source, and rules that contradict each other.
    """
    rules, faults = _read_rules(register)
    if faults:
        raise InvalidData(faults)
    return rules


def _read_rules(register: Register) -> tuple[Rules, list[Fault]]:
    content = register.files.get(FILE, b"")
    try:
        text = content.decode("utf-8-sig")
        document = tomllib.loads(text)
    except UnicodeDecodeError as error:
        return Rules(), [Fault(FILE, content[: error.start].count(b"\n") + 1, f"not UTF-8: byte 0x{content[error.start]:02x}")]
    except ValueError as error:  # tomllib's own, and that of int for a number of thousands of digits
        at = _AT_LINE.search(str(error))
        return Rules(), [Fault(FILE, int(at[1]) if at else 0, f"not TOML: {_AT_LINE.sub('', str(error)).strip()}")]
    except RecursionError:
        return Rules(), [Fault(FILE, 0, "not TOML: nested too deeply")]
    faults = [Fault(FILE, 0, f"unknown key {key!r}: only [[rule]]") for key in document if key != "rule"]
    tables = document.get("rule", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        return Rules(), [*faults, Fault(FILE, 0, "rules are written as [[rule]]")]
    if len(tables) > MAX_RULES:
        return Rules(), [*faults, Fault(FILE, 0, f"over {MAX_RULES} rules")]
    rules: list[Rule] = []
    for table, (line, lines) in zip(tables, _places(text, len(tables)), strict=True):
        wrong = list(_faults_of(table, register))
        faults += [Fault(FILE, lines.get(key, line), reason) for key, reason in wrong]
        if not wrong:
            rules.append(_rule(table, line))
    faults += _contradictions(rules)
    return Rules(rules), sorted(faults, key=lambda fault: fault.line)


def _places(text: str, count: int) -> list[tuple[int, Mapping[str, int]]]:
    """Answer for each [[rule]] its line and those of its keys; line 0 where the file is written in another way."""
    places: list[tuple[int, dict[str, int]]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if _HEADER.fullmatch(line):
            places.append((number, {}))
        elif places and (key := re.match(r"\s*([\w-]+)\s*=", line)):
            places[-1][1].setdefault(key[1], number)
    return list(places) if len(places) == count else [(0, {})] * count


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _faults_of(table: Mapping[str, Any], register: Register) -> Iterator[tuple[str, str]]:
    """Yield (key, reason) for all that is wrong with one rule."""
    yield from _wrong_values(table)
    lists = {key: table[key] for key in _LISTS if key in table and _is_texts(table[key])}
    yield from _wrong_phrases(lists)
    yield from _wrong_names(lists, register)
    yield from _wrong_effect(table, lists, register)


def _wrong_values(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the keys that no rule has, and those whose value is missing or of the wrong type."""
    for key in table:
        if key not in _KEYS:
            yield key, f"unknown key {key!r}: one of {', '.join(sorted(_KEYS))}"
    for key in _TEXTS:
        if not isinstance(table.get(key, ""), str):
            yield key, f"{key} must be text"
    for key in ("id", "sentence", "source"):
        if key not in table or table[key] == "":
            yield key, f"{key} is missing"
    for key in _SWITCHES:
        if not isinstance(table.get(key, True), bool):
            yield key, f"{key} must be true or false"
    within = table.get("within", 1)
    if isinstance(within, bool) or not isinstance(within, int) or not 1 <= within <= MAX_WITHIN:
        yield "within", f"within must be a number from 1 to {MAX_WITHIN}"
    for key in filter(table.__contains__, _LISTS):
        if not _is_texts(table[key]):
            yield key, f"{key} must be a list of texts"
        elif not table[key]:
            yield key, f"{key} is empty: leave it out"


def _wrong_phrases(lists: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    for key in _PHRASES:
        for phrase in lists.get(key, ()):
            if not _phrase(phrase):
                yield key, f"phrase {phrase!r} has no word"
            elif found := _PATTERN.search(phrase):
                yield key, f"phrase {phrase!r}: write words as they stand in a text, no pattern: {found[0]!r} is none of them"


def _wrong_names(lists: Mapping[str, Sequence[str]], register: Register) -> Iterator[tuple[str, str]]:
    """Yield the names that the register does not have; of a table that could not be read no name is blamed."""
    placed = register.places or not register.files.get("places.csv")
    known = (
        ("agencies", register.by_id, "no agency of agencies.csv", register.agencies),
        ("roads", ROAD_CLASSES, f"no road class: one of {', '.join(ROAD_CLASSES)}", True),
        ("kecamatan", register.kecamatan, "no kecamatan of places.csv", placed),
    )
    for key, names, complaint, is_read in known:
        for name in lists.get(key, ()):
            if name not in names and is_read:
                yield key, f"{name!r} is {complaint}"


def _wrong_effect(table: Mapping[str, Any], lists: Mapping[str, Sequence[str]], register: Register) -> Iterator[tuple[str, str]]:
    """Yield what keeps a rule from ever firing, or from having one effect where it does."""
    if not table.get("emergency") and not any(lists.get(key) for key in ("roads", "kecamatan", "any", "all")):
        yield "id", "the condition is empty: give roads, kecamatan, any or all"
    target = table.get("move_to", "")
    if sum(map(bool, (target, table.get("review"), table.get("emergency")))) != 1:
        yield "move_to", "give one effect: move_to, review = true or emergency = true"
    if table.get("emergency") and lists.get("agencies"):
        yield "agencies", "an emergency is one whoever is responsible: leave agencies out"
    if isinstance(target, str) and target:
        if target not in register.by_id and register.agencies:
            yield "move_to", f"{target!r} is no agency of agencies.csv"
        if not lists.get("agencies"):
            yield "move_to", "a rule that moves says from whom: agencies is missing"
        elif target in lists["agencies"]:
            yield "agencies", f"{target!r} is also where the rule moves to"


def _phrase(text: str) -> Phrase:
    """Read a phrase as the words of a complaint are read, so that "rs" in a rule and "RS" in a text are both "rumah sakit"."""
    return tuple(word for token in tokenise(text, abbreviations=load_abbreviations()) for word in token.words)


def _as_written(phrase: Phrase) -> Iterator[Phrase]:
    """Yield a phrase, and as it is often written, with "di" and the word behind it in one: "dibawah umk"."""
    yield phrase
    for at, word in enumerate(phrase[:-1]):
        if word == "di":
            yield (*phrase[:at], word + phrase[at + 1], *phrase[at + 2 :])


def _rule(table: Mapping[str, Any], line: int) -> Rule:
    names = {key: frozenset(table.get(key, ())) for key in ("agencies", "roads", "kecamatan")}
    every = tuple(map(_phrase, table.get("all", ())))  # in one form: of several, each would have to stand in the text
    others = {key: tuple(form for text in table.get(key, ()) for form in _as_written(_phrase(text))) for key in ("any", "none")}
    return Rule(
        id=table["id"],
        sentence=table["sentence"],
        source=table["source"],
        move_to=table.get("move_to", ""),
        agencies=names["agencies"],
        within=table.get("within", 1),
        roads=names["roads"],
        kecamatan=names["kecamatan"],
        unplaced=table.get("unplaced", False),
        any=others["any"],
        all=every,
        none=others["none"],
        on=table.get("on", True),
        emergency=table.get("emergency", False),
        line=line,
    )


def _contradictions(rules: Sequence[Rule]) -> Iterator[Fault]:
    ids: dict[str, Rule] = {}
    conditions: dict[tuple[object, ...], Rule] = {}
    for rule in rules:
        first = ids.setdefault(rule.id, rule)
        if first is not rule:
            yield Fault(FILE, rule.line, f"id {rule.id!r} stands already on line {first.line}")
        first = conditions.setdefault(rule.condition, rule)
        if first is not rule:
            effects = (first.move_to, first.emergency), (rule.move_to, rule.emergency)
            says = "says what" if effects[0] == effects[1] else "contradicts"
            yield Fault(FILE, rule.line, f"rule {rule.id!r} {says} rule {first.id!r} on line {first.line} with the same condition")
