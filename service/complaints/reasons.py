"""Why complaints did not go out by themselves: the reasons that are kept beside their routing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from operator import itemgetter

from sqlalchemy import Connection, select

from service.storage.tables import routing_reason


def reasons_of(connection: Connection, numbers: Collection[int]) -> Mapping[int, Sequence[str]]:
    """Answer the reasons of complaints by their number, the weightiest first; those that have none are left out."""
    kept = routing_reason.c
    query = select(kept.complaint_id, kept.reason).where(kept.complaint_id.in_(numbers)).order_by(kept.complaint_id, kept.place)
    return {number: [row.reason for row in rows] for number, rows in groupby(connection.execute(query), itemgetter(0))}
