"""Send it, have a person look, or ask: thresholds with a guarantee, and the reasons in a closed list.

The thresholds come from training (`training.promises.keeping`), chosen so that of the complaints sent automatically at
most `target_error` go wrong, with the stated confidence. This module only applies them, and nothing here guesses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from model.faults import SalurError
from model.routing import Candidate, Guarantee, Reason

NEVER = 2.0
"""A threshold that nothing reaches: where too few cases stand behind a promise, nothing goes out by itself."""
MAX_CANDIDATES = 7
"""Candidates that a routing names."""
MIN_WORDS = 3
MIN_KNOWN = 0.5
"""Fewer words, or a smaller share of known ones, and the probabilities mean little."""


class PolicyError(SalurError):
    """A policy in a manifest that cannot be applied."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """From which probability on a complaint may go out, and how many calibration cases promise it."""

    value: float
    cases: int


@dataclass(frozen=True)
class Policy:
    """The promise and what keeps it. `per_agency` comes before `overall`; `list_cut` makes the candidates' list.

    `list_cut`: a candidate is listed where its probability reaches this, so that the list holds the right agency in
    `list_coverage` of all cases (split conformal prediction; Vovk, Gammerman and Shafer 2005).
    """

    target_error: float
    confidence: float
    overall: Threshold
    per_agency: Mapping[str, Threshold]
    list_cut: float = 0.0
    list_coverage: float = 0.95

    def threshold(self, agency: str) -> Threshold:
        """Answer the threshold that holds for an agency."""
        return self.per_agency.get(agency, self.overall)

    def guarantee(self, agency: str) -> Guarantee:
        """State the promise as it stands in a routing; `scope` is the agency's id or "overall"."""
        threshold = self.threshold(agency)
        scope = agency if agency in self.per_agency else "overall"
        return Guarantee(self.target_error, self.confidence, threshold.value, threshold.cases, scope)

    def doubts(self, candidates: Sequence[Candidate], words: int, known: int) -> Iterator[Reason]:
        """Yield why the classifier's answer must not go out by itself. `known` of the `words` are known to the model."""
        first, second = candidates[0], candidates[1]
        if words < MIN_WORDS:
            yield Reason.TOO_LITTLE_TEXT
        elif known < MIN_KNOWN * words:
            yield Reason.UNKNOWN_WORDS
        if first.probability < self.threshold(first.agency).value:
            yield Reason.SMALL_MARGIN if second.probability > first.probability / 2 else Reason.LOW_CONFIDENCE

    def listed(self, candidates: Sequence[Candidate]) -> int:
        """How many of the first candidates make the list that holds the right agency as often as promised."""
        return max(1, sum(candidate.probability >= self.list_cut for candidate in candidates[:MAX_CANDIDATES]))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the manifest."""
        return {
            "target_error": self.target_error,
            "confidence": self.confidence,
            "overall": [self.overall.value, self.overall.cases],
            "per_agency": {agency: [item.value, item.cases] for agency, item in sorted(self.per_agency.items())},
            "list_cut": self.list_cut,
            "list_coverage": self.list_coverage,
        }

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> Self:
        """Read it back. Raises PolicyError naming what is wrong."""
        try:
            return cls(
                target_error=_share(table, "target_error"),
                confidence=_share(table, "confidence"),
                overall=_threshold("overall", table["overall"]),
                per_agency={agency: _threshold(agency, pair) for agency, pair in table["per_agency"].items()},
                list_cut=_share(table, "list_cut"),
                list_coverage=_share(table, "list_coverage"),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise PolicyError(f"policy: {error!r} missing or of the wrong type") from error


def _share(table: Mapping[str, Any], name: str) -> float:
    value = table[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise PolicyError(f"policy: {name} = {value!r}: a number from 0 to 1")
    return float(value)


def _threshold(name: str, pair: Any) -> Threshold:
    if not isinstance(pair, list) or len(pair) != 2 or not 0 <= pair[0] <= NEVER or not isinstance(pair[1], int) or pair[1] < 0:
        raise PolicyError(f"policy: threshold of {name} = {pair!r}: [a number from 0 to {NEVER}, how many cases]")
    return Threshold(float(pair[0]), pair[1])
