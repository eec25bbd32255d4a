"""A complaint arrives: masked, routed, stored and answered, all in one transaction or not at all.

A complaint that comes again, with the same id of its sender or the same Idempotency-Key, gets the first answer and is stored once.
The masked text is both stored and routed, so that any answer can be replayed from the database alone.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import quote

import structlog
from sqlalchemy import Connection, Row, bindparam, select
from sqlalchemy.exc import IntegrityError

from model.complaint import Complaint
from model.namesakes import NONE, Namesakes
from model.privacy import mask
from model.routing import Decision, Routing
from service.clock import Deadlines, now
from service.complaints import holds, idempotency, similar, storing, urgency
from service.complaints.holds import Answer
from service.complaints.reasons import reasons_of
from service.complaints.similar import Sketch
from service.parts import Parts
from service.promise import audit, breakers
from service.storage.statements import Statement
from service.storage.tables import complaint, routing, standing
from service.telemetry import metrics
from service.web.problems import Problem
from service.web.schemas import MAX_CHANNEL, MAX_PLACE, ComplaintIn

_log = structlog.get_logger("salur")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the sender is told: the JSON answer, and whether the complaint is new or the answer is the first one again."""

    body: bytes
    new: bool
    id: str
    number: int
    decision: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """A complaint that was masked and routed, and is not stored yet. `said` is None where no model was ready."""

    arrival: _Arrival
    said: Routing | None
    kecamatan: str
    sketch: Sketch
    deadlines: Deadlines
    ended: bool
    """Whether the agency that the model names no longer exists today."""

    @property
    def id(self) -> str:
        """The sender's id, or the one that was made up where there is none."""
        return self.arrival.complaint.id


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A complaint on its way in: masked, with the moment it was received, and the digest of what was sent."""

    source: str
    complaint: Complaint
    channel: str
    received_at: dt.datetime
    digest: str
    """Of what was sent, masked with the namesakes of the register in use."""
    given_id: str
    """The sender's own id, "" where there is none."""
    namesakes: Namesakes


def take_in(parts: Parts, source: str, asked: ComplaintIn, key: str = "") -> Receipt:
    """Take a complaint in for a source; `key` is the request's Idempotency-Key.

    Raises the problem `conflict` where the id was used for another complaint, `key-reused` and `in-flight` for the key.
    """
    prepared = prepare(parts, source, asked)
    store = partial(keep, parts, prepared=prepared, key=key)
    try:
        receipt = parts.database.store(store, at_once=not key)
    except IntegrityError:
        # The same key came with another complaint's id at the same instant, and was first: now its answer is there.
        receipt = parts.database.store(store)
    if receipt.new:
        metrics.count_stored(receipt.decision)
    return receipt


def prepare(parts: Parts, source: str, asked: ComplaintIn) -> Prepared:
    """Mask and route a complaint: all that can be done before the transaction, for which others wait."""
    register = parts.models.register
    arrival = _arrive(source, asked, register.namesakes if register else NONE)
    masked, settings = arrival.complaint, parts.settings
    said = route(parts, masked)
    kecamatan = said.kecamatan if said else masked.kecamatan
    days = 0 if masked.confidential else settings.similar_days  # a confidential one is linked to no other
    sketch = similar.draw(masked.title, masked.text, arrival.received_at, days, kecamatan)
    last = settings.days_to_finish_oversight if said is not None and said.oversight else settings.days_to_finish
    deadlines = parts.calendar.deadlines(arrival.received_at, settings.days_to_verify, settings.days_to_follow_up, last)
    return Prepared(arrival, said, kecamatan, sketch, deadlines, said is not None and _has_ended(parts, said.agency))


def keep(parts: Parts, connection: Connection, prepared: Prepared, key: str = "", *, settled: bool = False) -> Receipt:
    """Store a prepared complaint in the caller's transaction; the caller counts new ones once it is committed (`count_stored`).

    `settled` marks one that people elsewhere have decided already: nothing goes out by itself, and their verdict follows.
    Raises as `take_in` does.
    """
    arrival, said = prepared.arrival, prepared.said
    if key and (known := _by_key(connection, arrival, key)) is not None:
        return known
    settings = parts.settings
    drawn = audit.is_drawn(parts.secret, arrival.source, arrival.complaint.id, settings.audit_share)
    automatic = said is not None and said.decision is Decision.AUTO
    stopped = breakers.stopped(connection, said.model_version) if said and automatic else ()
    answer = holds.hold(said, stopped, drawn, ended=prepared.ended)
    if settled:
        answer = holds.settle(said)
    likeness = similar.find(connection, prepared.sketch, arrival.received_at, settings.similar_days)
    rows = _rows(prepared, answer, likeness.first)
    # Read before anything is written: with `at_once` the insert commits immediately, and a later failure could not undo it.
    first = _client_id(connection, likeness.first, arrival.source) if likeness.first else None
    number = storing.add(connection, rows, answer.reasons, likeness.new_keys)
    if number is None:
        return _again(connection, arrival, key)
    if key:
        idempotency.keep(connection, arrival.source, key, arrival.digest, number)
    said_of_it = {"id": number, "decision": answer.decision, "agency": answer.agency, "unit": answer.unit}
    told = _answer({**rows["complaint"], **said_of_it}, answer.reasons, first)
    return Receipt(write(told, rows["routing"]["body"]), True, prepared.id, number, answer.decision)


