"""The file that goes back: the export as it was uploaded, with our columns beside those of LAPOR!, as things stand by now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, select

from model import lapor
from model.lapor import Report
from model.register import Register
from model.wording import DECISIONS, REASONS, all_reasons, office, percent
from service.clock import now
from service.complaints import intake
from service.complaints.reasons import reasons_of
from service.imports import import_jobs, reports, uploads
from service.imports.import_jobs import SOURCE, Job
from service.parts import Parts
from service.promise import audit
from service.security import audit_log
from service.storage.tables import import_row, routing, standing, verdict
from service.web.problems import may_be_kept
from service.wording import OUTCOMES

_BY_PERSON = "Diputuskan petugas"
_SETTLED, _NOT_TAKEN = "Sudah didisposisi di SP4N-LAPOR!", "Tidak dimasukkan"


def write(parts: Parts, job: Job) -> None:
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
    for some in reports.read(original):
        with parts.database.write() as connection:
            import_jobs.renew(connection, job)
        with parts.database.read() as connection:
            stored = _stored(connection, job, some[0].row, some[-1].row)
        for report in some:
            if report.row in stored:
                yield report.row, _as_it_stands(stored[report.row], register)
            elif reports.has_words(report):
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
        said = intake.prepare(parts, SOURCE, reports.as_complaint(parts, report)).said
    except ValidationError:
        return "", "", "", ""
    if said is None:
        return "", "", "", REASONS["no-model"]
    agency, _, probability, _ = lapor.cells_of(said, register)
    return agency, _NOT_TAKEN, probability, ""
