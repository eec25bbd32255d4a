"""The rows of a complaint that is new: one statement writes them all on PostgreSQL, one for each table on SQLite.

PostgreSQL is asked over a connection, where each question costs both sides more than the work itself, and a single statement is a
transaction of its own. SQLite runs in this process, and has no statement that writes two tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import ARRAY, Connection, String, Table, bindparam, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from model.routing import Routing
from service.storage.statements import Statement
from service.storage.tables import audit_case, complaint, decision, routing, routing_reason, sketch, standing
from service.web.schemas import routing_json

Row = Mapping[str, Any]
_TABLES = {table.name: table for table in (complaint, routing, standing, decision, audit_case)}
_FOUND_OUT = {"id", "complaint_id", "routing_id"}  # the database gives these numbers
_LATER = {"purged_at", "verdict_id", "claimed_by", "claimed_until", "position", "agrees"}
_GIVEN = {name: [column for column in table.c.keys() if column not in _FOUND_OUT | _LATER] for name, table in _TABLES.items()}  # noqa: SIM118
_UNLESS_KNOWN = ["source", "client_id"]


def add(connection: Connection, rows: Mapping[str, Row], reasons: Sequence[str], keys: Sequence[str]) -> int | None:
    """Write a complaint's rows, by table and without its number, its reasons and its keys of likeness.

    Answers its number, or None where its source has sent one with this id before: then nothing was written.
    """
    if connection.dialect.name == "postgresql":
        given: dict[str, Any] = {f"{table}_{column}": value for table, row in rows.items() for column, value in row.items()}
        found = _whole(tuple(rows)).rows(connection, given | {"reasons": list(reasons), "keys": list(keys)})
        return found[0][0] if found else None
    found = _ONE["complaint"].rows(connection, rows["complaint"])
    if not found:
        return None
    number: int = found[0][0]
    routing_id = _ONE["routing"].rows(connection, {**rows["routing"], "complaint_id": number})[0][0]
    if reasons:
        told = [{"complaint_id": number, "reason": reason, "place": place} for place, reason in enumerate(reasons)]
        _REASON.run_each(connection, told)
    _ONE["standing"].run(connection, {**rows["standing"], "complaint_id": number, "routing_id": routing_id})
    if keys:
        _SKETCH.run_each(connection, [{"band": key, "complaint_id": number} for key in keys])
    for name in ("decision", "audit_case"):
        if name in rows:
            _ONE[name].run(connection, {**rows[name], "complaint_id": number})
    return number


def word_of(answer: Routing | None) -> Row:
    """Write a model's answer as columns of `routing`, but for what is done with it; None is that of a model that gave none."""
    return {
        "probability": answer.probability if answer else 0.0,
        "oversight": answer is not None and answer.oversight,
        "emergency": answer is not None and bool(answer.emergency),
        "kind": answer.kind if answer else "",
        "kecamatan": answer.kecamatan if answer else "",
        "desa": answer.desa if answer else "",
        "body": routing_json(answer).decode() if answer else "",
    }


@lru_cache(maxsize=8)
def _whole(tables: Sequence[str]) -> Statement:
    """Make the statement that writes a row of each table."""
    given: dict[str, dict[str, Any]] = {
        name: {column: bindparam(f"{name}_{column}", type_=_TABLES[name].c[column].type) for column in _GIVEN[name]}
        for name in tables
    }
    new = (
        postgresql.insert(complaint)
        .values(given.pop("complaint"))
        .on_conflict_do_nothing(index_elements=_UNLESS_KNOWN)
        .returning(complaint.c.id)
        .cte("added")
    )
    routed = _behind(routing, {"complaint_id": new.c.id, **given.pop("routing")}).returning(routing.c.id).cte("routed")
    rest = [
        _behind(standing, {"complaint_id": new.c.id, "routing_id": routed.c.id, **given.pop("standing")}),
        *(_behind(_TABLES[name], {"complaint_id": new.c.id, **columns}) for name, columns in given.items()),
    ]
    many = ARRAY(String)
    reason = (
        func.unnest(bindparam("reasons", type_=many)).table_valued("reason", with_ordinality="place", name="told").render_derived()
    )
    rest.append(_behind(routing_reason, {"complaint_id": new.c.id, "reason": reason.c.reason, "place": reason.c.place - 1}))
    key = func.unnest(bindparam("keys", type_=many)).table_valued("band", name="drawn").render_derived()
    rest.append(_behind(sketch, {"complaint_id": new.c.id, "band": key.c.band}))
    return Statement(select(new.c.id).add_cte(routed, *(one.cte(f"row_{count}") for count, one in enumerate(rest))))


def _behind(table: Table, columns: Mapping[str, Any]) -> Any:
    return insert(table).from_select(list(columns), select(*columns.values()))


_ONE = {
    "complaint": Statement(
        sqlite.insert(complaint).on_conflict_do_nothing(index_elements=_UNLESS_KNOWN).returning(complaint.c.id), _GIVEN["complaint"]
    ),
    "routing": Statement(insert(routing).returning(routing.c.id), ["complaint_id", *_GIVEN["routing"]]),
    "standing": Statement(insert(standing), ["complaint_id", "routing_id", *_GIVEN["standing"]]),
    "decision": Statement(insert(decision), ["complaint_id", *_GIVEN["decision"]]),
    "audit_case": Statement(insert(audit_case), ["complaint_id", *_GIVEN["audit_case"]]),
}
_REASON = Statement(insert(routing_reason), ["complaint_id", "reason", "place"])
_SKETCH = Statement(insert(sketch), ["band", "complaint_id"])
