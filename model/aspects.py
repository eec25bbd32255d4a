"""What else an officer reads off a complaint: its kind, alleged wrongdoing, what is missing, whether it is one, or an emergency.

Each aspect is a linear score. Most of it is a column of the scorer, over the same features as the agencies; the rest
are facts that no feature says (is a place named, does it ask, which cues of bribery stand near an official) and what
complaints to the likely agencies usually lack. All coefficients are plain numbers in the manifest, and so are the cues.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import compress
from operator import attrgetter
from types import MappingProxyType
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from model.complaint import Complaint
from model.faults import Fault, InvalidData, SalurError
from model.labelled import KINDS, MISSING
from model.place import ResolvedPlace
from model.privacy import is_identified
from model.remembered import Remembered
from model.routing import FoundPlace
from model.text import CACHE_SIZE, Word, normalise_word, stand

Floats = NDArray[np.floating[Any]]

OVERSIGHT, NOT_A_COMPLAINT, EMERGENCY = "oversight", "not-a-complaint", "emergency"
ASPECTS = (*KINDS[1:], OVERSIGHT, *MISSING, NOT_A_COMPLAINT, EMERGENCY)
"""Everything that has a score of its own. What is neither aspirasi nor permintaan-informasi is a pengaduan."""

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
HERE = "here"
"""The group of words that, behind "gang" or "di", name no place: "gang kami", "di sini"."""
NEAR = (("demand", "money", 5), ("official", "money", 8), ("official", "demand", 5), ("official", "misuse", 6))
"""Groups that say more together than apart, and within how many words."""
FACTS = (
    *GROUPS,
    *(f"{one} near {other}" for one, other, _ in NEAR),
    "wants first",
    "wishes first",
    "praises alone",
    "asks first",
    "asks last",
    "question marks",
    "ends with a question",
    "exclamation marks",
    "numbers",
    "title",
    "words",
    "under 14 words",
    "form has kecamatan",
    "form has desa",
    "text names kecamatan or desa",
    "text names road",
    "text names spot",
    "text says here",
    "kecamatan known",
    "desa known",
    "no place",
    "no place in text",
    "agency sure",
)
"""Names of the facts, in the order of `measure`. A group's fact is the logarithm of how many of its cues there are."""
OPENING = 6
"""Words within which thanks are the matter; further behind they are how any complaint ends."""
MAX_CUE_WORDS = 4

_NUMBER = MappingProxyType({group: number for number, group in enumerate(GROUPS)})
_SPOT, _ADDRESS, _ASK, _INFORM, _WANT, _WISH, _PRAISE, _THANKS = map(
    _NUMBER.__getitem__, ("spot", "address", "ask", "inform", "want", "wish", "praise", "thanks")
)
_GOES_ON = tuple(map(_NUMBER.__getitem__, ("but", "want", "ask", "inform")))
"""Groups that mere praise has no cue of: who thanks, and then says what is still wrong or asks for more, complains."""
_PARTNERS = tuple(
    tuple(
        (_NUMBER[other if group == one else one], pair, width)
        for pair, (one, other, width) in enumerate(NEAR)
        if group in (one, other)
    )
    for group in GROUPS
)
"""For each group the groups it says more with, the pair's number, and the width."""
_FORM = attrgetter("text", "stem")
_DIGIT = re.compile(r"\d")
_LOGS = tuple(math.log1p(count) for count in range(16))


class AspectsError(SalurError):
    """Aspects in a manifest that cannot be applied; the text says what is wrong."""


class Facts(NamedTuple):
    """What the router knows of a complaint when it asks for the aspects.

    `probabilities` (agencies,) are the classifier's, in the order of the scorer's agencies.
    """

    complaint: Complaint
    words: Sequence[Word]
    found: Sequence[FoundPlace]
    place: ResolvedPlace
    probabilities: Floats


