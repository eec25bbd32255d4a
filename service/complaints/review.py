"""The review: what a person decides about a complaint, and how that is taken back. Rows are only added.

A verdict stands until a row `undone` supersedes it; the last one that stands decides where the complaint is. Everything here works
inside a transaction of the caller, so that a decision, its word to the feed and the claim of the next complaint are kept together.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from model.faults import SalurError
from model.privacy import mask
from service.clock import now
from service.complaints import claims, holds, urgency
from service.promise import audit, breakers
from service.security import audit_log
from service.storage.tables import account, audit_case, complaint, decision, routing, standing, stands, verdict
from service.telemetry import metrics

MAX_NOTE = 2_000
MAX_QUESTION = 2_000
MAX_ALSO = 5
_AGAIN = dt.timedelta(hours=1)
"""How long a form that says the same counts as one sent twice; after that it comes too late, as any other would."""
_STATE_AFTER = {
    "confirmed": "decided",
    "changed": "decided",
    "needs-info": "asked",
    "not-a-complaint": "closed",
    "returned": "waiting",
}


class NotPossible(SalurError):
    """The review cannot be done as asked; the text says why, in Indonesian."""


class NotFound(NotPossible):
    """There is no such complaint."""


class AlreadyDecided(NotPossible):
    """Somebody decided in the meantime."""


class Claimed(NotPossible):
    """Somebody else has the complaint open."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person decided: an agency, or an outcome without one ("needs-info", "not-a-complaint", "returned").

    With an agency, "confirmed" or "changed" follows from what the model had said, unless `outcome` says it.
    """

    agency: str = ""
    outcome: str = ""
    unit: str = ""
    also: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    note: str = ""
    question: str = ""


@dataclass(frozen=True, slots=True)
class Saved:
    """A verdict that is kept. `others` are complaints of the same group that it serves too; `again` marks a form sent twice."""

    complaint_id: int
    verdict_id: int
    outcome: str
    agency: str
    unit: str
    also: tuple[str, ...] = ()
    others: tuple[int, ...] = ()
    passed_over: tuple[tuple[int, str], ...] = ()
    """Complaints of the group that it does not serve: who has each open, "" where it waits no more."""
    again: bool = False
    stopped: str = ""
    """The agency whose breaker this verdict opened, if it did."""


def decide(
    connection: Connection,
    complaint_id: int,
    choice: Choice,
    account_id: int,
    seen: int | None,
    minutes: int,
    others: Collection[int] = (),
) -> Saved:
    """Keep what a person decided at the desk; `seen` is the verdict that stood when the page was made.

    The same form sent twice is kept once. `others` of the group are decided alike, except those that somebody else holds.
    Raises NotPossible (AlreadyDecided, Claimed, NotFound, or what it says was purged), and then nothing is kept.
    """
    at = now()
    claims.lock_all(connection, [complaint_id, *others])
    row = claims.locked(connection, complaint_id)
    if row is None:
        raise NotFound("Aduan ini tidak ada.")
    _refuse_purged(connection, complaint_id)
    if row.verdict_id != seen or row.state in ("decided", "closed"):
        return _same_again(connection, row, choice, account_id, at)
    if claims.is_held(row, at, minutes, account_id):
        raise Claimed(f"Aduan ini sedang dibuka oleh {name_of(connection, row.claimed_by)}. Putusan Anda belum disimpan.")
    seconds = _seconds(row, account_id, at, minutes)
    saved = record(connection, row, choice, origin="desk", account_id=account_id, seconds=seconds, at=at)
    served, passed_over = _serve(connection, others, complaint_id, choice, account_id, at, minutes)
    return replace(saved, others=tuple(served), passed_over=tuple(passed_over))


def record(
    connection: Connection,
    row: Row[Any],
    choice: Choice,
    *,
    origin: str,
    account_id: int | None = None,
    api_key_id: int | None = None,
    seconds: float | None = None,
    at: dt.datetime | None = None,
) -> Saved:
    """Keep a verdict about a complaint whose `standing` row is locked, and tell the feed, the audit and the log."""
    at = at or now()
    said = connection.execute(select(routing).where(routing.c.id == row.routing_id)).one()
    outcome = choice.outcome or ("confirmed" if _agrees(choice, said) else "changed")
    agency, unit = choice.agency, choice.unit
    also = [other for other in choice.also if other != agency]
    what = {
        "complaint_id": row.complaint_id,
        "outcome": outcome,
        "agency": agency,
        "unit": unit,
        "also": also,
        "missing": list(choice.missing),
    }
    verdict_id: int = connection.execute(
        insert(verdict)
        .values(
            **what,
            origin=origin,
            note=mask(choice.note),
            question=choice.question,
            seconds=seconds,
            blind=_is_blind(connection, row.complaint_id),
            account_id=account_id,
            api_key_id=api_key_id,
            decided_at=at,
        )
        .returning(verdict.c.id)
    ).scalar_one()
    _move(connection, row, said, outcome, agency, unit, verdict_id)
    _tell(connection, what, said.model_version, verdict_id, at)
    agrees = audit.compare(connection, row.complaint_id, verdict_id, outcome, agency, unit)
    stopped = _stop_where_broken(connection, said, agrees, origin, outcome)
    thing = f"complaint:{row.complaint_id}"
    audit_log.write(
        connection, "decided", thing, {"outcome": outcome, "agency": agency}, account_id=account_id, api_key_id=api_key_id
    )
    metrics.count_verdict(origin, outcome)
    return Saved(row.complaint_id, verdict_id, outcome, agency, unit, tuple(also), stopped=stopped)


def is_by(connection: Connection, verdict_id: int, account_id: int) -> bool:
    """Tell whether a verdict was given from an account."""
    by = connection.execute(select(verdict.c.account_id).where(verdict.c.id == verdict_id)).scalar_one_or_none()
    return bool(by == account_id)


def undo(connection: Connection, complaint_id: int, verdict_id: int, account_id: int, minutes: int) -> tuple[int, ...]:
    """Take a verdict back, and those of its group that were given with it; the account gets the complaint claimed again.

    Answers the complaints that stand now as they did before. Raises NotFound where the complaint has no such verdict,
    AlreadyDecided where it does not stand any more, NotPossible where what the complaint says was purged.
    """
    of_this = (verdict.c.id == verdict_id, verdict.c.complaint_id == complaint_id)
    given = connection.execute(select(verdict).where(*of_this)).one_or_none()
    if given is None:
        raise NotFound("Putusan ini tidak ada.")
    at = now()
    with_it = [given]
    if given.account_id is not None:  # the verdicts of one group are given in one moment
        alike = (verdict.c.decided_at == given.decided_at, verdict.c.account_id == given.account_id, verdict.c.id != given.id)
        with_it += connection.execute(select(verdict).where(*alike)).all()
    claims.lock_all(connection, [one.complaint_id for one in with_it])
    _refuse_purged(connection, given.complaint_id)
    undone = []
    for one in with_it:
        row = claims.locked(connection, one.complaint_id)
        if row is None or row.verdict_id != one.id or is_purged(connection, one.complaint_id):
            if one is given:
                raise AlreadyDecided("Putusan ini sudah tidak berlaku: sudah dibatalkan atau diganti.")
            continue
        _take_back(connection, row, one, account_id, at)
        undone.append(one.complaint_id)
    claims.take(connection, given.complaint_id, account_id, minutes)
    return tuple(undone)


def is_purged(connection: Connection, complaint_id: int) -> bool:
    """Tell whether what a complaint says was deleted: nobody can read it any more, so nobody decides it."""
    found = select(complaint.c.purged_at).where(complaint.c.id == complaint_id)
    return connection.execute(found).scalar_one() is not None


def name_of(connection: Connection, account_id: int | None) -> str:
    """Name whoever decided or holds a complaint, as colleagues know them; agencies have no account."""
    if account_id is None:
        return "instansi lewat API"
    found: str = connection.execute(select(account.c.full_name).where(account.c.id == account_id)).scalar_one()
    return found


def first_of(connection: Connection, complaint_id: int) -> int:
    """Answer the first complaint of a complaint's group: itself where it was like none before it."""
    first = func.coalesce(complaint.c.similar_to, complaint.c.id)
    return int(connection.execute(select(first).where(complaint.c.id == complaint_id)).scalar_one())