def route(parts: Parts, asked: Complaint) -> Routing | None:
    """Route a masked complaint; None where no model is ready, or the model fails: a person decides then."""
    router = parts.models.router()
    if router is None:
        return None
    try:
        return parts.models.route(router, asked)
    except Exception as error:  # a fault of the model must not lose a complaint
        _log.error("model failed on a complaint", error=type(error).__name__, version=router.version)
        return None


def _has_ended(parts: Parts, named: str) -> bool:
    register = parts.models.register
    agency = register.by_id.get(named) if register else None
    return agency is not None and not agency.active_on(parts.calendar.today().isoformat())


def as_stored(row: Row[Any]) -> Complaint:
    """Give back the complaint that was routed from the row that was stored: the same to the byte."""
    return Complaint(
        text=row.text,
        title=row.title,
        kecamatan=row.kecamatan,
        desa=row.desa,
        id=row.client_id,
        received_at=row.received_at.isoformat(),
        confidential=row.confidential,
    )


def find(connection: Connection, source: str, client_id: str) -> Row[Any] | None:
    """Find a complaint of a source by the sender's id, with what the model said and where it stands."""
    where = (complaint.c.source == source, complaint.c.client_id == client_id)
    return connection.execute(_WITH_ROUTING.where(*where)).one_or_none()


def first_answer(connection: Connection, row: Row[Any]) -> dict[str, Any]:
    """Build once more what the sender of a complaint that `find` found was told, but for the routing itself."""
    first = _client_id(connection, row.similar_to, row.source) if row.similar_to else None
    return _answer(dict(row._mapping), reasons_of(connection, [row.id]).get(row.id, ()), first)


def write(answer: Mapping[str, Any], body: str) -> bytes:
    """Write an answer as JSON around a routing that is JSON already."""
    head = json.dumps(answer, ensure_ascii=False)
    return f'{head[:-1]}, "routing": {body or "null"}}}'.encode()


def _arrive(source: str, asked: ComplaintIn, namesakes: Namesakes) -> _Arrival:
    received_at = (asked.received_at or now()).astimezone(dt.UTC)
    client_id = asked.id or f"s-{secrets.token_hex(10)}"
    masked = _masked(replace(asked.complaint(), id=client_id, received_at=received_at.isoformat()), namesakes)
    channel = mask(asked.channel)[:MAX_CHANNEL]
    return _Arrival(source, masked, channel, received_at, _digest(asked.id, masked), asked.id, namesakes)


def _masked(asked: Complaint, namesakes: Namesakes) -> Complaint:
    return replace(
        asked,
        text=mask(asked.text, namesakes),
        title=mask(asked.title, namesakes),
        kecamatan=mask(asked.kecamatan, namesakes)[:MAX_PLACE],  # a mark can be longer than what it hides
        desa=mask(asked.desa, namesakes)[:MAX_PLACE],
    )


def _digest(client_id: str, masked: Complaint) -> str:
    # Of what was masked: a digest of the rest would let somebody try all telephone numbers until one fits.
    said = "\0".join((client_id, masked.title, masked.text, masked.kecamatan, masked.desa, str(masked.confidential)))
    return hashlib.sha256(said.encode()).hexdigest()