class Findings(NamedTuple):
    """The aspects of one complaint. `kind` is empty where the model was never taught kinds."""

    kind: str = ""
    oversight: bool = False
    missing: tuple[str, ...] = ()
    is_complaint: bool = True
    emergency: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """One aspect's score, in log-odds, and the score from which it holds.

    `columns` are coefficients of the scorer's columns, `needs` of what each agency's complaints usually lack or are,
    `facts` of FACTS.
    """

    columns: tuple[float, ...]
    needs: tuple[float, ...]
    facts: tuple[float, ...]
    bias: float
    threshold: float


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
        for group, number in _NUMBER.items():
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
        if reason := _wrong_cue(phrase, group):
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


def _wrong_cue(phrase: str, group: str) -> str:
    """Say what is wrong with a cue, "" if nothing is."""
    if group not in _NUMBER and group != HERE:
        return f"group {group!r}: one of {', '.join((*GROUPS, HERE))}"
    words = phrase.split(" ")
    most = 1 if group == HERE else MAX_CUE_WORDS
    if len(words) > most or any(not word or word != normalise_word(word) for word in words):
        return f"cue {phrase!r}: must be {'one normalised word' if most == 1 else f'1 to {most} normalised words'}"
    return ""


def measure(cues: Cues, facts: Facts) -> list[float]:
    """Answer the facts as numbers, in the order of FACTS: all bounded, all finite; True is 1.

    A cue matches words as written or by their stems. Time grows with the number of words alone.
    """
    words, complaint = facts.words, facts.complaint
    size = len(words)
    of_word, partners, spot = cues.of_word, _PARTNERS, _SPOT
    counts = [0] * len(GROUPS)
    last = [-size - 100] * len(GROUPS)  # no cue yet: far from every word, as in `first`
    near = [0.0] * len(NEAR)
    first = [size + 100] * len(GROUPS)
    named = here = 0
    meanings = list(map(of_word.__getitem__, map(_FORM, words)))
    for at, (groups, behind) in compress(enumerate(meanings), meanings):  # type: ignore[misc]  # which leaves no None
        if behind and at + 1 < size and ((following := words[at + 1])[0] in behind or following[1] in behind):
            groups += _longer(words, at, behind)
        for group in groups:
            if last[group] == at:
                continue
            if not counts[group]:
                first[group] = at
            last[group] = at
            counts[group] += 1
            for other, pair, width in partners[group]:
                if at - last[other] <= width:
                    near[pair] = 1.0
            if group >= spot:
                naming = _names(words, at, complaint, cues.here, group == _ADDRESS)
                named += naming > 0
                here += naming < 0
    kinds = {place.kind for place in facts.found}
    (_, title), (_, content) = complaint.fields
    marks = f"{title} {content}"
    end = words[-1].end + (len(title) + 1 if words[-1].field == "text" else 0) if words else 0
    behind = marks[end:]
    is_placed = bool(kinds) or named > 0
    return [
        *[_LOGS[count] if count < 16 else _LOGS[15] for count in counts],
        *near,
        first[_WANT] < 2,
        first[_WISH] < 3,
        (counts[_PRAISE] > 0 or first[_THANKS] < OPENING) and not any(counts[group] for group in _GOES_ON),
        first[_ASK] < 4 or first[_INFORM] < 4,
        size > 0 and (last[_ASK] >= size - 5 or last[_INFORM] >= size - 5),
        min(marks.count("?"), 3) / 2,
        # A question ends with its last word: "kapan? 🙏" is one too, but not what a link has in it.
        "?" in behind and any("?" in piece and not any(map(str.isalnum, piece)) for piece in behind.split()),
        min(marks.count("!"), 3) / 2,
        _DIGIT.search(marks) is not None,
        title != "",
        math.log1p(size) / 3,
        size < 14,
        complaint.kecamatan != "",
        complaint.desa != "",
        "desa" in kinds or "kecamatan" in kinds,
        "road" in kinds,
        named > 0,
        here > 0,
        facts.place.kecamatan != "",
        facts.place.desa != "",
        not is_placed and complaint.desa == "",
        not is_placed,
        float(facts.probabilities.max(initial=0.0)),
    ]


