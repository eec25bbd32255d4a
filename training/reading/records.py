"""Complaints that nobody has labelled, from any format, as records: a line or row number and one JSON object.

A broken record spoils no other: it is named by its number, and the rest go on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

import orjson

from model import lapor, table
from model.complaint import Complaint
from model.faults import Fault, InvalidData
from model.labelled import MAX_LINE, read_rows
from training.reading import sources

COLUMNS: Mapping[str, tuple[str, ...]] = {
    name: sources.COLUMNS[name] for name in ("text", "title", "kecamatan", "desa", "id", "received_at", "confidential")
}
"""Our name of a column of a plain table: the ways its header is written."""
_TEXTS = ("title", "kecamatan", "desa", "id", "received_at")
_BOM = b"\xef\xbb\xbf"

Record = tuple[int, bytes]
"""Number, and the JSON; nothing for a line that is too long."""


class Form(StrEnum):
    """What a file of complaints is."""

    LINES = "JSON Lines"
    EXPORT = "LAPOR! export"
    TABLE = "table"


def form_of(path: Path) -> Form:
    """Tell what a file is, by its name and its header. Raises InvalidData where it cannot be read."""
    if not path.is_file():
        raise InvalidData([Fault(str(path), 0, "no such file")])
    if path.suffix.lower() in sources.LINES_SUFFIXES:
        return Form.LINES
    return Form.EXPORT if lapor.is_export(path) else Form.TABLE


def complaint_of(record: bytes) -> Complaint:
    """Read one record; keys that no complaint has are passed over.

    Raises ValueError naming every field that is not what it must be, joined by "; ".
    """
    if not record:
        raise ValueError(f"a line of over {MAX_LINE:,} bytes")
    try:
        row = orjson.loads(record)
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from error
    return _complaint(row)


def id_of(record: bytes) -> str:
    """Answer the id of a record, as far as it can be read."""
    try:
        row = orjson.loads(record)
    except ValueError:
        return ""
    known = row.get("id") if isinstance(row, dict) else ""
    return known if isinstance(known, str) else ""


def read_complaints(path: Path) -> list[Complaint]:
    """Read complaints from any format, labelled or not; a row of an export or a table without a text is passed over.

    Raises InvalidData with every fault of every line of JSON Lines, and where a table has no column for a text.
    """
    if path.is_file() and (form := form_of(path)) is not Form.LINES:
        with opened(path, form) as given:
            return [_complaint(row) for row in (orjson.loads(record) for _, record in given) if row["text"].strip()]
    faults: list[Fault] = []
    complaints = [complaint for _, complaint in read_rows(path, _complaint, faults)]
    if faults:
        raise InvalidData(faults)
    return complaints


@contextmanager
def opened(path: Path, form: Form) -> Iterator[Iterator[Record]]:
    """Open a file and give its records, one at a time. Raises InvalidData where it is not what `form` says."""
    if form is Form.LINES:
        with path.open("rb") as stream:
            yield from_lines(stream)
    elif form is Form.EXPORT:
        yield ((report.row, _from_report(report)) for report in lapor.read(path, table.MAX_ROWS))
    else:
        with opened_table(path) as (_, header, rows):
            yield ((number, _from_cells(header, cells)) for number, cells in rows)


@contextmanager
def opened_table(path: Path) -> Iterator[lapor.Opened]:
    """Open a plain table at its header. Raises InvalidData where it has none that names a text."""
    with lapor.open_table(path, COLUMNS, ("text",)) as found:
        if found is None:
            raise InvalidData(
                [Fault(str(path), 0, f"no header that names a column {', '.join(COLUMNS['text'])}; {sources.UNLABELLED.hint}")]
            )
        yield found


def from_lines(stream: IO[bytes]) -> Iterator[Record]:
    """Yield the lines of a stream that are not blank; one that is too long is stepped over and yielded empty."""
    number = 0
    while line := stream.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            while line and not line.endswith(b"\n"):
                line = stream.readline(MAX_LINE)
            yield number, b""
        elif line := (line.removeprefix(_BOM) if number == 1 else line).strip():
            yield number, line


def _complaint(row: object) -> Complaint:
    if not isinstance(row, dict):
        raise ValueError("not a JSON object")
    text = row.get("text")
    values = {name: "" if (value := row.get(name)) is None else value for name in _TEXTS}
    wrong = [f"{name} must be text" for name, value in values.items() if not isinstance(value, str)]
    confidential = row.get("confidential")
    if confidential is not None and not isinstance(confidential, bool):
        wrong.append("confidential must be true or false")
    if text is None:
        wrong.append("text is missing")
    elif not isinstance(text, str):
        wrong.append("text must be text")
    elif not text or text.isspace():
        wrong.append("text is empty")
    if wrong:
        raise ValueError("; ".join(wrong))
    return Complaint(text=str(text), confidential=bool(confidential), **values)


def _from_report(report: lapor.Report) -> bytes:
    return _as_json(
        id=report.tracking_id,
        text=report.text,
        title=report.title,
        kecamatan=report.kecamatan,
        desa=report.desa,
        received_at=report.received_at,
        confidential=report.confidential,
    )


def _from_cells(header: lapor.Header, cells: Sequence[str]) -> bytes:
    row: dict[str, Any] = {name: cells[index] for name, index in header.columns.items() if index < len(cells)}
    row["received_at"] = lapor.parse_date(row.get("received_at", ""))
    row["confidential"] = lapor.is_confidential(row.get("confidential", ""))
    return _as_json(**{"text": "", **row})


def _as_json(**row: str | bool) -> bytes:
    try:
        return orjson.dumps(row)
    except TypeError:  # half of a surrogate pair, which a hostile workbook can hold and no JSON can
        return orjson.dumps(
            {name: value.encode("utf-8", "replace").decode() if isinstance(value, str) else value for name, value in row.items()}
        )
