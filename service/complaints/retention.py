"""A complaint's words are deleted after their time. That it was there, where it went and what was decided stays for the figures.

Its sender's own id stays too, as it is no word of the citizen's: the sender follows the feed by it, and one sent again is known.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, delete, func, select, update

from service.clock import now
from service.security import audit_log
from service.storage.database import Database
from service.storage.tables import complaint, idempotency, import_job, routing, sketch, standing, verdict

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Purged:
    """How many complaints were emptied, and how many are old enough but still wait for a person."""

    complaints: int
    waiting: int


def purge(
    database: Database, before: dt.datetime, *, dry_run: bool = False, progress: Callable[[int, int], object] = lambda *_: None
) -> Purged:
    """Empty every complaint stored before a moment that no longer waits; with `dry_run` only count them.

    `progress` is called now and then with how many are emptied, and how many are to be.
    """
    old = (complaint.c.purged_at.is_(None), complaint.c.stored_at < before)
    joined = select(func.count()).select_from(complaint.join(standing, standing.c.complaint_id == complaint.c.id)).where(*old)
    with database.read() as connection:
        waiting = int(connection.execute(joined.where(standing.c.state == "waiting")).scalar_one())
        due = int(connection.execute(joined.where(standing.c.state != "waiting")).scalar_one())
    if dry_run:
        return Purged(due, waiting)
    emptied = last = 0
    # Each time behind the last ones: PostgreSQL would walk over all that were emptied before to find the next.
    while numbers := _empty_some(database, and_(*old, standing.c.state != "waiting", complaint.c.id > last)):
        emptied, last = emptied + len(numbers), numbers[-1]
        progress(emptied, due)
    with database.write() as connection:
        connection.execute(delete(idempotency).where(idempotency.c.created_at < before))
        over = (import_job.c.state.in_(("done", "failed", "cancelled")), import_job.c.created_at < before)
        named = update(import_job).where(*over, import_job.c.file_name != "")
        connection.execute(named.values(file_name=""))  # a file may be called by somebody's name
        audit_log.write(connection, "purged", "", {"complaints": emptied, "before": before.isoformat()})
    database.empty_log()
    return Purged(emptied, waiting)


def _empty_some(database: Database, wanted: ColumnElement[bool]) -> Sequence[int]:
    """Empty the first complaints for which a condition holds, a few at a time, as others are writing too; answers their numbers."""
    found = (
        select(complaint.c.id)
        .join(standing, standing.c.complaint_id == complaint.c.id)
        .where(wanted)
        .order_by(complaint.c.id)
        .limit(_AT_ONCE)
        # One that somebody moves just now is left for the next time; whoever comes later waits, and finds it emptied.
        .with_for_update(of=(standing, complaint), key_share=True, skip_locked=True)
    )
    with database.write() as connection:
        numbers = connection.execute(found).scalars().all()
        if numbers:
            _empty(connection, numbers)
    return numbers


def _empty(connection: Connection, numbers: Sequence[int]) -> None:
    nothing = {"title": "", "text": "", "kecamatan": "", "desa": "", "channel": "", "digest": "", "purged_at": now()}
    connection.execute(update(complaint).where(complaint.c.id.in_(numbers)).values(nothing))
    # The model's answer quotes the words that decided.
    said = routing.c.complaint_id.in_(numbers)
    connection.execute(update(routing).where(said).values(body="", desa=""))
    # Where no model was ready the kecamatan is the form's words, not a name of the register.
    unanswered = select(routing.c.id).where(said, routing.c.model_version == "")
    connection.execute(update(standing).where(standing.c.routing_id.in_(unanswered)).values(kecamatan=""))
    connection.execute(update(routing).where(routing.c.id.in_(unanswered)).values(kecamatan=""))
    connection.execute(update(verdict).where(verdict.c.complaint_id.in_(numbers)).values(note="", question=""))
    connection.execute(delete(sketch).where(sketch.c.complaint_id.in_(numbers)))
