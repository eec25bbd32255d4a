"""The promise watched while it is kept: a blind sample of the automatic routings, and the error found in it.

Which routing is drawn depends on the secret and the complaint alone, so a replay draws the same ones. A person decides a drawn one
without seeing what the model said; only then are the two compared. What follows from it is for `service.promise.breakers`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, exists, func, select, update

from service.active_model import RouterLike
from service.promise.proportions import exact_interval
from service.storage.tables import audit_case, standing

TARGET = 0.05
"""Share of wrong automatic routings that is promised where neither a routing nor the model says another."""
WRONG = func.count(case((audit_case.c.agrees.is_(False), 1)))
"""How many cases were judged, and not as the model had said."""


@dataclass(frozen=True, slots=True)
class LiveError:
    """What the blind audit found for one agency: `wrong` of `cases`, and the 95 % interval of the share."""

    agency: str
    cases: int
    wrong: int
    waiting: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """Share that was wrong; 0 where nothing was compared yet."""
        return self.wrong / self.cases if self.cases else 0.0


def is_drawn(secret: str, source: str, client_id: str, share: float) -> bool:
    """Tell whether an automatic routing goes to the blind audit. Nobody without the secret can foresee it, and it never changes."""
    digest = hmac.digest(secret.encode(), f"audit\0{source}\0{client_id}".encode(), hashlib.sha256)
    return int.from_bytes(digest[:7]) < share * 2**56


def is_open() -> ColumnElement[bool]:
    """Condition on `standing`: drawn for the blind audit and not judged yet. Nobody is shown what the model said of it."""
    return exists().where(audit_case.c.complaint_id == standing.c.complaint_id, audit_case.c.verdict_id.is_(None))


def compare(connection: Connection, complaint_id: int, verdict_id: int, outcome: str, agency: str, unit: str) -> bool | None:
    """Compare a blind verdict with what the model had said. None where it was no audit case, or cannot be compared yet.

    A complaint that was none should not have gone out: that counts as wrong. One that lacks information stays open.
    """
    drawn = connection.execute(
        select(audit_case).where(audit_case.c.complaint_id == complaint_id, audit_case.c.verdict_id.is_(None))
    ).one_or_none()
    if drawn is None or outcome == "needs-info":
        return None
    same_unit = not unit or not drawn.unit or unit == drawn.unit
    agrees: bool = agency == drawn.agency and same_unit
    connection.execute(
        update(audit_case).where(audit_case.c.complaint_id == complaint_id).values(verdict_id=verdict_id, agrees=agrees)
    )
    return agrees


def forget(connection: Connection, verdict_id: int) -> None:
    """Open an audit case again whose verdict was undone."""
    connection.execute(update(audit_case).where(audit_case.c.verdict_id == verdict_id).values(verdict_id=None, agrees=None))


def promised(router: RouterLike | None) -> float:
    """Answer the share of wrong automatic routings that the model in use promises not to exceed."""
    manifest: Mapping[str, Any] = router.manifest if router else {}
    for holder in (manifest.get("policy"), (manifest.get("metrics") or {}).get("auto")):
        target = holder.get("target_error") if isinstance(holder, Mapping) else None
        if isinstance(target, (int, float)) and 0 < target < 1:
            return float(target)
    return TARGET


def live_errors(connection: Connection, model_version: str | None = None) -> Sequence[LiveError]:
    """Say what the blind audit found, agency by agency, of one model version or of all; the worst lower bound first."""
    found = select(audit_case.c.agency, func.count(audit_case.c.agrees), WRONG, func.count()).group_by(audit_case.c.agency)
    if model_version is not None:
        found = found.where(audit_case.c.model_version == model_version)
    errors = [
        LiveError(agency, cases, wrongs, drawn - cases, *exact_interval(wrongs, cases))
        for agency, cases, wrongs, drawn in connection.execute(found)
    ]
    return sorted(errors, key=lambda error: (-error.low, -error.share, error.agency))
