"""A labelled complaint and its JSON Lines: the one place that knows the fields."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from model.complaint import Complaint
from model.faults import Fault, InvalidData
from model.files import whole

KINDS = ("pengaduan", "aspirasi", "permintaan-informasi")
MISSING = ("lokasi", "waktu", "identitas", "uraian")
_TEXTS = (
    "id",
    "received_at",
    "title",
    "text",
    "kecamatan",
    "desa",
    "agency",
    "unit",
    "category",
    "kind",
    "source",
    "labelled_by",
    "labelled_at",
    "expect",
    "use",
)
_LISTS = ("also", "missing", "acceptable")
_FLAGS = ("oversight", "blind", "emergency")
_T = TypeVar("_T")
_SURROGATE = re.compile("[\ud800-\udfff]")
TRAIN, EMERGENCIES = "train", "emergency"
"""Values of `use`: what a row is for, where it is not for everything."""
MAX_LINE = 1_000_000
"""Bytes of one line; a longer one is a fault, not a reason to run out of memory."""
MAX_BROKEN = 50
"""Lines that are no JSON object, after which a file is not read on."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What the service had answered before a person decided: the agency, and its probability before the reliability curve."""

    agency: str
    sureness: float


@dataclass(frozen=True, slots=True)
class LabelledComplaint:
    """A complaint, what people said of it, and how that came about.

    `agency` is empty where `expect` is "review": nobody could tell who is responsible.
    `acceptable` are further agencies that an officer would not call wrong; evaluation alone reads them.
    `use` is TRAIN where a crosswalk's label is likely, not certain: it teaches, and judges nothing. It is EMERGENCIES where
    nothing is told but whether it is an `emergency`: danger to life, limb or home that is happening.
    `blind` marks a verdict of the blind audit; it stands for 1 / `audit_share` automatic routings (0: not told).
    Unknown keys are kept in `extra`, and written back.
    """

    text: str
    agency: str = ""
    id: str = ""
    received_at: str = ""
    title: str = ""
    kecamatan: str = ""
    desa: str = ""
    unit: str = ""
    category: str = ""
    kind: str = ""
    oversight: bool = False
    emergency: bool = False
    also: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    acceptable: tuple[str, ...] = ()
    expect: str = "route"
    source: str = ""
    labelled_by: str = ""
    labelled_at: str = ""
    use: str = ""
    blind: bool = False
    audit_share: float = 0.0
    answered: Answered | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def complaint(self) -> Complaint:
        """The complaint alone, as the service would have seen it."""
        return Complaint(
            text=self.text, title=self.title, kecamatan=self.kecamatan, desa=self.desa, id=self.id, received_at=self.received_at
        )

    def to_dict(self) -> dict[str, Any]:
        """Answer the row as it is written: empty fields are left out, `text` and `agency` always there."""
        row: dict[str, Any] = {name: getattr(self, name) for name in _TEXTS if getattr(self, name) or name in ("text", "agency")}
        row |= {name: list(getattr(self, name)) for name in _LISTS if getattr(self, name)}
        row |= {name: True for name in _FLAGS if getattr(self, name)}
        if self.audit_share:
            row["audit_share"] = self.audit_share
        if self.answered:
            row["answered"] = {"agency": self.answered.agency, "sureness": self.answered.sureness}
        return row | dict(self.extra)


