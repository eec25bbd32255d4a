"""Breakers: whose automatic routing is stopped, by what evidence or by whom, and until when.

Where an agency's audited cases, or complaints that it sent back, speak against the promise, its automatic routing stops
(`proportions.evidence_against`): all its complaints go to people until a person closes the breaker with a reason, or a new model is
promoted. Either way counting begins anew.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from model.faults import SalurError
from model.privacy import mask
from service.clock import now
from service.promise.audit import TARGET, WRONG
from service.promise.proportions import evidence_against
from service.security import audit_log
from service.storage.statements import Statement
from service.storage.tables import account, audit_case, breaker, decision, routing, stands, verdict
from service.telemetry import metrics

FALSE_ALARM = 0.05
"""Chance that an agency for which the promise holds is ever stopped, shared by the two tests of `check`."""
MAX_REASON = 500
_START = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_log = structlog.get_logger("salur")


class InvalidBreaker(SalurError):
    """What was asked of a breaker cannot be done; the text says why, in Indonesian."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """An agency whose automatic routing is, or was, stopped."""

    id: int
    agency: str
    model_version: str
    why: str
    opened_at: dt.datetime
    opened_by: str
    closed_at: dt.datetime | None
    closed_by: str
    closed_why: str


_STOPPED = Statement(select(breaker.c.agency).where(breaker.c.closed_at.is_(None), breaker.c.model_version == bindparam("version")))


def stopped(connection: Connection, model_version: str) -> frozenset[str]:
    """Agencies to which a model must not route automatically now."""
    return frozenset(row[0] for row in _STOPPED.rows(connection, {"version": model_version}))


def check(connection: Connection, agency: str, model_version: str, target: float = TARGET) -> bool:
    """Open the breaker of an agency where the cases speak against the promise. Tells whether it was opened just now."""
    if connection.dialect.name == "postgresql":  # of two wrong verdicts at once the later must count the other's too
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 728))"), {"name": agency})
    # There is one open breaker per agency at most: while that of the model in use is open, an earlier model gets none.
    if any(agency in stopped(connection, version) for version in (model_version, _version_in_use(connection))):
        return False
    since = _counted_since(connection, agency)
    audited, wrong = _audited(connection, agency, model_version, since)
    # What came back from an agency is no sample, but all of it together is at most what was truly wrong.
    came_back = _came_back(connection, agency, model_version, since)
    sent = _sent(connection, agency, model_version, since) if came_back else 0
    limit = 2 / FALSE_ALARM
    if evidence_against(target, wrong, audited) >= limit:
        why = f"Pemeriksaan acak: {wrong} dari {audited} penerusan otomatis keliru, padahal janjinya paling banyak {target:.0%}."
    elif evidence_against(target, came_back, sent) >= limit:
        why = f"{came_back} dari {sent} penerusan otomatis dikembalikan, padahal janjinya paling banyak {target:.0%}."
    else:
        return False
    try:
        open_breaker(connection, agency, model_version, why)
    except InvalidBreaker:  # another verdict has just opened it
        return False
    return True


def open_breaker(connection: Connection, agency: str, model_version: str, why: str, by: int | None = None) -> int:
    """Stop the automatic routing of an agency. Raises InvalidBreaker where it is stopped already, or no reason is given."""
    why = _reason(why)
    if agency in stopped(connection, model_version):
        raise InvalidBreaker("Penerusan otomatis untuk instansi ini sudah dihentikan.")
    # A breaker of an earlier model has lapsed and makes room: there is one open breaker per agency at most. That of the model in
    # use stays, as this verdict may be a late one about an earlier model, and the breaker may have opened since we looked.
    holds = (model_version,) if by else (model_version, _version_in_use(connection))
    connection.execute(
        update(breaker)
        .where(breaker.c.agency == agency, breaker.c.closed_at.is_(None), breaker.c.model_version.not_in(holds))
        .values(closed_at=now(), closed_why=f"Model {model_version} menggantikan model sebelumnya.")
    )
    values = {"agency": agency, "model_version": model_version, "why": why, "opened_at": now(), "opened_by": by}
    try:
        with connection.begin_nested():
            number: int = connection.execute(insert(breaker).values(values).returning(breaker.c.id)).scalar_one()
    except IntegrityError as error:  # somebody else did, since we looked
        raise InvalidBreaker("Penerusan otomatis untuk instansi ini sudah dihentikan.") from error
    audit_log.write(connection, "breaker-opened", f"agency:{agency}", {"why": why, "model": model_version}, account_id=by)
    metrics.count_breaker(agency, "opened")
    _log.warning("breaker opened", agency=agency, model=model_version, by="person" if by else "audit")
    return number


def close_breaker(connection: Connection, breaker_id: int, why: str, by: int) -> str:
    """Let the model route to an agency again, and answer which one.

    Raises InvalidBreaker where it is closed already, or no reason is given.
    """
    why = _reason(why)
    closed: str | None = connection.execute(
        update(breaker)
        .where(breaker.c.id == breaker_id, breaker.c.closed_at.is_(None))
        .values(closed_at=now(), closed_by=by, closed_why=why)
        .returning(breaker.c.agency)
    ).scalar_one_or_none()
    if closed is None:
        raise InvalidBreaker("Penghentian ini sudah dicabut.")
    audit_log.write(connection, "breaker-closed", f"agency:{closed}", {"why": why}, account_id=by)
    metrics.count_breaker(closed, "closed")
    _log.warning("breaker closed", agency=closed)
    return closed


def open_for(connection: Connection, model_version: str) -> Sequence[Breaker]:
    """Answer the breakers that stop a version now, the newest first: one an agency at the most."""
    return _breakers(connection, breaker.c.closed_at.is_(None), breaker.c.model_version == model_version)


def newest(connection: Connection, limit: int, agency: str = "") -> Sequence[Breaker]:
    """Answer the newest breakers, open or closed, of one agency or of all."""
    return _breakers(connection, *([breaker.c.agency == agency] if agency else ()), limit=limit)


def _breakers(connection: Connection, *wanted: ColumnElement[bool], limit: int | None = None) -> Sequence[Breaker]:
    opener, closer = account.alias(), account.alias()
    found = (
        select(breaker, opener.c.full_name.label("opener"), closer.c.full_name.label("closer"))
        .outerjoin(opener, opener.c.id == breaker.c.opened_by)
        .outerjoin(closer, closer.c.id == breaker.c.closed_by)
        .where(*wanted)
        .order_by(breaker.c.id.desc())
        .limit(limit)
    )
    return [
        Breaker(
            id=row.id,
            agency=row.agency,
            model_version=row.model_version,
            why=row.why,
            opened_at=row.opened_at,
            opened_by=row.opener or "",
            closed_at=row.closed_at,
            closed_by=row.closer or "",
            closed_why=row.closed_why or "",
        )
        for row in connection.execute(found)
    ]


def _reason(why: str) -> str:
    why = why.strip()
    if not why:
        raise InvalidBreaker("Tuliskan alasannya: orang lain perlu tahu mengapa.")
    if len(why) > MAX_REASON:
        raise InvalidBreaker(f"Alasan paling banyak {MAX_REASON} karakter; yang Anda tulis {len(why)}.")
    return mask(why)


def _version_in_use(connection: Connection) -> str:
    """Answer the version that routed last; empty where none has."""
    given = select(routing.c.model_version).where(routing.c.shadow.is_(False), routing.c.model_version != "")
    return connection.execute(given.order_by(routing.c.id.desc()).limit(1)).scalar_one_or_none() or ""


def _counted_since(connection: Connection, agency: str) -> dt.datetime:
    last = connection.execute(select(func.max(breaker.c.closed_at)).where(breaker.c.agency == agency)).scalar_one()
    return last or _START


def _audited(connection: Connection, agency: str, model_version: str, since: dt.datetime) -> tuple[int, int]:
    row = connection.execute(
        select(func.count(audit_case.c.agrees), WRONG).where(
            audit_case.c.agency == agency, audit_case.c.model_version == model_version, audit_case.c.drawn_at > since
        )
    ).one()
    return int(row[0]), int(row[1])


def _sent_automatically(agency: str, model_version: str, since: dt.datetime) -> ColumnElement[bool]:
    return and_(
        decision.c.decided_by == "model",
        decision.c.agency == agency,
        decision.c.model_version == model_version,
        decision.c.decided_at > since,
    )


def _came_back(connection: Connection, agency: str, model_version: str, since: dt.datetime) -> int:
    """Count automatic routings that the agency itself returned, through the API, each once."""
    returned = (
        select(func.count(func.distinct(verdict.c.complaint_id)))
        .join(decision, decision.c.complaint_id == verdict.c.complaint_id)
        .where(
            _sent_automatically(agency, model_version, since),
            verdict.c.origin == "api",
            verdict.c.outcome.in_(("changed", "returned")),
            stands(verdict),
        )
    )
    return int(connection.execute(returned).scalar_one())


def _sent(connection: Connection, agency: str, model_version: str, since: dt.datetime) -> int:
    sent = select(func.count()).select_from(decision).where(_sent_automatically(agency, model_version, since))
    return int(connection.execute(sent).scalar_one())
