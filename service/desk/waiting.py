"""The queue as a page shows it: what waits, filtered, counted, and cut into pages, each from where the one before ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, exists, func, select, tuple_

from service.complaints import claims, urgency
from service.complaints.reasons import reasons_of
from service.storage.tables import account, complaint, routing, routing_reason, standing
from service.web.bodies import row_number

PAGE = 25
COUNTED = 10_000
EXCERPT = 160
AGES: Mapping[str, str] = {
    "terlambat": "Lewat tenggat",
    "hari-ini": "Tenggat hari ini",
    "3-hari": "Masuk lebih dari 3 hari lalu",
    "7-hari": "Masuk lebih dari 7 hari lalu",
}
EMERGENCY = "darurat"
"""Asked for in the place of a reason: what may be an emergency. A routing tells it beside its reasons."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which part of the queue is wanted; an empty field wants all. The names are those of the address."""

    instansi: str = ""
    alasan: str = ""
    kecamatan: str = ""
    umur: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Filter:
        """Take the filter from an address; what it does not know is left out."""
        given = {field.name: query.get(field.name, "")[:200] for field in fields(cls)}
        if given["umur"] not in AGES:
            given["umur"] = ""
        return cls(**given)

    def query(self) -> dict[str, Any]:
        """Write it into an address."""
        return {field.name: value for field in fields(self) if (value := getattr(self, field.name))}

    def conditions(self, today: dt.date, at: dt.datetime) -> list[ColumnElement[bool]]:
        """Write it as conditions on `standing`."""
        wanted: list[ColumnElement[bool]] = []
        if self.instansi:  # what the model said of a blind audit case stays hidden
            wanted += [standing.c.agency == self.instansi, standing.c.queue != "audit"]
        if self.alasan == EMERGENCY:
            wanted += _emergency(today)
        elif self.alasan:
            reason = routing_reason.c
            wanted.append(exists().where(reason.complaint_id == standing.c.complaint_id, reason.reason == self.alasan))
        if self.kecamatan:
            wanted.append(standing.c.kecamatan == self.kecamatan)
        if self.umur == "terlambat":
            wanted.append(standing.c.due < today)
        elif self.umur == "hari-ini":
            wanted.append(standing.c.due == today)
        elif self.umur:
            wanted.append(standing.c.received_at < at - dt.timedelta(days=int(self.umur.removesuffix("-hari"))))
        return wanted