def _rows(prepared: Prepared, answer: Answer, similar_to: int | None) -> dict[str, storing.Row]:
    """Build the rows of a complaint and of what became of it, by table."""
    arrival, said, deadlines, at = prepared.arrival, prepared.said, prepared.deadlines, now()
    asked = arrival.complaint
    version, word = said.model_version if said else "", storing.word_of(said)
    probability = word["probability"]
    place = {"agency": answer.agency, "unit": answer.unit}
    rows: dict[str, storing.Row] = {
        "complaint": {
            "source": arrival.source,
            "client_id": asked.id,
            "digest": arrival.digest,
            "channel": arrival.channel,
            "title": asked.title,
            "text": asked.text,
            "kecamatan": asked.kecamatan,
            "desa": asked.desa,
            "confidential": asked.confidential,
            "received_at": arrival.received_at,
            "stored_at": at,
            "verify_by": deadlines.verify_by,
            "follow_up_by": deadlines.follow_up_by,
            "finish_by": deadlines.finish_by,
            "similar_to": similar_to,
        },
        "routing": {
            "shadow": False,
            "model_version": version,
            "decision": answer.decision,
            **place,
            **word,
            "kecamatan": prepared.kecamatan,
            "desa": said.desa if said else asked.desa,
            "routed_at": at,
        },
        "standing": {
            "state": "waiting" if answer.queue else "sent",
            "queue": answer.queue,
            **place,
            "kecamatan": prepared.kecamatan,
            "received_at": arrival.received_at,
            "due": deadlines.verify_by,
            "rank": urgency.rank(
                deadlines.verify_by, probability, answer.queue, oversight=word["oversight"], emergency=word["emergency"]
            ),
        },
    }
    if not answer.queue:
        rows["decision"] = {
            "source": arrival.source,
            "decided_by": "model",
            "outcome": "auto",
            **place,
            "also": [],
            "missing": [],
            "model_version": version,
            "decided_at": at,
        }
    if answer.queue == "audit":
        rows["audit_case"] = {**place, "probability": probability, "model_version": version, "drawn_at": at}
    return rows


def _by_key(connection: Connection, arrival: _Arrival, key: str) -> Receipt | None:
    """Answer a key that was used before. Raises `key-reused` for another body, `in-flight` while the first is under way."""
    known = idempotency.find(connection, arrival.source, key)
    if known is None:
        return None
    row = connection.execute(_WITH_ROUTING.where(complaint.c.id == known.complaint_id)).one()
    if known.digest != arrival.digest and not _is_same(row, arrival):
        raise idempotency.reused()
    return _old(connection, row)


def _again(connection: Connection, arrival: _Arrival, key: str) -> Receipt:
    row = find(connection, arrival.source, arrival.complaint.id)
    if row is not None and row.purged_at is not None:  # nobody can tell any more whether it is the same
        raise Problem("conflict", "What the complaint with this id said was deleted when its time was over. Nothing was stored.")
    if row is None or not _is_same(row, arrival):
        told = "This id was used for another complaint. Nothing was stored; what was changed or added needs an id of its own."
        raise Problem("conflict", told)
    if key:
        idempotency.keep(connection, arrival.source, key, arrival.digest, row.id)
    return _old(connection, row)


def _is_same(row: Row[Any], arrival: _Arrival) -> bool:
    """Tell whether what arrives was stored before.

    A newer version may mask more than the one that stored it: what is stored is masked anew, or the same would look like another.
    And where no model had loaded, nobody knew which places are called as people are.
    """
    stored = as_stored(row)
    client_id = "" if row.digest == _digest("", stored) else row.client_id  # an id that was made up is in no digest
    if arrival.digest in (row.digest, _digest(client_id, _masked(stored, arrival.namesakes))):
        return True
    return bool(row.digest == _digest(arrival.given_id, _masked(arrival.complaint, NONE)))


def _old(connection: Connection, row: Row[Any]) -> Receipt:
    return Receipt(write(first_answer(connection, row), row.body), False, row.client_id, row.id, row.decision)


def _client_id(connection: Connection, number: int, source: str) -> str | None:
    """Answer the sender's id of a complaint; None where another source sent it."""
    return next((row[0] for row in _CLIENT_ID.rows(connection, {"number": number, "of": source})), None)


def _answer(row: Mapping[str, Any], reasons: Sequence[str], first: str | None) -> dict[str, Any]:
    path = f"/api/v1/complaints/{quote(row['client_id'], safe='')}"
    return {
        "id": row["client_id"],
        "number": row["id"],
        "stored_at": row["stored_at"].isoformat(),
        "decision": row["decision"],
        "agency": row["agency"],
        "unit": row["unit"],
        "reasons": list(reasons),
        "similar_to": first,
        "deadlines": {name: row[name].isoformat() for name in ("verify_by", "follow_up_by", "finish_by")},
        "links": {"self": path, "outcome": f"{path}/outcome", "desk": f"/aduan/{row['id']}"},
    }


_WITH_ROUTING = (
    select(
        complaint,
        routing.c.body,
        routing.c.decision,
        routing.c.agency,
        routing.c.unit,
        routing.c.model_version,
        standing.c.state,
        standing.c.agency.label("current_agency"),
        standing.c.unit.label("current_unit"),
        standing.c.verdict_id,
    )
    .join(standing, standing.c.complaint_id == complaint.c.id)
    .join(routing, routing.c.id == standing.c.routing_id)
)
_CLIENT_ID = Statement(
    select(complaint.c.client_id).where(complaint.c.id == bindparam("number"), complaint.c.source == bindparam("of"))
)
