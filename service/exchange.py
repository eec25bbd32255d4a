"""File in, file out: an export of LAPOR! is looked through, taken in once a person confirmed it, and handed back with our columns.

Rows are taken in by chunks, each in one transaction with its lines of `import_row`, the job's counts and a look at the lease:
a worker that lost it keeps nothing. So a job that was cut off goes on behind its last whole chunk, and no row is taken in twice.
"""

from __future__ import annotations

import datetime as dt
import hmac
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from model import lapor
from model.complaint import MAX_TEXT, MAX_TITLE
from model.lapor import Report
from model.place import PlaceFinder
from model.register import Register
from model.routing import Decision
from model.wording import DECISIONS, REASONS, all_reasons, office, percent
from service import audit, audit_log, claims, import_jobs, intake, metrics, name_mapping, review, uploads
from service.clock import now
from service.import_jobs import SOURCE, Job
from service.intake import Prepared
from service.name_mapping import LEFT, OPEN, Targets
from service.name_proposals import MAX_NAME, plain
from service.parts import Parts
from service.problems import may_be_kept
from service.reasons import reasons_of
from service.review import Choice
from service.schemas import EARLIEST, ID_PATTERN, MAX_CHANNEL, MAX_PLACE, ComplaintIn
from service.tables import complaint, import_row, routing, sketch, standing, verdict
from service.wording import OUTCOMES

CHUNK = 50
"""Rows of one transaction; other writers wait for no more than that."""
GROWN = (500, 5_000, 20_000)
"""New complaints of one import after which the database surveys its tables."""
MAX_NAMES = 300
MAX_TOPICS = 12
_READ_AT_ONCE = 500
_CLOSED = re.compile(r"(?<!belum )(?<!tidak )\b(?:di|ter)?(?:arsip|tutup|hapus|tolak|blokir|selesai)")
"""Statuses of what is over at LAPOR!, or never was let in: nobody can send a blocked report on there. "Belum selesai" is open."""
_BY_PERSON = "Diputuskan petugas"
_SETTLED, _NOT_TAKEN = "Sudah didisposisi di SP4N-LAPOR!", "Tidak dimasukkan"
_T = TypeVar("_T")


def work(parts: Parts, job: Job) -> None:
    """Do a job's next step. Raises InvalidData where the file is no export, LostLease where another worker took over."""
    {"uploaded": _survey, "confirmed": _process, "processed": _write_back}[job.state](parts, job)


def client_id(report: Report, secret: str) -> str:
    """Answer the id under which a row is known here: LAPOR!'s own, or one made of what the row says."""
    wanted = re.sub(r"[^A-Za-z0-9._:~-]+", "-", report.tracking_id.strip())[:100]
    if re.fullmatch(ID_PATTERN, wanted):
        return wanted
    # The words are not masked, and the id outlives them: only with the secret could telephone numbers be tried until one fits.
    said = "\0".join((report.received_at, report.title, report.text))
    return f"tanpa-id-{hmac.digest(secret.encode(), said.encode(), 'sha256').hex()[:20]}"


def kind_of(report: Report, targets: Targets) -> str:
    """Classify a row: "unreadable", "named" (an agency has it), "closed" (ended without one), or "open" (waits for a decision)."""
    if not _has_words(report):
        return "unreadable"
    if report.agency and targets.of(report.agency, report.category) != OPEN:
        return "named"
    return "closed" if _CLOSED.search(" ".join(report.status.lower().split())) else "open"


def unit_of(report: Report, agency: str, register: Register | None) -> str:
    """Answer which office of a family is meant: the one that the agency's name holds, or else that of the row's own place.

    "" where neither says, where several are meant and the row's kecamatan does not tell them apart, and where it is no family.
    """
    family = register.by_id.get(agency) if register else None
    if register is None or family is None or not family.per:
        return ""
    own = _places(register).resolve((), report.kecamatan, report.desa)
    if family.per == "kecamatan":
        offices = [(name, name) for name in register.kecamatan]
    else:
        offices = [(place.desa, place.kecamatan) for place in register.places if place.desa]
    written = f" {plain(report.agency)} "
    named = [(name, kecamatan) for name, kecamatan in offices if f" {plain(name)} " in written]
    if not named:
        return own.kecamatan if family.per == "kecamatan" else register.village(own.kecamatan, own.desa)
    # "Kelurahan Mojo Kecamatan Gubeng" means Mojo, though Gubeng is one too: it is the one whose kecamatan is named beside it.
    whole = [(name, where) for name, where in named if f" {plain(where)} " in written.replace(f" {plain(name)} ", " ", 1)]
    named = whole or named
    longest = max(len(name) for name, _ in named)
    meant = [(name, kecamatan) for name, kecamatan in named if len(name) == longest]
    if len(meant) > 1:
        meant = [(name, kecamatan) for name, kecamatan in meant if kecamatan == own.kecamatan]
    if len(meant) != 1:
        return ""
    name, kecamatan = meant[0]
    return name if family.per == "kecamatan" else register.village(kecamatan, name)


