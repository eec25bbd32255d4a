"""Rows of cells from an .xlsx or .csv file of a stranger: streamed, within hard limits, one-line errors."""

from __future__ import annotations

import codecs
import csv
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from typing import Any

import openpyxl

from model.faults import Fault, InvalidData

MAX_COLUMNS = 200
"""Columns that are read; the widest export seen has 21."""
MAX_ROWS = 1_048_576
"""Rows of a sheet that are looked at: Excel's own limit, so a row number from a hostile file cannot send us counting."""
MAX_PACKED = 100 * 2**20
MAX_UNPACKED = 400 * 2**20
"""Bytes of an .xlsx once unpacked. 50,000 reports of the longest kind seen take a quarter of it."""
MAX_ENTRIES = 1_000
MAX_RATIO = 200
"""Unpacked by packed bytes of an entry over 1 MB: a bomb has 1,000, real sheets under 30."""
MAX_PART = 20 * 2**20
"""Bytes of a part that openpyxl loads whole (styles, workbook, theme): all but sheets and shared strings."""
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252")
DELIMITERS = (",", ";", "\t")
_BLOCK = 2**20
_MAX_LINE = 2_000_000

Row = tuple[int, tuple[str, ...]]
"""Row number as the file's own reader counts it (sheet row; first line of a CSV record), and the cells as text."""


def read(path: Path, sample: int = 50) -> Iterator[Iterator[Row]]:
    """Yield one iterator over rows for each way of reading the file.

    A workbook has one way for each sheet, a CSV one for each delimiter that its first `sample`
    records do not rule out. The caller takes the first way in which it finds its header.
    Raises InvalidData with one line that says what is wrong with the file.
    """
    if not path.is_file():
        raise InvalidData([Fault(str(path), 0, "no such file")])
    if is_workbook(path):
        check_workbook(path)
        yield from _sheets(path)
        return
    encoding = detect_encoding(path)
    for delimiter in DELIMITERS:
        head = list(islice(csv_rows(path, encoding, delimiter), sample))
        if not head or max(len(cells) for _, cells in head) > 1:
            yield csv_rows(path, encoding, delimiter)


def is_workbook(path: Path) -> bool:
    """Tell whether a file claims to be an .xlsx, by its name or its first bytes.

    Raises InvalidData for the older .xls and for encrypted workbooks, which share their first bytes.
    """
    with path.open("rb") as file:
        first = file.read(8)
    if first == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise InvalidData([Fault(str(path), 0, "an old .xls or a workbook with a password: save it as .xlsx without one")])
    return path.suffix.lower() in (".xlsx", ".xlsm") or first.startswith(b"PK\x03\x04")


def check_workbook(path: Path) -> None:
    """Refuse what would unpack beyond the limits, before anything parses it.

    First by the sizes that the archive declares, then by unpacking every entry and counting.
    """

    def refuse(reason: str) -> InvalidData:
        return InvalidData([Fault(str(path), 0, reason)])

    if path.stat().st_size > MAX_PACKED:
        raise refuse(f"over {MAX_PACKED // 2**20} MB")
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_ENTRIES:
                raise refuse(f"{len(entries):,} parts: a workbook has at most {MAX_ENTRIES:,}")
            if sum(entry.file_size for entry in entries) > MAX_UNPACKED:
                raise refuse(f"unpacks to over {MAX_UNPACKED // 2**20} MB")
            for entry in entries:
                large = entry.file_size > 2**20
                if large and entry.file_size > MAX_RATIO * max(entry.compress_size, 1):
                    raise refuse(f"part {entry.filename!r} unpacks to over {MAX_RATIO} times its size: this looks like a zip bomb")
                if entry.file_size > MAX_PART and not _is_streamed(entry.filename):
                    raise refuse(f"part {entry.filename!r} is over {MAX_PART // 2**20} MB")
                if entry.flag_bits & 1:
                    raise refuse(f"part {entry.filename!r} is encrypted")
            if "[Content_Types].xml" not in archive.namelist():
                raise refuse("a zip archive, but no .xlsx workbook")
            unpacked = 0
            for entry in entries:
                with archive.open(entry) as part:
                    while block := part.read(_BLOCK):
                        unpacked += len(block)
                        if unpacked > MAX_UNPACKED:
                            raise refuse(f"unpacks to over {MAX_UNPACKED // 2**20} MB")
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError) as error:
        raise refuse(f"not a readable .xlsx: {_one_line(error)}") from error


