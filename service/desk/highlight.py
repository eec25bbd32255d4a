"""A text cut into pieces, so that a page can mark the words that decided and the places that were found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from model.complaint import Complaint
from model.routing import Routing

STRONG = 0.5
"""A word is strong where it weighs at least this share of the weightiest one."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text and how it is marked: "" (not at all), "for", "strong", "against" or "place"; `title` explains it."""

    text: str
    mark: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class _Mark:
    start: int
    end: int
    mark: str
    title: str


def pieces(complaint: Complaint, routing: Routing, field: str) -> list[Piece]:
    """Cut one field of a complaint by its routing. A word that lies in a place is marked as part of that, whatever it weighed."""
    text = dict(complaint.fields)[field]
    return _cut(text, sorted(_marks(routing, field), key=lambda mark: (mark.start, -mark.end)))


def _marks(routing: Routing, field: str) -> Iterable[_Mark]:
    inside = [place for place in routing.places if place.span.field == field]
    for place in inside:
        yield _Mark(place.span.start, place.span.end, "place", f"lokasi: {place.name}")
    heaviest = max((abs(item.weight) for item in routing.evidence), default=0.0)
    for item in routing.evidence:
        span = item.span
        if span.field != field or any(place.span.start < span.end and span.start < place.span.end for place in inside):
            continue
        if item.margin < -abs(item.weight) / 2:  # it helps the second choice clearly more than the first
            yield _Mark(span.start, span.end, "against", "menguatkan pilihan kedua")
        elif item.weight > 0:
            strong = item.weight >= STRONG * heaviest
            yield _Mark(span.start, span.end, "strong" if strong else "for", "sangat menguatkan" if strong else "menguatkan")


def _cut(text: str, marks: Iterable[_Mark]) -> list[Piece]:
    cut: list[Piece] = []
    at = 0
    for mark in marks:
        if mark.start < at or mark.end > len(text) or mark.start >= mark.end:
            continue
        if mark.start > at:
            cut.append(Piece(text[at : mark.start]))
        cut.append(Piece(text[mark.start : mark.end], mark.mark, mark.title))
        at = mark.end
    if at < len(text):
        cut.append(Piece(text[at:]))
    return cut