@lru_cache(maxsize=1)
def _places(register: Register) -> PlaceFinder:
    """Read a row's own place as the model reads a form: "Kec. Bengalon" is Bengalon."""
    return PlaceFinder(register)


def _survey(parts: Parts, job: Job) -> None:
    """Look through the whole file before anything of it is taken in."""
    lapor.check_original(parts.settings.uploads / job.path)
    with parts.database.read() as connection:
        targets = name_mapping.load(connection, SOURCE)
    counts: Counter[str] = Counter(more_sheets=lapor.unread_sheets(parts.settings.uploads / job.path))
    names: dict[str, tuple[str, Counter[str]]] = {}
    for reports in _batches(lapor.read(parts.settings.uploads / job.path), _READ_AT_ONCE):
        with parts.database.read() as connection:
            ids = [client_id(report, parts.secret) for report in reports]
            known = _known(connection, ids)
        for report, number in zip(reports, ids, strict=True):
            kind = kind_of(report, targets)
            counts["rows"] += 1
            counts[kind] += 1
            counts["known"] += number in known
            counts["undated"] += kind in ("open", "named") and number not in known and not _moment(parts, report.received_at)
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
    reports = (report for report in lapor.read(parts.settings.uploads / job.path) if report.row > last)
    for chunk in _batches(reports, CHUNK):
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
    kind, choice = kind_of(report, targets), None
    if kind == "named":
        target = targets.of(report.agency, report.category)
        if not take or target == LEFT:
            kind = "left"
        elif not target:
            kind = "unmapped"
        else:
            kind, choice = "verdict", Choice(target, unit=unit_of(report, target, parts.models.register))
    if kind == "unreadable":
        return _Row(report, kind, detail="tidak ada uraian yang dapat dibaca")
    if kind not in ("open", "verdict"):
        return _Row(report, kind)
    try:
        return _Row(report, kind, intake.prepare(parts, SOURCE, _asked(parts, report)), choice)
    except ValidationError as error:
        wrong = {str(fault["loc"][0]) for fault in error.errors(include_url=False, include_input=False) if fault["loc"]}
        return _Row(report, "unreadable", detail=f"isian tidak dapat dibaca: {', '.join(sorted(wrong))}"[:300])


def _asked(parts: Parts, report: Report) -> ComplaintIn:
    """Write a row as the API would have brought it; what is longer than we keep is cut, as the model reads no further."""
    words = report.text if any(char.isalnum() for char in report.text[:MAX_TEXT]) else report.title
    fields = {
        "text": words[:MAX_TEXT],
        "title": report.title[:MAX_TITLE],
        "kecamatan": report.kecamatan[:MAX_PLACE],
        "desa": report.desa[:MAX_PLACE],
        "channel": report.channel[:MAX_CHANNEL],
    }
    return ComplaintIn(
        **{name: value.replace("\0", "") for name, value in fields.items()},
        id=client_id(report, parts.secret),
        received_at=_moment(parts, report.received_at),
        confidential=report.confidential,
    )


def _moment(parts: Parts, written: str) -> dt.datetime | None:
    """Read a date of the file, in the region's time unless it names a zone; None, which stands for now, where it is not valid."""
    try:
        moment = dt.datetime.fromisoformat(written)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=parts.settings.time_zone)
    return moment if EARLIEST <= moment <= now() else None


def _take_in(parts: Parts, connection: Connection, job: Job, rows: Sequence[_Row]) -> Counter[str]:
    """Store what is new, keep what others decided as verdicts, and note what became of each row."""
    did: Counter[str] = Counter()
    ids = [client_id(row.report, parts.secret) for row in rows]  # of those passed over too: they may be here all the same
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
                status = _decide(connection, job, number, row.choice, again=again)
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


def _decide(connection: Connection, job: Job, number: int, choice: Choice, *, again: bool) -> str:
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
    if claims.is_held(row, now()):
        return "held"
    return review.record(connection, row, choice, origin="import", account_id=job.options.get("by")).outcome


