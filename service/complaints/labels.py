"""What people decided, as labelled complaints: the one way from the desk to training. The model's own word is never a label.

The model's answer from before anybody decided goes beside the label, because training learns from it how far such answers
can be trusted (`training.promises.keeping`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, and_, select

from model.faults import SalurError
from model.labelled import Answered, LabelledComplaint
from model.registry import Registry
from model.reliability import Reliability
from service.storage.tables import complaint, routing, standing, verdict
from service.web.schemas import ROUTING

_OUTCOMES = ("confirmed", "changed", "not-a-complaint")
CurveOf = Callable[[str], Reliability | None]


def curves(models: Path) -> CurveOf:
    """Find the curve of reliability of a version in a registry's folder; None where the version is gone or cannot be read."""
    registry = Registry(models)

    @cache
    def of(version: str) -> Reliability | None:
        try:
            return Reliability.from_dict(registry.manifest(version)["reliability"])
        except (SalurError, KeyError):
            return None

    return of


def labelled(
    connection: Connection, audit_share: float, curve_of: CurveOf, zone: dt.tzinfo, since: dt.datetime | None = None
) -> Iterator[LabelledComplaint]:
    """Yield every complaint with a verdict that stands and names an agency, or says that it is none; oldest verdict first.

    Confidential complaints are left out, and those whose text was purged. `since` leaves out older verdicts. A verdict of the
    blind audit carries the share of automatic routings that is drawn for it: training takes it for as many as it stands for.
    Times are the region's (`zone`), as those of an import are: training takes days from them, and compares them as text.
    `answered` is what a version had said before. It is left out where `curve_of` does not know that version's curve, and where the
    verdict came in with the complaint: the version may have been trained on that.
    """
    wanted = (
        select(complaint, verdict.c.outcome, verdict.c.agency, verdict.c.unit, verdict.c.also, verdict.c.origin)
        .add_columns(verdict.c.blind, verdict.c.account_id, verdict.c.api_key_id, verdict.c.decided_at)
        .add_columns(routing.c.model_version, routing.c.body)
        .select_from(verdict)
        # By both, so that a database can go from verdict to verdict: else SQLite sorts all that is exported, in memory.
        .join(standing, and_(standing.c.complaint_id == verdict.c.complaint_id, standing.c.verdict_id == verdict.c.id))
        .join(complaint, complaint.c.id == verdict.c.complaint_id)
        .join(routing, routing.c.id == standing.c.routing_id)
        # A purge leaves no text. By its date instead, SQLite would begin at the index of what is not purged, and sort that.
        .where(verdict.c.outcome.in_(_OUTCOMES), complaint.c.text != "", complaint.c.confidential.is_(False))
        .order_by(verdict.c.id)
    )
    if since is not None:
        wanted = wanted.where(verdict.c.decided_at >= since)
    for row in connection.execution_options(yield_per=500).execute(wanted):
        yield _labelled(row, audit_share, curve_of, zone)


def _labelled(row: Row[Any], audit_share: float, curve_of: CurveOf, zone: dt.tzinfo) -> LabelledComplaint:
    is_complaint = row.outcome != "not-a-complaint"
    return LabelledComplaint(
        text=row.text,
        agency=row.agency if is_complaint else "",
        expect="route" if is_complaint else "review",
        id=f"{row.source}:{row.client_id}",
        received_at=row.received_at.astimezone(zone).isoformat(),
        title=row.title,
        kecamatan=row.kecamatan,
        desa=row.desa,
        unit=row.unit if is_complaint else "",
        also=tuple(row.also),
        source=row.source,
        labelled_by=_by(row),
        labelled_at=row.decided_at.astimezone(zone).isoformat(),
        blind=row.blind,
        audit_share=audit_share if row.blind else 0.0,
        answered=_answered(row, curve_of),
    )


def _by(row: Row[Any]) -> str:
    """Tell who decided apart, without a name: training needs to know whether two labels are one person's, not whose."""
    if row.account_id:
        return f"petugas:{row.account_id}"
    return f"kunci:{row.api_key_id}" if row.api_key_id else str(row.origin)


def _answered(row: Row[Any], curve_of: CurveOf) -> Answered | None:
    curve = curve_of(row.model_version) if row.body and row.origin != "import" else None
    return curve.answered(ROUTING.validate_json(row.body).candidates[0]) if curve else None
