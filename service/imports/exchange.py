"""An export of LAPOR! is looked through, taken in once a person confirmed it, and written anew to be handed back, step by step.

Rows are taken in by chunks, each in one transaction with its lines of `import_row`, the job's counts and a look at the lease:
a worker that lost it keeps nothing. So a job that was cut off goes on behind its last whole chunk, and no row is taken in twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from model import lapor
from model.lapor import Report
from model.routing import Decision
from model.wording import DECISIONS
from service.clock import now
from service.complaints import claims, intake, review
from service.complaints.intake import Prepared
from service.complaints.review import Choice
from service.imports import import_jobs, name_mapping, reports, result_file
from service.imports.import_jobs import SOURCE, Job
from service.imports.name_mapping import LEFT, Targets
from service.imports.name_proposals import MAX_NAME, plain
from service.parts import Parts
from service.storage.tables import complaint, import_row, sketch, standing, verdict
from service.telemetry import metrics

CHUNK = 50
"""Rows of one transaction; other writers wait for no more than that."""
GROWN = (500, 5_000, 20_000)
"""New complaints of one import after which the database surveys its tables."""
MAX_NAMES = 300
MAX_TOPICS = 12


def work(parts: Parts, job: Job) -> None:
    """Do a job's next step. Raises InvalidData where the file is no export, LostLease where another worker took over."""
    {"uploaded": _survey, "confirmed": _process, "processed": result_file.write}[job.state](parts, job)


def _survey(parts: Parts, job: Job) -> None:
    """Look through the whole file before anything of it is taken in."""
    lapor.check_original(parts.settings.uploads / job.path)
    with parts.database.read() as connection:
        targets = name_mapping.load(connection, SOURCE)
    zone = parts.settings.time_zone
    counts: Counter[str] = Counter(more_sheets=lapor.unread_sheets(parts.settings.uploads / job.path))
    names: dict[str, tuple[str, Counter[str]]] = {}
    for some in reports.read(parts.settings.uploads / job.path):
        with parts.database.read() as connection:
            ids = [reports.client_id(report, parts.secret) for report in some]
            known = _known(connection, ids)
        for report, number in zip(some, ids, strict=True):
            kind = reports.kind_of(report, targets)
            counts["rows"] += 1
            counts[kind] += 1
            counts["known"] += number in known
            counts["undated"] += kind in ("open", "named") and number not in known and not reports.received_at(report, zone)
            counts["months_first"] += report.month_first
            if report.agency:
                names.setdefault(plain(report.agency), (report.agency, Counter()))[1][report.category] += 1
        with parts.database.write() as connection:
            import_jobs.renew(connection, job, counts)
    most = sorted(names.values(), key=lambda name: (-name[1].total(), name[0]))[:MAX_NAMES]
    told = [
        {"name": written[:MAX_NAME], "rows": topics.total(), "topics": topics.most_common(MAX_TOPICS)} for written, topics in most
    ]
    with parts.database.write() as connection:
        import_jobs.move(connection, job, "surveyed", {**counts, "names": told, "more_names": len(names) - len(most)})


@dataclass(frozen=True, slots=True)
class _Row:
    """A row and what is to be done with it; `kind` is one of `kind_of`, or "left", "unmapped", "verdict" instead of "named"."""

    report: Report
    kind: str
    taken: Prepared | None = None
    choice: Choice | None = None
    detail: str = ""


def _process(parts: Parts, job: Job) -> None:
    """Take the rows in, chunk by chunk, behind those that are in already."""
    with parts.database.read() as connection:
        targets = name_mapping.load(connection, SOURCE)
        last = connection.execute(select(func.max(import_row.c.row)).where(import_row.c.job_id == job.id)).scalar_one() or 0
    # What the export calls agencies was asked about, and is remembered where it was answered: it stays no longer than that.
    counts = {name: many for name, many in job.counts.items() if name != "names"}
    for chunk in reports.read(parts.settings.uploads / job.path, CHUNK, after=last):
        rows = [_prepare(parts, report, targets, take=bool(job.options.get("take"))) for report in chunk]
        with parts.database.write() as connection:
            import_jobs.renew(connection, job)
            did = _take_in(parts, connection, job, rows)
            after = counts | {name: counts.get(name, 0) + many for name, many in did.items()}
            import_jobs.renew(connection, job, after, further=True)
        if any(counts.get("did_new", 0) < grown <= after.get("did_new", 0) for grown in GROWN):
            parts.database.survey()
        counts = after
        for decision in DECISIONS:
            metrics.count_stored(decision, did[f"did_{decision}"])
        metrics.count_stored(Decision.REVIEW, did["did_settled"])
    with parts.database.write() as connection:
        import_jobs.move(connection, job, "processed", counts)


