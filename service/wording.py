"""The Indonesian words for what the code calls by names: reasons, decisions, roles, dates. The rest stands in the templates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from flask import Flask, current_app, request
from flask_login import current_user
from jinja2 import pass_context

from model.register import Register
from model.wording import DECISIONS, REASONS, office, percent
from service.parts import parts
from service.security.accounts import Permission

MISSING: Mapping[str, str] = {
    "lokasi": "lokasi kejadian",
    "waktu": "waktu kejadian",
    "identitas": "identitas yang diperlukan",
    "uraian": "uraian kejadian",
}
STATES: Mapping[str, str] = {
    "sent": "Diteruskan otomatis",
    "waiting": "Menunggu di antrean",
    "asked": "Menunggu jawaban pelapor",
    "decided": "Sudah diputuskan",
    "closed": "Bukan aduan",
}
SCOPES: Mapping[str, str] = {
    "predict": "meminta usulan instansi",
    "intake": "mengirim aduan",
    "outcome": "melaporkan hasil dari instansi",
    "feed": "membaca keputusan",
    "admin": "semuanya",
}
OUTCOMES: Mapping[str, str] = {
    "confirmed": "Usulan dibenarkan",
    "changed": "Usulan diubah",
    "needs-info": "Ditanyakan kepada pelapor",
    "not-a-complaint": "Bukan aduan",
    "returned": "Dikembalikan instansi",
    "undone": "Dibatalkan",
}
KINDS: Mapping[str, str] = {"pengaduan": "Pengaduan", "aspirasi": "Aspirasi", "permintaan-informasi": "Permintaan informasi"}
ROLES: Mapping[str, str] = {
    "petugas": "Petugas",
    "kepala": "Kepala",
    "pengelola": "Pengelola",
    "peninjau-saja": "Peninjau",
}
AUTHORITIES: Mapping[str, str] = {"kabupaten": "Kabupaten", "kota": "Kota", "provinsi": "Provinsi", "pusat": "Pusat"}
NAVIGATION: tuple[tuple[str, str, Permission | None], ...] = (
    ("/antrean", "Antrean", Permission.VIEW),
    ("/riwayat", "Riwayat", Permission.VIEW),
    ("/impor", "Impor", Permission.IMPORT),
    ("/statistik", "Statistik", Permission.VIEW),
    ("/instansi", "Instansi", Permission.VIEW),
    ("/model", "Model", Permission.VIEW),
    ("/pengguna", "Pengguna", Permission.PEOPLE),
    ("/log", "Log", Permission.LOG),
    ("/coba", "Coba", None),
)
"""The menu: path, label, and the permission without which it is not shown. Only paths that the app serves appear."""
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des")


def number(value: float, digits: int = 0) -> str:
    """Write a number as Indonesian does: 1.234,5."""
    return f"{value:,.{digits}f}".translate(str.maketrans(",.", ".,"))


def day(date: dt.date) -> str:
    """Write a day: 3 Mar 2026."""
    return f"{date.day} {_MONTHS[date.month - 1]} {date.year}"


def day_of(written: str) -> str:
    """Write a day that a file gives in ISO 8601 as `day` does."""
    return day(dt.date.fromisoformat(written))


def moment(when: dt.datetime) -> str:
    """Write a moment in the region's time: 3 Mar 2026 14.05 WITA."""
    return f"{day(when.astimezone(parts().settings.time_zone).date())} {clock(when)}"


def clock(when: dt.datetime) -> str:
    """Write the hour of a moment in the region's time: 14.05 WITA."""
    return f"{when.astimezone(parts().settings.time_zone):%H.%M %Z}"


def moment_of(written: str) -> str:
    """Write a moment that a file gives in ISO 8601 as `moment` does; what is none stands as it is."""
    try:
        when = dt.datetime.fromisoformat(written)
        return moment(when if when.tzinfo else when.replace(tzinfo=dt.UTC))
    except (ValueError, OverflowError):  # no date, or none that another zone can write
        return written


def agency_name(agency_id: str, unit: str = "") -> str:
    """Name an agency, or the office that a family has in a unit; the id stands for one that the register in use does not know."""
    return office(agency_id, unit, parts().models.register)


def unit_kind(level: str) -> str:
    """Answer what this region calls a kecamatan or a desa, also before there is a register."""
    return (parts().models.register or Register(())).called(level)


def init_app(app: Flask) -> None:
    """Give the templates their filters and what every page needs."""
    app.jinja_env.filters.update(
        percent=percent,
        number=number,
        day=day,
        day_of=day_of,
        moment=moment,
        clock=clock,
        moment_of=moment_of,
        agency=agency_name,
        decision=lambda name: DECISIONS.get(name, name),
        reason=lambda name: REASONS.get(name, name),
        missing=lambda name: MISSING.get(name, name),
        state=lambda name: STATES.get(name, name),
        outcome=lambda name: OUTCOMES.get(name, name),
        kind=lambda name: KINDS.get(name, name),
        role=lambda name: ROLES.get(name, name),
        authority=lambda name: AUTHORITIES.get(name, name),
        # With a context it asks for nothing: else what it answers at first is compiled into the page, and outlives the register.
        unit_kind=pass_context(lambda _, level: unit_kind(level)),
    )
    app.jinja_env.globals["Permission"] = Permission
    app.context_processor(_common)


def _common() -> dict[str, object]:
    return {"region": parts().settings.region, "person": current_user, "here": request.path, "navigation": navigation()}


def navigation() -> list[tuple[str, str, Permission | None]]:
    """Answer the menu of this app."""
    served = {str(rule) for rule in current_app.url_map.iter_rules()}
    return [entry for entry in NAVIGATION if entry[0] in served]
