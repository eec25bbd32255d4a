"""Files of strangers: rules, registers, labelled JSON Lines and exports are read, or refused by file and line; nothing else."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
import zipfile
from collections.abc import Callable
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from model import labelled, lapor, rules, table
from model.faults import InvalidData
from model.register import FILES, Register

DATA = Path(__file__).parents[2] / "data" / "kutai-timur"
DEFAULT = Register.load(DATA)
EFFORT = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

TOML_VALUES = st.recursive(
    st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
RULES = st.lists(
    st.dictionaries(
        st.sampled_from(["id", "sentence", "source", "note", "move_to", "agencies", "roads", "any", "all", "within", "on", "x"]),
        TOML_VALUES | st.sampled_from(["dlh", "pln", ["dlh"], ["lampu jalan"], ["nasional"]]),
    ),
    max_size=4,
).map(
    lambda rules: "".join("[[rule]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in rule.items()) for rule in rules)
)


def damaged(content: bytes) -> st.SearchStrategy[bytes]:
    """The content with a few bytes changed, a stretch left out, or cut off."""

    def change(edits: list[tuple[int, bytes, int]]) -> bytes:
        changed = content
        for at, new, lost in edits:
            at %= len(changed) + 1
            changed = changed[:at] + new + changed[at + lost :]
        return changed

    at = st.integers(0, len(content))
    pieces = st.binary(max_size=4) | st.sampled_from([b'"', b"\n", b",", b";", b"\0", b"\xff", b"[", b"=", b"9" * 5_000])
    return st.lists(st.tuples(at, pieces, st.integers(0, 3) | at), min_size=1, max_size=4).map(change)


def refusal_of(read: Callable[[], object]) -> InvalidData | None:
    """Read; answer the refusal, each fault of which must name a file and say something."""
    try:
        read()
    except InvalidData as refusal:
        assert refusal.faults  # noqa: PT017 -- the other outcome is as good
        assert all(fault.file and fault.reason and fault.line >= 0 for fault in refusal.faults)  # noqa: PT017
        return refusal
    return None


@EFFORT
@given(
    st.binary(max_size=60)
    | RULES.map(str.encode)
    | damaged(DEFAULT.files["rules.toml"][:3_000])
    | st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace"))
)
@example(b"x = " + b"9" * 5_000)
@example(b"x = " + b"[" * 50_000)
@example(b"[[" + b"a." * 30_000 + b"b]]")
def test_any_rules_are_read_or_refused_by_line(content: bytes) -> None:
    register = Register(DEFAULT.agencies, DEFAULT.places, DEFAULT.roads, {"rules.toml": content})
    refusal = refusal_of(lambda: rules.load_rules(register))
    if refusal is not None:
        assert all(fault.line <= content.count(b"\n") + content.count(b"\r") + 1 for fault in refusal.faults)


@EFFORT
@given(st.sampled_from(FILES).flatmap(lambda name: st.tuples(st.just(name), damaged(DEFAULT.files[name][:4_000]))))
def test_a_damaged_register_is_read_or_refused_by_file(tmp_path: Path, change: tuple[str, bytes]) -> None:
    name, content = change
    for other in FILES:
        (tmp_path / other).write_bytes(content if other == name else DEFAULT.files[other])
    refusal = refusal_of(lambda: rules.load_region(tmp_path))
    if refusal is not None:
        assert {Path(fault.file).name for fault in refusal.faults} <= set(FILES)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
ROWS = st.lists(
    st.dictionaries(
        st.sampled_from(["id", "text", "agency", "title", "kind", "missing", "also", "oversight", "expect", "x"]),
        JSON | st.sampled_from(["dlh", "pengaduan", "review", "lampu mati", ["lokasi"]]),
    ),
    max_size=4,
).map(lambda rows: "\n".join(map(json.dumps, rows)).encode())


@EFFORT
@given(st.binary(max_size=80) | ROWS | damaged(b'{"text": "lampu mati", "agency": "dlh", "also": ["pln"]}\n' * 3))
@example(rb'{"text": "a \ud800 b", "agency": "dlh"}')
@example(b'{"text": null, "agency": null}')
@example(b'{"text": "a", "agency": "dlh", "x": ' + b"9" * 5_000 + b"}")
@example(b"[" * 100_000)
def test_labelled_lines_are_read_and_written_alike_or_refused_by_line(tmp_path: Path, content: bytes) -> None:
    path, again = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    path.write_bytes(content)
    rows: list[labelled.LabelledComplaint] = []
    refusal = refusal_of(lambda: rows.extend(labelled.load(path)))
    if refusal is None:
        labelled.dump(rows, again)
        assert list(map(str, labelled.load(again))) == list(map(str, rows))  # as text, for NaN is not NaN


HEADER = ["Tracking ID", "Tanggal Laporan Masuk", "Judul Laporan", "Isi Laporan Awal", "Instansi Terdisposisi", "Kecamatan"]
CELLS = st.text(max_size=20) | st.sampled_from(
    ["", "7 Sep 2024", "45542", "=1+1", "\u202elampu", "x" * 40_000, '"', "#N/A", "٣/٤/٢٠٢٤"]
)
TABLES = st.lists(st.lists(CELLS, max_size=8), max_size=6)


@EFFORT
@given(
    TABLES,
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "utf-7", "cp037"]),
)
def test_an_export_as_csv_is_read_or_refused_in_one_line(
    tmp_path: Path, rows: list[list[str]], delimiter: str, encoding: str
) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([HEADER, *rows])
    path = tmp_path / "a.csv"
    path.write_bytes(text.getvalue().encode(encoding, "replace"))
    _read_and_write_back(path)


def _workbook(path: Path, rows: list[list[Any]]) -> Path:
    book = openpyxl.Workbook()
    for row in [HEADER, *rows]:
        book.active.append(
            [openpyxl.cell.cell.ILLEGAL_CHARACTERS_RE.sub("", cell) if isinstance(cell, str) else cell for cell in row]
        )
    book.save(path)
    return path


@cache
def _small_workbook() -> bytes:
    """Answer the same bytes for every case: a workbook tells when it was made, and is then longer or shorter."""
    target = io.BytesIO()
    book = openpyxl.Workbook()
    for row in [HEADER, ["1", "7 Sep 2024", "Lampu", "lampu mati", "Dishub", "Bengalon"], ["2", 45542, "=A1", "x"]]:
        book.active.append(row)
    book.save(target)
    return target.getvalue()


@settings(EFFORT, max_examples=30)
@given(
    st.lists(st.lists(CELLS | st.integers() | st.floats() | st.booleans() | st.dates() | st.timedeltas(), max_size=8), max_size=5)
)
def test_an_export_as_a_workbook_is_read_or_refused_in_one_line(tmp_path: Path, rows: list[list[Any]]) -> None:
    _read_and_write_back(_workbook(tmp_path / "a.xlsx", rows))


@settings(EFFORT, max_examples=60)
@given(st.data())
def test_a_workbook_with_any_part_damaged_is_read_or_refused_in_one_line(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(io.BytesIO(_small_workbook())) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = data.draw(st.sampled_from(sorted(parts)))
    parts[name] = data.draw(damaged(parts[name]))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, content in parts.items():
            archive.writestr(part, content)
    _read_and_write_back(path)


@settings(EFFORT, max_examples=60)
@given(st.data())
def test_a_workbook_whose_archive_is_damaged_is_read_or_refused_in_one_line(tmp_path: Path, data: st.DataObject) -> None:
    path, content = tmp_path / "a.xlsx", _small_workbook()
    # Half of the time at the end, where the directory of the archive stands.
    keep = data.draw(st.sampled_from([0, len(content) - 700]))
    path.write_bytes(content[:keep] + data.draw(damaged(content[keep:])))
    _read_and_write_back(path)


def _read_and_write_back(path: Path) -> None:
    """Read an export as far as it goes and write it back: what is refused is refused in one line, and leaves no half a file."""
    target = path.with_name(f"back{path.suffix}")
    target.unlink(missing_ok=True)
    rows: list[int] = []

    def go() -> None:
        rows.extend(report.row for report in islice(lapor.read(path), 100))
        lapor.write_back(path, target, ((row, ("a", "b", "c", "d")) for row in rows))

    refusal = refusal_of(go)
    assert (refusal is None) is target.exists()
    assert refusal is None or "\n" not in str(refusal)
    assert not target.with_name(target.name + ".part").exists()


MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
CELL = '<c r="{0}" t="inlineStr"><is><t>{1}</t></is></c>'
ROWS_HERE = table.MAX_ROWS // 8
"""An eighth of the rows that a sheet may have takes an eighth of the time, and may take a fifteenth of the memory."""
FIRST_ROW = "".join(CELL.format(f"{'ABCDEF'[i]}1", name) for i, name in enumerate(HEADER))


@pytest.mark.parametrize(
    "body",
    [
        '<row r="2">' + CELL.format("XFD2", "x") + "</row>",
        f'<row r="{ROWS_HERE}">' + CELL.format(f"A{ROWS_HERE}", "x") + "</row>",
        '<row r="99999999">' + CELL.format("A99999999", "x") + "</row>",
        '<row r="2"><c r="A2"><f>1+1</f><v>2</v></c><c r="D2" t="e"><v>#REF!</v></c></row>',
        '<row r="2"><c r="A2" t="n"><v>1e999</v></c><c r="D2" t="n"><v>' + "9" * 5_000 + "</v></c></row>",
        '<row r="2"><c r="A2" t="d"><v>9999-99-99</v></c><c r="D2" t="b"><v>7</v></c></row>',
        '<row r="2"><c r="A2" t="s"><v>999999999</v></c></row>',
        '<row r="-5">' + CELL.format("A-5", "x") + "</row>",
        '<row r="2">' + CELL.format("A2", "x" * 3_000_000) + "</row>",
    ],
    ids=["far column", "last row", "row beyond", "formula", "huge number", "no date", "no such string", "negative", "long cell"],
)
def test_absurd_sheets_cost_little(tmp_path: Path, body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MAX_ROWS", ROWS_HERE)
    path = _workbook(tmp_path / "a.xlsx", [])
    merged = '<mergeCells count="1"><mergeCell ref="A1:XFD1048576"/></mergeCells>'
    rows = f'<sheetData><row r="1">{FIRST_ROW}</row>{body}</sheetData>'
    xml = f'<worksheet xmlns="{MAIN}"><dimension ref="A1:XFD1048576"/>{rows}{merged}'
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["xl/worksheets/sheet1.xml"] = f"{xml}</worksheet>".encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, content in parts.items():
            archive.writestr(part, content)
    tracemalloc.start()
    try:
        _read_and_write_back(path)
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    finally:
        tracemalloc.stop()
