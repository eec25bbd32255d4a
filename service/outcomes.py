"""What an agency says of a complaint that was sent to it: it took it, or it is not theirs."""

from __future__ import annotations

from sqlalchemy import Connection, select

from model.register import Register
from service import review
from service.problems import Detail, Problem
from service.review import Choice
from service.schemas import OutcomeIn
from service.tables import standing, verdict

_WITH_AN_AGENCY = ("sent", "decided")


def record(connection: Connection, complaint_id: int, said: OutcomeIn, register: Register, api_key_id: int) -> bool:
    """Keep it as a verdict; tells whether it is new. The same again changes nothing.

    Raises the problem `invalid` for an agency that is unknown or the one that returned it, `conflict` where no agency has it.
    """
    row = connection.execute(select(standing).where(standing.c.complaint_id == complaint_id).with_for_update()).one()
    if said.agency and said.agency not in register.by_id:
        raise Problem("invalid", "The request is not valid.", [Detail("/agency", "is no agency of the register")])
    if said.outcome == "accepted" and said.agency:
        raise Problem("invalid", "The request is not valid.", [Detail("/agency", "goes with bukan-wewenang only")])
    if _is_known(connection, row.verdict_id, said):
        return False
    if row.state not in _WITH_AN_AGENCY or not row.agency:
        raise Problem("conflict", f"No agency has this complaint now: its state is {row.state}.")
    if said.agency == row.agency and said.unit in ("", row.unit):
        raise Problem("invalid", "The request is not valid.", [Detail("/agency", "is the agency that the complaint was sent to")])
    choice = {
        "accepted": Choice(row.agency, "confirmed", row.unit, note=said.note),
        "bukan-wewenang": Choice(said.agency, "changed" if said.agency else "returned", said.unit, note=said.note),
    }[said.outcome]
    review.record(connection, row, choice, origin="api", api_key_id=api_key_id)
    return True


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