def _serve(
    connection: Connection,
    others: Collection[int],
    complaint_id: int,
    choice: Choice,
    account_id: int,
    at: dt.datetime,
    minutes: int,
) -> tuple[list[int], list[tuple[int, str]]]:
    """Decide others of the group alike, and answer which were, and which were passed over.

    One in the blind audit is always judged by itself: it is passed over in silence, as is one of another group.
    """
    served, passed_over, group = [], [], first_of(connection, complaint_id)
    for other in others:
        row = claims.locked(connection, other)
        if row is None or row.queue == "audit" or first_of(connection, other) != group:
            continue
        if row.state != "waiting":
            passed_over.append((other, ""))
        elif claims.is_held(row, at, minutes, account_id):
            passed_over.append((other, name_of(connection, row.claimed_by)))
        else:
            record(connection, row, choice, origin="desk", account_id=account_id, at=at)
            served.append(other)
    return served, passed_over


def _refuse_purged(connection: Connection, complaint_id: int) -> None:
    """Raise NotPossible where nobody can read any more what the complaint said."""
    if is_purged(connection, complaint_id):
        raise NotPossible("Isi aduan ini sudah dihapus karena masa simpannya berakhir, jadi putusannya tidak dapat diubah lagi.")


def _same_again(connection: Connection, row: Row[Any], choice: Choice, account_id: int, at: dt.datetime) -> Saved:
    """Answer a form that was sent twice with its first answer. Raises AlreadyDecided where it says something else."""
    last = connection.execute(select(verdict).where(verdict.c.id == row.verdict_id)).one_or_none()
    if last is None:
        raise AlreadyDecided("Putusan atas aduan ini baru saja dibatalkan. Periksa lagi, lalu putuskan.")
    same = (
        last.account_id == account_id
        and last.agency == choice.agency
        and (choice.outcome or last.outcome) == last.outcome
        and last.unit == choice.unit
        and list(last.also) == [other for other in choice.also if other != choice.agency]
        and list(last.missing) == list(choice.missing)
        and last.question == choice.question
        and last.note == mask(choice.note)
        and at - last.decided_at < _AGAIN
    )
    if not same:
        who = name_of(connection, last.account_id) if last.account_id != account_id else "Anda sendiri"
        raise AlreadyDecided(f"Aduan ini sudah diputuskan oleh {who}. Putusan yang baru Anda kirim belum disimpan.")
    return Saved(row.complaint_id, last.id, last.outcome, last.agency, last.unit, tuple(last.also), again=True)


