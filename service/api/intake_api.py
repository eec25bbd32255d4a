"""The API for machines, version 1: complaints taken in, what became of them, and the feed of decisions."""

from __future__ import annotations

import json
import re
from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy import Connection, Row, select

from service.api import batch, outcomes
from service.api.openapi import Operation, Parameter, describes
from service.api.predictions import EXAMPLE, json_answer
from service.complaints import intake
from service.outbound import feed
from service.parts import parts
from service.security import access
from service.storage.tables import MAX_ID, verdict
from service.web import bodies
from service.web.problems import Detail, Problem
from service.web.schemas import ID_PATTERN, BatchLine, ComplaintIn, DecisionsOut, Full, OutcomeIn, Stored
from service.web.streams import streams

blueprint = Blueprint("intake_api", __name__, url_prefix="/api/v1")
NDJSON = "application/x-ndjson"
_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_EXAMPLE_ID = "WA-2026-00017"
_ID = Parameter(
    "client_id",
    "path",
    "the sender's own id of the complaint",
    {"type": "string", "pattern": ID_PATTERN, "examples": [_EXAMPLE_ID]},
)
_NEVER_GIVEN = (
    "no decision has this cursor: the service came back from an older copy of its database. "
    "Go on from the last cursor of that copy, or from an earlier one"
)
_AFTER = Parameter("after", "query", "the cursor to go on from", {"type": "integer", "minimum": 0, "maximum": MAX_ID, "default": 0})
_LIMIT = Parameter("limit", "query", "entries at most", {"type": "integer", "minimum": 1, "maximum": feed.MAX_PAGE, "default": 100})
_PAGE = (_AFTER.name, _LIMIT.name)


def _idempotency(again: str) -> Parameter:
    schema = {"type": "string", "pattern": r"^[\x21-\x7e]{1,200}$"}
    text = f"1 to 200 visible characters, known as long as what a complaint says is kept; the same key again {again}"
    return Parameter("Idempotency-Key", "header", text, schema)


@blueprint.post("/complaints")
@access.api("intake")
@describes(
    Operation(
        "Take a complaint in",
        "Masks personal data, routes, stores and answers. The same `id`, or the same Idempotency-Key, is answered with the first "
        "answer and status 200. What the reporter changes or adds later is another complaint, with an id of its own: send it "
        "whole. Where no model is ready the complaint is stored all the same, for a person to decide (`no-model`). "
        "`routing.emergency` is there only where the text seems to tell of danger to life now: show the sentence to the reporter.",
        takes=(ComplaintIn,),
        answers={201: ("Stored.", Stored), 200: ("It was stored before: the first answer again.", Stored)},
        problems=("not-json", "conflict", "in-flight", "too-large", "not-supported", "invalid", "key-reused"),
        parameters=(_idempotency("is answered with the first answer"),),
        example=EXAMPLE | {"id": _EXAMPLE_ID, "channel": "WhatsApp"},
    )
)
def take_in() -> Response:
    """Take one complaint in."""
    key = _idempotency_key()
    asked = bodies.check(ComplaintIn, bodies.json_body())
    receipt = intake.take_in(parts(), access.current_key().source, asked, key)
    location = {"Location": f"/api/v1/complaints/{receipt.id}"} if receipt.new else None
    return json_answer(receipt.body, 201 if receipt.new else 200, location)


@blueprint.post("/complaints/batch")
@access.api("intake")
@describes(
    Operation(
        "Take many complaints in",
        "One complaint a line; one answer a line, in order, each with the status that the complaint alone would have had. Blank "
        f"lines are skipped. A line may have {batch.MAX_LINE:,} bytes, and all of them {batch.MAX_BYTES:,}. Give every complaint "
        "an `id`, and the batch can be sent again after anything that went wrong; no Idempotency-Key is read. Fewer answers than "
        "lines went wrong too, whatever the status: the connection broke, and not every client tells.",
        takes=(ComplaintIn,),
        takes_media=NDJSON,
        gives_media=NDJSON,
        answers={200: ("One answer a line.", BatchLine)},
        problems=("too-large", "not-supported", "busy"),
    )
)
def take_batch() -> Response:
    """Take a stream of complaints in."""
    if request.mimetype not in (NDJSON, "application/jsonl", "application/ndjson"):
        raise Problem("not-supported", f"Send NDJSON, and say so: Content-Type: {NDJSON}.")
    bodies.refuse_packed()
    request.max_content_length = batch.MAX_BYTES
    source = access.current_key().source
    return streams().begin(lambda: batch.answer(parts(), source, batch.spool(request.stream)), NDJSON)


