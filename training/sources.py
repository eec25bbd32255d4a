"""One iterator over every kind of source, and the import that makes labelled complaints of it."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from tqdm import tqdm

from model import lapor
from model.faults import Fault, InvalidData
from model.labelled import EMERGENCIES, TRAIN, LabelledComplaint, dump, from_dict, is_dated, read_jsonl
from model.privacy import mask
from model.register import Register
from training import outputs
from training.crosswalk import Crosswalk, Rule, identity, normalise

MAX_ROWS = 2_000_000
"""Rows of a source that are read; the whole country writes some thousands a day."""
MAX_FAULTS = 50
"""Faults of single rows that are gathered before an import gives up."""
OUR_KEYS = frozenset(("channel", "round", "source_agency", "style"))
"""Keys of JSON Lines beside a complaint's own that an import keeps."""
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
    ),
    "title": ("title", "judul", "judul laporan", "subject", "judul aduan", "judul pengaduan"),
    "category": ("category", "kategori", "topik", "topic"),
    "kecamatan": ("kecamatan", "distrik"),
    "desa": ("desa", "kelurahan", "desa kelurahan", "kelurahan desa", "kampung", "kampung kelurahan"),
    "kind": ("kind", "klasifikasi", "klasifikasi laporan", "jenis", "jenis laporan", "jenis aduan"),
    "confidential": ("confidential", "rahasia", *lapor.COLUMNS["type"]),
}
"""Our name of a column of a plain table: the ways its header is written."""


Mapper = Callable[[LabelledComplaint], Rule | None]
"""Answers the row of a crosswalk that decides a complaint; None where none does."""


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


@dataclass
class ImportReport:
    """What became of a source's rows. As text it is the table that closes an import."""

    source: str
    out: str = ""
    read: int = 0
    kept: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    not_mapped: Counter[tuple[str, str]] = field(default_factory=Counter)
    train_only: int = 0
    confidential: int = 0
    """Rows that were kept though they are marked as Rahasia."""
    dates_unread: list[int] = field(default_factory=list)
    """Lines of rows that were kept without their date."""
    months_first: list[int] = field(default_factory=list)
    """Lines of rows whose date can only be read with the month first."""
    warnings: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """Write the closing table."""
        lines = [self.source, "", f"{'read':<60}{self.read:>8}", f"{'kept':<60}{self.kept.total():>8}"]
        if self.train_only:
            lines.append(f"{'  of these for training only':<60}{self.train_only:>8}")
        if self.confidential:
            lines.append(f"{'  of these marked Rahasia (--no-confidential drops them)':<60}{self.confidential:>8}")
        lines.append(f"{'dropped':<60}{self.dropped.total():>8}")
        lines += _counted(self.dropped)
        if self.not_mapped:
            lines += ["", "names not mapped"]
            lines += _counted(Counter({f"{name} / {category or '-'}": n for (name, category), n in self.not_mapped.items()}), 30)
        lines += ["", "kept by agency", *_counted(self.kept)]
        if self.warnings:
            lines += ["", "warnings", *(f"  {warning}" for warning in self.warnings)]
        return "\n".join([*lines, "", f"written: {self.out}"] if self.out else lines)

    def to_dict(self) -> dict[str, Any]:
        """Answer the same figures for JSON."""
        return {
            "source": self.source,
            "read": self.read,
            "kept": self.kept.total(),
            "train_only": self.train_only,
            "confidential": self.confidential,
            "dropped": dict(self.dropped.most_common()),
            "not_mapped": [
                {"name": name, "category": category, "rows": n} for (name, category), n in self.not_mapped.most_common()
            ],
            "per_agency": dict(self.kept.most_common()),
            "warnings": self.warnings,
        }


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


def read_unlabelled(path: Path, say: Callable[[str], object] = lambda _: None) -> list[LabelledComplaint]:
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
        masked(LabelledComplaint(row.text, title=row.title, kecamatan=row.kecamatan, desa=row.desa, received_at=row.received_at))
        for row in rows
    ]


def masked(complaint: LabelledComplaint) -> LabelledComplaint:
    """Mask personal data in all that a model learns from."""
    return replace(
        complaint,
        text=mask(complaint.text),
        title=mask(complaint.title),
        kecamatan=mask(complaint.kecamatan),
        desa=mask(complaint.desa),
        category=mask(complaint.category),
    )


