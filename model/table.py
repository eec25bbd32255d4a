"""Rows of cells in an .xlsx or .csv file of a stranger: streamed, within hard limits, one-line errors.

Reading gives text. Writing copies the original and adds cells at the end of rows; what stood there is not touched:
a sheet's XML and a CSV's lines are passed through as they are, so no cell of theirs is even looked at.
"""

from __future__ import annotations

import codecs
import csv
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time
from itertools import islice
from pathlib import Path
from typing import IO, Any
from xml.parsers import expat  # entities are refused below, as defusedxml does; it has no parser that tells byte offsets
from xml.sax.saxutils import escape

import openpyxl
from openpyxl.utils import column_index_from_string, get_column_letter

from model.faults import Fault, InvalidData
from model.files import for_us_alone, replacing

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
MAX_CELL = 32_767
"""Characters of a cell that Excel keeps."""
DELIMITERS = (",", ";", "\t")
_BLOCK = 2**18
_MAX_LINE = 2_000_000
_EXCEL_COLUMNS = 16_384
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_RETURN = re.compile("_x000D_\n?")
"""A carriage return as Excel writes it, for XML would lose it; openpyxl leaves it so."""
_UNCLOSED = "a quotation mark of this record is never closed, and takes the rest of the file for one cell"
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_CELL_COLUMN = re.compile(r"([A-Z]{1,3})\d+")
_MERGED = re.compile(r":([A-Z]{1,3})(\d{1,7})$")

Row = tuple[int, tuple[str, ...]]
"""Row number as the file's own reader counts it (sheet row; first line of a CSV record), and the cells as text."""
Cells = Iterable[tuple[int, Sequence[str]]]
"""Row number and the cells that are added to it, in the order of the file."""


@dataclass(frozen=True)
class Sheet:
    """One way of reading a file: a worksheet of a workbook, or a CSV split at one delimiter."""

    path: Path
    rows: Callable[[], Iterator[Row]]
    append: Callable[[Path, Cells], int]
    """Write a copy with cells added; answers how many rows got some. The copy appears whole or not at all."""


@contextmanager
def sheets(path: Path, sample: int = 50) -> Iterator[Iterator[Sheet]]:
    """Open a file and give the ways of reading it; of a CSV those that its first `sample` records do not rule out.

    Raises InvalidData with one line that says what is wrong with the file.
    """
    if not path.is_file():
        raise _refusal(path, "no such file")
    if not _is_workbook(path):
        yield _delimited(path, detect_encoding(path), sample)
        return
    check_workbook(path)
    with path.open("rb") as file:  # ours to close: openpyxl leaves it open where it fails
        try:
            book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
        except Exception as error:  # openpyxl raises whatever a malformed part makes it raise
            raise _refusal(path, f"not a readable .xlsx: {_one_line(error)}") from error
        try:
            yield _worksheets(path, book)
        finally:
            book.close()


def _delimited(path: Path, encoding: str, sample: int) -> Iterator[Sheet]:
    broken: InvalidData | None = None
    for delimiter in DELIMITERS:

        def rows(delimiter: str = delimiter) -> Iterator[Row]:
            records = _csv_records(path, encoding, delimiter)
            return ((line, cells) for line, cells, _ in records if any(cells))

        def append(target: Path, cells: Cells, delimiter: str = delimiter) -> int:
            return _append_to_csv(path, target, cells, encoding, delimiter)

        try:
            head = list(islice(rows(), sample))
        except InvalidData as error:  # at another delimiter a quotation mark may be a character like any other
            broken = broken or error
            continue
        if not head or max(len(cells) for _, cells in head) > 1:
            yield Sheet(path, rows, append)
    if broken is not None:  # whoever comes here has found nothing that they looked for
        raise broken


def _worksheets(path: Path, book: Any) -> Iterator[Sheet]:
    for worksheet in book.worksheets:

        def rows(worksheet: Any = worksheet) -> Iterator[Row]:
            return _sheet_rows(path, worksheet)

        # openpyxl has no public name for the part that a sheet was read from.
        def append(target: Path, cells: Cells, part: str = worksheet._worksheet_path) -> int:
            return _append_to_workbook(path, target, cells, part)

        yield Sheet(path, rows, append)


