"""The page /instansi: the register, what waits for whom, what is taken for what, and whose automatic routing is stopped."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, make_response, render_template, request
from sqlalchemy import Connection, Select, func, select
from werkzeug.wrappers import Response

from service.active_model import RouterLike
from service.clock import now
from service.desk.agency_search import search
from service.parts import parts
from service.promise import breakers
from service.security import access
from service.security.accounts import Permission
from service.storage.tables import routing, standing, verdict
from service.web.problems import Problem

blueprint = Blueprint("agencies", __name__, url_prefix="/instansi")
DAYS = 365
"""How far back confusions are counted."""
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often complaints proposed to one agency were decided for another."""

    proposed: str
    decided: str
    count: int


@blueprint.get("")
@access.page(Permission.VIEW)
def show() -> Response:
    """List the agencies, or those a search finds."""
    router = _router()
    register = router.register
    asked = request.args.get("cari", "")[:100].strip()
    found = [hit.agency for hit in search(register, asked, limit=len(register.agencies))] if asked else register.agencies
    with parts().database.read() as connection:
        waiting = _waiting(connection)
        stopped = {one.agency: one for one in breakers.open_for(connection, router.version)}
        mistaken = confusions(connection, _since())
    wrong: dict[str, int] = {}
    for item in mistaken:
        wrong[item.proposed] = wrong.get(item.proposed, 0) + item.count
    page = render_template(
        "pages/agencies.html",
        found=found,
        asked=asked,
        total=len(register.agencies),
        waiting=waiting,
        stopped=stopped,
        wrong=wrong,
        mistaken=mistaken[:SHOWN],
        days=DAYS,
    )
    return make_response(page)


@blueprint.get("/<agency_id>")
@access.page(Permission.VIEW)
def one(agency_id: str) -> Response:
    """Show an agency: what it answers for, and what goes wrong with it."""
    router = _router()
    agency = router.register.by_id.get(agency_id)
    if agency is None:
        raise Problem("not-found", "There is no such agency.", sentence="Instansi itu tidak ada di daftar.")
    with parts().database.read() as connection:
        mistaken = confusions(connection, _since(), agency_id)
        right, decided = _decided(connection, agency_id, _since())
        history = breakers.newest(connection, SHOWN, agency_id)
        stopped = next((row for row in breakers.open_for(connection, router.version) if row.agency == agency_id), None)
        waiting = _waiting(connection).get(agency_id, 0)
    page = render_template(
        "pages/agency.html",
        agency=agency,
        away=[item for item in mistaken if item.proposed == agency_id][:SHOWN],
        taken=[item for item in mistaken if item.decided == agency_id][:SHOWN],
        right=right,
        decided=decided,
        waiting=waiting,
        history=history,
        stopped=stopped,
        days=DAYS,
    )
    return make_response(page)


def confusions(connection: Connection, since: dt.datetime, agency_id: str = "") -> list[Confusion]:
    """Count what was proposed to one agency and decided for another since a moment, the most frequent first."""
    count = func.count().label("many")
    query = _verdicts(since).add_columns(count).where(routing.c.agency != verdict.c.agency, routing.c.agency != "")
    if agency_id:
        query = query.where((routing.c.agency == agency_id) | (verdict.c.agency == agency_id))
    query = query.group_by(routing.c.agency, verdict.c.agency).order_by(count.desc(), routing.c.agency, verdict.c.agency)
    return [Confusion(row.proposed, row.decided, row.many) for row in connection.execute(query)]


def _verdicts(since: dt.datetime) -> Select[Any]:
    """Select what was proposed and what stands decided; a verdict that was superseded or undone no longer counts."""
    return (
        select(routing.c.agency.label("proposed"), verdict.c.agency.label("decided"))
        .select_from(verdict)
        .join(standing, standing.c.verdict_id == verdict.c.id)
        .join(routing, routing.c.id == standing.c.routing_id)
        .where(verdict.c.decided_at >= since, verdict.c.outcome.in_(("confirmed", "changed")))
    )


def _decided(connection: Connection, agency_id: str, since: dt.datetime) -> tuple[int, int]:
    rows = connection.execute(
        _verdicts(since)
        .add_columns(func.count().label("many"))
        .where(routing.c.agency == agency_id)
        .group_by(routing.c.agency, verdict.c.agency)
    ).all()
    return sum(row.many for row in rows if row.decided == agency_id), sum(row.many for row in rows)


def _waiting(connection: Connection) -> Mapping[str, int]:
    # What the model said of a blind audit case stays hidden until it is decided.
    query = select(standing.c.agency, func.count()).where(standing.c.state == "waiting", standing.c.queue != "audit")
    query = query.group_by(standing.c.agency)
    return {row[0]: row[1] for row in connection.execute(query)}


def _since() -> dt.datetime:
    return now() - dt.timedelta(days=DAYS)


def _router() -> RouterLike:
    router = parts().models.router()
    if router is None:
        raise Problem(
            "no-model",
            "No model is in use, and with it no register.",
            sentence="Daftar instansi menjadi bagian dari model, dan belum ada model yang dipakai. Sebabnya ada di halaman Model.",
        )
    return router