def _agrees(choice: Choice, said: Row[Any]) -> bool:
    """Tell whether a person says what the model said. An export may name a family alone: that contradicts none of its offices."""
    return choice.agency == said.agency and (not said.unit or choice.unit in ("", said.unit))


def _seconds(row: Row[Any], account_id: int, at: dt.datetime, minutes: int) -> float | None:
    """Time since the complaint was opened; unknown where it was not held."""
    if row.claimed_by != account_id or row.claimed_until is None:
        return None
    opened: dt.datetime = row.claimed_until - dt.timedelta(minutes=minutes)
    return max(0.0, round((at - opened).total_seconds(), 1))


def _move(
    connection: Connection, row: Row[Any], said: Row[Any], outcome: str, agency: str, unit: str, verdict_id: int | None
) -> None:
    state = _STATE_AFTER[outcome]
    if state in ("waiting", "asked"):  # the proposal stands again, but in a blind case nobody may see it
        agency, unit = ("", "") if _is_blind(connection, row.complaint_id) else (said.agency, said.unit)
    values: dict[str, Any] = {
        "state": state,
        "queue": "returned" if state == "waiting" else "",
        "agency": agency,
        "unit": unit,
        "verdict_id": verdict_id,
        "claimed_by": None,
        "claimed_until": None,
    }
    if state == "waiting":
        # What an agency gave back is days old: it is no emergency any more.
        values["rank"] = urgency.rank(row.due, said.probability, "returned", oversight=said.oversight)
    connection.execute(update(standing).where(standing.c.complaint_id == row.complaint_id).values(values))


