"""Every kind of source, and the import that makes labelled complaints of it."""

import csv
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import openpyxl
import pytest

from model.faults import InvalidData
from model.labelled import load
from model.register import DISTRICT_TYPES, VILLAGE_TYPES, Agency, Register
from training.reading.importing import ImportReport, import_export
from training.reading.sources import read, read_unlabelled
from training.rows import dataset

REGISTER = Register(
    (Agency("dishub", "Dinas Perhubungan", ("Dishub",)), Agency("dlh", "Dinas Lingkungan Hidup"), Agency("dpupr", "Dinas PU"))
)
LAPOR = [
    "Tracking ID",
    "Tanggal Laporan Masuk",
    "Kategori",
    "Judul Laporan",
    "Isi Laporan Awal",
    "Instansi Terdisposisi",
    "Nama Pelapor",
]


def _csv(path: Path, *rows: list[str], delimiter: str = ",") -> Path:
    with path.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out, delimiter=delimiter).writerows(rows)
    return path


def _jsonl(path: Path, *rows: Mapping[str, object]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def _crosswalk(folder: Path, *lines: str) -> Path:
    path = folder / "desa-x.csv"
    path.write_text("\n".join(["name,category,words,agency,acceptable,use,note", *lines]) + "\n", encoding="utf-8")
    return path


def _export(folder: Path) -> Path:
    return _csv(
        folder / "export.csv",
        LAPOR,
        ["1", "7 Sep 2024", "Lampu", "Lampu", "Lampu mati, hubungi 081234567890", "Dinas Perhubungan Kab. X", "Siapa Saja"],
        ["2", "8 Sep 2024", "Sampah", "", "Sampah menumpuk", "DINAS LINGKUNGAN Kab. X", "Siapa Saja"],
        ["3", "8 Sep 2024", "", "", "Belum dirutekan", "", ""],
        ["4", "8 Sep 2024", "", "kosong", "", "Dinas Perhubungan Kab. X", ""],
        ["5", "8 Sep 2024", "Jalan", "", "Jalan rusak", "Dinas Antah Berantah", ""],
        ["6", "8 Sep 2024", "Jalan", "", "Tebing jalan", "Kementerian Y", ""],
        ["7", "9 Sep 2024", "KTP", "", "Urus surat", "Kecamatan Z", ""],
        delimiter=";",
    )


RULES = (
    "Dinas Perhubungan*,,,dishub,dpupr,,",
    "Dinas Lingkungan*,,,dlh,,,",
    "Kementerian*,,,-,,,not a body of ours",
    "Kecamatan*,,,dlh,,train,habit",
)


def test_an_export_becomes_labelled_complaints_under_our_agencies(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    report = import_export(_export(tmp_path), out, REGISTER, _crosswalk(tmp_path, *RULES))
    rows = load(out)
    assert [(row.id, row.agency) for row in rows] == [("1", "dishub"), ("2", "dlh"), ("7", "dlh")]
    first = rows[0]
    assert first.text == "Lampu mati, hubungi [TELEPON]"
    assert (first.received_at, first.title, first.category, first.source) == ("2024-09-07", "Lampu", "Lampu", "desa-x")
    assert first.acceptable == ("dpupr",)
    assert first.extra == {"source_agency": "Dinas Perhubungan Kab. X"}
    assert rows[2].use == "train"
    assert "Siapa" not in out.read_text(encoding="utf-8")
    assert (report.read, report.kept.total(), report.train_only) == (7, 3, 1)
    assert report.dropped == {"no agency: not yet routed": 1, "text is empty": 1, "name not mapped": 1, "not a body of ours": 1}
    assert report.not_mapped == {("Dinas Antah Berantah", "Jalan"): 1}
    assert "names not mapped (a row of the crosswalk maps one;" in str(report)
    assert report.warnings == []


def test_what_tells_of_emergencies_alone_is_not_called_unrouted(tmp_path: Path) -> None:
    alarm = {"text": "rumah terbakar", "agency": "", "expect": "review", "use": "emergency"}
    source = _jsonl(tmp_path / "kami.jsonl", alarm, {"text": "parit mampet", "agency": ""})
    with pytest.raises(InvalidData, match=r"no row kept of 2: tells of emergencies alone \(1\), no agency: not yet routed \(1\)"):
        import_export(source, tmp_path / "out.jsonl", REGISTER)


def test_what_is_marked_rahasia_is_counted_and_can_be_left_out(tmp_path: Path) -> None:
    kinds = {"1": "", "2": "Rahasia", "3": "Anonim|Rahasia"}
    rows = [[one, "7 Sep 2024", "Lampu", "", f"Lampu ke-{one} mati", "DISHUB", "", kind] for one, kind in kinds.items()]
    export = _csv(tmp_path / "a.csv", [*LAPOR, "Tipe Laporan (Anonim/Rahasia)"], *rows)
    with_all = import_export(export, tmp_path / "all.jsonl", REGISTER)
    assert (with_all.kept.total(), with_all.confidential) == (3, 2)
    assert "of these marked Rahasia (--no-confidential drops them) 2" in " ".join(str(with_all).split())
    without = import_export(export, tmp_path / "out.jsonl", REGISTER, confidential=False)
    assert [row.id for row in load(tmp_path / "out.jsonl")] == ["1"]
    assert (without.dropped, without.confidential) == ({"marked Rahasia": 2}, 0)


def _marked(path: Path) -> Path:
    """Write three complaints, of which the second and third are marked Rahasia: as an export, a table or JSON Lines."""
    match path.stem, path.suffix:
        case _, ".jsonl":
            marks: list[dict[str, bool]] = [{}, {"confidential": True}, {"confidential": True}]
            rows = ({"id": str(n), "text": f"Lampu ke-{n} mati", "agency": "dishub"} | mark for n, mark in enumerate(marks, 1))
            return _jsonl(path, *rows)
        case "ekspor", _:
            given = [[str(n), "7 Sep 2024", "Lampu", "", f"Lampu ke-{n} mati", "DISHUB", "", mark] for n, mark in MARKS.items()]
            return _csv(path, [*LAPOR, "Tipe Laporan (Anonim/Rahasia)"], *given)
        case name, _:
            given = [[str(n), f"Lampu ke-{n} mati", "dishub", mark] for n, mark in MARKS.items()]
            return _csv(path, ["Nomor", "Isi Aduan", "OPD", name], *given)


MARKS = {1: "tidak", 2: "Anonim|Rahasia", 3: "ya"}


@pytest.mark.parametrize("name", ["ekspor.csv", "Rahasia.csv", "Tipe Laporan.csv", "baris.jsonl"])
def test_what_is_marked_rahasia_is_known_in_every_kind_of_source_and_never_learnt_from_unlabelled(
    tmp_path: Path, name: str
) -> None:
    path, told = _marked(tmp_path / name), list[str]()
    import_export(path, tmp_path / "out.jsonl", REGISTER, confidential=False)
    assert [row.id for row in load(tmp_path / "out.jsonl")] == ["1"]
    assert [row.text for row in read_unlabelled(path, told.append)] == ["Lampu ke-1 mati"]
    assert told[-1] == f"{path}: 2 rows marked Rahasia are left out"


def test_the_closing_table_says_what_became_of_every_row(tmp_path: Path) -> None:
    report = import_export(_export(tmp_path), tmp_path / "out.jsonl", REGISTER, _crosswalk(tmp_path, *RULES, "Nirgendwo,,,dlh,,,"))
    table = " ".join(str(report).split())
    for part in ("read 7", "kept 3", "dropped 4", "name not mapped 1", "Dinas Antah Berantah / Jalan 1", "dishub 1", "written:"):
        assert part in table
    assert "desa-x.csv:6: 'nirgendwo / *' matches nothing in the source" in table
    assert report.to_dict()["not_mapped"] == [{"name": "Dinas Antah Berantah", "category": "Jalan", "rows": 1}]


def test_strict_refuses_what_else_is_a_warning_and_writes_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    with pytest.raises(InvalidData) as error:
        import_export(_export(tmp_path), out, REGISTER, _crosswalk(tmp_path, *RULES, "Nirgendwo,,,dlh,,,"), strict=True)
    assert "matches nothing in the source" in str(error.value)
    assert "no crosswalk row for 'Dinas Antah Berantah' / 'Jalan' (1 rows)" in str(error.value)
    assert not list(tmp_path.glob("out*"))


def test_further_agencies_of_another_register_go_through_the_crosswalk_too(tmp_path: Path) -> None:
    named = {"also": ["taman", "tambang", "unknown"], "acceptable": ["taman", "tambang"]}
    rows = _jsonl(tmp_path / "a.jsonl", {"text": "lampu mati", "agency": "perhubungan", **named})
    walk = _crosswalk(tmp_path, "perhubungan,,,dishub,dpupr,,", "taman,,,dlh,,,", "tambang,,,-,,,not a body of ours")
    import_export(rows, tmp_path / "out.jsonl", REGISTER, walk)
    (row,) = dataset.load_known(REGISTER, [tmp_path / "out.jsonl"])  # which refuses what is not in the register
    assert (row.complaint.also, row.complaint.acceptable) == (("dlh",), ("dlh", "dpupr"))


def test_without_a_crosswalk_the_registers_own_names_count(tmp_path: Path) -> None:
    path = _csv(
        tmp_path / "a.csv", ["isi", "instansi"], ["lampu mati", "DISHUB"], ["sampah", "Dinas Lingkungan Hidup"], ["x", "lain"]
    )
    report = import_export(path, tmp_path / "out.jsonl", REGISTER)
    assert report.kept == {"dishub": 1, "dlh": 1}
    assert report.not_mapped == {("lain", ""): 1}
    assert [row.id for row in load(tmp_path / "out.jsonl")] == ["a-2", "a-3"]


def test_without_a_crosswalk_too_strict_refuses_names_that_are_not_mapped(tmp_path: Path) -> None:
    path = _csv(
        tmp_path / "a.csv", ["isi", "instansi", "kategori"], ["lampu mati", "dishub", ""], ["x", "lain", "a"], ["y", "lain", "b"]
    )
    with pytest.raises(InvalidData, match=r"a\.csv: no agency of the register is called 'lain' \(2 rows\)$"):
        import_export(path, tmp_path / "out.jsonl", REGISTER, strict=True)
    assert not list(tmp_path.glob("out*"))
    known = _csv(tmp_path / "b.csv", ["isi", "instansi"], ["lampu mati", "dishub"])
    assert import_export(known, tmp_path / "out.jsonl", REGISTER, strict=True).kept == {"dishub": 1}


def test_columns_of_a_plain_table_can_be_named(tmp_path: Path) -> None:
    path = _csv(tmp_path / "a.csv", ["no", "keluhan warga", "ke"], ["9", "lampu mati", "dishub"])
    rows = list(read(path, {"text": "Keluhan Warga", "agency": "ke", "id": "no"}))
    assert [(row.line, row.complaint.id, row.complaint.text, row.complaint.agency) for row in rows] == [
        (2, "9", "lampu mati", "dishub")
    ]
    with pytest.raises(InvalidData, match="no such column of ours: txt"):
        list(read(path, {"txt": "keluhan warga"}))
    with pytest.raises(InvalidData, match=r"names the columns text \([^)]+\), agency \([^)]+\), title \(judulnya\);"):
        list(read(path, {"text": "keluhan warga", "agency": "ke", "title": "judulnya"}))


def test_columns_that_are_passed_over_are_told_where_one_of_ours_is_missing(tmp_path: Path) -> None:
    header = ["No. Tiket", "Tgl Kirim", "Judul Aduan", "Isi Pengaduan", "OPD Tujuan"]
    path = _csv(tmp_path / "a.csv", header, ["7", "3/2/2025", "Lampu", "Lampu mati", "Dishub"], delimiter=";")
    report = import_export(path, tmp_path / "out.jsonl", REGISTER)
    assert report.warnings == [
        f"{path}:1: no column for received_at, category, kecamatan, desa, kind, confidential; not read: tgl kirim; "
        "--column OURS=THEIRS names one that is called otherwise"
    ]
    (row,) = load(tmp_path / "out.jsonl")
    assert (row.id, row.title, row.text, row.received_at) == ("7", "Lampu", "Lampu mati", "")
    named = import_export(path, tmp_path / "out.jsonl", REGISTER, columns={"received_at": "Tgl Kirim"})
    assert named.warnings == []
    assert [row.received_at for row in load(tmp_path / "out.jsonl")] == ["2025-02-03"]


def test_keys_of_json_lines_can_be_named_too_and_ids_be_numbers(tmp_path: Path) -> None:
    path = _jsonl(tmp_path / "a.jsonl", {"nomor": 9, "isi": "lampu mati", "opd": "dishub"})
    (row,) = read(path, {"text": "isi", "agency": "opd", "id": "nomor"})
    assert (row.complaint.id, row.complaint.text, row.complaint.agency, row.complaint.extra) == ("9", "lampu mati", "dishub", {})
    with pytest.raises(InvalidData, match=r"no row has the key 'text'; --column .*\n.*no row has the key 'agency'"):
        import_export(path, tmp_path / "out.jsonl", REGISTER)
    with pytest.raises(InvalidData, match="no such column of ours: txt"):
        list(read(path, {"txt": "isi"}))


@pytest.mark.parametrize("district", DISTRICT_TYPES)
@pytest.mark.parametrize("village", VILLAGE_TYPES)
def test_a_table_tells_its_places_whatever_its_region_calls_them(tmp_path: Path, district: str, village: str) -> None:
    path = _csv(tmp_path / "a.csv", ["Isi", "OPD", district.title(), village.title()], ["Lampu mati", "Dishub", "Kofiau", "Deer"])
    (row,) = read(path)
    assert (row.complaint.kecamatan, row.complaint.desa) == ("Kofiau", "Deer")


def test_a_table_without_the_needed_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match="no header that names the columns text"):
        import_export(_csv(tmp_path / "a.csv", ["x", "y"], ["1", "2"]), tmp_path / "out.jsonl", REGISTER)


def test_json_lines_keep_their_fields_and_bad_rows_are_all_named(tmp_path: Path) -> None:
    path = _jsonl(
        tmp_path / "a.jsonl",
        {"text": "lampu mati", "agency": "dishub", "also": ["dlh"], "unit": "Bengalon", "nomor": 7},
        {"text": "", "agency": "dishub"},
        {"text": "belum", "agency": ""},
    )
    first, empty, unrouted = read(path)
    assert (first.complaint.also, first.complaint.unit, first.complaint.extra) == (("dlh",), "Bengalon", {"nomor": 7})
    assert (empty.complaint.text, unrouted.complaint.agency) == ("", "")
    bad = _jsonl(
        tmp_path / "b.jsonl",
        {"text": 5, "agency": "dlh"},
        {"text": "x", "agency": "dlh"},
        {"text": "x", "agency": "dlh", "kind": "?"},
    )
    with pytest.raises(InvalidData) as error:
        import_export(bad, tmp_path / "out.jsonl", REGISTER)
    assert [fault.line for fault in error.value.faults] == [1, 3]
    assert not list(tmp_path.glob("out*"))


def test_a_second_sheet_with_reports_is_told_not_to_be_read(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for number, sheet in enumerate((book.active, book.create_sheet("Februari"), book.create_sheet("Catatan"))):
        for row in (LAPOR, [str(number), "7 Sep 2024", "", "", "Sampah menumpuk", "dlh", ""]) if number < 2 else (["apa saja"],):
            sheet.append(row)
    book.save(tmp_path / "a.xlsx")
    report = import_export(tmp_path / "a.xlsx", tmp_path / "out.jsonl", REGISTER)
    assert report.read == 1
    assert "further sheets with reports, which are not read: 1" in report.warnings[0]


def test_dates_are_read_in_every_kind_of_source_and_one_that_cannot_be_is_told(tmp_path: Path) -> None:
    dates = ["7 September 2024", "07/09/2024", "2024-09-07T08:30:15.5+08:00", "kemarin", ""]
    rows: list[dict[str, object]] = [{"text": f"aduan {n}", "agency": "dlh", "received_at": day} for n, day in enumerate(dates)]
    lines = _jsonl(tmp_path / "a.jsonl", *rows)
    table = _csv(tmp_path / "b.csv", ["isi", "instansi", "tanggal"], *([f"aduan {n}", "dlh", day] for n, day in enumerate(dates)))
    header = ["Tracking ID", "Tanggal Laporan Masuk", "Judul Laporan", "Isi Laporan Awal", "Instansi Terdisposisi"]
    export = _csv(tmp_path / "c.csv", header, *([str(n), day, "", f"aduan {n}", "dlh"] for n, day in enumerate(dates)))
    as_table = "2024-09-07T08:30:15+08:00"
    for path, exact, line in ((lines, dates[2], 4), (table, as_table, 5), (export, as_table, 5)):
        report = import_export(path, tmp_path / "out.jsonl", REGISTER)
        assert [row.received_at for row in load(tmp_path / "out.jsonl")] == ["2024-09-07", "2024-09-07", exact, "", ""]
        (warning,) = report.warnings
        assert f"{path.name}:{line}: the first of 1 rows whose date cannot be read and is left out" in warning


@pytest.mark.parametrize("kind", ["lines", "table", "export"])
def test_dates_that_can_only_be_month_first_are_told_for_the_others_of_their_column(tmp_path: Path, kind: str) -> None:
    def imported(*dates: str) -> ImportReport:
        rows = [[str(n), day, "", f"aduan {n}", "dlh"] for n, day in enumerate(dates)]
        if kind == "lines":
            named = ("id", "received_at", "title", "text", "agency")
            path = _jsonl(tmp_path / "a.jsonl", {}, *(dict(zip(named, row, strict=True)) for row in rows))
        else:
            header = ["Tracking ID", "Tanggal Laporan", "Judul Laporan", "Isi Laporan", "Instansi Terdisposisi"]
            path = _csv(tmp_path / "a.csv", ["Nomor", *header[1:]] if kind == "table" else header, *rows)
        return import_export(path, tmp_path / "out.jsonl", REGISTER)

    *_, warning = imported("9/7/2024", "9/13/2024", "9/8/2024", "12-31-2024 08:15", "2/30/2024").warnings
    assert [row.received_at[:10] for row in load(tmp_path / "out.jsonl")][:3] == ["2024-07-09", "2024-09-13", "2024-08-09"]
    assert ":3: the first of 2 rows whose date can only be read with the month first: others may be meant so too" in warning
    assert imported("7/9/2024", "13/9/2024", "8/9/2024", "2024-12-31", "31 Des 2024", "").warnings == []


def test_neither_the_source_nor_the_crosswalk_is_written_over(tmp_path: Path) -> None:
    source = _jsonl(tmp_path / "in.jsonl", {"text": "Lampu mati", "agency": "Dishub"})
    walk = _crosswalk(tmp_path, "Dishub,,,dishub,,,")
    (tmp_path / "link.jsonl").symlink_to("in.jsonl")
    before = source.read_bytes(), walk.read_bytes()
    for out in (source, tmp_path / "link.jsonl", walk):
        with pytest.raises(InvalidData, match=f"{out.name}: is what is read"):
            import_export(source, out, REGISTER, walk)
    assert (source.read_bytes(), walk.read_bytes()) == before


def test_a_source_of_which_nothing_is_left_is_refused(tmp_path: Path) -> None:
    path = _csv(tmp_path / "a.csv", ["isi", "instansi"], ["x", "lain"])
    with pytest.raises(InvalidData, match=r"no row kept of 1: name not mapped \(1\)"):
        import_export(path, tmp_path / "out.jsonl", REGISTER)
    with pytest.raises(InvalidData, match="no such file"):
        import_export(tmp_path / "none.csv", tmp_path / "out.jsonl", REGISTER)
    with pytest.raises(InvalidData, match="no such folder"):
        import_export(path, tmp_path / "none" / "out.jsonl", REGISTER)


def test_a_failed_import_leaves_an_older_result_alone(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text("older", encoding="utf-8")
    with pytest.raises(InvalidData):
        import_export(_csv(tmp_path / "a.csv", ["isi", "instansi"], ["x", "lain"]), out, REGISTER)
    assert out.read_text(encoding="utf-8") == "older"


def test_progress_is_silent_where_nobody_watches(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _csv(tmp_path / "a.csv", ["isi", "instansi"], ["lampu mati", "dishub"])
    import_export(path, tmp_path / "out.jsonl", REGISTER)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    import_export(path, tmp_path / "out.jsonl", REGISTER)
    assert "a:" in capsys.readouterr().err


def test_an_empty_report_is_a_table_too() -> None:
    assert "read" in str(ImportReport(source="x"))


def test_what_nobody_labelled_is_read_whoever_it_went_to_masked_and_without_agency(tmp_path: Path) -> None:
    rows = read_unlabelled(_export(tmp_path))
    assert [row.text for row in rows[1:3]] == ["Sampah menumpuk", "Belum dirutekan"]
    assert len(rows) == 6  # of the fourth only the title is there
    assert {(row.agency, row.category, row.source) for row in rows} == {("", "", "")}
    assert (rows[0].text, rows[0].received_at) == ("Lampu mati, hubungi [TELEPON]", "2024-09-07")


@pytest.mark.parametrize("name", ["tabel.csv", "baris.jsonl"])
def test_what_nobody_labelled_needs_no_column_of_agencies(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name.endswith(".csv"):
        _csv(path, ["Tanggal", "Isi Aduan"], ["7 Sep 2024", "Lampu mati"], ["8 Sep 2024", ""])
    else:
        _jsonl(path, {"received_at": "2024-09-07", "text": "Lampu mati"}, {"text": " "})
    assert [(row.text, row.received_at) for row in read_unlabelled(path)] == [("Lampu mati", "2024-09-07")]


def test_of_what_nobody_labelled_the_title_is_masked_and_other_keys_may_be_anything(tmp_path: Path) -> None:
    path = _jsonl(
        tmp_path / "baris.jsonl", {"title": "Hubungi 081234567890", "text": "Lampu mati", "agency": 5, "kind": "Pengaduan"}
    )
    assert [(row.title, row.text) for row in read_unlabelled(path)] == [("Hubungi [TELEPON]", "Lampu mati")]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("Isi Aduan;Tanggal\n;\n", "no row with a text$"),
        ("Isi Aduan;Rahasia\nLampu mati;ya\n", "no row with a text that is not marked Rahasia$"),
        ("Perihal\nLampu mati\n", "columns text .*; rename one"),
    ],
)
def test_a_file_without_texts_is_refused_by_name(tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / "tabel.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InvalidData, match=reason) as told:
        read_unlabelled(path)
    assert "tabel.csv" in str(told.value)


def test_an_import_keeps_no_key_that_may_name_the_reporter(tmp_path: Path) -> None:
    row = {"text": "lampu mati", "agency": "dishub", "nama_pelapor": "Siapa Saja", "nik": "6408020202020002", "blind": True}
    path = _jsonl(tmp_path / "a.jsonl", row | {"desa": "rumah Pak Budi", "category": "hp 081234567890"})
    import_export(path, tmp_path / "out.jsonl", REGISTER)
    (kept,) = load(tmp_path / "out.jsonl")
    assert (kept.blind, kept.extra) == (True, {"source_agency": "dishub"})
    assert (kept.desa, kept.category) == ("rumah Pak [NAMA]", "hp [TELEPON]")


def test_nobody_else_on_the_machine_reads_what_an_import_writes(tmp_path: Path) -> None:
    import_export(_jsonl(tmp_path / "a.jsonl", {"text": "x", "agency": "dlh"}), tmp_path / "out.jsonl", REGISTER)
    assert (tmp_path / "out.jsonl").stat().st_mode & 0o077 == 0