@blueprint.get("/complaints/<client_id>")
@access.api("intake")
@describes(
    Operation(
        "Show a complaint",
        "What the model said, what was decided, and where the complaint is now. A key sees what its own source sent.",
        answers={200: ("The complaint.", Full)},
        problems=("not-found",),
        parameters=(_ID,),
    )
)
def show(client_id: str) -> Response:
    """Show one complaint of the key's source."""
    with parts().database.read() as connection:
        return json_answer(_full(connection, _found(connection, client_id)))


@blueprint.post("/complaints/<client_id>/outcome")
@access.api("outcome")
@describes(
    Operation(
        "Say what the agency did",
        "`accepted`, or `bukan-wewenang` with the right agency where it is known. It becomes a verdict; what was routed "
        "automatically and comes back counts as an error of the model. The same again changes nothing; with an Idempotency-Key not "
        "even when somebody decided in between.",
        takes=(OutcomeIn,),
        answers={200: ("The complaint as it stands now.", Full)},
        problems=(
            *("not-json", "not-found", "conflict", "in-flight", "too-large", "not-supported", "invalid", "key-reused"),
            "no-model",
        ),
        parameters=(_ID, _idempotency("changes nothing, and is answered with the complaint as it stands then")),
        example={"outcome": "bukan-wewenang", "agency": "pln"},
    )
)
def tell_outcome(client_id: str) -> Response:
    """Keep what happened downstream."""
    key = _idempotency_key()
    said = bodies.check(OutcomeIn, bodies.json_body())
    register, today = parts().models.require().register, parts().calendar.today().isoformat()
    with parts().database.write() as connection:
        row = _found(connection, client_id)
        outcomes.record(connection, row.id, said, register, today, access.current_key().id, key)
        return json_answer(_full(connection, _found(connection, client_id)))


@blueprint.get("/decisions")
@access.api("feed")
@describes(
    Operation(
        "Follow what is decided",
        "Every automatic routing and every verdict about complaints of the key's own source, in an order that never changes; a key "
        "with scope `admin` sees those of all. Ask with `after` = 0 first, then with the `next` of the last answer. A later entry "
        "about a complaint supersedes an earlier one. A cursor that was never given is refused: the service came back from a copy.",
        answers={200: ("A page of the feed.", DecisionsOut)},
        problems=("invalid",),
        parameters=(_AFTER, _LIMIT),
    )
)
def decisions() -> Response:
    """Give a page of the feed."""
    if unknown := [Detail(f"?{name}", "is not a parameter that is known here") for name in request.args if name not in _PAGE]:
        raise bodies.invalid(*unknown)  # without them, a misspelt `after` would give the first page for ever
    after, limit = _number("after", 0, 0, MAX_ID), _number("limit", 100, 1, feed.MAX_PAGE)
    key = access.current_key()
    feed.place(parts().database)
    with parts().database.read() as connection:
        last = feed.last_position(connection)
        if after > last:  # silence would look like nothing decided, until as much is decided again
            raise Problem("invalid", f"The last cursor that was given is {last}.", [Detail("?after", _NEVER_GIVEN)])
        rows = feed.page(connection, after, limit + 1, "" if "admin" in key.scopes else key.source)
    listed = [feed.entry(row) for row in rows[:limit]]
    answer = {"decisions": listed, "next": listed[-1]["cursor"] if listed else after, "more": len(rows) > limit}
    return json_answer(json.dumps(answer, ensure_ascii=False).encode())


def _idempotency_key() -> str:
    """Answer the key of this request, empty where it has none."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _KEY.fullmatch(key):  # an empty one too: its sender believes to be safe
        raise Problem("invalid", "Idempotency-Key must be 1 to 200 visible ASCII characters.")
    return key or ""


def _found(connection: Connection, client_id: str) -> Row[Any]:
    row = intake.find(connection, access.current_key().source, client_id) if re.fullmatch(ID_PATTERN, client_id) else None
    if row is None:
        raise Problem("not-found", "Your source has sent no complaint with this id.")
    return row


def _full(connection: Connection, row: Row[Any]) -> bytes:
    given = connection.execute(select(verdict).where(verdict.c.complaint_id == row.id).order_by(verdict.c.id)).all()
    verdicts = [
        {
            "outcome": one.outcome,
            "agency": one.agency,
            "unit": one.unit,
            "also": one.also,
            "missing": one.missing,
            "question": one.question,
            "by": one.origin,
            "decided_at": one.decided_at.isoformat(),
        }
        for one in given
    ]
    now = {"state": row.state, "current_agency": row.current_agency, "current_unit": row.current_unit, "verdicts": verdicts}
    return intake.write(intake.first_answer(connection, row) | now, row.body)


def _number(name: str, default: int, low: int, high: int) -> int:
    text = request.args.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and low <= int(text) <= high):
        raise bodies.invalid(Detail(f"?{name}", f"must be a whole number from {low} to {high}"))
    return int(text)
