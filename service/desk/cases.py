"""One complaint as the desk shows it: what it says, what the model said, where it stands, and what stands beside it."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from model.complaint import Complaint
from model.routing import Routing
from service.complaints import intake, review, similar
from service.complaints.reasons import reasons_of
from service.promise import audit
from service.storage.tables import account, complaint, routing, standing, verdict
from service.web.schemas import ROUTING

POOL = 100
"""Decided complaints of each candidate that are looked at for like ones."""
ALIKE = 0.12
"""Likeness from which a decided complaint is worth showing."""
_PRECEDENTS = 3
_MEMBERS = 20
"""So many are shown: thousands may write about one flood."""


@dataclass(frozen=True, slots=True)
class Past:
    """A verdict of the complaint's history. `had_by` and its unit are the office that had the complaint until then, "" for none."""

    id: int
    outcome: str
    origin: str
    agency: str
    unit: str
    also: tuple[str, ...]
    missing: tuple[str, ...]
    note: str
    question: str
    by: str
    at: dt.datetime
    had_by: str
    had_by_unit: str


@dataclass(frozen=True, slots=True)
class Member:
    """Another complaint about the same matter."""

    id: int
    title: str
    excerpt: str
    state: str
    agency: str
    received_at: dt.datetime
    serves: bool
    """Whether one verdict can serve it too."""


@dataclass(frozen=True, slots=True)
class Precedent:
    """A like complaint that a person decided."""

    id: int
    title: str
    excerpt: str
    agency: str
    unit: str


@dataclass(frozen=True, slots=True)
class Case:
    """Everything about one complaint. `routing` is None where no model was ready."""

    id: int
    complaint: Complaint
    channel: str
    routing: Routing | None
    reasons: tuple[str, ...]
    state: str
    queue: str
    agency: str
    unit: str
    verdict_id: int | None
    claimed_by: int | None
    claimed_until: dt.datetime | None
    received_at: dt.datetime
    due: dt.date
    follow_up_by: dt.date
    finish_by: dt.date
    purged: bool
    history: tuple[Past, ...]
    blind: bool
    """Whether the model's word must stay hidden: a person is to judge without it."""

    @property
    def refused_by(self) -> frozenset[tuple[str, str]]:
        """The offices, agency and unit, that said that it is not theirs."""
        told = (past for past in self.history if past.origin == "api" and past.outcome != "confirmed")
        return frozenset((past.had_by, past.had_by_unit) for past in told)

    @property
    def kecamatan(self) -> str:
        """The kecamatan that the model settled on, or that the form gave."""
        return (self.routing.kecamatan if self.routing else "") or self.complaint.kecamatan


def load(connection: Connection, complaint_id: int) -> Case | None:
    """Read a complaint; None where there is none of that number."""
    row = connection.execute(
        select(
            complaint,
            routing.c.body,
            audit.is_open().label("blind"),
            *(standing.c[name].label(f"standing_{name}") for name in _STANDING),
        )
        .join(standing, standing.c.complaint_id == complaint.c.id)
        .join(routing, routing.c.id == standing.c.routing_id)
        .where(complaint.c.id == complaint_id)
    ).one_or_none()
    if row is None:
        return None
    said = ROUTING.validate_json(row.body) if row.body else None
    return Case(
        id=row.id,
        complaint=intake.as_stored(row),
        channel=row.channel,
        routing=said,
        reasons=tuple(reasons_of(connection, [complaint_id]).get(complaint_id, ())),
        **{name: getattr(row, f"standing_{name}") for name in _STANDING},
        received_at=row.received_at,
        follow_up_by=row.follow_up_by,
        finish_by=row.finish_by,
        purged=row.purged_at is not None,
        history=tuple(_history(connection, complaint_id, said)),
        blind=bool(row.blind),
    )


