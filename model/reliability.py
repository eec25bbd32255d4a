"""How often an answer of a given probability is right: three numbers that make the first candidate's probability honest.

right = (1 - floor) * sigmoid(intercept + slope * logit(p)). The floor is what goes wrong however sure the model is:
matters that people send here one day and there the next. Fitted on answers to complaints that the model had not seen
(training.promise); a curve like Platt's (1999) with a ceiling below 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from model.faults import SalurError
from model.routing import Candidate

TINY = 1e-6


class ReliabilityError(SalurError):
    """A reliability curve in a manifest that cannot be applied."""


@dataclass(frozen=True, slots=True)
class Reliability:
    """The curve. `slope` is positive, so that it never changes an order."""

    floor: float = 0.0
    intercept: float = 0.0
    slope: float = 1.0

    def __call__(self, probability: float) -> float:
        """Answer how often such an answer is right."""
        p = min(max(probability, TINY), 1 - TINY)
        return (1 - self.floor) / (1 + math.exp(-(self.intercept + self.slope * math.log(p / (1 - p)))))

    def recalibrate(self, candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
        """Make the first candidate's probability honest, and let the others share the rest as they did before.

        None of them is let past the first: the order stays.
        """
        first, *others = candidates
        honest = self(first.probability)
        share = (1 - honest) / max(1 - first.probability, TINY)
        rest = (Candidate(item.agency, min(item.probability * share, honest)) for item in others)
        return (Candidate(first.agency, honest), *rest)

    def to_dict(self) -> dict[str, float]:
        """Plain values for the manifest."""
        return {"floor": self.floor, "intercept": self.intercept, "slope": self.slope}

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> Self:
        """Read it back. Raises ReliabilityError where a number is missing or makes no curve."""
        try:
            floor, intercept, slope = (float(table[name]) for name in ("floor", "intercept", "slope"))
        except (KeyError, TypeError, ValueError) as error:
            raise ReliabilityError(f"reliability: {error!r}: floor, intercept and slope must be numbers") from error
        if not (0 <= floor < 1 and math.isfinite(intercept) and math.isfinite(slope) and slope > 0):
            raise ReliabilityError(f"reliability: floor {floor}, intercept {intercept}, slope {slope} make no rising curve")
        return cls(floor, intercept, slope)