def import_export(
    path: Path,
    out: Path,
    register: Register,
    crosswalk: Path | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    source: str = "",
    strict: bool = False,
    confidential: bool = True,
) -> ImportReport:
    """Make labelled complaints of a source: map its agencies, mask personal data, write JSON Lines.

    Without a crosswalk the names must be the register's own: ids, names or aliases.
    With `strict`, a pattern of the crosswalk that matched nothing, or a name that no row maps, refuses the import;
    else they are warnings: next month's export need not hold every agency, and a mistyped name
    shows itself among the names not mapped. Without `confidential`, rows that are marked as Rahasia are dropped.
    Nothing is written unless the whole source could be read.
    """
    outputs.check_file(out, path, crosswalk)
    name = source or (crosswalk or path).stem
    report = ImportReport(source=name)
    rules = Crosswalk.load(crosswalk, register) if crosswalk else None
    rows = read(path, columns, report.warnings.append)
    bar = tqdm(rows, desc=name, unit=" rows", disable=not sys.stderr.isatty(), file=sys.stderr, miniters=500)
    mapper = _through(rules) if rules else _by_name(register)
    kept = list(map_rows(bar, mapper, report, name, confidential=confidential))
    unused = list(rules.unused()) if rules else []
    report.warnings += map(str, unused)
    if strict and (unused or report.not_mapped):
        unmapped = _not_mapped(report, by_crosswalk=rules is not None)
        raise InvalidData([*unused, *(Fault(str(path), 0, reason) for reason in unmapped)])
    if lines := report.dates_unread:
        report.warnings.append(f"{path}:{lines[0]}: the first of {len(lines):,} rows whose date cannot be read and is left out")
    if lines := report.months_first:
        only = f"{path}:{lines[0]}: the first of {len(lines):,} rows whose date can only be read with the month first"
        report.warnings.append(f"{only}: others may be meant so too, and were read day first where they can be")
    if not kept:
        raise InvalidData([Fault(str(path), 0, f"no row kept of {report.read}: {_reasons(report)}")])
    dump(kept, out)
    report.out = str(out)
    return report


def map_rows(
    rows: Iterable[Source], mapper: Mapper, report: ImportReport, source: str, *, confidential: bool = True
) -> Iterator[LabelledComplaint]:
    """Yield what of a source is kept, under this register's ids and masked; the report counts all of it."""
    for row in rows:
        report.read += 1
        if row.month_first:  # whatever becomes of the row: it tells how the column is written
            report.months_first.append(row.line)
        complaint = row.complaint
        if not complaint.text.strip():
            report.dropped["text is empty"] += 1
            continue
        if not complaint.agency:
            tells_less = complaint.use == EMERGENCIES  # and needs no crosswalk: `--aspects-from` reads it as it is
            report.dropped["tells of emergencies alone" if tells_less else "no agency: not yet routed"] += 1
            continue
        if row.confidential and not confidential:
            report.dropped["marked Rahasia"] += 1
            continue
        rule = mapper(complaint)
        if rule is None:
            report.dropped["name not mapped"] += 1
            report.not_mapped[complaint.agency, complaint.category] += 1
            continue
        if rule.drops:
            report.dropped[rule.note] += 1
            continue
        report.kept[rule.agency] += 1
        report.train_only += rule.use == TRAIN
        report.confidential += row.confidential
        if row.date_unread:
            report.dates_unread.append(row.line)
        yield replace(
            masked(complaint),
            id=complaint.id or f"{source}-{row.line}",
            agency=rule.agency,
            also=_ours(complaint, complaint.also, mapper),
            acceptable=tuple(dict.fromkeys((*_ours(complaint, complaint.acceptable, mapper), *rule.acceptable))),
            source=complaint.source or source,
            # Of keys that are not ours one may be the reporter's name or number.
            extra={
                **{key: value for key, value in complaint.extra.items() if key in OUR_KEYS},
                "source_agency": complaint.agency,
            },
            use=rule.use or complaint.use,
        )


def _ours(complaint: LabelledComplaint, names: Iterable[str], mapper: Mapper) -> tuple[str, ...]:
    """Answer the ids of further agencies that a row names; one that this register has no agency for is left out."""
    found = (mapper(replace(complaint, agency=name)) for name in names)
    return tuple(dict.fromkeys(rule.agency for rule in found if rule and not rule.drops))


def _through(rules: Crosswalk) -> Mapper:
    return lambda complaint: rules.resolve(complaint.agency, complaint.category, (complaint.title, complaint.text))


def _by_name(register: Register) -> Mapper:
    ids = identity(register)

    def find(complaint: LabelledComplaint) -> Rule | None:
        agency = ids.get(normalise(complaint.agency))
        return Rule(line=0, names=(), categories=(), words=(), agency=agency) if agency else None

    return find


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


def _counted(counts: Counter[str], most: int | None = None) -> Sequence[str]:
    lines = [f"  {name[:56]:<58}{n:>8}" for name, n in counts.most_common(most)]
    return [*lines, f"  ... and {len(counts) - most} more"] if most is not None and len(counts) > most else lines


def _not_mapped(report: ImportReport, *, by_crosswalk: bool) -> list[str]:
    if by_crosswalk:
        return [
            f"no crosswalk row for {name!r} / {category!r} ({n} rows)" for (name, category), n in report.not_mapped.most_common()
        ]
    names: Counter[str] = Counter()  # whatever the category, which only a crosswalk asks for
    for (name, _), n in report.not_mapped.items():
        names[name] += n
    return [f"no agency of the register is called {name!r} ({n} rows)" for name, n in names.most_common()]


def _reasons(report: ImportReport) -> str:
    return ", ".join(f"{reason} ({n})" for reason, n in report.dropped.most_common(5)) or "the source is empty"