def _is_workbook(path: Path) -> bool:
    """Tell whether a file claims to be an .xlsx, by its name or its first bytes.

    Raises InvalidData for the older .xls and for encrypted workbooks, which share their first bytes.
    """
    with path.open("rb") as file:
        first = file.read(8)
    if first == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise _refusal(path, "an old .xls or a workbook with a password: save it as .xlsx without one")
    return path.suffix.lower() in (".xlsx", ".xlsm") or first.startswith(b"PK\x03\x04")


def check_workbook(path: Path) -> None:
    """Refuse what would unpack beyond the limits, before anything parses it.

    First by the sizes that the archive declares, then by unpacking every entry and counting.
    """
    if path.stat().st_size > MAX_PACKED:
        raise _refusal(path, f"over {MAX_PACKED // 2**20} MB")
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_ENTRIES:
                raise _refusal(path, f"{len(entries):,} parts: a workbook has at most {MAX_ENTRIES:,}")
            if sum(entry.file_size for entry in entries) > MAX_UNPACKED:
                raise _refusal(path, f"unpacks to over {MAX_UNPACKED // 2**20} MB")
            for entry in entries:
                if entry.file_size > max(2**20, MAX_RATIO * entry.compress_size):
                    raise _refusal(path, f"part {entry.filename!r} unpacks to over {MAX_RATIO} times its size: a zip bomb?")
                if entry.file_size > MAX_PART and not _is_streamed(entry.filename):
                    raise _refusal(path, f"part {entry.filename!r} is over {MAX_PART // 2**20} MB")
                if entry.flag_bits & 1:
                    raise _refusal(path, f"part {entry.filename!r} is encrypted")
            if "[Content_Types].xml" not in archive.namelist():
                raise _refusal(path, "a zip archive, but no .xlsx workbook")
            unpacked = 0
            for entry in entries:
                with archive.open(entry) as part:
                    while block := part.read(_BLOCK):
                        unpacked += len(block)
                        if unpacked > MAX_UNPACKED:
                            raise _refusal(path, f"unpacks to over {MAX_UNPACKED // 2**20} MB")
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError, ValueError) as error:
        raise _refusal(path, f"not a readable .xlsx: {_one_line(error)}") from error


def _is_streamed(name: str) -> bool:
    return name.lower().startswith("xl/worksheets/") or name.lower() == "xl/sharedstrings.xml"


def _sheet_rows(path: Path, worksheet: Any) -> Iterator[Row]:
    # The sheet's own claim of its size is not believed: it is often wrong, and can be absurd.
    worksheet.reset_dimensions()
    number = 0
    rows = worksheet.iter_rows(min_row=1, max_row=MAX_ROWS, max_col=MAX_COLUMNS, values_only=True)
    while True:
        try:
            values = next(rows, None)
        except Exception as error:  # as above: a malformed cell can raise anything
            # Not the error's own text, which quotes the cell.
            raise InvalidData(
                [Fault(str(path), number + 1, f"not a readable .xlsx: {type(error).__name__} in this row")]
            ) from error
        if values is None:
            return
        number += 1
        if values.count(None) == len(values):  # a row far down is given with all that are not there before it: a million at most
            continue
        last = max((index for index, value in enumerate(values, 1) if value not in (None, "")), default=0)
        if last:
            yield number, tuple(map(_cell_text, values[:last]))


