"""From another region's or an older agency name and category to an agency of this register.

A crosswalk is a CSV, one for each source, read from the top: the first row that matches a complaint decides.

    name        the source's name of the agency
    category    the source's category; empty fits every category
    words       words or phrases, one of which the title or text must hold; empty asks nothing
    agency      id in this register, or `-`: complaints of this row are dropped, and `note` says why
    acceptable  further ids, `;`-separated, that an officer here would not call wrong; evaluation alone reads them
    use         `train` where the row may teach but not test, as what another region's operators sent to a kecamatan; else empty
    note        why, where it is arguable

`name`, `category` and `words` hold one pattern or several, `;`-separated. Case and spacing do not count, and
`*` stands for any characters. Only `name` and `agency` are required columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from model.complaint import MAX_TEXT
from model.faults import Fault, InvalidData
from model.labelled import TRAIN
from model.register import Register, csv_rows, split_list

DROP = "-"
USES = ("", TRAIN)
MAX_STARS = 4
_MAX_NAME = 500


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of a crosswalk."""

    line: int
    names: tuple[str, ...]
    categories: tuple[str, ...]
    words: tuple[str, ...]
    agency: str
    acceptable: tuple[str, ...] = ()
    use: str = ""
    note: str = ""

    @property
    def drops(self) -> bool:
        """Tell whether what matches is left out."""
        return self.agency in ("", DROP)

    def covers(self, other: Rule) -> bool:
        """Tell whether everything that `other` matches is matched by this row too.

        A glob covers another where it matches it letter for letter, the other's `*` taken as a character.
        """
        return (
            _cover(self.names, other.names)
            and _cover(self.categories, other.categories)
            and (not self.words or bool(other.words and set(other.words) <= set(self.words)))
        )


@dataclass(frozen=True)
class Crosswalk:
    """The rows of a crosswalk in their order, and which of their patterns have matched so far."""

    path: Path
    rules: tuple[Rule, ...]
    _used: set[tuple[int, str, str]] = field(default_factory=set, repr=False)

    @classmethod
    def load(cls, path: Path, register: Register, *, allow_missing: bool = False) -> Crosswalk:
        """Read and check a crosswalk.

        With `allow_missing`, rows may name agencies that the register does not have: such a row drops what it matches.
        Raises InvalidData with every fault: unknown agency, bad pattern, a row that can never match.
        """
        if not path.is_file():
            raise InvalidData([Fault(str(path), 0, "no such file")])
        faults: list[Fault] = []
        rules = [_rule(line, row) for line, row in csv_rows(path.read_bytes(), str(path), ("name", "agency"), faults)]
        if allow_missing:
            rules = [_without_missing(rule, register) for rule in rules]
        if not rules and not faults:
            faults.append(Fault(str(path), 0, "no rows"))
        for index, rule in enumerate(rules):
            faults += (Fault(str(path), rule.line, reason) for reason in _wrong(rule, rules[:index], register))
        if faults:
            raise InvalidData(sorted(faults, key=lambda fault: fault.line))
        return cls(path, tuple(rules))

    def resolve(self, name: str, category: str, texts: Sequence[str]) -> Rule | None:
        """Answer the row that decides a complaint, by its first match; None where no row matches."""
        name, category = normalise(name)[:_MAX_NAME], normalise(category)[:_MAX_NAME]
        for rule in self.rules:
            matching = [pattern for pattern in rule.names if _glob(pattern).fullmatch(name)]
            if not matching:
                continue
            kinds = [pattern for pattern in rule.categories if _glob(pattern).fullmatch(category)]
            if kinds and (not rule.words or any(_words(rule.words).search(normalise(text[:MAX_TEXT])) for text in texts)):
                self._used.update((rule.line, "name", pattern) for pattern in matching)
                self._used.update((rule.line, "category", pattern) for pattern in kinds)
                return rule
        return None

    def unused(self) -> Iterator[Fault]:
        """Yield what matched no complaint since loading: whole rows, and patterns that matched in no row.

        A pattern that stands in several rows counts as used where one of them matched.
        """
        used_lines = {line for line, _, _ in self._used}
        used = {(column, pattern) for _, column, pattern in self._used}
        for rule in self.rules:
            if rule.line not in used_lines:
                where = f"{'; '.join(rule.names)} / {'; '.join(rule.categories)}"
                yield Fault(str(self.path), rule.line, f"{where!r} matches nothing in the source")
                continue
            for column, patterns in (("name", rule.names), ("category", rule.categories)):
                for pattern in patterns:
                    if (column, pattern) not in used:
                        yield Fault(str(self.path), rule.line, f"{column} {pattern!r} matches nothing in the source")