def members(connection: Connection, complaint_id: int) -> Sequence[Member]:
    """Answer the other complaints of the group, the newest _MEMBERS of them. What the model said of a blind one stays hidden."""
    first = review.first_of(connection, complaint_id)
    # Not "id = first OR similar_to = first": for that SQLite walks through all complaints.
    newest = select(complaint.c.id).where(complaint.c.similar_to == first).order_by(complaint.c.id.desc()).limit(_MEMBERS)
    numbers = {first, *connection.execute(newest).scalars()} - {complaint_id}
    if not numbers:
        return []
    rows = connection.execute(
        select(*_LINE, standing.c.state, standing.c.queue, standing.c.agency, complaint.c.received_at)
        .join(standing, standing.c.complaint_id == complaint.c.id)
        .where(complaint.c.id.in_(numbers))
        .order_by(complaint.c.id.desc())
    )
    return [
        Member(
            id=row.id,
            title=row.title,
            excerpt=row.text[:200],
            state=row.state,
            agency="" if row.queue == "audit" else row.agency,
            received_at=row.received_at,
            serves=row.state == "waiting" and row.queue != "audit",
        )
        for row in rows
    ]


def precedents(connection: Connection, case: Case, but: Collection[int] = ()) -> Sequence[Precedent]:
    """Find the decided complaints most like this one, among the latest POOL of each of its first two candidates, without `but`.

    Likeness is the cosine over words of at least three letters, weighted by how rare they are among the complaints compared.
    Confidential complaints and those about an official are never shown as precedents.
    """
    if case.routing is None or case.complaint.confidential:
        return []
    rows = [row for candidate in case.routing.candidates[:2] for row in _decided(connection, candidate.agency, {case.id, *but})]
    bags = [similar.words(row.title, row.text) for row in rows]
    mine = similar.words(case.complaint.title, case.complaint.text)
    seen = Counter(word for bag in (*bags, mine) for word in bag)
    weight = {word: math.log((len(bags) + 2) / count) ** 2 for word, count in seen.items()}
    norm = [math.sqrt(sum(weight[word] for word in bag)) or 1.0 for bag in (*bags, mine)]
    scored = [
        (sum(weight[word] for word in mine & bag) / (norm[-1] * length), row)
        for row, bag, length in zip(rows, bags, norm[:-1], strict=True)
    ]
    best = sorted((item for item in scored if item[0] >= ALIKE), key=lambda item: (-item[0], -item[1].id))[:_PRECEDENTS]
    return [Precedent(row.id, row.title, row.text[:200], row.agency, row.unit) for _, row in best]


def _decided(connection: Connection, agency: str, but: Collection[int]) -> Sequence[Row[Any]]:
    rows: Sequence[Row[Any]] = connection.execute(
        select(*_LINE, standing.c.agency, standing.c.unit)
        .join(standing, standing.c.complaint_id == complaint.c.id)
        .join(routing, routing.c.id == standing.c.routing_id)
        .where(
            standing.c.agency == agency,
            standing.c.state == "decided",
            complaint.c.confidential.is_(False),
            complaint.c.purged_at.is_(None),
            routing.c.oversight.is_(False),
            complaint.c.id.not_in(but),
        )
        .order_by(standing.c.complaint_id.desc())
        .limit(POOL)
    ).all()  # type: ignore[assignment]
    return rows


def _history(connection: Connection, complaint_id: int, said: Routing | None) -> Iterator[Past]:
    rows = connection.execute(
        select(verdict, account.c.full_name)
        .outerjoin(account, account.c.id == verdict.c.account_id)
        .where(verdict.c.complaint_id == complaint_id)
        .order_by(verdict.c.id)
    )
    had_by, had_by_unit = (said.agency, said.unit) if said else ("", "")  # before a first verdict only what went out comes back
    for row in rows:
        yield Past(
            id=row.id,
            outcome=row.outcome,
            origin=row.origin,
            agency=row.agency,
            unit=row.unit,
            also=tuple(row.also),
            missing=tuple(row.missing),
            note=row.note,
            question=row.question,
            by=row.full_name or "",
            at=row.decided_at,
            had_by=had_by,
            had_by_unit=had_by_unit,
        )
        had_by, had_by_unit = row.agency, row.unit


_STANDING = ("state", "queue", "agency", "unit", "verdict_id", "claimed_by", "claimed_until", "due")
_LINE = (complaint.c.id, complaint.c.title, complaint.c.text)