def _is_streamed(name: str) -> bool:
    return name.lower().startswith("xl/worksheets/") or name.lower() == "xl/sharedstrings.xml"


def _sheets(path: Path) -> Iterator[Iterator[Row]]:
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
    except Exception as error:  # openpyxl raises whatever a malformed part makes it raise
        raise InvalidData([Fault(str(path), 0, f"not a readable .xlsx: {_one_line(error)}")]) from error
    try:
        for sheet in book.worksheets:
            if hasattr(sheet, "reset_dimensions"):
                yield _sheet_rows(path, sheet)
    finally:
        book.close()


def _sheet_rows(path: Path, sheet: Any) -> Iterator[Row]:
    # The sheet's own claim of its size is not believed: it is often wrong, and can be absurd.
    sheet.reset_dimensions()
    number = 0
    rows = sheet.iter_rows(min_row=1, max_row=MAX_ROWS, max_col=MAX_COLUMNS, values_only=True)
    while True:
        try:
            values = next(rows, None)
        except Exception as error:  # as above: a malformed cell can raise anything
            raise InvalidData([Fault(str(path), number + 1, f"not a readable .xlsx: {_one_line(error)}")]) from error
        if values is None:
            return
        number += 1
        cells = tuple(cell_text(value) for value in values)
        while cells and not cells[-1]:
            cells = cells[:-1]
        if cells:
            yield number, cells


def cell_text(value: object) -> str:
    """Write a cell's value as the text that a person sees; dates in ISO form."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds") if value.time() != time() else value.date().isoformat()
    if isinstance(value, (date, time)):
        return value.isoformat()
    return str(value).strip()


def detect_encoding(path: Path) -> str:
    """Find how a text file is written: a byte order mark says it, else UTF-8 if all of it is, else Windows-1252.

    Raises InvalidData for what is no text at all.
    """
    with path.open("rb") as file:
        first = file.read(4096)
        if first.startswith(codecs.BOM_UTF8):
            candidates = ["utf-8-sig"]
        elif first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            candidates = ["utf-16"]
        elif b"\0" in first:
            # ASCII text in UTF-16 without a mark has a zero in every second byte.
            even, odd = first[::2].count(0), first[1::2].count(0)
            if max(even, odd) < len(first) // 4:
                raise InvalidData([Fault(str(path), 0, "NUL bytes: this is not a text file")])
            candidates = ["utf-16-le" if odd > even else "utf-16-be"]
        else:
            candidates = ["utf-8", "cp1252"]
        for encoding in candidates:
            file.seek(0)
            decoder = codecs.getincrementaldecoder(encoding)()
            try:
                while block := file.read(_BLOCK):
                    decoder.decode(block)
                decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                continue
            return encoding
    tried = " nor ".join(candidates)
    raise InvalidData([Fault(str(path), 0, f"neither {tried}: save it as UTF-8" if " nor " in tried else f"broken {tried}")])


def csv_rows(path: Path, encoding: str, delimiter: str) -> Iterator[Row]:
    """Yield (line, cells) of a CSV; blank records are left out."""
    for line, cells, _ in csv_records(path, encoding, delimiter):
        if any(cells):
            yield line, cells


def csv_records(path: Path, encoding: str, delimiter: str) -> Iterator[tuple[int, tuple[str, ...], str]]:
    """Yield (line, cells, the record as written) of a CSV, blank records included."""
    with path.open("r", encoding=encoding, newline="") as file:
        written: list[str] = []

        def lines() -> Iterator[str]:
            while line := file.readline(_MAX_LINE):
                if len(line) == _MAX_LINE:
                    raise csv.Error(f"a line of over {_MAX_LINE:,} characters")
                written.append(line)
                yield line.replace("\0", "")  # real exports hold stray NULs

        reader = csv.reader(lines(), delimiter=delimiter)
        while True:
            start = reader.line_num + 1
            written.clear()
            try:
                cells = next(reader, None)
            except csv.Error as error:
                hint = "; is a quotation mark missing?" if "field larger" in str(error) else ""
                raise InvalidData([Fault(str(path), start, f"not CSV: {error}{hint}")]) from error
            if cells is None:
                return
            yield start, tuple(cell.strip() for cell in cells[:MAX_COLUMNS]), "".join(written)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
