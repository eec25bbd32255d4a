"""What people decided, as labelled complaints: the one way from the desk to training. The model's own word never goes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, select

from model.labelled import LabelledComplaint
from service.tables import complaint, standing, verdict

_OUTCOMES = ("confirmed", "changed", "not-a-complaint")


def labelled(connection: Connection, audit_share: float, since: dt.datetime | None = None) -> Iterator[LabelledComplaint]:
    """Yield every complaint with a verdict that stands and names an agency, or says that it is none; oldest verdict first.

    Confidential complaints are left out, and those whose text was purged. `since` leaves out older verdicts. A verdict of the
    blind audit carries the share of automatic routings that is drawn for it: training takes it for as many as it stands for.
    """
    wanted = (
        select(complaint, verdict.c.outcome, verdict.c.agency, verdict.c.unit, verdict.c.also, verdict.c.origin)
        .add_columns(verdict.c.blind, verdict.c.account_id, verdict.c.api_key_id, verdict.c.decided_at)
        .join(standing, standing.c.complaint_id == complaint.c.id)
        .join(verdict, verdict.c.id == standing.c.verdict_id)
        .where(verdict.c.outcome.in_(_OUTCOMES), complaint.c.purged_at.is_(None), complaint.c.confidential.is_(False))
        .order_by(verdict.c.id)
    )
    if since is not None:
        wanted = wanted.where(verdict.c.decided_at >= since)
    for row in connection.execution_options(yield_per=500).execute(wanted):
        yield _labelled(row, audit_share)


def _labelled(row: Row[Any], audit_share: float) -> LabelledComplaint:
    is_complaint = row.outcome != "not-a-complaint"
    # Who decided is told apart, not named: training needs to know whether two labels are one person's, not whose.
    by = f"petugas:{row.account_id}" if row.account_id else f"kunci:{row.api_key_id}" if row.api_key_id else row.origin
    return LabelledComplaint(
        text=row.text,
        agency=row.agency if is_complaint else "",
        expect="route" if is_complaint else "review",
        id=f"{row.source}:{row.client_id}",
        received_at=row.received_at.isoformat(),
        title=row.title,
        kecamatan=row.kecamatan,
        desa=row.desa,
        unit=row.unit if is_complaint else "",
        also=tuple(row.also),
        source=row.source,
        labelled_by=by,
        labelled_at=row.decided_at.isoformat(),
        extra={"blind": True, "audit_share": audit_share} if row.blind else {},
    )
