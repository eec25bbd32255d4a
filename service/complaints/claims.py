"""Who has a complaint: a person for some minutes, by a claim, or a transaction until it ends, by a lock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, or_, select, update

from service.clock import now
from service.storage.tables import standing


def is_free(account_id: int, at: dt.datetime, minutes: int) -> ColumnElement[bool]:
    """Condition: nobody else holds the complaint."""
    until = standing.c.claimed_until
    return or_(standing.c.claimed_by.is_(None), standing.c.claimed_by == account_id, until < at, until > _longest(at, minutes))


def is_held(row: Any, at: dt.datetime, minutes: int, account_id: int | None = None) -> bool:
    """Tell of a row of `standing`, or what holds its columns, whether somebody other than the account has the complaint open."""
    return row.claimed_by not in (None, account_id) and at <= row.claimed_until <= _longest(at, minutes)


def take(connection: Connection, complaint_id: int, account_id: int, minutes: int) -> bool:
    """Keep a waiting complaint for one person for some minutes. False where somebody else has it, or it does not wait."""
    at = now()
    taken = connection.execute(
        update(standing)
        .where(standing.c.complaint_id == complaint_id, standing.c.state == "waiting", is_free(account_id, at, minutes))
        .values(claimed_by=account_id, claimed_until=at + dt.timedelta(minutes=minutes))
    )
    return taken.rowcount == 1


def take_next(
    connection: Connection,
    account_id: int,
    minutes: int,
    wanted: Sequence[ColumnElement[bool]] = (),
    skipped: Collection[int] = (),
) -> int | None:
    """Claim the first waiting complaint that nobody else holds, and answer its number. No two callers get the same one."""
    free = is_free(account_id, now(), minutes)
    first = (
        select(standing.c.complaint_id)
        .where(standing.c.state == "waiting", free, standing.c.complaint_id.not_in(list(skipped)), *wanted)
        .order_by(standing.c.rank, standing.c.complaint_id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    found = connection.execute(first).scalar_one_or_none()
    if found is not None:
        take(connection, found, account_id, minutes)
    return found


def release(connection: Connection, complaint_id: int, account_id: int, until: str = "") -> None:
    """Let go of a complaint; with `until`, the end of the hold that a page saw, only if it was not opened again since."""
    row = locked(connection, complaint_id)
    if row is None or row.claimed_by != account_id or until not in ("", row.claimed_until.isoformat()):
        return
    connection.execute(update(standing).where(standing.c.complaint_id == complaint_id).values(claimed_by=None, claimed_until=None))


def release_all(connection: Connection, account_id: int) -> None:
    """Let go of whatever an account holds."""
    held = select(standing.c.complaint_id).where(standing.c.claimed_by == account_id)
    lock_all(connection, connection.execute(held).scalars().all())
    connection.execute(update(standing).where(standing.c.claimed_by == account_id).values(claimed_by=None, claimed_until=None))


def lock_all(connection: Connection, numbers: Collection[int]) -> None:
    """Lock complaints all at once and in one order, so that two people at the same group never wait for each other."""
    wanted = select(standing.c.complaint_id).where(standing.c.complaint_id.in_(numbers))
    connection.execute(wanted.order_by(standing.c.complaint_id).with_for_update())


def locked(connection: Connection, complaint_id: int) -> Row[Any] | None:
    """Answer where a complaint stands; nobody else moves it before the transaction ends."""
    return connection.execute(select(standing).where(standing.c.complaint_id == complaint_id).with_for_update()).one_or_none()


def _longest(at: dt.datetime, minutes: int) -> dt.datetime:
    """Answer until when a claim can last: one for twice as long as any is from before the clock was set back."""
    return at + 2 * dt.timedelta(minutes=minutes)