def _cell_text(value: object) -> str:
    """Write a cell's value as the text that a person sees; dates in ISO form."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds") if value.time() != time() else value.date().isoformat()
    return _RETURN.sub("\n", str(value)).strip()


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
                raise _refusal(path, "NUL bytes: this is not a text file")
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
    raise _refusal(path, f"not text in {' or '.join(candidates)}: save it as UTF-8")


def _csv_records(path: Path, encoding: str, delimiter: str) -> Iterator[tuple[int, tuple[str, ...], str]]:
    """Yield (line, cells, the record as written) of a CSV, blank records included."""
    with path.open("r", encoding=encoding, newline="") as file:
        written: list[str] = []

        ended = False

        def lines() -> Iterator[str]:
            nonlocal ended
            while line := file.readline(_MAX_LINE):
                if len(line) == _MAX_LINE:
                    raise csv.Error(f"a line of over {_MAX_LINE:,} characters")
                written.append(line)
                yield line.replace("\0", "")  # real exports hold stray NULs
            ended = True
            yield ""  # a record of no cells, unless a quotation mark is open still: the reader alone would not say so

        reader = csv.reader(lines(), delimiter=delimiter)
        while True:
            start = reader.line_num + 1
            written.clear()
            try:
                cells = next(reader, None)
            except csv.Error as error:
                hint = "; is a quotation mark missing?" if "field larger" in str(error) else ""
                raise InvalidData([Fault(str(path), start, f"not CSV: {error}{hint}")]) from error
            if ended and cells:
                raise InvalidData([Fault(str(path), start, f"not CSV: {_UNCLOSED}")])
            if cells is None or ended:
                return
            yield start, tuple(cell.strip() for cell in cells[:MAX_COLUMNS]), "".join(written)


def safe_cell(text: str) -> str:
    """Make a text safe as a cell of ours: no control characters, no start that a spreadsheet takes for a formula."""
    text = _CONTROL.sub("", text)[: MAX_CELL - 1]
    return f"'{text}" if text.startswith(_FORMULA) else text


def _append_to_csv(path: Path, target: Path, cells: Cells, encoding: str, delimiter: str) -> int:
    # A record with more cells than the header pushes our columns out for all, or they would not stand beneath one another.
    width = max((len(record) for _, record, _ in _csv_records(path, encoding, delimiter)), default=0)
    queue = _Queue(cells)
    with replacing(target) as part, open(part, "w", encoding=encoding, newline="", opener=for_us_alone) as out:
        for line, record, written in _csv_records(path, encoding, delimiter):
            ours = queue.take(line)
            if ours is None:
                out.write(written)
                continue
            body = written.rstrip("\r\n")
            added = (safe_cell(cell).encode(encoding, "replace").decode(encoding) for cell in ours)
            quoted = delimiter.join('"' + cell.replace('"', '""') + '"' for cell in added)
            out.write(body + delimiter * (width - len(record) + 1) + quoted + written[len(body) :])
        queue.finish()
    return queue.taken


def _append_to_workbook(path: Path, target: Path, cells: Cells, name: str) -> int:
    with zipfile.ZipFile(path) as archive:
        actual = name.lstrip("/")
        queue = _Queue(cells)
        with archive.open(actual) as sheet:
            width = _width(path, sheet, queue.first)
        with (
            replacing(target) as part,
            open(part, "wb", opener=for_us_alone) as file,
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as out,
        ):
            for entry in archive.infolist():
                copy = zipfile.ZipInfo(entry.filename, entry.date_time)
                copy.compress_type = zipfile.ZIP_DEFLATED
                copy.external_attr = entry.external_attr
                with archive.open(entry) as source, out.open(copy, "w", force_zip64=entry.file_size > 2**30) as sink:
                    if entry.filename == actual:
                        _splice(path, source, sink, queue, width + 1)
                    else:
                        while block := source.read(_BLOCK):
                            sink.write(block)
            queue.finish()
    return queue.taken


class _SheetEvents:
    """Walks a sheet's XML and tells rows and cells with their byte offsets, whatever prefix the namespace has."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.XmlDeclHandler = self._declaration
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.row = 0
        self.column = 0
        self.widest = 0
        self.first = 0
        self.at = 0
        """Byte offset of the last event: nothing that comes later reaches back before it."""
        self.row_end: Callable[[int, int, str], None] = lambda _row, _offset, _prefix: None
        self.cut: Callable[[int, int], None] = lambda _start, _end: None
        self._cut_from = -1

    def feed(self, block: bytes, final: bool = False) -> None:
        try:
            self.parser.Parse(block, final)
        except expat.ExpatError as error:
            raise InvalidData([Fault(str(self.path), self.row, f"not a readable sheet: {error}")]) from error

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._event()
        local = name.rpartition(":")[2]
        if local == "row":
            number = attributes.get("r", "")
            self.row = int(number) if number.isdigit() and len(number) < 8 else self.row + 1
            self.column = 0
        elif local == "c":
            match = _CELL_COLUMN.fullmatch(attributes.get("r", ""))
            self.column = column_index_from_string(match[1]) if match else self.column + 1
            self.widest = max(self.widest, self.column)
        elif local == "mergeCell":
            match = _MERGED.search(attributes.get("ref", ""))
            if match and int(match[2]) >= self.first:
                self.widest = max(self.widest, column_index_from_string(match[1]))
        elif local == "dimension":
            self._cut_from = self.at

    def _end(self, name: str) -> None:
        self._event()
        prefix, _, local = name.rpartition(":")
        if local == "row" and self.column:
            self.row_end(self.row, self.at, prefix and f"{prefix}:")

    def _event(self) -> None:
        self.at = self.parser.CurrentByteIndex
        if self._cut_from >= 0:
            self.cut(self._cut_from, self.at)
            self._cut_from = -1

    def _declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding and encoding.lower() not in ("utf-8", "us-ascii"):
            raise InvalidData([Fault(str(self.path), 0, f"a sheet in {encoding}: save the workbook with a spreadsheet program")])

    def _doctype(self, *_: object) -> None:
        raise InvalidData([Fault(str(self.path), 0, "a sheet with a document type: this is no workbook of a spreadsheet program")])


