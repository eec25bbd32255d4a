"""Rows written as files that a spreadsheet opens: streamed, and with no cell that it would take for a formula."""

from __future__ import annotations

import csv
import io
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import IO

from openpyxl import Workbook

from model.table import safe_cell

Cell = str | int | float | None
BROKEN_OFF = "EKSPOR TERPUTUS: berkas ini tidak lengkap. Ulangi ekspornya."
_CHUNK = 65_536
_AT_ONCE = 200
_BREAK = re.compile(r"[;\t\r\n]")
_BEHIND_A_BREAK = re.compile(r'(?<![;\s"])([;\s"]++)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])')
"""Blanks, separators of cells and quotation marks before a sign that begins a formula: the whole run, so that it is read once."""


def as_csv(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """Yield a CSV in UTF-8; the mark at its start tells Excel so."""
    out = io.StringIO()
    writer = csv.writer(out)
    out.write("\ufeff")
    writer.writerow(header)
    try:
        for count, row in enumerate(rows, 1):
            writer.writerow([_whole(cell) if isinstance(cell, str) else cell for cell in _safe(row)])
            if count % _AT_ONCE == 0:
                yield out.getvalue().encode()
                out.seek(0)
                out.truncate()
    except Exception:
        # Behind a proxy that speaks HTTP/1.0 to us an answer that breaks off looks like a whole one.
        writer.writerow([BROKEN_OFF])
        yield out.getvalue().encode()
        raise
    yield out.getvalue().encode()


def as_workbook(sheet: str, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> IO[bytes]:
    """Write an .xlsx and answer it opened at its start; it is gone from the disk when it is closed."""
    book = Workbook(write_only=True)
    page = book.create_sheet(sheet)
    page.freeze_panes = "A2"
    page.append(list(header))
    for row in rows:
        page.append(_safe(row))
    kept = tempfile.TemporaryFile()  # noqa: SIM115 -- `pieces` closes it
    book.save(kept)
    kept.seek(0)
    return kept


def pieces(file: IO[bytes]) -> Iterator[bytes]:
    """Yield a file in pieces, and close it whatever becomes of the reader."""
    with file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _whole(text: str) -> str:
    """Disarm what would be a formula where a spreadsheet splits the file at semicolons or tabs, as most in Indonesia are set to."""
    return _BEHIND_A_BREAK.sub(lambda match: f"{match[1]}'" if _BREAK.search(match[1]) else match[0], text)


def _safe(row: Sequence[Cell]) -> list[Cell]:
    return [safe_cell(cell) if isinstance(cell, str) else cell for cell in row]