def _is_of_earlier_export(connection: Connection, job: Job, row: Row[Any]) -> bool:
    """Tell whether the verdict that stands came with an export, and not with an earlier row of this one."""
    of_this = select(import_row.c.row).where(import_row.c.job_id == job.id, import_row.c.complaint_id == row.complaint_id)
    standing_one = select(verdict.c.origin).where(verdict.c.id == row.verdict_id, ~of_this.exists())
    return connection.execute(standing_one).scalar_one_or_none() == "import"


def _write_back(parts: Parts, job: Job) -> None:
    """Write the copy with our columns; the upload is deleted once the copy is there."""
    folder = parts.settings.uploads
    original = folder / job.path
    copy = folder / uploads.new_name(original.suffix)
    try:
        lapor.write_back(original, copy, _cells(parts, job, original))
        with parts.database.write() as connection:
            import_jobs.move(connection, job, "done", job.counts, path=copy.name, finished_at=now())
            audit_log.write(connection, "import-finished", f"import:{job.id}", {"rows": job.counts.get("rows", 0)})
    except BaseException as error:
        if not may_be_kept(error):  # else the job names it perhaps
            uploads.remove(folder, copy.name)
        raise
    uploads.remove(folder, job.path)


def _cells(parts: Parts, job: Job, original: Path) -> Iterator[tuple[int, Sequence[str]]]:
    """Yield our cells of each row: of complaints that are here as they stand, of the others what the model says."""
    register = parts.models.register
    for reports in _batches(lapor.read(original), _READ_AT_ONCE):
        with parts.database.write() as connection:
            import_jobs.renew(connection, job)
        with parts.database.read() as connection:
            stored = _stored(connection, job, reports[0].row, reports[-1].row)
        for report in reports:
            if report.row in stored:
                yield report.row, _as_it_stands(stored[report.row], register)
            elif _has_words(report):
                yield report.row, _as_proposed(parts, report, register)


def _stored(connection: Connection, job: Job, first: int, last: int) -> dict[int, Mapping[str, Any]]:
    """Answer those rows of a stretch of the file that are complaints here."""
    rows = connection.execute(
        select(
            import_row.c.row,
            standing.c.complaint_id,
            audit.is_open().label("blind"),
            standing.c.agency.label("current"),
            standing.c.unit.label("current_unit"),
            routing.c.decision,
            routing.c.agency,
            routing.c.unit,
            routing.c.probability,
            verdict.c.origin,
            verdict.c.outcome,
        )
        .select_from(import_row)
        .join(standing, standing.c.complaint_id == import_row.c.complaint_id)
        .join(routing, routing.c.id == standing.c.routing_id)
        .outerjoin(verdict, verdict.c.id == standing.c.verdict_id)
        .where(import_row.c.job_id == job.id, import_row.c.row.between(first, last))
    ).all()
    reasons = reasons_of(connection, {row.complaint_id for row in rows})
    return {row.row: {**row._mapping, "reasons": reasons.get(row.complaint_id, ())} for row in rows}


def _as_it_stands(row: Mapping[str, Any], register: Register | None) -> Sequence[str]:
    if row["blind"]:  # whoever decides it must not know what the model said
        return "", DECISIONS[row["decision"]], "", all_reasons(row["reasons"])
    if row["outcome"] and row["origin"] != "import":
        decided = _BY_PERSON if row["outcome"] in ("confirmed", "changed") else OUTCOMES[row["outcome"]]
        return office(row["current"], row["current_unit"], register), decided, "", ""
    proposed = office(row["agency"], row["unit"], register)
    if row["origin"] == "import":
        return proposed, _SETTLED, percent(row["probability"]), ""
    return proposed, DECISIONS[row["decision"]], percent(row["probability"]), all_reasons(row["reasons"])


def _as_proposed(parts: Parts, report: Report, register: Register | None) -> Sequence[str]:
    try:
        said = intake.prepare(parts, SOURCE, _asked(parts, report)).said
    except ValidationError:
        return "", "", "", ""
    if said is None:
        return "", "", "", REASONS["no-model"]
    agency, _, probability, _ = lapor.cells_of(said, register)
    return agency, _NOT_TAKEN, probability, ""


def _known(connection: Connection, ids: Iterable[str]) -> dict[str, int]:
    """Answer those of the ids that are complaints here, with their numbers."""
    found = select(complaint.c.client_id, complaint.c.id).where(complaint.c.source == SOURCE, complaint.c.client_id.in_(set(ids)))
    return {row.client_id: row.id for row in connection.execute(found)}


def _has_words(report: Report) -> bool:
    return any(char.isalnum() for char in report.text[:MAX_TEXT]) or any(char.isalnum() for char in report.title[:MAX_TITLE])


def _batches(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    left = iter(items)
    while batch := list(islice(left, size)):
        yield batch
