"""What was decided, in an order that never changes: the feed behind GET /decisions and the webhooks.

A decision gets its position not when it is written but when the feed is first read after that, under one lock. So positions have
no gaps, a later one never becomes visible before an earlier one, and no writer waits for another: whoever asks "after 41" misses
nothing, however many servers write at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select, update

from service.storage.database import Database
from service.storage.tables import complaint, decision, feed_head, verdict

MAX_PAGE = 1_000
_PLACED_AT_ONCE = 5_000
_UNPLACED = select(decision.c.id).where(decision.c.position.is_(None)).order_by(decision.c.id)
_PLACE = update(decision).where(decision.c.id == bindparam("row")).values(position=bindparam("place"))

# The question stands with the verdict alone, so that a purge takes it out of the feed too.
ENTRIES = (
    select(decision, complaint.c.client_id, func.coalesce(verdict.c.question, "").label("question"))
    .join(complaint, complaint.c.id == decision.c.complaint_id)
    .outerjoin(verdict, verdict.c.id == decision.c.verdict_id)
)
"""Selects decisions as `entry` writes them."""


def place(database: Database) -> int:
    """Give every decision without a position its own; answers how many there were."""
    with database.read() as connection:
        if connection.execute(_UNPLACED.limit(1)).one_or_none() is None:
            return 0
    with database.write() as connection:
        return _place(connection)[1]


def head(connection: Connection) -> int:
    """Answer the position of the last decision there is, in the caller's transaction: none has a later one yet."""
    while True:
        last, placed = _place(connection)
        if placed < _PLACED_AT_ONCE:
            return last


def last_position(connection: Connection) -> int:
    """Answer the last position that was given. A later cursor is from before an older copy of the database was put in place."""
    return int(connection.execute(select(feed_head.c.position).where(feed_head.c.id == 1)).scalar_one())


def _place(connection: Connection) -> tuple[int, int]:
    """Place the first of those without a position; answers the last position and how many were placed."""
    # The head's row is the lock: what is read after it is taken is all that was committed before.
    last: int = connection.execute(select(feed_head.c.position).where(feed_head.c.id == 1).with_for_update()).scalar_one()
    rows = connection.execute(_UNPLACED.limit(_PLACED_AT_ONCE)).scalars().all()
    if rows:
        connection.execute(_PLACE, [{"row": row, "place": last + count} for count, row in enumerate(rows, 1)])
        connection.execute(update(feed_head).where(feed_head.c.id == 1).values(position=last + len(rows)))
    return last + len(rows), len(rows)


def page(connection: Connection, after: int, limit: int, source: str = "") -> Sequence[Row[Any]]:
    """Answer the decisions after a position, in order; of one source, or of all where none is named."""
    wanted = ENTRIES.where(decision.c.position > after).order_by(decision.c.position).limit(limit)
    if source:
        wanted = wanted.where(decision.c.source == source)
    return connection.execute(wanted).all()


def entry(row: Row[Any]) -> dict[str, Any]:
    """Write one decision as it goes over the wire."""
    return {
        "cursor": row.position,
        "id": row.client_id,
        "source": row.source,
        "number": row.complaint_id,
        "decided_by": row.decided_by,
        "outcome": row.outcome,
        "agency": row.agency,
        "unit": row.unit,
        "also": row.also,
        "missing": row.missing,
        "question": row.question,
        "decided_at": row.decided_at.isoformat(),
    }
