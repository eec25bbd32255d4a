"""What else an officer reads off a complaint: its kind, alleged wrongdoing, what is missing, whether it is one, or an emergency.

Each aspect is a linear score. Most of it is a column of the scorer, over the same features as the agencies; the rest
are facts that no feature says (`model.aspect_facts`) and how usual the aspect is among complaints to the likely agencies. All
coefficients are plain numbers in the manifest, which holds the cues too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from model.aspect_facts import FACTS, Case, measure
from model.complaint import Complaint
from model.cues import Cues, wrong_cue
from model.faults import SalurError
from model.labelled import KINDS, MISSING
from model.privacy import is_identified

Floats = NDArray[np.floating[Any]]

OVERSIGHT, NOT_A_COMPLAINT, EMERGENCY = "oversight", "not-a-complaint", "emergency"
ASPECTS = (*KINDS[1:], OVERSIGHT, *MISSING, NOT_A_COMPLAINT, EMERGENCY)
"""Everything that has a score of its own. What is neither aspirasi nor permintaan-informasi is a pengaduan."""


class AspectsError(SalurError):
    """Aspects in a manifest that cannot be applied; the text says what is wrong."""


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

    `columns` are coefficients of the scorer's columns, `needs` of how usual each column's aspect is among complaints to the
    likely agencies, `facts` of FACTS.
    """

    columns: tuple[float, ...]
    needs: tuple[float, ...]
    facts: tuple[float, ...]
    bias: float
    threshold: float


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

        `columns` names the scorer's columns behind the agencies', each an aspect. `needs` has for each of them the logarithms of
        the shares of the agencies' complaints that have the aspect, in the order of `agencies`.
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

    def read(self, columns: Floats, case: Case) -> Findings:
        """Answer the aspects. `columns` are the scorer's behind the agencies', in the order of `self.columns`."""
        if not self.heads:
            return Findings()
        inputs = np.concatenate((columns, case.probabilities, measure(self.cues, case)))
        margins = (self._weights @ inputs + self._offsets).tolist()
        kind, most = (KINDS[0], 0.0) if self._kinds else ("", 0.0)
        for place, name in self._kinds:
            if margins[place] > most:
                kind, most = name, margins[place]
        return Findings(
            kind,
            self._oversight is not None and margins[self._oversight] > 0,
            tuple([name for place, name in self._missing if margins[place] > 0 and not _is_given(name, case.complaint)]),
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
                if reason := wrong_cue(phrase, group):
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
