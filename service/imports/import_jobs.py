"""The imports as jobs: their states, who holds the lease of a step, and what is deleted when.

A job's state says which step comes next; whoever does the step holds the job's lease, and loses it by not renewing it in time.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Update, delete, insert, or_, select, update

from service.clock import now
from service.imports import uploads
from service.imports.uploads import Upload
from service.parts import Parts
from service.security import audit_log
from service.storage.database import Database
from service.storage.tables import account, import_job, import_row

SOURCE = "lapor"
LEASE = dt.timedelta(seconds=120)
"""How long a step may be silent before another worker takes it over."""
KEPT = dt.timedelta(days=1)
"""How long a file stays, whatever became of its job: it holds what citizens wrote, unmasked."""
MAX_ATTEMPTS = 5
"""How often a step is begun before the job is given up: a file that kills its worker must not do so for ever."""
TROUBLES = 50
STEPS = ("uploaded", "confirmed", "processed")
"""States in which the service has something to do."""


class LostLease(Exception):
    """Another worker has the job now."""


@dataclass(frozen=True, slots=True)
class Job:
    """An import. `path` is its file in the private folder: the upload, later the copy that goes back; empty where none is left."""

    id: int
    file_name: str
    path: str
    state: str
    options: Mapping[str, Any]
    counts: Mapping[str, Any]
    error: str
    created_at: dt.datetime
    created_by: int | None
    handed_back_at: dt.datetime | None
    lease: str | None
    lease_until: dt.datetime | None

    @property
    def is_working(self) -> bool:
        """Whether a step of it is to be done by the service."""
        return self.state in STEPS

    @property
    def has_result(self) -> bool:
        """Whether the copy that goes back can be fetched."""
        return self.state == "done" and bool(self.path)

    @property
    def result_name(self) -> str:
        """What the copy that goes back is called."""
        original = Path(self.file_name)
        return f"{original.stem[:150]}-salur{original.suffix}"


_COLUMNS = tuple(import_job.c[field.name] for field in fields(Job))


def add(connection: Connection, upload: Upload, by: int) -> int:
    """Begin an import of an upload; answers its id. One's own file again, while the first is under way, is the first.

    Somebody else's is another one, though the file is the same: the result goes back to whoever uploaded it, and no row is
    taken in twice.
    """
    # A person's uploads one at a time: of a file sent twice in one moment the second must see the first.
    connection.execute(select(account.c.id).where(account.c.id == by).with_for_update(key_share=True))
    under_way = import_job.c.state.in_((*STEPS, "surveyed"))
    same = select(import_job.c.id).where(import_job.c.digest == upload.digest, import_job.c.created_by == by, under_way)
    known: int | None = connection.execute(same.limit(1)).scalar_one_or_none()
    if known is not None:
        return known
    values = {
        "file_name": upload.called,
        "digest": upload.digest,
        "path": upload.name,
        "source": SOURCE,
        "state": "uploaded",
        "options": {},
        "counts": {},
        "error": "",
        "created_at": now(),
        "created_by": by,
    }
    number: int = connection.execute(insert(import_job).values(values).returning(import_job.c.id)).scalar_one()
    audit_log.write(connection, "import-uploaded", f"import:{number}", account_id=by)
    return number


def find(connection: Connection, number: int) -> Job | None:
    """Find a job."""
    row = connection.execute(select(*_COLUMNS).where(import_job.c.id == number)).one_or_none()
    return Job(**row._mapping) if row else None


def newest(connection: Connection) -> Sequence[Job]:
    """Answer the newest jobs."""
    return [Job(**row._mapping) for row in connection.execute(select(*_COLUMNS).order_by(import_job.c.id.desc()).limit(20))]


def waits_for_names(connection: Connection, number: int) -> bool:
    """Tell whether a job was looked through and waits to be confirmed; nobody else confirms or cancels it in this transaction."""
    waiting = select(import_job.c.id).where(import_job.c.id == number, import_job.c.state == "surveyed")
    return connection.execute(waiting.with_for_update()).one_or_none() is not None


def confirm(connection: Connection, number: int, take: bool, by: int) -> None:
    """Let a job go on; the caller knows by `waits_for_names` that it may."""
    connection.execute(
        update(import_job).where(import_job.c.id == number).values(state="confirmed", options={"take": take, "by": by})
    )
    audit_log.write(connection, "import-started", f"import:{number}", {"verdicts": take}, account_id=by)


def cancel(connection: Connection, job: Job, by: int) -> bool:
    """Drop a job of which nothing was taken in yet. False where it is too late."""
    done = connection.execute(
        update(import_job)
        .where(import_job.c.id == job.id, import_job.c.state.in_(("uploaded", "surveyed")))
        .values(state="cancelled", path="", finished_at=now(), lease=None, lease_until=None)
    )
    if done.rowcount:
        audit_log.write(connection, "import-cancelled", f"import:{job.id}", account_id=by)
    return bool(done.rowcount)


def hand_back(connection: Connection, job: Job, by: int) -> None:
    """Note that a job's copy was fetched: nothing of it is needed any more."""
    connection.execute(update(import_job).where(import_job.c.id == job.id).values(path="", handed_back_at=now()))
    connection.execute(delete(import_row).where(import_row.c.job_id == job.id))
    audit_log.write(connection, "import-handed-back", f"import:{job.id}", account_id=by)