def _width(path: Path, sheet: IO[bytes], first: int) -> int:
    """Answer the last column that any row of a sheet uses, merged cells from row `first` on included."""
    events = _SheetEvents(path)
    events.first = first
    while block := sheet.read(_BLOCK):
        events.feed(block)
    events.feed(b"", final=True)
    if events.widest > _EXCEL_COLUMNS - 10:
        raise _refusal(path, "no column left free in the sheet")
    return events.widest


def _splice(path: Path, source: IO[bytes], sink: IO[bytes], queue: _Queue, column: int) -> None:
    """Copy a sheet's XML, adding cells from `column` on before the end of their rows, and leaving its claim of size out.

    What was read is `held`, from byte `base` of the sheet on, until no later event can change it.
    """
    events = _SheetEvents(path)
    edits: list[tuple[int, int, bytes]] = []

    def row_end(row: int, offset: int, prefix: str) -> None:
        ours = queue.take(row)
        if ours is not None:
            edits.append((offset, offset, b"".join(_cell_xml(row, column + i, cell, prefix) for i, cell in enumerate(ours))))

    events.row_end = row_end
    events.cut = lambda start, end: edits.append((start, end, b""))
    held, base = b"", 0
    block = b"-"
    while block:
        block = source.read(_BLOCK)
        held += block
        events.feed(block, final=not block)
        safe = events.at if block else base + len(held)
        done = base
        for start, end, added in edits:
            sink.write(held[done - base : start - base] + added)
            done = end
        edits.clear()
        if safe > done:
            sink.write(held[done - base : safe - base])
            done = safe
        held, base = held[done - base :], done


def _cell_xml(row: int, column: int, text: str, prefix: str) -> bytes:
    start = f'<{prefix}c r="{get_column_letter(column)}{row}" t="inlineStr"><{prefix}is><{prefix}t xml:space="preserve">'
    return f"{start}{escape(safe_cell(text))}</{prefix}t></{prefix}is></{prefix}c>".encode()


class _Queue:
    """Hands out the cells of a row when the copy reaches it."""

    def __init__(self, cells: Cells) -> None:
        self._cells = iter(cells)
        self._next = next(self._cells, None)
        self.first = self._next[0] if self._next else 0
        self.taken = 0

    def take(self, row: int) -> Sequence[str] | None:
        if self._next is None or self._next[0] > row:
            return None
        number, cells = self._next
        if number < row:
            raise ValueError(f"cells for row {number} come after row {row}, or the file has no such row")
        self._next = next(self._cells, None)
        self.taken += 1
        return cells

    def finish(self) -> None:
        if self._next is not None:
            raise ValueError(f"cells for row {self._next[0]}, which the file does not have")


def _refusal(path: Path, reason: str) -> InvalidData:
    return InvalidData([Fault(str(path), 0, reason)])


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
