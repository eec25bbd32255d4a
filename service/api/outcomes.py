"""What an agency says of a complaint that was sent to it: it took it, or it is not theirs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, select

from model.privacy import mask
from model.register import Register
from service.complaints import idempotency, review
from service.complaints.review import Choice
from service.storage.tables import complaint, standing, verdict
from service.web.bodies import invalid
from service.web.problems import Detail, Problem
from service.web.schemas import OutcomeIn

_WITH_AN_AGENCY = ("sent", "decided")


def record(
    connection: Connection, complaint_id: int, said: OutcomeIn, register: Register, today: str, api_key_id: int, key: str = ""
) -> bool:
    """Keep it as a verdict; tells whether it is new. The same again changes nothing.

    Without an Idempotency-Key (`key`) a repetition is recognised by saying the same as the standing verdict: where a person decided
    in between, it counts as a new outcome, told by the agency that has the complaint now.
    Raises the problem `invalid` for an agency or unit that cannot have it or the one that returned it, `conflict` where no agency
    has it or what it said was purged, `key-reused` for a key that was used with something else, `in-flight` while its first use
    is under way.
    """
    row = connection.execute(select(standing).where(standing.c.complaint_id == complaint_id).with_for_update()).one()
    columns = (complaint.c.source, complaint.c.purged_at, complaint.c.kecamatan, complaint.c.desa)
    of = connection.execute(select(*columns).where(complaint.c.id == complaint_id)).one()
    digest = _digest(complaint_id, said)
    # A sender may name a complaint and what became of it by one key: the two are kept apart.
    key = key and f"outcome {hashlib.sha256(key.encode()).hexdigest()}"
    if key and (known := idempotency.find(connection, of.source, key)) is not None:
        if known.digest != digest:
            raise idempotency.reused()
        return False
    kecamatan = row.kecamatan or of.kecamatan
    said = _with_unit(said, register, {"kecamatan": kecamatan, "desa": register.village(kecamatan, of.desa)})
    if wrong := list(_wrong(said, register, today)):
        raise invalid(*wrong)
    if _is_known(connection, row.verdict_id, said):
        return False
    if of.purged_at is not None:
        raise Problem("conflict", "What this complaint said was deleted when its time was over: it can be decided no more.")
    if row.state not in _WITH_AN_AGENCY or not row.agency:
        raise Problem("conflict", f"No agency has this complaint now: its state is {row.state}.")
    if said.agency == row.agency and said.unit in ("", row.unit):
        raise invalid(Detail("/agency", "is the agency that the complaint was sent to"))
    choice = {
        "accepted": Choice(row.agency, "confirmed", row.unit, note=said.note),
        "bukan-wewenang": Choice(said.agency, "changed" if said.agency else "returned", said.unit, note=said.note),
    }[said.outcome]
    review.record(connection, row, choice, origin="api", api_key_id=api_key_id)
    if key:
        idempotency.keep(connection, of.source, key, digest, complaint_id)
    return True


def _with_unit(said: OutcomeIn, register: Register, place: Mapping[str, str]) -> OutcomeIn:
    """Name the office of a family that the complaint's place names, where the sender does not: as the desk does."""
    agency = register.by_id.get(said.agency)
    if agency is None or not agency.per or said.unit or place.get(agency.per) not in register.units(agency.per):
        return said
    return said.model_copy(update={"unit": place[agency.per]})


def _digest(complaint_id: int, said: OutcomeIn) -> str:
    parts = (str(complaint_id), said.outcome, said.agency, said.unit, mask(said.note))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _wrong(said: OutcomeIn, register: Register, today: str) -> Iterator[Detail]:
    """Yield what keeps the agency that is named from having the complaint: what the desk refuses too."""
    if not said.agency:
        if said.unit:
            yield Detail("/unit", "goes with an agency only")
        return
    agency = register.by_id.get(said.agency)
    if said.outcome == "accepted":
        yield Detail("/agency", "goes with bukan-wewenang only")
    elif agency is None:
        yield Detail("/agency", "is no agency of the register: give its id, as /api/v1/agencies lists it")
    elif not agency.active_on(today):
        yield Detail("/agency", "is not active any more")
    elif agency.per and said.unit not in register.units(agency.per):
        yield Detail("/unit", f"must name the {agency.per} whose office it is, as the register has it")
    elif said.unit and not agency.per:
        yield Detail("/unit", "goes with a family of agencies only")


def _is_known(connection: Connection, verdict_id: int | None, said: OutcomeIn) -> bool:
    """Tell whether the verdict that stands says the same, and came the same way."""
    last = connection.execute(select(verdict).where(verdict.c.id == verdict_id)).one_or_none() if verdict_id else None
    if last is None or last.origin != "api":
        return False
    if said.outcome == "accepted":
        return bool(last.outcome == "confirmed")
    return bool(
        last.outcome == ("changed" if said.agency else "returned") and last.agency == said.agency and last.unit == said.unit
    )
