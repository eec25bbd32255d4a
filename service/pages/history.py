"""What came in and what became of it: searched, filtered, and cut into pages, each from where the one before ended."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, exists, func, not_, or_, select, true, tuple_

from model.routing import Decision, Reason
from service.complaints.reasons import reasons_of
from service.desk.waiting import EMERGENCY
from service.pages.periods import parse_days, start_of
from service.promise import audit
from service.storage.database import Database
from service.storage.tables import STATES, account, complaint, routing, routing_reason, standing, verdict
from service.web.bodies import row_number

PAGE = 50
EXPORT_PAGE = 1_000
MAX_SEARCH = 200
MAX_WORDS = 8
BY_MODEL, BY_IMPORT, BY_AGENCY = "~model", "~impor", "~instansi"
"""Who decided, where it was no person at the desk. No account's name begins so."""
_CURSOR = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6})~(\d{1,10})")


@dataclass(frozen=True, slots=True)
class Filters:
    """Which complaints are wanted; an empty field wants all. `query` gives the names in the address."""

    words: str = ""
    decision: str = ""
    state: str = ""
    agency: str = ""
    proposed: str = ""
    reason: str = ""
    kecamatan: str = ""
    by: str = ""
    day_from: dt.date | None = None
    day_to: dt.date | None = None

    @classmethod
    def read(cls, given: Mapping[str, str]) -> Filters:
        """Take the filters from an address; what they do not know is left out."""

        def text(name: str) -> str:
            return " ".join(given.get(name, "").split())[:MAX_SEARCH]

        first, last = parse_days(given)
        return cls(
            words=text("cari"),
            decision=text("keputusan") if text("keputusan") in list(Decision) else "",
            state=text("keadaan") if text("keadaan") in STATES else "",
            agency=text("instansi"),
            proposed=text("usulan"),
            reason=text("alasan") if text("alasan") in (*Reason, EMERGENCY) else "",
            kecamatan=text("kecamatan"),
            by=text("oleh"),
            day_from=first,
            day_to=last,
        )

    def query(self) -> dict[str, str]:
        """Write them into an address."""
        named = {
            "cari": self.words,
            "keputusan": self.decision,
            "keadaan": self.state,
            "instansi": self.agency,
            "usulan": self.proposed,
            "alasan": self.reason,
            "kecamatan": self.kecamatan,
            "oleh": self.by,
            "dari": self.day_from.isoformat() if self.day_from else "",
            "sampai": self.day_to.isoformat() if self.day_to else "",
        }
        return {name: value for name, value in named.items() if value}


@dataclass(frozen=True, slots=True)
class Found:
    """One page of what was found, the newest first; `next` is the cursor of the page after it, empty on the last."""

    rows: Sequence[Row[Any]]
    reasons: Mapping[int, Sequence[str]]
    next: str


def find(
    connection: Connection, asked: Filters, zone: ZoneInfo, *, confidential: bool, after: str = "", limit: int = PAGE
) -> Found:
    """Answer a page. Without `confidential`, a confidential complaint is found by everything but its words."""
    query = _conditions(connection, _select(), asked, zone, confidential)
    if (position := _position(after)) is not None:
        query = query.where(tuple_(standing.c.received_at, standing.c.complaint_id) < tuple_(*position))
    rows = connection.execute(query.limit(limit + 1)).all()
    shown = rows[:limit]
    return Found(shown, reasons_of(connection, [row.id for row in shown]), _cursor(shown[-1]) if len(rows) > limit else "")


def count(connection: Connection, asked: Filters, zone: ZoneInfo, *, confidential: bool, most: int) -> int:
    """Count what `everything` would give, up to `most` and one more."""
    query = _conditions(connection, _select(), asked, zone, confidential)
    if not confidential:
        query = query.where(complaint.c.confidential.is_(False))
    counted = query.with_only_columns(complaint.c.id).order_by(None).limit(most + 1).subquery()
    return int(connection.execute(select(func.count()).select_from(counted)).scalar_one())


def everything(
    database: Database, asked: Filters, zone: ZoneInfo, *, confidential: bool
) -> Iterator[tuple[Row[Any], Sequence[str]]]:
    """Yield every row with its reasons, a page at a time, so that no transaction stays open as long as the reader is slow.

    Without `confidential`, confidential complaints are left out.
    """
    after = ""
    while True:
        with database.read() as connection:
            page = find(connection, asked, zone, confidential=confidential, after=after, limit=EXPORT_PAGE)
        for row in page.rows:
            if confidential or not row.confidential:
                yield row, page.reasons.get(row.id, ())
        if not page.next:
            return
        after = page.next