@dataclass(frozen=True, slots=True)
class Entry:
    """One waiting complaint as a line of the list; `agency` and `unit` are empty where the model's word is hidden."""

    id: int
    title: str
    excerpt: str
    kecamatan: str
    agency: str
    unit: str
    queue: str
    due: dt.date
    received_at: dt.datetime
    rank: float
    emergency: bool
    reasons: tuple[str, ...]
    held_by: str
    confidential: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """How many wait, of all and of each kind; `more` where there are more than were counted."""

    total: int
    more: bool
    overdue: int
    today: int
    emergencies: int
    agencies: Mapping[str, int]
    reasons: Mapping[str, int]
    kecamatan: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended."""

    rank: float
    id: int

    @classmethod
    def read(cls, text: str) -> Cursor | None:
        """Take it from an address; None where it is not one."""
        rank, _, number = text.partition("~")
        found = row_number(number)
        try:
            return None if found is None else cls(float(rank), found)
        except ValueError:
            return None

    def __str__(self) -> str:
        """Write it into an address; no digit of the rank is lost."""
        return f"{self.rank!r}~{self.id}"


def entries(
    connection: Connection,
    wanted: Filter,
    today: dt.date,
    at: dt.datetime,
    minutes: int,
    after: Cursor | None = None,
    limit: int = PAGE,
    *,
    veiled: bool = False,
) -> tuple[Sequence[Entry], Cursor | None]:
    """Answer a page of the queue and where the next one begins; `minutes` is how long a complaint is kept for one person.

    `veiled`: what is confidential stands where it would if it were no emergency, for its place would tell that it may be one.
    """
    rank: ColumnElement[float] = standing.c.rank
    if veiled:
        is_confidential = exists().where(complaint.c.id == standing.c.complaint_id, complaint.c.confidential)
        rank = case((and_(*_emergency(today), is_confidential), rank + urgency.EMERGENCY_DAYS), else_=rank)
    numbers = select(standing.c.complaint_id, rank.label("place")).where(
        standing.c.state == "waiting", *wanted.conditions(today, at)
    )
    if after is not None:
        numbers = numbers.where(tuple_(rank, standing.c.complaint_id) > tuple_(after.rank, after.id))
    # The page's numbers first: what they say is fetched for these alone.
    page = numbers.order_by(rank, standing.c.complaint_id).limit(limit + 1).subquery()
    rows = connection.execute(
        select(
            standing,
            complaint.c.title,
            complaint.c.confidential,
            func.substr(complaint.c.text, 1, EXCERPT).label("excerpt"),
            routing.c.emergency,
            account.c.full_name,
            page.c.place,
        )
        .join(page, page.c.complaint_id == standing.c.complaint_id)
        .join(complaint, complaint.c.id == standing.c.complaint_id)
        .join(routing, routing.c.id == standing.c.routing_id)
        .outerjoin(account, account.c.id == standing.c.claimed_by)
        .order_by(page.c.place, standing.c.complaint_id)
    ).all()
    reasons = reasons_of(connection, [row.complaint_id for row in rows])
    listed = [
        Entry(
            id=row.complaint_id,
            title=row.title,
            excerpt=row.excerpt,
            kecamatan=row.kecamatan,
            agency="" if row.queue == "audit" else row.agency,
            unit="" if row.queue == "audit" else row.unit,
            queue=row.queue,
            due=row.due,
            received_at=row.received_at,
            rank=row.place,
            emergency=row.emergency and row.queue != "returned",  # as in its place in the queue, which `_emergency` looks at
            reasons=tuple(reasons.get(row.complaint_id, ())),
            held_by=row.full_name if claims.is_held(row, at, minutes) else "",
            confidential=row.confidential,
        )
        for row in rows[:limit]
    ]
    return listed, Cursor(listed[-1].rank, listed[-1].id) if len(rows) > limit else None


def count(connection: Connection, today: dt.date) -> Counts:
    """Count what waits, up to the COUNTED most urgent ones, so that a flood makes no page slow."""
    counted = (
        select(standing.c.complaint_id, standing.c.queue, standing.c.agency, standing.c.kecamatan, standing.c.due)
        .where(standing.c.state == "waiting")
        .order_by(standing.c.rank, standing.c.complaint_id)
        .limit(COUNTED)
        .subquery()
    ).c
    named = case((counted.queue == "audit", ""), else_=counted.agency)
    late, now_due = (func.count(case((condition, 1))) for condition in (counted.due < today, counted.due == today))
    agencies: dict[str, int] = {}
    kecamatan: dict[str, int] = {}
    total = overdue = due_today = 0
    grouped = select(named, counted.kecamatan, func.count(), late, now_due)
    for agency, place, waiting, overdue_here, today_here in connection.execute(grouped.group_by(named, counted.kecamatan)):
        agencies[agency] = agencies.get(agency, 0) + waiting
        kecamatan[place] = kecamatan.get(place, 0) + waiting
        total, overdue, due_today = total + waiting, overdue + overdue_here, due_today + today_here
    by_reason = (
        select(routing_reason.c.reason, func.count())
        .where(routing_reason.c.complaint_id == counted.complaint_id)
        .group_by(routing_reason.c.reason)
    )
    reasons = {row[0]: row[1] for row in connection.execute(by_reason)}
    urgent = select(func.count()).where(standing.c.state == "waiting", *_emergency(today))
    emergencies = connection.execute(urgent).scalar_one()
    return Counts(total, total == COUNTED, overdue, due_today, emergencies, _most(agencies), _most(reasons), _most(kecamatan))


def _emergency(today: dt.date) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Conditions: it may be an emergency. These stand so far ahead that the database need look at the first of the queue alone."""
    ahead = standing.c.rank < today.toordinal() - urgency.EMERGENCY_DAYS / 2
    return ahead, exists().where(routing.c.id == standing.c.routing_id, routing.c.emergency)


def _most(counts: Mapping[str, int]) -> Mapping[str, int]:
    return dict(sorted(((name, count) for name, count in counts.items() if name), key=lambda item: (-item[1], item[0])))
