"""SP4N-LAPOR! "Laporan Ringkas": read every layout seen, write it back with our columns beside theirs.

The export has title rows above its header or none, is an .xlsx or a .csv, and spells its columns in several ways.
Only the columns named here are read. The reporter's name, number and address are in none of them,
so they never reach the program, whatever the export holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import chain, islice
from pathlib import Path
from types import MappingProxyType

from model import table
from model.faults import Fault, InvalidData
from model.register import DISTRICT_TYPES, VILLAGE_TYPES, Register
from model.routing import Routing
from model.wording import DECISIONS, all_reasons, office, percent

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
        "kecamatan": DISTRICT_TYPES,
        "desa": ("kelurahan", "kelurahan desa", "desa kelurahan", "kampung kelurahan", "kalurahan kelurahan", *VILLAGE_TYPES),
    }
)
"""Our name of a column: the ways its header is written, in lower case without punctuation."""

OURS = ("Salur: instansi usulan", "Salur: keputusan", "Salur: peluang", "Salur: alasan")
"""The columns that we write beside theirs."""

_REQUIRED = ("tracking_id", "title", "text")
_YES = frozenset(("1", "true", "yes", "ya"))
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
_DAY_SHARE = re.compile(r"0\.\d+")
_ROUNDED = re.compile(r"\d+(?:[.,]\d+)?E\+\d+", re.IGNORECASE)
_TIME = re.compile(
    r"(?<!\d)(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?(?:\.\d+)?(?: ?([ap])m\b)?(?: ?(z|wib|wita|wit|\+\d{2}:?\d{2})\b)?", re.IGNORECASE
)
_ZONES = {"wib": "+0700", "wita": "+0800", "wit": "+0900", "z": "+0000"}
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
    """One row of an export. `row` is its number in the file; `received_at` is ISO, or empty: `date_unread` where it says one.

    `month_first`: its date can be read that way only (`is_month_first`).
    """

    row: int
    text: str
    tracking_id: str = ""
    received_at: str = ""
    date_unread: bool = False
    month_first: bool = False
    title: str = ""
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
    with open_export(path) as (_, header, rows):
        for count, (number, cells) in enumerate(rows, 1):
            if count > max_reports:
                raise InvalidData([Fault(str(path), number, f"more than {max_reports:,} reports: export a shorter period")])
            yield _report(number, {name: cells[index] for name, index in header.columns.items() if index < len(cells)})


def check_original(path: Path) -> None:
    """Raise InvalidData where a file is no export, or one that `write_back` would refuse because it wrote it."""
    with open_export(path) as (_, header, _):
        _refuse_ours(path, header)


def is_export(path: Path) -> bool:
    """Tell whether a file is an export of LAPOR!. Raises InvalidData where it cannot be read at all."""
    with open_table(path, COLUMNS, _REQUIRED) as found:
        return found is not None


def write_back(original: Path, target: Path, cells: table.Cells) -> int:
    """Write a copy of an export with our columns beside theirs; answers how many rows got some.

    `cells` gives a report's row and the four cells of OURS, in the order of `read`. The original's cells are
    passed through unread. The copy appears whole or not at all. Raises InvalidData as `read` does.
    """
    with open_export(original) as (sheet, header, _):
        _refuse_ours(original, header)
        return sheet.append(target, chain([(header.row, OURS)], cells)) - 1  # less the header


def cells_of(routing: Routing, register: Register | None) -> tuple[str, str, str, str]:
    """Write a routing as the cells of OURS."""
    return (
        office(routing.agency, routing.unit, register),
        DECISIONS[routing.decision],
        percent(routing.candidates[0].probability),
        all_reasons(routing.reasons),
    )


@dataclass(frozen=True, slots=True)
class Header:
    """Where a table's header stands, what it says, and the index of each column that was asked for."""

    row: int
    names: frozenset[str]
    columns: Mapping[str, int]


Opened = tuple[table.Sheet, Header, Iterator[table.Row]]
"""A sheet, its header, and the rows below that."""


@contextmanager
def open_export(path: Path) -> Iterator[Opened]:
    """Open an export: its sheet, its header and the rows below. Raises InvalidData where it is none."""
    with open_table(path, COLUMNS, _REQUIRED) as found:
        if found is None:
            wanted = ", ".join(COLUMNS[name][0].title() for name in _REQUIRED)
            raise InvalidData([Fault(str(path), 0, f"no LAPOR! export: no header with {wanted} in its first {HEADER_WITHIN} rows")])
        yield found


