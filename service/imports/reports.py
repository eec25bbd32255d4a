"""A row of a LAPOR! export as this desk reads it: its id here, what is to be done with it, whose office is meant, and its words."""

from __future__ import annotations

import datetime as dt
import hmac
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path

from model import lapor
from model.complaint import MAX_TEXT, MAX_TITLE
from model.lapor import Report
from model.place import PlaceFinder
from model.register import Register
from service.clock import now
from service.imports.name_mapping import OPEN, Targets
from service.imports.name_proposals import plain
from service.parts import Parts
from service.web.schemas import EARLIEST, ID_PATTERN, MAX_CHANNEL, MAX_PLACE, ComplaintIn

READ_AT_ONCE = 500
_CLOSED = re.compile(r"(?<!belum )(?<!tidak )\b(?:di|ter)?(?:arsip|tutup|hapus|tolak|blokir|selesai)")
"""Statuses of what is over at LAPOR!, or never was let in: nobody can send a blocked report on there. "Belum selesai" is open."""


def read(path: Path, size: int = READ_AT_ONCE, after: int = 0) -> Iterator[Sequence[Report]]:
    """Yield the rows of an export behind one of its rows, so many at once. Raises InvalidData where it is none."""
    rows = (report for report in lapor.read(path) if report.row > after)
    while some := list(islice(rows, size)):
        yield some


def client_id(report: Report, secret: str) -> str:
    """Answer the id under which a row is known here: LAPOR!'s own, or one made of what the row says."""
    wanted = re.sub(r"[^A-Za-z0-9._:~-]+", "-", report.tracking_id.strip())[:100]
    if re.fullmatch(ID_PATTERN, wanted):
        return wanted
    # The words are not masked, and the id outlives them: only with the secret could telephone numbers be tried until one fits.
    said = "\0".join((report.received_at, report.title, report.text))
    return f"tanpa-id-{hmac.digest(secret.encode(), said.encode(), 'sha256').hex()[:20]}"


def kind_of(report: Report, targets: Targets) -> str:
    """Classify a row: "unreadable", "named" (an agency has it), "closed" (ended without one), or "open" (waits for a decision)."""
    if not has_words(report):
        return "unreadable"
    if report.agency and targets.of(report.agency, report.category) != OPEN:
        return "named"
    return "closed" if _CLOSED.search(" ".join(report.status.lower().split())) else "open"


def unit_of(report: Report, agency: str, register: Register | None) -> str:
    """Answer which office of a family is meant: the one that the agency's name holds, or else that of the row's own place.

    "" where neither says, where several are meant and the row's kecamatan does not tell them apart, and where it is no family.
    """
    family = register.by_id.get(agency) if register else None
    if register is None or family is None or not family.per:
        return ""
    own = _places(register).resolve((), report.kecamatan, report.desa)
    if family.per == "kecamatan":
        offices = [(name, name) for name in register.kecamatan]
    else:
        offices = [(place.desa, place.kecamatan) for place in register.places if place.desa]
    written = f" {plain(report.agency)} "
    named = [(name, kecamatan) for name, kecamatan in offices if f" {plain(name)} " in written]
    if not named:
        return own.kecamatan if family.per == "kecamatan" else register.village(own.kecamatan, own.desa)
    # "Kelurahan Mojo Kecamatan Gubeng" means Mojo, though Gubeng is one too: it is the one whose kecamatan is named beside it.
    whole = [(name, where) for name, where in named if f" {plain(where)} " in written.replace(f" {plain(name)} ", " ", 1)]
    named = whole or named
    longest = max(len(name) for name, _ in named)
    meant = [(name, kecamatan) for name, kecamatan in named if len(name) == longest]
    if len(meant) > 1:
        meant = [(name, kecamatan) for name, kecamatan in meant if kecamatan == own.kecamatan]
    if len(meant) != 1:
        return ""
    name, kecamatan = meant[0]
    return name if family.per == "kecamatan" else register.village(kecamatan, name)


@lru_cache(maxsize=1)
def _places(register: Register) -> PlaceFinder:
    """Read a row's own place as the model reads a form: "Kec. Bengalon" is Bengalon."""
    return PlaceFinder(register)


def as_complaint(parts: Parts, report: Report) -> ComplaintIn:
    """Write a row as the API would have brought it; what is longer than we keep is cut, as the model reads no further."""
    words = report.text if any(char.isalnum() for char in report.text[:MAX_TEXT]) else report.title
    return ComplaintIn(
        text=words[:MAX_TEXT],
        title=report.title[:MAX_TITLE],
        kecamatan=report.kecamatan[:MAX_PLACE],
        desa=report.desa[:MAX_PLACE],
        channel=report.channel[:MAX_CHANNEL],
        id=client_id(report, parts.secret),
        received_at=received_at(report, parts.settings.time_zone),
        confidential=report.confidential,
    )


def received_at(report: Report, zone: dt.tzinfo) -> dt.datetime | None:
    """Read a row's date, in a zone unless it names another; None, which stands for now, where it is not valid."""
    try:
        moment = dt.datetime.fromisoformat(report.received_at)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return moment if EARLIEST <= moment <= now() else None


def has_words(report: Report) -> bool:
    """Tell whether a row says anything in what is read of it."""
    return any(char.isalnum() for char in report.text[:MAX_TEXT]) or any(char.isalnum() for char in report.title[:MAX_TITLE])