def _longer(words: Sequence[Word], at: int, behind: Mapping[str, tuple[Rest, ...]]) -> tuple[int, ...]:
    """Answer the groups of the cues of several words that begin at a word, all in one field."""
    following = words[at + 1]
    if following.first:
        return ()
    seconds = (following.text,) if following.text == following.stem else (following.text, following.stem)
    return tuple(group for second in seconds for rest, group in behind.get(second, ()) if stand(words, at + 2, rest))


def _names(words: Sequence[Word], at: int, complaint: Complaint, here: frozenset[str], whatever: bool) -> int:
    """Tell whether a word such as "gang" has a name or number behind it: 1; or only such as "kami": -1; 0 if neither.

    `whatever`: any word behind it is taken for a name ("gang mawar"); else it must be a number or begin with a capital.
    """
    _, _, field, _, end, _, _ = words[at]
    content = complaint.title if field == "title" else complaint.text
    if content[end - 1].isdigit():
        return 1  # "RT05" is one word
    if at + 1 == len(words) or words[at + 1].first:
        return 0
    text, _, _, start, _, _, _ = words[at + 1]
    if text in here:
        return -1
    # Where the word before is in capitals too, they say nothing: the whole text is.
    return int(whatever or text[0].isdigit() or (content[start].isupper() and not content[end - 1].isupper()))


