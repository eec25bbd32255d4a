"""Workbooks and CSV of strangers: every spelling read, every trap refused in one line."""

import codecs
import csv
import io
import struct
import zipfile
from itertools import islice
from pathlib import Path

import openpyxl
import openpyxl.chart
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model import table
from model.faults import InvalidData


def _rows(path: Path) -> list[table.Row]:
    with table.sheets(path) as sheets:
        return list(next(sheets).rows())


def _workbook(path: Path, rows: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def _repack(path: Path, changes: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (parts | changes).items():
            archive.writestr(name, content)
    return path


def _sheet(xml: str) -> dict[str, bytes]:
    return {"xl/worksheets/sheet1.xml": xml.encode()}


MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


@pytest.mark.parametrize("delimiter", table.DELIMITERS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_csv_is_read_in_every_spelling(tmp_path: Path, encoding: str, delimiter: str) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(
        [["id", "isi"], ["1", 'jalan "rusak"\nparah – dekat café'], ["", ""], ["3", "x"]]
    )
    path = tmp_path / "a.csv"
    path.write_bytes(text.getvalue().encode(encoding))
    assert _rows(path) == [(1, ("id", "isi")), (2, ("1", 'jalan "rusak"\nparah – dekat café')), (5, ("3", "x"))]


def test_a_csv_whose_mark_says_that_its_high_bytes_come_first_has_no_mark_in_its_cells(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(codecs.BOM_UTF16_BE + "id,isi\n".encode("utf-16-be"))
    assert _rows(path) == [(1, ("id", "isi"))]


def test_a_csv_that_was_cut_within_a_character_is_read_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("id,isi\n1,café".encode()[:-1])
    assert _rows(path) == [(1, ("id", "isi")), (2, ("1", "cafÃ"))]


def test_of_a_very_wide_table_only_so_many_columns_are_read(tmp_path: Path) -> None:
    wide = [str(number) for number in range(table.MAX_COLUMNS + 1)]
    (tmp_path / "a.csv").write_text(",".join(wide), encoding="utf-8")
    for path in (tmp_path / "a.csv", _workbook(tmp_path / "a.xlsx", [list(wide)])):
        assert _rows(path) == [(1, tuple(wide[:-1]))]


def test_a_sheet_that_is_a_chart_is_passed_over(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["id"])
    book.create_chartsheet(index=0).add_chart(openpyxl.chart.BarChart())
    book.save(tmp_path / "a.xlsx")
    assert _rows(tmp_path / "a.xlsx") == [(1, ("id",))]


def test_what_is_read_piece_by_piece_may_be_larger_than_what_is_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[list[object]] = [[f"laporan nomor {number} tentang lampu jalan"] for number in range(1_000)]
    path = _repack(_workbook(tmp_path / "a.xlsx", rows), {"xl/sharedStrings.xml": b" " * 100_000})
    with zipfile.ZipFile(path) as archive:
        sizes = sorted((entry.file_size, entry.filename) for entry in archive.infolist())
    assert {name for _, name in sizes[-2:]} == {"xl/sharedStrings.xml", "xl/worksheets/sheet1.xml"}
    monkeypatch.setattr(table, "MAX_PART", sizes[-3][0])
    assert len(_rows(path)) == len(rows)


def test_a_workbook_is_read_as_people_see_it(tmp_path: Path) -> None:
    import datetime

    path = _workbook(
        tmp_path / "a.xlsx", [["id", "kapan"], [8152408.0, datetime.datetime(2024, 9, 7)], [], [1.5, datetime.time(7, 5)]]
    )
    assert _rows(path) == [(1, ("id", "kapan")), (2, ("8152408", "2024-09-07")), (4, ("1.5", "07:05:00"))]
    path = _workbook(tmp_path / "b.xlsx", [[datetime.datetime(2024, 9, 7, 8, 15, 30, 400_000)]])
    assert _rows(path) == [(1, ("2024-09-07T08:15:30",))]


def test_a_cell_of_a_formula_is_read_as_what_it_shows(tmp_path: Path) -> None:
    shown = '<row r="1"><c r="A1"><f>20+6</f><v>26</v></c></row>'
    path = _repack(
        _workbook(tmp_path / "a.xlsx", [["x"]]), _sheet(f'<worksheet xmlns="{MAIN}"><sheetData>{shown}</sheetData></worksheet>')
    )
    assert _rows(path) == [(1, ("26",))]


def test_a_return_that_excel_wrote_is_a_line_break(tmp_path: Path) -> None:
    path = _workbook(tmp_path / "a.xlsx", [["lampu mati_x000D_\nsudah seminggu_x000D_", "x"]])
    assert _rows(path) == [(1, ("lampu mati\nsudah seminggu", "x"))]


def test_a_claimed_size_is_not_believed(tmp_path: Path) -> None:
    xml = (
        f'<worksheet xmlns="{MAIN}"><dimension ref="A1:XFD1048576"/><sheetData>'
        '<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c></row>'
        '<row r="99999999999"><c r="A99999999999" t="inlineStr"><is><t>b</t></is></c></row></sheetData></worksheet>'
    )
    path = _repack(_workbook(tmp_path / "a.xlsx", [["x"]]), _sheet(xml))
    assert _rows(path) == [(1, ("a",))]


def test_entities_are_refused(tmp_path: Path) -> None:
    xml = (
        f'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><worksheet xmlns="{MAIN}"><sheetData><row r="1">'
        '<c r="A1" t="inlineStr"><is><t>&b;</t></is></c></row></sheetData></worksheet>'
    )
    path = _repack(_workbook(tmp_path / "a.xlsx", [["x"]]), _sheet(xml))
    with pytest.raises(InvalidData, match="not a readable"):
        _rows(path)


def test_a_zip_bomb_is_refused_by_what_it_declares(tmp_path: Path) -> None:
    path = _repack(_workbook(tmp_path / "a.xlsx", [["x"]]), {"xl/worksheets/sheet1.xml": b" " * 300 * 2**20})
    with pytest.raises(InvalidData, match="zip bomb"):
        _rows(path)


def test_a_zip_bomb_is_refused_by_its_sum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MAX_UNPACKED", 2_000)
    with pytest.raises(InvalidData, match="unpacks to over"):
        _rows(_workbook(tmp_path / "a.xlsx", [["x"]]))


def test_a_zip_bomb_that_declares_too_little_is_refused(tmp_path: Path) -> None:
    path = _repack(_workbook(tmp_path / "a.xlsx", [["x"]]), {"xl/worksheets/sheet1.xml": b"A" * 900_000})
    content = path.read_bytes()
    lied = content.replace(struct.pack("<L", 900_000), struct.pack("<L", 90))
    assert lied != content
    path.write_bytes(lied)
    with pytest.raises(InvalidData, match="not a readable"):
        _rows(path)


def test_too_many_parts_and_large_side_parts_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _repack(_workbook(tmp_path / "a.xlsx", [["x"]]), {f"junk/{i}": b"" for i in range(table.MAX_ENTRIES)})
    with pytest.raises(InvalidData, match="parts: a workbook has at most"):
        _rows(path)
    monkeypatch.setattr(table, "MAX_PART", 100)
    with pytest.raises(InvalidData, match="is over 0 MB"):
        _rows(_workbook(tmp_path / "b.xlsx", [["x"]]))


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.xlsx", b"PK\x03\x04 not really", "not a readable .xlsx"),
        ("a.xlsx", b"", "not a readable .xlsx"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "an old .xls or a workbook with a password"),
        ("a.csv", bytes(range(256)) * 20, "NUL bytes"),
        ("a.csv", b"isi\n\x81\x8d\x8f\x90\x9d", "not text in utf-8 or cp1252"),
        ("a.csv", b"\xef\xbb\xbfisi\n\xff\xfe", "not text in utf-8-sig"),
        ("a.csv", b'a,b\n1,"' + b"x" * 200_000, "is a quotation mark missing"),
        ("a.csv", b"a,b\n" + b"x," * 1_500_000, "a line of over"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InvalidData, match=reason) as error:
        _rows(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_quotation_mark_that_is_never_closed_loses_no_row_in_silence(tmp_path: Path, end: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(f'id,isi\n1,"dua\nbaris"\n2,"tanpa akhir\n3,hilang{end}'.encode())
    with pytest.raises(InvalidData, match=r"a\.csv:4: not CSV: a quotation mark of this record is never closed"):
        _rows(path)
    path.write_bytes(f'id,isi\n1,"dua\nbaris"\n2,"dengan ""akhir"""\n3,"ada"{end}'.encode())
    assert [row for row, _ in _rows(path)] == [1, 2, 4, 5]


def test_a_quotation_mark_that_only_another_delimiter_leaves_open_is_a_character(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('id;isi\n1;Katanya,"besok\n2;lagi\n')
    with table.sheets(path) as sheets:
        assert [list(sheet.rows()) for sheet in islice(sheets, 1)] == [
            [(1, ("id", "isi")), (2, ("1", 'Katanya,"besok')), (3, ("2", "lagi"))]
        ]


def test_a_zip_that_is_no_workbook_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x", "y")
    with pytest.raises(InvalidData, match=r"no \.xlsx workbook"):
        _rows(path)
    with pytest.raises(InvalidData, match="no such file"):
        _rows(tmp_path / "none.csv")


def test_stray_nul_bytes_of_real_exports_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"id,isi\n" + b"1,aaaa\n" * 700 + b"2,b\0b\n")
    assert _rows(path)[-1] == (702, ("2", "bb"))


def test_cells_are_added_to_a_csv_and_nothing_else_changes(tmp_path: Path) -> None:
    path, target = tmp_path / "a.csv", tmp_path / "b.csv"
    path.write_bytes('judul;;\r\nid;isi;lain\r\n1;"a;b"\r\n\r\n2; c ;"d\r\ne"'.encode("cp1252"))
    with table.sheets(path) as sheets:
        assert next(sheets).append(target, [(2, ["K"]), (3, ["=1"]), (5, ['x"y'])]) == 3
    assert target.read_bytes() == b'judul;;\r\nid;isi;lain;"K"\r\n1;"a;b";;"\'=1"\r\n\r\n2; c ;"d\r\ne";"x""y"'


def test_what_the_files_own_alphabet_lacks_comes_back_as_a_question_mark(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("id,isi\n1,café\n".encode("cp1252"))
    with table.sheets(path) as sheets:
        assert next(sheets).append(tmp_path / "b.csv", [(2, ["Dinas → Bengalon"])]) == 1
    assert (tmp_path / "b.csv").read_bytes() == 'id,isi\n1,café,"Dinas ? Bengalon"\n'.encode("cp1252")


def test_cells_are_added_to_a_workbook_and_nothing_else_changes(tmp_path: Path) -> None:
    path, target = _workbook(tmp_path / "a.xlsx", [["id", "isi"], [1, "x"], [], [2, "y", "z"]]), tmp_path / "b.xlsx"
    book = openpyxl.load_workbook(path)
    book.active.merge_cells("E1:F1")
    book.active["A2"].font = openpyxl.styles.Font(bold=True)
    book.save(path)
    with table.sheets(path) as sheets:
        assert next(sheets).append(target, [(1, ["K", "L"]), (4, ["<&>", "@x"])]) == 2
    after = openpyxl.load_workbook(target).active
    assert [tuple(cell.value for cell in row) for row in after.iter_rows(max_col=3)] == [
        ("id", "isi", None),
        (1, "x", None),
        (None, None, None),
        (2, "y", "z"),
    ]
    assert after["A2"].font.bold
    assert str(next(iter(after.merged_cells.ranges))) == "E1:F1"
    added = [cell.value for row in (1, 4) for cell in after[row] if cell.column > 4 and cell.value]
    assert added == ["K", "L", "<&>", "'@x"]
    with zipfile.ZipFile(path) as before, zipfile.ZipFile(target) as copy:
        assert before.namelist() == copy.namelist()
        assert all(before.read(name) == copy.read(name) for name in before.namelist() if "sheet1" not in name)


def test_a_sheet_with_a_prefix_and_without_cell_names_gets_its_cells(tmp_path: Path) -> None:
    xml = (
        f'<x:worksheet xmlns:x="{MAIN}"><x:dimension ref="A1:B2"/><x:sheetData>'
        '<x:row><x:c t="inlineStr"><x:is><x:t>id</x:t></x:is></x:c><x:c t="inlineStr"><x:is><x:t>isi</x:t></x:is></x:c></x:row>'
        '<x:row/><x:row><x:c t="inlineStr"><x:is><x:t>1</x:t></x:is></x:c></x:row></x:sheetData></x:worksheet>'
    )
    path = _repack(_workbook(tmp_path / "a.xlsx", [["x"]]), _sheet(xml))
    target = tmp_path / "b.xlsx"
    with table.sheets(path) as sheets:
        next(sheets).append(target, [(1, ["K"]), (3, ["v"])])
    assert _rows(target) == [(1, ("id", "isi", "K")), (3, ("1", "", "v"))]


def test_a_copy_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    for path in (_workbook(tmp_path / "a.xlsx", [["id", "b"], [1, 2]]), tmp_path / "a.csv"):
        if path.suffix == ".csv":
            path.write_text("id,b\n1,2\n", encoding="utf-8")
        target = tmp_path / f"b{path.suffix}"
        with table.sheets(path) as sheets, pytest.raises(ValueError, match="row 9"):
            next(sheets).append(target, [(1, ["K"]), (9, ["v"])])
        assert [file.name for file in tmp_path.iterdir() if file.name.startswith("b")] == []


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_a_formula_is_disarmed(start: str) -> None:
    assert table.safe_cell(f"{start}cmd") == f"'{start}cmd"
    assert table.safe_cell("aman") == "aman"
    assert table.safe_cell("a\x00\x0bb") == "ab"
    assert len(table.safe_cell("=" * 40_000)) == table.MAX_CELL


def _faults(path: Path) -> list[str]:
    """Read and copy a file as far as it goes; answer the lines of what was refused."""
    try:
        with table.sheets(path) as sheets:
            for sheet in sheets:
                for _ in islice(sheet.rows(), 50):
                    pass
                sheet.append(path.with_name("copy"), [])
    except InvalidData as error:
        return str(error).split("\n")
    return []


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.binary(max_size=400) | st.text(max_size=200).map(lambda text: text.encode("utf-16")),
    name=st.sampled_from(["a.csv", "a.xlsx"]),
)
def test_any_bytes_give_rows_or_one_clear_error(tmp_path: Path, content: bytes, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert len(_faults(path)) <= 1


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_workbook_gives_rows_or_one_clear_error(tmp_path: Path, data: st.DataObject) -> None:
    path = _workbook(tmp_path / "a.xlsx", [["id", "isi"], [1, "x"]])
    with zipfile.ZipFile(path) as archive:
        xml = bytearray(archive.read("xl/worksheets/sheet1.xml"))
    for _ in range(data.draw(st.integers(1, 4))):
        xml[data.draw(st.integers(0, len(xml) - 1))] = data.draw(st.integers(0, 255))
    assert len(_faults(_repack(path, {"xl/worksheets/sheet1.xml": bytes(xml)}))) <= 1
