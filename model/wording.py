"""The Indonesian words that officers read for a decision and its reasons, in pages and in files alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from model.register import Register
from model.routing import Decision, Reason

DECISIONS: Mapping[str, str] = MappingProxyType(
    {
        Decision.AUTO: "Diteruskan otomatis",
        Decision.REVIEW: "Perlu ditinjau petugas",
        Decision.ASK: "Perlu ditanyakan kepada pelapor",
    }
)
REASONS: Mapping[str, str] = MappingProxyType(
    {
        Reason.LOW_CONFIDENCE: "Belum cukup yakin untuk diteruskan sendiri",
        Reason.SMALL_MARGIN: "Instansi kedua juga mungkin",
        Reason.TOO_LITTLE_TEXT: "Uraian terlalu singkat",
        Reason.UNKNOWN_WORDS: "Banyak kata yang belum dikenal model",
        Reason.PLACE_NEEDED: "Lokasi belum jelas",
        Reason.PLACE_CONFLICT: "Lokasi di formulir berbeda dengan di uraian",
        Reason.AUTHORITY_CONFLICT: "Menurut aturan kewenangan perlu dipastikan petugas",
        Reason.OVERSIGHT: "Berkadar pengawasan",
        Reason.CONFIDENTIAL: "Laporan rahasia",
        Reason.SEVERAL_MATTERS: "Memuat lebih dari satu perkara",
        Reason.AGENCY_INACTIVE: "Instansi sudah tidak aktif",
        Reason.NOT_A_COMPLAINT: "Sepertinya bukan aduan",
        Reason.AUDIT_SAMPLE: "Terpilih untuk pemeriksaan acak",
        Reason.BREAKER_OPEN: "Penerusan otomatis untuk instansi ini sedang dihentikan",
        Reason.NO_MODEL: "Model belum siap saat aduan masuk",
    }
)


def percent(share: float) -> str:
    """Write a share as a percentage, as Indonesian does: 0.873 -> 87%."""
    if 0 < share < 0.01:
        return "<1%"
    if 0.99 < share < 1:
        return ">99%"
    return f"{share * 100:.0f}%"


def office(agency: str, unit: str, register: Register | None) -> str:
    """Name an office as people do: "Kecamatan (18 kecamatan)" with its unit is "Kecamatan Bengalon".

    A unit that begins with the family's name is whole by itself: nobody says "Kampung Kampung Baru".
    The id stands for an agency that the register does not know.
    """
    known = register.by_id.get(agency) if register else None
    name = known.name if known else agency
    family = known.bare_name if known else agency
    if not (name and unit):
        return name
    return unit if unit.casefold().startswith(f"{family} ".casefold()) else f"{family} {unit}"


def all_reasons(reasons: Iterable[str]) -> str:
    """Write reasons in one line."""
    return "; ".join(REASONS.get(reason, reason) for reason in reasons)