def from_dict(row: Mapping[str, Any]) -> LabelledComplaint:
    """Build one from a decoded row.

    Raises ValueError naming every field that is not what it must be, joined by "; ".
    """
    wrong = [f"{name} must be text" for name in _TEXTS if not isinstance(row.get(name) or "", str)]
    for name in _LISTS:
        value = row.get(name) or []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            wrong.append(f"{name} must be a list of texts")
    wrong += [f"{name} must be true or false" for name in _FLAGS if not isinstance(row.get(name) or False, bool)]
    share, told = row.get("audit_share") or 0.0, row.get("answered") or None
    if not _is_share(share):
        wrong.append(f"audit_share {str(share)[:80]!r} is no number from 0 to 1")
    if told and not (isinstance(told, dict) and isinstance(told.get("agency"), str) and _is_share(told.get("sureness"))):
        wrong.append(f"answered {str(told)[:80]!r} is no object of an agency and a sureness from 0 to 1")
    if "text" not in row:
        wrong.append("text is missing")
    if "agency" not in row:
        wrong.append("agency is missing")
    if not wrong:
        if not (row["text"] or "").strip():  # null says as little as ""
            wrong.append("text is empty")
        if row.get("kind") and row["kind"] not in KINDS:
            wrong.append(f"kind {row['kind']!r}: one of {', '.join(KINDS)}")
        if row.get("use") and row["use"] not in (TRAIN, EMERGENCIES):  # misspelt, an emergency would teach what is no complaint
            wrong.append(f"use {row['use']!r}: {TRAIN}, {EMERGENCIES}, or left out")
        wrong += [f"missing {item!r}: one of {', '.join(MISSING)}" for item in row.get("missing") or () if item not in MISSING]
        if not row["agency"] and row.get("expect") != "review":
            wrong.append('agency is empty: only where expect is "review"')
    if wrong:
        raise ValueError("; ".join(wrong))
    values: dict[str, Any] = {name: row.get(name) or "" for name in _TEXTS}
    values |= {name: tuple(row.get(name) or ()) for name in _LISTS}
    values["expect"] = values["expect"] or "route"
    values |= {name: bool(row.get(name)) for name in _FLAGS}
    values["audit_share"] = float(share)
    values["answered"] = Answered(told["agency"], float(told["sureness"])) if told else None
    extra = {key: value for key, value in row.items() if key not in values}
    return LabelledComplaint(**values, extra=extra)


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def is_dated(received_at: str) -> bool:
    """Tell whether a time begins with a date as it must be written, YYYY-MM-DD: only then does its order as text follow time."""
    try:
        return date.fromisoformat(received_at[:10]).isoformat() == received_at[:10]
    except ValueError:
        return False


def read_jsonl(path: Path, faults: list[Fault]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line, row) of a JSON Lines file in UTF-8; blank lines are skipped.

    A line that is not one JSON object is added to `faults` and stepped over. Where the file is no UTF-8, or has MAX_BROKEN
    such lines, it is something else: the rest is not read.
    """
    broken = 0
    with path.open("rb") as lines:
        for number, line in enumerate(iter(lambda: lines.readline(MAX_LINE + 1), b""), 1):
            if not line.strip():
                continue
            try:
                row = _row(line, first=number == 1)
            except UnicodeDecodeError as error:
                faults.append(Fault(str(path), number, f"not UTF-8: byte 0x{line[error.start]:02x}"))
                return
            except ValueError as error:
                faults.append(Fault(str(path), number, str(error)))
                broken += 1
                if broken == MAX_BROKEN:
                    return
                while len(line) > MAX_LINE and not line.endswith(b"\n"):
                    line = lines.readline(MAX_LINE + 1)
            else:
                yield number, row


def _row(line: bytes, *, first: bool) -> dict[str, Any]:
    if len(line) > MAX_LINE:
        raise ValueError(f"a line of over {MAX_LINE:,} bytes")
    text = line.decode("utf-8-sig" if first else "utf-8")
    try:
        row = json.loads(text)
    except json.JSONDecodeError as error:  # its own text names a line too, which is none of the file's
        raise ValueError(f"not JSON: {error.msg} (character {error.pos + 1}); each line is one JSON object") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from error
    if not isinstance(row, dict):
        raise ValueError("not a JSON object")
    if b"\\u" in line and _SURROGATE.search(json.dumps(row, ensure_ascii=False)):
        raise ValueError("half a surrogate pair (\\ud800 to \\udfff): no character")
    return row


def read_rows(path: Path, parse: Callable[[dict[str, Any]], _T], faults: list[Fault]) -> Iterator[tuple[int, _T]]:
    """Yield (line, row) as `read_jsonl` does, each row parsed; what `parse` refuses by ValueError is added to `faults`."""
    for number, row in read_jsonl(path, faults):
        try:
            parsed = parse(row)
        except ValueError as error:
            faults.append(Fault(str(path), number, str(error)))
        else:
            yield number, parsed


def load(path: Path) -> list[LabelledComplaint]:
    """Read a file of labelled complaints. Raises InvalidData with every fault of every row."""
    faults: list[Fault] = []
    rows = [row for _, row in read_rows(path, from_dict, faults)]
    if faults:
        raise InvalidData(faults)
    return rows


def dump(rows: Iterable[LabelledComplaint], path: Path) -> int:
    """Write rows as JSON Lines, whole or not at all; answers how many."""
    count = 0
    with whole(path) as out:
        for row in rows:
            out.write(json.dumps(row.to_dict(), ensure_ascii=False) + "\n")
            count += 1
    return count
