"""How often an answer of a given probability is right: this makes the first candidate's probability honest.

right = sigmoid(intercept + gain * log(p) - loss * log(1 - p)): beta calibration (Kull, Silva Filho and Flach, 2017). A small
`loss` flattens the curve towards 1: some matters go to different agencies on different days, however sure the model is.
Fitted on answers to complaints that the model had not seen (training.promises.trust).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Self

from model.faults import SalurError
from model.labelled import Answered
from model.routing import Candidate

TINY = 1e-6
_HALVINGS = 50


class ReliabilityError(SalurError):
    """A reliability curve in a manifest that cannot be applied."""


@dataclass(frozen=True, slots=True)
class Reliability:
    """The curve. `gain` and `loss` are positive, so that it never changes an order within an agency."""

    intercept: float = 0.0
    gain: float = 1.0
    loss: float = 1.0
    per_agency: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """What is added to the intercept where this agency comes first: it has been right more often of late, or less."""

    def __call__(self, probability: float, agency: str = "") -> float:
        """Answer how often such an answer is right."""
        p = min(max(probability, TINY), 1 - TINY)
        intercept = self.intercept + self.per_agency.get(agency, 0.0)
        return 1 / (1 + math.exp(-(intercept + self.gain * math.log(p) - self.loss * math.log(1 - p))))

    def undo(self, honest: float, agency: str = "") -> float:
        """Invert the curve by bisection: find the probability, from TINY to 1 - TINY, that it maps to `honest`."""
        low, high = TINY, 1 - TINY
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if self(middle, agency) < honest else (low, middle)
        return high

    def answered(self, first: Candidate) -> Answered:
        """Tell a routing's first candidate as a label carries it: with what the model alone said, before this curve.

        So the next training can fit its own curve to it (`training.promises.keeping`).
        """
        return Answered(first.agency, self.undo(first.probability, first.agency))

    def recalibrate(self, candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
        """Make the first candidate's probability honest, and let the others share the rest as they did before.

        None of them is let past the first: the order stays.
        """
        first, *others = candidates
        honest = self(first.probability, first.agency)
        share = (1 - honest) / max(1 - first.probability, TINY)
        rest = (Candidate(item.agency, min(item.probability * share, honest)) for item in others)
        return (Candidate(first.agency, honest), *rest)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the manifest."""
        return {
            "intercept": self.intercept,
            "gain": self.gain,
            "loss": self.loss,
            "per_agency": dict(sorted(self.per_agency.items())),
        }

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> Self:
        """Read it back. Raises ReliabilityError where a number is missing or makes no curve."""
        try:
            intercept, gain, loss = (float(table[name]) for name in ("intercept", "gain", "loss"))
            per_agency = {str(agency): float(offset) for agency, offset in table["per_agency"].items()}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ReliabilityError(f"reliability: {error!r}: intercept, gain, loss and per_agency must be numbers") from error
        if not (all(map(math.isfinite, (intercept, gain, loss, *per_agency.values()))) and gain > 0 and loss > 0):
            raise ReliabilityError(f"reliability: intercept {intercept}, gain {gain}, loss {loss} make no rising curve")
        return cls(intercept, gain, loss, MappingProxyType(per_agency))
