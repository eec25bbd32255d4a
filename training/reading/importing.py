"""The import: labelled complaints are made of somebody else's file, under this register's agencies and masked."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from model.faults import Fault, InvalidData
from model.labelled import EMERGENCIES, TRAIN, LabelledComplaint, dump
from model.namesakes import Namesakes
from model.register import Register
from training.reading import outputs
from training.reading.crosswalk import Crosswalk, Rule, identity, normalise
from training.reading.sources import Source, masked, read

OUR_KEYS = frozenset(("channel", "round", "source_agency", "style"))
"""Keys of JSON Lines beside a complaint's own that an import keeps."""

Mapper = Callable[[LabelledComplaint], Rule | None]
"""Answers the row of a crosswalk that decides a complaint; None where none does."""


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
            lines += ["", "names not mapped (a row of the crosswalk maps one; without a crosswalk an alias in agencies.csv, too)"]
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
    allow_missing: bool = False,
) -> ImportReport:
    """Make labelled complaints of a source: map its agencies, mask personal data, write JSON Lines.

    Without a crosswalk the names must be the register's own: ids, names or aliases.
    With `strict`, a pattern of the crosswalk that matched nothing, or a name that no row maps, refuses the import;
    else they are warnings: next month's export need not hold every agency, and a mistyped name
    shows itself among the names not mapped. Without `confidential`, rows that are marked as Rahasia are dropped.
    With `allow_missing`, so is what the crosswalk sends to agencies that the register does not have.
    Nothing is written unless the whole source could be read.
    """
    outputs.check_file(out, path, crosswalk)
    name = source or (crosswalk or path).stem
    report = ImportReport(source=name)
    rules = Crosswalk.load(crosswalk, register, allow_missing=allow_missing) if crosswalk else None
    rows = read(path, columns, report.warnings.append)
    bar = tqdm(rows, desc=name, unit=" rows", disable=not sys.stderr.isatty(), file=sys.stderr, miniters=500)
    mapper = _through(rules) if rules else _by_name(register)
    kept = list(map_rows(bar, mapper, report, name, register.namesakes, confidential=confidential))
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
    rows: Iterable[Source], mapper: Mapper, report: ImportReport, source: str, namesakes: Namesakes, *, confidential: bool
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
            masked(complaint, namesakes),
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