@contextmanager
def open_table(path: Path, names: Mapping[str, tuple[str, ...]], required: Iterable[str]) -> Iterator[Opened | None]:
    """Open a table at its header, the first row that names all `required` columns; None where no row does."""
    with table.sheets(path, HEADER_WITHIN) as sheets:
        yield next(_opened(sheets, names, set(required)), None)


def unread_sheets(path: Path) -> int:
    """Count the sheets of a workbook that hold reports too, behind the one that is read."""
    with table.sheets(path, HEADER_WITHIN) as sheets:
        found = (next(rows, None) for _, _, rows in _opened(sheets, COLUMNS, set(_REQUIRED)))
        return sum(row is not None for row in islice(found, 1, None))


def _opened(sheets: Iterable[table.Sheet], names: Mapping[str, tuple[str, ...]], needed: set[str]) -> Iterator[Opened]:
    for sheet in sheets:
        rows = sheet.rows()
        for number, cells in islice(rows, HEADER_WITHIN):
            columns = match_columns(cells, names)
            if needed <= columns.keys():
                yield sheet, Header(number, frozenset(map(plain, cells)), columns), rows
                break


def is_confidential(mark: str) -> bool:
    """Tell whether a cell marks a report as Rahasia: by that word ("Anonim|Rahasia"), or by a yes where the header asks."""
    return "rahasia" in mark.lower() or mark.strip().lower() in _YES


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
    """Answer a date, with its time of day and zone where it says them, in ISO form; empty where it cannot be read.

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
    try:
        day_only, moment_of_day = date(year, month, day).isoformat(), _time_of_day(clock) or _time_of_day(rest or "")
    except ValueError:
        return ""
    return f"{day_only}T{moment_of_day.isoformat()}" if moment_of_day is not None else day_only


def _time_of_day(written: str) -> time | None:
    """Read a time of day; None where there is none. Raises ValueError for one that cannot be."""
    if _DAY_SHARE.fullmatch(written):  # a spreadsheet's own, as a cell without a format has it
        return (datetime.min + timedelta(seconds=round(float(written) * 86_400))).time()
    match = _TIME.search(written)
    if match is None:
        return None
    hour, zone = int(match[1]), match[5] and _ZONES.get(match[5].lower(), match[5])
    if match[4]:
        hour = hour % 12 + (12 if match[4].lower() == "p" else 0)
    return time(hour, int(match[2]), int(match[3] or 0), tzinfo=datetime.strptime(zone, "%z").tzinfo if zone else None)


def is_month_first(written: str) -> bool:
    """Tell whether a date can only be read month first, as 02/13/2024: then those beside it may be meant so too."""
    match = _DAY_FIRST.fullmatch(" ".join(written.split()))
    return bool(match and int(match[2]) > 12 and parse_date(written))


def tracking_id_of(written: str) -> str:
    """Answer a report's id without what spreadsheets put around it; empty where it holds none.

    A dash is none, nor a number that a spreadsheet rounded ("1,23457E+11"): several reports would share it, and be taken for one.
    """
    number = re.sub(r"^(\d+)\.0$", r"\1", written.strip("#'=\" "))
    return number if any(map(str.isalnum, number)) and not _ROUNDED.fullmatch(number) else ""


def mend_line_breaks(text: str) -> str:
    """Give back the line breaks that the export lost: "BandungDi Tempat" is two lines.

    Names with a capital inside (WhatsApp) stay as they are.
    """
    return _LOST_BREAK.sub(lambda match: match[0] if match[1].lower() in _CAMEL else match[0] + "\n", text)


def _refuse_ours(path: Path, header: Header) -> None:
    if any(plain(name) in header.names for name in OURS):
        raise InvalidData([Fault(str(path), header.row, f"has our columns already ({OURS[0]}): give the file as LAPOR! made it")])


def _report(number: int, cells: dict[str, str]) -> Report:
    classification = cells.get("classification", "")
    received_at = parse_date(cells.get("date", ""), cells.get("time", ""))
    agency = " ".join(cells.get("agency", "").split())
    return Report(
        row=number,
        text=mend_line_breaks(cells.get("text") or cells.get("final_text", "")),
        tracking_id=tracking_id_of(cells.get("tracking_id", "")),
        received_at=received_at,
        date_unread=bool(cells.get("date", "").strip() and not received_at),
        month_first=is_month_first(cells.get("date", "")),
        title=cells.get("title", ""),
        kind=kind_of(classification),
        category=" ".join(cells.get("category", "").split()),
        agency=agency if plain(agency) else "",  # a dash is nobody's name
        kecamatan=cells.get("kecamatan", ""),
        desa=cells.get("desa", ""),
        confidential=is_confidential(cells.get("type", "")),
        channel=cells.get("channel", ""),
        status=cells.get("status", ""),
    )