class Aspects:
    """Reads the aspects off a complaint. Read-only after construction; threads share one."""

    def __init__(
        self,
        agencies: Sequence[str],
        columns: Sequence[str],
        cues: Cues,
        needs: Mapping[str, Sequence[float]],
        heads: Mapping[str, Head],
    ) -> None:
        """Join all heads into one matrix.

        `columns` names the scorer's columns behind the agencies'. `needs` has for each of `columns` the logarithm of the
        share of each agency's complaints, in the order of `agencies`.
        """
        self.agencies, self.columns, self.cues = tuple(agencies), tuple(columns), cues
        self.needs = MappingProxyType({name: tuple(needs[name]) for name in self.columns})
        self.heads = MappingProxyType({name: heads[name] for name in ASPECTS if name in heads})
        table = np.array([self.needs[name] for name in self.columns]).reshape(len(self.columns), len(self.agencies))
        self._weights = np.array(
            [[*head.columns, *(np.array(head.needs) @ table), *head.facts] for head in self.heads.values()], dtype=np.float64
        )
        self._offsets = np.array([head.bias - head.threshold for head in self.heads.values()])
        place = {name: number for number, name in enumerate(self.heads)}
        self._kinds = [(place[kind], kind) for kind in KINDS[1:] if kind in place]
        self._missing = [(place[item], item) for item in MISSING if item in place]
        self._oversight, self._none, self._emergency = map(place.get, (OVERSIGHT, NOT_A_COMPLAINT, EMERGENCY))

    def fits(self, agencies: Sequence[str], columns: int) -> None:
        """Check against a scorer's agencies and how many further columns it has. Raises AspectsError where they differ."""
        if columns != len(self.columns):
            raise AspectsError(f"aspects: {len(self.columns)} columns here and {columns} in the arrays")
        if self.heads and tuple(agencies) != self.agencies:
            raise AspectsError("aspects: their agencies are not the model's")

    def read(self, columns: Floats, facts: Facts) -> Findings:
        """Answer the aspects. `columns` are the scorer's behind the agencies', in the order of `self.columns`."""
        if not self.heads:
            return Findings()
        inputs = np.concatenate((columns, facts.probabilities, measure(self.cues, facts)))
        margins = (self._weights @ inputs + self._offsets).tolist()
        kind, most = (KINDS[0], 0.0) if self._kinds else ("", 0.0)
        for place, name in self._kinds:
            if margins[place] > most:
                kind, most = name, margins[place]
        return Findings(
            kind,
            self._oversight is not None and margins[self._oversight] > 0,
            tuple([name for place, name in self._missing if margins[place] > 0 and not _is_given(name, facts.complaint)]),
            self._none is None or margins[self._none] <= 0,
            self._emergency is not None and margins[self._emergency] > 0,
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the manifest; every coefficient that is not 0 stands under the name of what it weighs."""
        heads = {
            name: {
                "columns": _named(self.columns, head.columns),
                "needs": _named(self.columns, head.needs),
                "facts": _named(FACTS, head.facts),
                "bias": head.bias,
                "threshold": head.threshold,
            }
            for name, head in self.heads.items()
        }
        return {
            "agencies": list(self.agencies),
            "columns": list(self.columns),
            "needs": {name: list(values) for name, values in self.needs.items()},
            "heads": heads,
            "cues": {group: list(phrases) for group, phrases in self.cues.phrases.items()},
        }

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> Self:
        """Read them back. Raises AspectsError naming what is missing, unknown or no finite number."""
        agencies, columns = _texts(table, "agencies"), _texts(table, "columns")
        if unknown := [name for name in columns if name not in ASPECTS]:
            raise AspectsError(f"aspects: columns: {unknown[0]!r} is none of {', '.join(ASPECTS)}")
        needs = _part(table, "needs")
        cues = _part(table, "cues")
        for group in cues:
            for phrase in _texts(cues, group):
                if reason := _wrong_cue(phrase, group):
                    raise AspectsError(f"aspects: cues: {reason}")
        if unknown := [name for name in _part(table, "heads") if name not in ASPECTS]:
            raise AspectsError(f"aspects: heads: {unknown[0]!r} is none of {', '.join(ASPECTS)}")
        heads = {
            name: Head(
                columns=_numbers(head, "columns", columns, name),
                needs=_numbers(head, "needs", columns, name),
                facts=_numbers(head, "facts", FACTS, name),
                bias=_number(head, "bias", name),
                threshold=_number(head, "threshold", name),
            )
            for name, head in table["heads"].items()
        }
        for name in columns:
            values = needs.get(name)
            if not isinstance(values, list) or len(values) != len(agencies) or not all(map(_is_number, values)):
                raise AspectsError(f"aspects: needs of {name}: must be {len(agencies)} finite numbers, one an agency")
        return cls(agencies, columns, Cues(cues), needs, heads)


def _is_given(item: str, complaint: Complaint) -> bool:
    """Tell whether what seems to be missing stands in the complaint: masked, a NIK is no word, so that no score knows of it."""
    return item == "identitas" and any(is_identified(content) for _, content in complaint.fields)


def _named(names: Sequence[str], values: Sequence[float]) -> dict[str, float]:
    return {name: value for name, value in zip(names, values, strict=True) if value}


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _part(table: object, name: str, of: str = "") -> Mapping[str, Any]:
    value = table.get(name) if isinstance(table, Mapping) else None
    if not isinstance(value, Mapping):
        raise AspectsError(f"aspects: {of}{': ' if of else ''}{name}: must be a table")
    return value


def _texts(table: Mapping[str, Any], name: str) -> list[str]:
    value = table.get(name) if isinstance(table, Mapping) else None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value) or len(set(value)) < len(value):
        raise AspectsError(f"aspects: {name}: must be a list of texts, each once")
    return value


def _number(table: object, name: str, of: str) -> float:
    value = table.get(name) if isinstance(table, Mapping) else None
    if not _is_number(value):
        raise AspectsError(f"aspects: {of}: {name}: must be a finite number")
    return float(value)  # type: ignore[arg-type]  # _is_number has looked


def _numbers(head: object, part: str, names: Sequence[str], of: str) -> tuple[float, ...]:
    """One number for each name, 0 where the table has none; it must have no other names."""
    values = _part(head, part, of)
    if unknown := [name for name in values if name not in names]:
        raise AspectsError(f"aspects: {of}: {part}: {unknown[0]!r} is not known to this program")
    return tuple(_number(values, name, f"{of}: {part}") if name in values else 0.0 for name in names)