def _is_blind(connection: Connection, complaint_id: int) -> bool:
    """Tell whether a complaint is a case of the blind audit still, also while its reporter is asked."""
    found = connection.execute(select(audit.is_open()).where(standing.c.complaint_id == complaint_id)).scalar_one()
    return bool(found)


def _tell(connection: Connection, what: dict[str, Any], model_version: str, verdict_id: int, at: dt.datetime) -> None:
    """Write a verdict into the feed; `what` it says are columns that both tables have."""
    source = connection.execute(select(complaint.c.source).where(complaint.c.id == what["complaint_id"])).scalar_one()
    connection.execute(
        insert(decision).values(
            **what, source=source, decided_by="person", verdict_id=verdict_id, model_version=model_version, decided_at=at
        )
    )


def _take_back(connection: Connection, row: Row[Any], given: Row[Any], account_id: int, at: dt.datetime) -> None:
    said = connection.execute(select(routing).where(routing.c.id == row.routing_id)).one()
    what = {"complaint_id": row.complaint_id, "outcome": "undone", "agency": "", "unit": "", "also": [], "missing": []}
    undone: int = connection.execute(
        insert(verdict)
        .values(
            **what,
            origin="desk",
            note="",
            question="",
            blind=given.blind,
            account_id=account_id,
            supersedes=given.id,
            decided_at=at,
        )
        .returning(verdict.c.id)
    ).scalar_one()
    audit.forget(connection, given.id)
    before = _standing_verdict(connection, row.complaint_id)
    if before is not None:
        _move(connection, row, said, before.outcome, before.agency, before.unit, before.id)
    else:
        _restore(connection, row, said)
    _tell(connection, what, said.model_version, undone, at)
    audit_log.write(connection, "undone", f"complaint:{row.complaint_id}", {"verdict": given.id}, account_id=account_id)
    metrics.count_verdict("desk", "undone")


def _standing_verdict(connection: Connection, complaint_id: int) -> Row[Any] | None:
    """Find the last verdict that was not taken back."""
    return connection.execute(
        select(verdict)
        .where(verdict.c.complaint_id == complaint_id, verdict.c.outcome != "undone", stands(verdict))
        .order_by(verdict.c.id.desc())
        .limit(1)
    ).one_or_none()


def _restore(connection: Connection, row: Row[Any], said: Row[Any]) -> None:
    """Put a complaint back where the model's answer had put it."""
    drawn = select(audit_case.c.complaint_id).where(audit_case.c.complaint_id == row.complaint_id)
    if connection.execute(drawn).scalar_one_or_none() is not None:
        queue = "audit"
    else:
        queue = holds.QUEUE_OF[said.decision] if said.model_version else "no-model"
    connection.execute(
        update(standing)
        .where(standing.c.complaint_id == row.complaint_id)
        .values(
            state="waiting" if queue else "sent",
            queue=queue,
            agency=said.agency,
            unit=said.unit,
            verdict_id=None,
            rank=urgency.rank(row.due, said.probability, queue, oversight=said.oversight, emergency=said.emergency),
            claimed_by=None,
            claimed_until=None,
        )
    )


def _stop_where_broken(connection: Connection, said: Row[Any], agrees: bool | None, origin: str, outcome: str) -> str:
    """Open the breaker of the agency that the model named where its promise is broken; answers whose was opened, "" for none."""
    # A correction by the agency itself speaks about the promise too, drawn or not.
    came_back = origin == "api" and said.decision == "auto" and outcome in ("changed", "returned")
    if agrees is not False and not came_back:
        return ""
    guarantee = (json.loads(said.body) if said.body else {}).get("guarantee") or {}
    target = float(guarantee.get("target_error", audit.TARGET))
    return said.agency if breakers.check(connection, said.agency, said.model_version, target) else ""
