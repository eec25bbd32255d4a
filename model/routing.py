"""The answers: prediction, routing and what stands behind them. Frozen, and the same on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter
from typing import Any


class Decision(StrEnum):
    """What the intake does next.

    `auto`: send it to the agency. `review` and `ask`: wait for what a person decides; with `ask`, probably to ask the reporter.
    """

    AUTO = "auto"
    REVIEW = "review"
    ASK = "ask"


class Reason(StrEnum):
    """Why a complaint does not go out by itself. A closed list: stored, shown and counted."""

    LOW_CONFIDENCE = "low-confidence"
    SMALL_MARGIN = "small-margin"
    TOO_LITTLE_TEXT = "too-little-text"
    UNKNOWN_WORDS = "unknown-words"
    PLACE_NEEDED = "place-needed"
    PLACE_CONFLICT = "place-conflict"
    AUTHORITY_CONFLICT = "authority-conflict"
    OVERSIGHT = "oversight"
    CONFIDENTIAL = "confidential"
    SEVERAL_MATTERS = "several-matters"
    AGENCY_INACTIVE = "agency-inactive"
    NOT_A_COMPLAINT = "not-a-complaint"
    AUDIT_SAMPLE = "audit-sample"
    BREAKER_OPEN = "breaker-open"
    NO_MODEL = "no-model"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An agency and the probability that it is the responsible one."""

    agency: str
    probability: float


@dataclass(frozen=True, slots=True)
class Span:
    """Characters [start, end) of a field of the complaint that was routed: "title" or "text"."""

    field: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one word added: `weight` to the first candidate's score, `margin` to its lead over the second.

    Both are log-odds of the model alone, before the rules and before its curve of reliability. A routing names the strongest
    (`scorer.MAX_EVIDENCE`); over all words, and with the bias, they add up to the score.
    """

    span: Span
    word: str
    weight: float
    margin: float


@dataclass(frozen=True, slots=True)
class FoundPlace:
    """A kecamatan, desa or road named in the complaint. `kecamatan` is empty where the name fits several.

    `cue` is the word before it that says how it is meant ("desa", "di", "ke"), if there is one.
    """

    span: Span
    kind: str
    name: str
    kecamatan: str = ""
    desa: str = ""
    road_class: str = ""
    cue: str = ""


@dataclass(frozen=True, slots=True)
class FiredRule:
    """A rule of authority that held, with the sentence the admin reads.

    `agency` is where it moved the matter, empty where a person must look instead: it says so, or rules contradict each other.
    """

    id: str
    sentence: str
    agency: str


@dataclass(frozen=True, slots=True)
class Guarantee:
    """The promise about automatic routings: at most `target_error` wrong, at `confidence`, from `cases` calibration rows."""

    target_error: float
    confidence: float
    threshold: float
    cases: int
    scope: str


@dataclass(frozen=True, slots=True)
class Routing:
    """The answer to the intake. The same complaint and the same artifact give it byte for byte."""

    __pydantic_config__ = {"use_attribute_docstrings": True}  # noqa: RUF012 -- the API's document tells what stands below a field

    decision: Decision
    agency: str
    """Its id in the register."""
    unit: str
    """Which of a family's offices; empty for any other agency."""
    candidates: tuple[Candidate, ...]
    """The likeliest first."""
    reasons: tuple[Reason, ...]
    missing: tuple[str, ...]
    """What the reporter has not said and the agency will need: lokasi, waktu, identitas, uraian."""
    kind: str
    """What it is: pengaduan, aspirasi or permintaan-informasi; empty where the model was not taught to tell."""
    oversight: bool
    """Whether it tells of alleged wrongdoing by an official."""
    kecamatan: str
    """Where it is, by the form or else by the text; empty where neither says."""
    desa: str
    places: tuple[FoundPlace, ...]
    rules: tuple[FiredRule, ...]
    evidence: tuple[Evidence, ...]
    guarantee: Guarantee | None
    model_version: str
    listed: int = 0
    """How many of the first candidates make the shortest list that holds the right agency as often as promised."""
    emergency: str = ""
    """What to do at once where life is in danger now, as the region's rules say it, for the reporter to read; mostly empty."""

    @property
    def probability(self) -> float:
        """The probability of the agency that it names."""
        return next((one.probability for one in self.candidates if one.agency == self.agency), 0.0)

    def to_dict(self) -> dict[str, Any]:
        """Answer it as plain values, under the names and in the order in which the API writes them.

        `emergency` is left out where it is empty: routings from before there was one can so be given again byte for byte.
        """
        row = _fields(self)
        if not self.emergency:
            del row["emergency"]
        row |= {name: [_fields(part) for part in row[name]] for name in _PARTS}
        if self.guarantee:
            row["guarantee"] = _fields(self.guarantee)
        return row


_PARTS = ("candidates", "places", "rules", "evidence")
_FIELDS: Mapping[type, tuple[str, ...]] = {
    kind: tuple(kind.__dataclass_fields__) for kind in (Candidate, Span, Evidence, FoundPlace, FiredRule, Guarantee, Routing)
}
_VALUES = {kind: attrgetter(*names) for kind, names in _FIELDS.items()}


def _fields(part: object) -> dict[str, Any]:
    # dataclasses.asdict copies every value deeply, at twenty times the cost.
    kind = type(part)
    row = dict(zip(_FIELDS[kind], _VALUES[kind](part), strict=True))
    if "span" in row:
        row["span"] = _fields(row["span"])
    return row