def troubles(connection: Connection, number: int) -> Sequence[tuple[int, str]]:
    """Answer the first rows of a job that could not be taken in: (row, why)."""
    wanted = select(import_row.c.row, import_row.c.detail).where(import_row.c.job_id == number, import_row.c.status == "unreadable")
    return [(row[0], row[1]) for row in connection.execute(wanted.order_by(import_row.c.row).limit(TROUBLES))]


def expire(database: Database, folder: Path) -> int:
    """Delete the files that were kept for a day, and those that no job knows of; answers of how many jobs."""
    before = now() - KEPT
    with database.read() as connection:
        kept = set(connection.execute(select(import_job.c.path).where(import_job.c.path != "")).scalars())
        old = connection.execute(select(*_COLUMNS).where(import_job.c.path != "", import_job.c.created_at < before)).all()
    gone = 0
    for job in (Job(**row._mapping) for row in old):
        if job.lease_until is not None and job.lease_until > now():
            continue
        with database.write() as connection:
            values: dict[str, Any] = {"path": "", "lease": None, "lease_until": None}
            if job.state not in ("done", "failed"):
                values |= {"state": "failed", "finished_at": now(), "error": f"Berkas dihapus setelah satu hari. {_so_far(job)}"}
            idle = or_(import_job.c.lease_until.is_(None), import_job.c.lease_until <= now())
            mine = update(import_job).where(import_job.c.id == job.id, import_job.c.path == job.path, idle)
            if not connection.execute(mine.values(values)).rowcount:
                continue  # another process was faster, or a worker has just taken it
            connection.execute(delete(import_row).where(import_row.c.job_id == job.id))
            audit_log.write(connection, "import-expired", f"import:{job.id}")
        uploads.remove(folder, job.path)
        kept.discard(job.path)
        gone += 1
    uploads.sweep(folder, kept, before.timestamp())
    return gone