def _select() -> Select[Any]:
    return (
        select(
            complaint.c.id,
            complaint.c.source,
            complaint.c.client_id,
            standing.c.received_at,
            complaint.c.title,
            complaint.c.text,
            complaint.c.desa,
            complaint.c.confidential,
            complaint.c.purged_at,
            standing.c.state,
            audit.is_open().label("blind"),
            standing.c.agency,
            standing.c.unit,
            standing.c.kecamatan,
            routing.c.decision,
            routing.c.emergency,
            routing.c.agency.label("proposed"),
            routing.c.unit.label("proposed_unit"),
            routing.c.probability,
            routing.c.model_version,
            verdict.c.outcome,
            verdict.c.also,
            verdict.c.origin,
            verdict.c.decided_at,
            account.c.full_name.label("person"),
        )
        .select_from(standing)
        .join(complaint, complaint.c.id == standing.c.complaint_id)
        .join(routing, routing.c.id == standing.c.routing_id)
        .outerjoin(verdict, verdict.c.id == standing.c.verdict_id)
        .outerjoin(account, account.c.id == verdict.c.account_id)
        .order_by(standing.c.received_at.desc(), standing.c.complaint_id.desc())
    )


def _conditions(connection: Connection, query: Select[Any], asked: Filters, zone: ZoneInfo, confidential: bool) -> Select[Any]:
    seen = not_(audit.is_open())
    if asked.words:
        query = query.where(_saying(connection, asked.words, confidential))
    if asked.decision:
        query = query.where(routing.c.decision == asked.decision)
    if asked.state:
        query = query.where(standing.c.state == asked.state)
    if asked.agency:
        query = query.where(standing.c.agency == asked.agency, seen)
    if asked.proposed:
        query = query.where(routing.c.agency == asked.proposed, seen)
    if asked.reason == EMERGENCY:  # found by it, a confidential one would be told from the others
        query = query.where(routing.c.emergency, true() if confidential else complaint.c.confidential.is_(False))
    elif asked.reason:
        of_it = routing_reason.c.complaint_id == standing.c.complaint_id
        query = query.where(exists().where(of_it, routing_reason.c.reason == asked.reason))
    if asked.kecamatan:
        query = query.where(standing.c.kecamatan == asked.kecamatan)
    if asked.by:
        query = query.where(_decided_by(asked.by))
    if asked.day_from:
        query = query.where(standing.c.received_at >= start_of(asked.day_from, zone))
    if asked.day_to:
        query = query.where(standing.c.received_at < start_of(asked.day_to + dt.timedelta(days=1), zone))
    return query


def _saying(connection: Connection, words: str, confidential: bool) -> ColumnElement[bool]:
    """Condition: it is the complaint of that id or number, or where there is none, it holds all the words."""
    if " " not in words:
        number = words.removeprefix("#")
        named: ColumnElement[bool] = complaint.c.client_id.in_([words, number])
        if (numbered := row_number(number)) is not None:
            named = or_(named, complaint.c.id == numbered)
        ids = connection.execute(select(complaint.c.id).where(named).limit(PAGE)).scalars().all()
        if ids:
            return complaint.c.id.in_(ids)
    holds = and_(
        *(
            or_(complaint.c.title.icontains(word, autoescape=True), complaint.c.text.icontains(word, autoescape=True))
            for word in words.split()[:MAX_WORDS]
        )
    )
    return holds if confidential else and_(complaint.c.confidential.is_(False), holds)


def _decided_by(who: str) -> ColumnElement[bool]:
    if who == BY_MODEL:
        return standing.c.state == "sent"
    if who == BY_IMPORT:
        return verdict.c.origin == "import"
    if who == BY_AGENCY:
        return verdict.c.origin == "api"
    return and_(account.c.name == who, verdict.c.origin == "desk")


def _position(cursor: str) -> tuple[dt.datetime, int] | None:
    """Read a cursor; None, which is the beginning, for one that somebody made up."""
    written = _CURSOR.fullmatch(cursor)
    try:
        return (dt.datetime.fromisoformat(written[1]).replace(tzinfo=dt.UTC), int(written[2])) if written else None
    except ValueError:
        return None


def _cursor(row: Row[Any]) -> str:
    return f"{row.received_at.replace(tzinfo=None).isoformat(timespec='microseconds')}~{row.id}"
