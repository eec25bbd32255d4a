"""One iterator over every kind of source: an export of LAPOR!, a plain table, JSON Lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from model import lapor
from model.faults import Fault, InvalidData
from model.labelled import LabelledComplaint, from_dict, is_dated, read_jsonl
from model.namesakes import NONE, Namesakes
from model.privacy import mask

MAX_ROWS = 2_000_000
"""Rows of a source that are read; the whole country writes some thousands a day."""
MAX_FAULTS = 50
"""Faults of single rows that are gathered before an import gives up."""
LINES_SUFFIXES = (".jsonl", ".ndjson", ".json")
"""What a file of JSON Lines is called."""
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "text": (
        "text",
        "isi",
        "isi laporan",
        "isi aduan",
        "aduan",
        "laporan",
        "keluhan",
        "uraian",
        "complaint",
        "isi pengaduan",
        "pengaduan",
    ),
    "agency": (
        "agency",
        "instansi",
        "instansi terdisposisi",
        "opd",
        "skpd",
        "unit kerja",
        "disposisi",
        "tujuan",
        "addressed to",
        "opd tujuan",
        "perangkat daerah",
    ),
    "id": ("id", "tracking id", "nomor", "no tiket", "tiket"),
    "received_at": (
        "received at",
        "tanggal",
        "tanggal masuk",
        "tanggal laporan",
        "tanggal laporan masuk",
        "date",
        "tanggal aduan",
        "tanggal pengaduan",
        "tgl",
        "tgl masuk",
        "tgl laporan",
        "tgl aduan",
        "tgl pengaduan",
    ),
    "title": ("title", "judul", "judul laporan", "subject", "judul aduan", "judul pengaduan"),
    "category": ("category", "kategori", "topik", "topic"),
    "kecamatan": lapor.COLUMNS["kecamatan"],
    "desa": ("desa", *lapor.COLUMNS["desa"]),
    "kind": ("kind", "klasifikasi", "klasifikasi laporan", "jenis", "jenis laporan", "jenis aduan"),
    "confidential": ("confidential", "rahasia", *lapor.COLUMNS["type"]),
}
"""Our name of a column of a plain table: the ways its header is written."""


@dataclass(frozen=True)
class Wanted:
    """What is read of a source: columns and the ways they are written, those it cannot be without, and how to name another."""

    columns: Mapping[str, tuple[str, ...]]
    needed: tuple[str, ...]
    hint: str


LABELLED = Wanted(COLUMNS, ("text", "agency"), "--column OURS=THEIRS names one that is called otherwise")
UNLABELLED = Wanted(
    {name: COLUMNS[name] for name in ("text", "title", "kecamatan", "desa", "received_at", "confidential")},
    ("text",),
    "rename one that is called otherwise",
)


@dataclass(frozen=True, slots=True)
class Source:
    """A row as the source has it: `complaint.agency` is the source's own name, and text or agency may be empty.

    `date_unread`: the source says a date that cannot be read, so that the complaint has none. `month_first`: it says one that
    can only be read with the month first. `confidential`: it is marked as Rahasia.
    """

    line: int
    complaint: LabelledComplaint
    date_unread: bool = False
    month_first: bool = False
    confidential: bool = False


def read(
    path: Path,
    columns: Mapping[str, str] | None = None,
    say: Callable[[str], object] = lambda _: None,
    wanted: Wanted = LABELLED,
) -> Iterator[Source]:
    """Yield the rows of a source: a LAPOR! export, a table with a header (.csv, .xlsx), or JSON Lines.

    `columns` names columns of a plain table, or keys of JSON Lines, that are called otherwise: ours -> theirs.
    `say` is told of columns of a table that are passed over where some of ours were not found, and of sheets of an export.
    Raises InvalidData where the file is none of these, and, after the last row, with the faults of single rows.
    """
    if not path.is_file():
        raise InvalidData([Fault(str(path), 0, "no such file")])
    if path.suffix.lower() in LINES_SUFFIXES:
        return _from_jsonl(path, columns or {}, wanted)
    if not columns and lapor.is_export(path):
        if unread := lapor.unread_sheets(path):
            say(f"{path}: further sheets with reports, which are not read: {unread}; give each as a file of its own")
        return _from_export(path)
    return _from_table(path, columns or {}, say, wanted)


def read_unlabelled(
    path: Path, say: Callable[[str], object] = lambda _: None, namesakes: Namesakes = NONE
) -> list[LabelledComplaint]:
    """Read the complaints of a source as `read` does, masked, and nothing of what anybody says of them.

    What is marked Rahasia is left out: its reporter asked for secrecy, and of complaints without a label others teach as much.
    Raises InvalidData also where no row is left that has a text.
    """
    told = [row for row in read(path, None, say, UNLABELLED) if row.complaint.text.strip()]
    rows = [row.complaint for row in told if not row.confidential]
    if left_out := len(told) - len(rows):
        say(f"{path}: {left_out:,} rows marked Rahasia are left out")
    if not rows:
        raise InvalidData([Fault(str(path), 0, "no row with a text" + (" that is not marked Rahasia" if told else ""))])
    return [
        masked(
            LabelledComplaint(row.text, title=row.title, kecamatan=row.kecamatan, desa=row.desa, received_at=row.received_at),
            namesakes,
        )
        for row in rows
    ]


def masked(complaint: LabelledComplaint, namesakes: Namesakes = NONE) -> LabelledComplaint:
    """Mask personal data in all that a model learns from, but not the region's places that are called as people are."""
    return replace(
        complaint,
        text=mask(complaint.text, namesakes),
        title=mask(complaint.title, namesakes),
        kecamatan=mask(complaint.kecamatan, namesakes),
        desa=mask(complaint.desa, namesakes),
        category=mask(complaint.category, namesakes),
    )