def claim(parts: Parts) -> Job | None:
    """Take the lease of the oldest job that has a step to do and its file on this host.

    None where there is none, or another worker is at one: two at once would only take each other's turn.
    """
    at, claimed = now(), None
    given_up: list[str] = []
    with parts.database.write() as connection:
        steps = select(*_COLUMNS).where(import_job.c.state.in_(STEPS)).order_by(import_job.c.id).with_for_update()
        jobs = [Job(**row._mapping) for row in connection.execute(steps)]
        # A lease that ends later than that was written before the clock was set back: it must not block for hours.
        if any(job.lease_until is not None and at < job.lease_until <= at + LEASE for job in jobs):
            return None
        for job in jobs:
            if not (parts.settings.uploads / job.path).is_file():
                continue  # it was uploaded to another host: that one does it, or the day runs out
            attempts = int(job.options.get("attempts", 0)) + 1
            if attempts > MAX_ATTEMPTS:
                _fail(connection, job, "Pemrosesan berkali-kali terhenti sebelum selesai.")
                given_up.append(job.path)
                continue
            values = {"lease": secrets.token_hex(16), "lease_until": at + LEASE, "options": {**job.options, "attempts": attempts}}
            connection.execute(update(import_job).where(import_job.c.id == job.id).values(values))
            claimed = find(connection, job.id)
            break
    for path in given_up:  # once that is kept: a job that goes on needs its file
        uploads.remove(parts.settings.uploads, path)
    return claimed


def is_work_left(parts: Parts) -> bool:
    """Tell whether any job has a step to do."""
    with parts.database.read() as connection:
        left = select(import_job.c.id).where(import_job.c.state.in_(STEPS)).limit(1)
        return connection.execute(left).one_or_none() is not None


def renew(connection: Connection, job: Job, counts: Mapping[str, Any] | None = None, *, further: bool = False) -> None:
    """Keep the lease for longer, and tell how far the step is. Raises LostLease; the caller's transaction is then not kept.

    `further`: progress was stored, so a worker that takes over continues from here, and attempts are counted anew.
    """
    told: dict[str, Any] = {} if counts is None else {"counts": dict(counts)}
    if further:
        told["options"] = {**job.options, "attempts": 1}
    _of_mine(connection, job, {"lease_until": now() + LEASE, **told})


def move(connection: Connection, job: Job, state: str, counts: Mapping[str, Any], **values: Any) -> None:
    """End a step, and with it the lease. Raises LostLease."""
    options = {name: value for name, value in job.options.items() if name != "attempts"}
    done = {"state": state, "counts": dict(counts), "options": options, "lease": None, "lease_until": None, **values}
    _of_mine(connection, job, done)


def release(parts: Parts, job: Job, *, counted: bool) -> None:
    """Let go of a job that shall be tried again; unless `counted`, its file was not to blame. Raises LostLease."""
    again = {} if counted else {"options": {**job.options, "attempts": int(job.options.get("attempts", 1)) - 1}}
    with parts.database.write() as connection:
        _of_mine(connection, job, {"lease": None, "lease_until": None, **again})


def fail(parts: Parts, job: Job, error: str) -> None:
    """Give a job up, saying why, and delete its file. Raises LostLease."""
    with parts.database.write() as connection:
        renew(connection, job)
        _fail(connection, find(connection, job.id) or job, error)
    uploads.remove(parts.settings.uploads, job.path)


def _fail(connection: Connection, job: Job, error: str) -> None:
    told = f"{error} {_so_far(job)}"
    values = {"state": "failed", "error": told, "path": "", "finished_at": now(), "lease": None, "lease_until": None}
    connection.execute(update(import_job).where(import_job.c.id == job.id).values(values))
    audit_log.write(connection, "import-failed", f"import:{job.id}")


def _of_mine(connection: Connection, job: Job, values: Mapping[str, Any]) -> None:
    mine: Update = update(import_job).where(import_job.c.id == job.id, import_job.c.lease == job.lease)
    if not connection.execute(mine.values(**values)).rowcount:
        raise LostLease


def _so_far(job: Job) -> str:
    """Say what of a job that ends early is in already, so that nothing is half done in silence."""
    rows = job.counts.get("did_rows", 0)
    if not rows:
        return "Belum ada aduan yang dimasukkan."
    if job.state == "processed":
        return "Semua laporan sudah masuk dan tetap tersimpan; unggah ekspornya lagi bila berkas hasilnya masih perlu."
    return f"{rows} baris pertama sudah masuk dan tetap tersimpan; unggah berkas yang sama untuk melanjutkan sisanya."