def _prepare(parts: Parts, report: Report, targets: Targets, take: bool) -> _Row:
    """Mask and route what will be stored: outside the transaction, for which others wait."""
    kind, choice = reports.kind_of(report, targets), None
    if kind == "named":
        target = targets.of(report.agency, report.category)
        if not take or target == LEFT:
            kind = "left"
        elif not target:
            kind = "unmapped"
        else:
            kind, choice = "verdict", Choice(target, unit=reports.unit_of(report, target, parts.models.register))
    if kind == "unreadable":
        return _Row(report, kind, detail="tidak ada uraian yang dapat dibaca")
    if kind not in ("open", "verdict"):
        return _Row(report, kind)
    try:
        return _Row(report, kind, intake.prepare(parts, SOURCE, reports.as_complaint(parts, report)), choice)
    except ValidationError as error:
        wrong = {str(fault["loc"][0]) for fault in error.errors(include_url=False, include_input=False) if fault["loc"]}
        return _Row(report, "unreadable", detail=f"isian tidak dapat dibaca: {', '.join(sorted(wrong))}"[:300])


def _take_in(parts: Parts, connection: Connection, job: Job, rows: Sequence[_Row]) -> Counter[str]:
    """Store what is new, keep what others decided as verdicts, and note what became of each row."""
    did: Counter[str] = Counter()
    ids = [reports.client_id(row.report, parts.secret) for row in rows]  # of those passed over too: they may be here all the same
    known = _known(connection, ids)
    claims.lock_all(connection, known.values())  # not row by row: a group that the desk decides would wait for us, and we for it
    notes: list[dict[str, Any]] = []
    for row, wanted in zip(rows, ids, strict=True):
        status, number = row.kind, known.get(wanted)
        if number is not None and row.report.confidential:
            _make_confidential(connection, number)
        if row.taken is not None:
            status = "known"
            if number is None:
                receipt = intake.keep(parts, connection, row.taken, settled=row.choice is not None)
                number = known[wanted] = receipt.number
                if receipt.new:  # else the API took it in since we looked
                    status = "stored"
                    did["did_new"] += 1
                    did[f"did_{receipt.decision}" if row.choice is None else "did_settled"] += 1
            if row.choice is not None:
                again = any(note["complaint_id"] == number for note in notes)
                status = _decide(parts, connection, job, number, row.choice, again=again)
        did[f"did_{status}"] += 1
        did["did_rows"] += 1
        notes.append({"job_id": job.id, "row": row.report.row, "complaint_id": number, "status": status, "detail": row.detail})
    connection.execute(insert(import_row), notes)
    return did


def _make_confidential(connection: Connection, number: int) -> None:
    """Treat a complaint that became Rahasia since an earlier export as one that always was: it is nobody's example or neighbour."""
    open_until_now = (complaint.c.id == number, complaint.c.confidential.is_(False))
    if connection.execute(update(complaint).where(*open_until_now).values(confidential=True, similar_to=None)).rowcount:
        connection.execute(delete(sketch).where(sketch.c.complaint_id == number))
        connection.execute(update(complaint).where(complaint.c.similar_to == number).values(similar_to=None))


def _decide(parts: Parts, connection: Connection, job: Job, number: int, choice: Choice, *, again: bool) -> str:
    """Take what the export says as a verdict, unless a person of ours has decided already or is just looking at it.

    What an earlier export said gives way to another office: the complaint was passed on since, or the name was mapped wrongly.
    Within one file (`again`: this chunk names it before) the first row counts, or two would take turns whenever it comes.
    """
    row = connection.execute(select(standing).where(standing.c.complaint_id == number).with_for_update()).one()
    if review.is_purged(connection, number):
        return "known"
    if row.verdict_id is not None and row.state in ("decided", "closed"):
        same = choice.agency == row.agency and choice.unit in ("", row.unit)
        if same or again or not _is_of_earlier_export(connection, job, row):
            return "decided"
    if claims.is_held(row, now(), parts.settings.claim_minutes):
        return "held"
    return review.record(connection, row, choice, origin="import", account_id=job.options.get("by")).outcome


def _is_of_earlier_export(connection: Connection, job: Job, row: Row[Any]) -> bool:
    """Tell whether the verdict that stands came with an export, and not with an earlier row of this one."""
    of_this = select(import_row.c.row).where(import_row.c.job_id == job.id, import_row.c.complaint_id == row.complaint_id)
    standing_one = select(verdict.c.origin).where(verdict.c.id == row.verdict_id, ~of_this.exists())
    return connection.execute(standing_one).scalar_one_or_none() == "import"


def _known(connection: Connection, ids: Iterable[str]) -> dict[str, int]:
    """Answer those of the ids that are complaints here, with their numbers."""
    found = select(complaint.c.client_id, complaint.c.id).where(complaint.c.source == SOURCE, complaint.c.client_id.in_(set(ids)))
    return {row.client_id: row.id for row in connection.execute(found)}