def _from_export(path: Path) -> Iterator[Source]:
    for report in lapor.read(path, MAX_ROWS):
        yield Source(
            report.row,
            LabelledComplaint(
                text=report.text,
                agency=report.agency,
                id=report.tracking_id,
                received_at=report.received_at,
                title=report.title,
                kecamatan=report.kecamatan,
                desa=report.desa,
                category=report.category,
                kind=report.kind,
            ),
            report.date_unread,
            report.month_first,
            report.confidential,
        )


def _check_columns(path: Path, columns: Mapping[str, str]) -> None:
    unknown = sorted(set(columns) - set(COLUMNS))
    if unknown:
        raise InvalidData([Fault(str(path), 0, f"no such column of ours: {', '.join(unknown)}; one of {', '.join(COLUMNS)}")])


def _from_table(path: Path, columns: Mapping[str, str], say: Callable[[str], object], wanted: Wanted) -> Iterator[Source]:
    _check_columns(path, columns)
    names = {**wanted.columns, **{ours: (lapor.plain(theirs),) for ours, theirs in columns.items()}}
    with lapor.open_table(path, names, (*wanted.needed, *columns)) as found:
        if found is None:
            sought = ", ".join(f"{name} ({' or '.join(names[name][:4])})" for name in dict.fromkeys((*wanted.needed, *columns)))
            raise InvalidData([Fault(str(path), 0, f"no header that names the columns {sought}; {wanted.hint}")])
        _, header, rows = found
        if passed_over := _passed_over(header, names, wanted.hint):
            say(f"{path}:{header.row}: {passed_over}")
        for line, cells in islice(rows, MAX_ROWS):
            row: dict[str, Any] = {name: cells[index] for name, index in header.columns.items() if index < len(cells)}
            row["kind"] = lapor.kind_of(row.get("kind", ""))
            confidential = lapor.is_confidential(row.pop("confidential", ""))
            written = row.get("received_at", "").strip()
            row["received_at"] = lapor.parse_date(written)
            unread = bool(written and not row["received_at"])
            yield Source(line, LabelledComplaint(**{"text": "", **row}), unread, lapor.is_month_first(written), confidential)


def _passed_over(header: lapor.Header, names: Mapping[str, tuple[str, ...]], hint: str) -> str:
    """Say which columns of a table are not read, where some of ours are not found: one of them may be a date or a title."""
    unread = sorted(header.names - {form for forms in names.values() for form in forms} - {""})
    missing = [name for name in names if name not in header.columns]
    if not unread or not missing:
        return ""
    return f"no column for {', '.join(missing)}; not read: {', '.join(unread)}; {hint}"


def _from_jsonl(path: Path, columns: Mapping[str, str], wanted: Wanted) -> Iterator[Source]:
    _check_columns(path, columns)
    faults: list[Fault] = []
    keys: set[str] = set()
    for line, row in islice(read_jsonl(path, faults), MAX_ROWS):
        if wanted is UNLABELLED:  # what others say of a complaint is not read, so it may be anything
            row = {name: value for name, value in row.items() if name in wanted.columns}
        row |= {ours: row.pop(theirs) for ours, theirs in columns.items() if theirs in row}
        if type(row.get("id")) is int:  # as most systems number theirs
            row["id"] = str(row["id"])
        keys |= row.keys()
        confidential = lapor.is_confidential(str(row.pop("confidential", "")))
        # An empty text or agency is a row to drop and count, not a broken file.
        blank: dict[str, Any] = {name: "" for name in LABELLED.needed if not str(row.get(name) or "").strip()}
        try:
            complaint = from_dict(row | dict.fromkeys(blank, "?"))
        except ValueError as error:
            faults.append(Fault(str(path), line, str(error)))
            if len(faults) >= MAX_FAULTS:
                break
            continue
        written = complaint.received_at.strip()
        day = written if is_dated(written) else lapor.parse_date(written)
        unread = bool(written and not day)
        yield Source(line, replace(complaint, received_at=day, **blank), unread, lapor.is_month_first(written), confidential)
    faults += (
        Fault(str(path), 0, f"no row has the key {name!r}; {wanted.hint}") for name in wanted.needed if keys and name not in keys
    )
    if faults:
        raise InvalidData(faults)
