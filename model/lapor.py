"""SP4N-LAPOR! "Laporan Ringkas": read every layout seen, write it back with our columns beside theirs.

The export has title rows above its header or none, is an .xlsx or a .csv, and spells its columns in several ways.
Only the columns named here are read. The reporter's name, number and address are in none of them,
so they never reach the program, whatever the export holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from types import MappingProxyType

from model import table
from model.faults import Fault, InvalidData

MAX_REPORTS = 50_000
HEADER_WITHIN = 50
"""Rows of a file in which its header must stand."""

COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "tracking_id": ("tracking id", "id tracking", "nomor tracking", "no tracking", "id laporan", "nomor laporan"),
        "date": ("tanggal laporan masuk", "tanggal laporan", "tanggal masuk", "tanggal lapor", "tgl laporan masuk"),
        "time": ("waktu laporan masuk", "waktu laporan", "jam laporan"),
        "classification": ("klasifikasi laporan", "klasifikasi"),
        "category": ("kategori", "kategori laporan"),
        "title": ("judul laporan", "judul"),
        "text": ("isi laporan awal", "isi laporan", "isi aduan"),
        "final_text": ("isi laporan akhir",),
        "type": ("tipe laporan anonim rahasia", "tipe laporan"),
        "channel": ("sumber laporan", "sumber", "kanal"),
        "agency": ("instansi terdisposisi", "instansi disposisi", "terdisposisi ke", "disposisi"),
        "status": ("status laporan", "status"),
        "kecamatan": ("kecamatan",),
        "desa": ("kelurahan", "desa", "kelurahan desa", "desa kelurahan"),
    }
)
"""Our name of a column: the ways its header is written, in lower case without punctuation."""

_REQUIRED = ("tracking_id", "title", "text")
_KINDS = (("pengaduan", "pengaduan"), ("aspirasi", "aspirasi"), ("permintaan informasi", "permintaan-informasi"))
_MONTHS = {
    name: month
    for month, names in enumerate(
        (
            "jan januari january",
            "feb peb februari pebruari february",
            "mar maret march",
            "apr april",
            "mei may",
            "jun juni june",
            "jul juli july",
            "agu ags agt agus agustus aug august",
            "sep sept september",
            "okt oktober oct october",
            "nov nop november nopember",
            "des desember dec december",
        ),
        1,
    )
    for name in names.split()
}
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ]+(.+))?")
_DAY_FIRST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})(?:[T ,]+(.+))?")
_MONTH_NAMED = re.compile(r"(?:[a-z']+,? +)?(\d{1,2})[- ]+([a-z]+)\.?[- ]+(\d{4})(?:[ ,]+(.+))?", re.IGNORECASE)
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?")
_TIME = re.compile(r"(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?(?:\.\d+)?(?: *(?:wib|wita|wit))?", re.IGNORECASE)
_LOST_BREAK = re.compile(r"\b([A-Za-z]*[a-z]{2})(?=[A-Z][a-z])")
_CAMEL = frozenset(
    [
        "whats",
        "indi",
        "you",
        "tik",
        "my",
        "peduli",
        "face",
        "insta",
        "mobile",
        "shopee",
        "link",
        "pay",
        "smart",
        "lapor",
        "git",
        "wi",
    ]
)
"""First halves of names that are written with a capital inside: WhatsApp, IndiHome, YouTube, MyPertamina."""


@dataclass(frozen=True, slots=True)
class Report:
    """One row of an export. `row` is its number in the file; `received_at` is ISO or, where unreadable, empty."""

    row: int
    text: str
    tracking_id: str = ""
    received_at: str = ""
    title: str = ""
    classification: str = ""
    kind: str = ""
    category: str = ""
    agency: str = ""
    kecamatan: str = ""
    desa: str = ""
    confidential: bool = False
    channel: str = ""
    status: str = ""


def read(path: Path, max_reports: int = MAX_REPORTS) -> Iterator[Report]:
    """Yield the reports of an export, a row at a time.

    Raises InvalidData where the file is broken, over the limits, or no export.
    """
    found = find_export(path)
    if found is None:
        raise InvalidData([Fault(str(path), 0, f"no LAPOR! export: no header with {', '.join(_REQUIRED)} in its first rows")])
    columns, rows = found
    for count, (number, cells) in enumerate(rows, 1):
        if count > max_reports:
            raise InvalidData([Fault(str(path), number, f"more than {max_reports:,} reports: export a shorter period")])
        yield _report(number, {name: cells[index] for name, index in columns.items() if index < len(cells)})


def find_export(path: Path) -> tuple[dict[str, int], Iterator[table.Row]] | None:
    """Answer the columns of an export and an iterator over its data rows; None where it is no export."""
    return find_header(path, COLUMNS, _REQUIRED)


def find_header(
    path: Path, names: Mapping[str, tuple[str, ...]], required: tuple[str, ...]
) -> tuple[dict[str, int], Iterator[table.Row]] | None:
    """Find the header among a file's first rows: the first one that names all `required` columns.

    Answers the index of each column found, and the rows below.
    """
    for rows in table.read(path):
        for _, cells in islice(rows, HEADER_WITHIN):
            columns = match_columns(cells, names)
            if all(name in columns for name in required):
                return columns, rows
    return None


def match_columns(header: tuple[str, ...], names: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """Answer the index of each column that a header names. Where a header names one twice, the first counts."""
    places: dict[str, int] = {}
    for index, cell in enumerate(header):
        places.setdefault(plain(cell), index)
    return {
        name: next(places[form] for form in forms if form in places)
        for name, forms in names.items()
        if any(form in places for form in forms)
    }


def plain(text: str) -> str:
    """Reduce a header to what is compared: lower case, words and single spaces only."""
    return " ".join(re.findall(r"[^\W_]+", text.lower()))


def kind_of(classification: str) -> str:
    """Answer our kind for a "Klasifikasi Laporan"; empty where it is none we know.

    "Berkadar Pengawasan" is not taken as our `oversight`: operators give it to two reports of three, street lamps included.
    """
    start = plain(classification)
    return next((kind for prefix, kind in _KINDS if start.startswith(prefix)), "")


def parse_date(written: str, clock: str = "") -> str:
    """Answer a date, with its time of day where known, in ISO form; empty where it cannot be read.

    Day before month, as Indonesia writes; the other way round only where no other reading is possible.
    """
    text = " ".join(written.split())
    if match := _ISO.fullmatch(text):
        year, month, day, rest = int(match[1]), int(match[2]), int(match[3]), match[4]
    elif match := _DAY_FIRST.fullmatch(text):
        day, month, year, rest = int(match[1]), int(match[2]), int(match[3]), match[4]
        if month > 12 >= day:
            day, month = month, day
    elif (match := _MONTH_NAMED.fullmatch(text)) and match[2].lower() in _MONTHS:
        day, month, year, rest = int(match[1]), _MONTHS[match[2].lower()], int(match[3]), match[4]
    elif _SERIAL.fullmatch(text):
        moment = datetime(1899, 12, 30) + timedelta(seconds=round(float(text) * 86_400))
        year, month, day, rest = moment.year, moment.month, moment.day, moment.strftime("%H:%M:%S") if "." in text else None
    else:
        return ""
    time = _TIME.match((clock or rest or "").split("T")[-1].strip())
    try:
        if time is None:
            return datetime(year, month, day).date().isoformat()
        return datetime(year, month, day, int(time[1]), int(time[2]), int(time[3] or 0)).isoformat()
    except ValueError:
        return ""


def mend_line_breaks(text: str) -> str:
    """Give back the line breaks that the export lost: "BandungDi Tempat" is two lines.

    Names with a capital inside (WhatsApp) stay as they are.
    """
    return _LOST_BREAK.sub(lambda match: match[0] if match[1].lower() in _CAMEL else match[0] + "\n", text)


def _report(number: int, cells: dict[str, str]) -> Report:
    classification = cells.get("classification", "")
    return Report(
        row=number,
        text=mend_line_breaks(cells.get("text") or cells.get("final_text", "")),
        tracking_id=cells.get("tracking_id", "").lstrip("#"),
        received_at=parse_date(cells.get("date", ""), cells.get("time", "")),
        title=cells.get("title", ""),
        classification=classification,
        kind=kind_of(classification),
        category=" ".join(cells.get("category", "").split()),
        agency=" ".join(cells.get("agency", "").split()),
        kecamatan=cells.get("kecamatan", ""),
        desa=cells.get("desa", ""),
        confidential="rahasia" in cells.get("type", "").lower(),
        channel=cells.get("channel", ""),
        status=cells.get("status", ""),
    )
