"""What can be chosen on the page of a complaint: agencies with a button, those that a search finds, and their units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from model.register import Agency, Register
from service.desk import agency_search
from service.desk.agency_search import Found
from service.desk.cases import Case
from service.parts import parts

SHOWN = 7
"""Agencies with a button: so many can be read at a glance, and each has a digit as its key."""
_LIKELY = (
    (0.9, "hampir pasti"),
    (0.7, "sangat mungkin"),
    (0.4, "mungkin"),
    (0.15, "kurang mungkin"),
    (0.0, "kecil kemungkinannya"),
)


@dataclass(frozen=True, slots=True)
class Option:
    """An agency that can be chosen with one key; `share` is None where the model's word is hidden."""

    agency: Agency
    share: float | None = None
    likely: str = ""
    unit: str = ""
    by_rule: bool = False
    refused: bool = False
    """Whether it sent this complaint back before."""


def buttons(case: Case, register: Register | None) -> Sequence[Option]:
    """Answer the agencies with a key: the model's candidates, ranked; in a blind case by name, whose order tells nothing."""
    if case.routing is None or register is None:
        return ()
    ruled = {rule.agency for rule in case.routing.rules}
    shares = {candidate.agency: candidate.probability for candidate in case.routing.candidates}
    first = [case.routing.agency] if case.routing.agency and case.routing.agency not in list(shares)[:SHOWN] else []
    named = [name for name in (*first, *shares) if name in register.by_id][:SHOWN]
    if case.blind:
        blind = sorted((register.by_id[name] for name in named), key=lambda agency: agency.name)
        return [Option(agency, unit=unit_of(agency, case)) for agency in blind]
    units = {name: unit_of(register.by_id[name], case) for name in named}
    return [
        Option(
            agency=register.by_id[name],
            share=shares.get(name),
            likely=next(words for least, words in _LIKELY if shares.get(name, 0.0) >= least),
            unit=units[name],
            by_rule=name in ruled,
            refused=(name, units[name]) in case.refused_by,
        )
        for name in named
    ]


def found(typed: str) -> Sequence[Found]:
    """Answer the agencies and the offices of families that a search means."""
    register, today = parts().models.register, parts().calendar.today().isoformat()
    if register is None:
        return ()
    meant = [*agency_search.search(register, typed, today), *agency_search.offices(register, typed, today)]
    return meant[: agency_search.LIMIT]


def unit_of(agency: Agency, case: Case) -> str:
    """Answer the unit of a family that the place of the complaint names."""
    if agency.per == "kecamatan":
        return case.kecamatan
    if agency.per == "desa":
        name, register = (case.routing.desa if case.routing else "") or case.complaint.desa, parts().models.register
        return register.village(case.kecamatan, name) if register else name
    return ""