def identity(register: Register) -> Mapping[str, str]:
    """Answer the ids of a register by what its own people write: id, name or alias, normalised.

    A name or alias that two agencies share decides nothing and is left out; an id always stands for itself.
    """
    forms: dict[str, set[str]] = {}
    for agency in register.agencies:
        for form in (agency.name, *agency.aliases):
            forms.setdefault(normalise(form), set()).add(agency.id)
    ids = {agency.id: agency.id for agency in register.agencies}
    return {form: next(iter(owners)) for form, owners in forms.items() if len(owners) == 1} | ids


def normalise(text: str) -> str:
    """Reduce case and spacing, hard spaces too."""
    return " ".join(text.casefold().split())


def _rule(line: int, row: Mapping[str, str]) -> Rule:
    return Rule(
        line=line,
        names=tuple(map(normalise, split_list(row["name"]))),
        categories=tuple(map(normalise, split_list(row.get("category", "")))) or ("*",),
        words=tuple(map(normalise, split_list(row.get("words", "")))),
        agency=row["agency"],
        acceptable=split_list(row.get("acceptable", "")),
        use=row.get("use", ""),
        note=row.get("note", ""),
    )


def _without_missing(rule: Rule, register: Register) -> Rule:
    if not rule.drops and rule.agency not in register.by_id:
        return replace(rule, agency=DROP, acceptable=(), note=f"this register has no {rule.agency!r}")
    return replace(rule, acceptable=tuple(agency for agency in rule.acceptable if agency in register.by_id))


def _wrong(rule: Rule, earlier: Iterable[Rule], register: Register) -> Iterator[str]:
    if not rule.names:
        yield "name is empty: write * where every name is meant"
    for pattern in (*rule.names, *rule.categories, *rule.words):
        if pattern.count("*") > MAX_STARS:
            yield f"pattern {pattern!r}: at most {MAX_STARS} asterisks"
    for word in rule.words:
        if not re.search(r"\w", word):
            yield f"words {word!r}: holds no word"
    for agency in (*(() if rule.drops else (rule.agency,)), *rule.acceptable):
        if agency not in register.by_id:
            remedy = "name another, write - and why in note, or leave out what such rows match with --allow-missing"
            yield f"agency {agency!r} is not in the register: {remedy}"
    if rule.drops and rule.acceptable:
        yield "a row that drops has no acceptable agencies"
    if rule.drops and not rule.note:
        yield "a row that drops says why in note"
    if rule.agency in rule.acceptable:
        yield f"agency {rule.agency!r} is acceptable anyway"
    if rule.use not in USES:
        yield f"use {rule.use!r}: empty or train"
    for other in earlier:
        if rule.names and other.covers(rule):
            yield f"can never match: line {other.line} matches all of it first"
            break


def _cover(patterns: Iterable[str], others: Iterable[str]) -> bool:
    return all(any(_glob(pattern).fullmatch(other) for pattern in patterns) for other in others)


@lru_cache(maxsize=10_000)
def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, re.split(r"\*+", pattern))), re.DOTALL)


@lru_cache(maxsize=10_000)
def _words(words: tuple[str, ...]) -> re.Pattern[str]:
    forms = (r"\w*".join(map(re.escape, re.split(r"\*+", word))) for word in words)
    return re.compile(rf"(?<!\w)(?:{'|'.join(forms)})(?!\w)")
