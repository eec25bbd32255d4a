"""What holds an automatic routing back after the model has spoken: an agency that ended, a breaker, the blind audit's draw."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from model.routing import Decision, Reason, Routing

QUEUE_OF: Mapping[str, str] = {Decision.AUTO: "", Decision.REVIEW: "review", Decision.ASK: "ask"}
"""The queue in which the model's own decision puts a complaint; empty where nobody need look."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is done with a complaint: the model's word unless something holds it back. `queue` is empty where nobody need look."""

    decision: Decision
    agency: str
    unit: str
    reasons: tuple[Reason, ...]
    queue: str


def hold(routing: Routing | None, stopped: Collection[str], drawn: bool, *, ended: bool = False) -> Answer:
    """Decide what is done. Only an automatic routing can be held back; nothing is ever let go that the model would not.

    `ended`: the agency no longer exists today; the model only looks at the day on which the complaint was received.
    """
    if routing is None:
        return Answer(Decision.REVIEW, "", "", (Reason.NO_MODEL,), "no-model")
    held = {
        Reason.AGENCY_INACTIVE: ended,
        Reason.BREAKER_OPEN: routing.agency in stopped,
        Reason.AUDIT_SAMPLE: drawn and not ended and routing.agency not in stopped,
    }
    reasons = tuple(reason for reason, holds in held.items() if holds)
    if routing.decision is Decision.AUTO and reasons:
        queue = "audit" if Reason.AUDIT_SAMPLE in reasons else "review"
        return Answer(Decision.REVIEW, routing.agency, routing.unit, (*routing.reasons, *reasons), queue)
    return Answer(routing.decision, routing.agency, routing.unit, routing.reasons, QUEUE_OF[routing.decision])


def settle(routing: Routing | None) -> Answer:
    """Answer for a complaint that people elsewhere have decided already: it goes nowhere by itself, and is no blind case."""
    if routing is None:
        return hold(None, (), False)
    return Answer(Decision.REVIEW, routing.agency, routing.unit, routing.reasons, "review")
