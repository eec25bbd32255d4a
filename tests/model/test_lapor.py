"""LAPOR! exports: every layout read, no reporter ever, the file handed back with our columns beside theirs."""

import csv
import os
from pathlib import Path

import openpyxl
import pytest

from model import lapor
from model.faults import InvalidData

REAL = Path(os.environ.get("REAL_DATA", Path(__file__).parents[3] / "shared" / "real"))
EXPORT = REAL / "laporan-ringkas-kab-bandung.xlsx"

FIRST = [
    *(
        "Tracking ID",
        "Tanggal Laporan Masuk",
        "Waktu Laporan Masuk",
        "Klasifikasi Laporan",
        "ID Kategori",
        "Kategori",
        "Judul Laporan",
    ),
    *("Isi Laporan Awal", "Isi Laporan Akhir", "Tipe Laporan (Anonim/Rahasia)", "Sumber Laporan", "Instansi Induk"),
    *("Instansi Terdisposisi", "Status Laporan", "Alasan Tunda/Arsip", "Provinsi", "Kota/Kabupaten"),
]
SECOND = [*FIRST[:12], "ID Instansi Terdisposisi", *FIRST[12:], "Kecamatan", "Kelurahan", "Nama Pelapor", "NIK Pelapor"]
TITLES = [["Judul Laporan", "", "Laporan Ringkas"], [], ["Nama Instansi", "", "Pemerintah Kabupaten X"], [], ["Pengelola"], []]
VALUES = {
    "Tracking ID": "7000001",
    "Tanggal Laporan Masuk": "7 Sep 2024",
    "Waktu Laporan Masuk": "15:52:02",
    "Klasifikasi Laporan": "Pengaduan Berkadar Pengawasan",
    "Kategori": "Penerangan  Jalan",
    "Judul Laporan": "Lampu Mati",
    "Isi Laporan Awal": "Kepada Dishub KabupatenDi TempatLampu jalan mati, sudah lapor lewat WhatsApp",
    "Isi Laporan Akhir": "lampu jalan mati",
    "Tipe Laporan (Anonim/Rahasia)": "Anonim|Rahasia",
    "Sumber Laporan": "Android",
    "Instansi Terdisposisi": "DINAS  PERHUBUNGAN Kab. X",
    "Status Laporan": "Ditutup oleh Sistem",
    "Kecamatan": "Sangatta Utara",
    "Kelurahan": "Teluk Lingga",
    "Nama Pelapor": "Orang Yang Tidak Boleh Dibaca",
    "NIK Pelapor": "6408020202020002",
}


def _table(header: list[str], titles: list[list[str]]) -> list[list[str]]:
    blank = {
        **VALUES,
        "Tracking ID": "7000002",
        "Instansi Terdisposisi": "",
        "Isi Laporan Awal": "",
        "Tipe Laporan (Anonim/Rahasia)": "",
    }
    return [*titles, header, [VALUES.get(name, "") for name in header], [], [blank.get(name, "") for name in header]]


def _write(path: Path, rows: list[list[str]], delimiter: str = ",", encoding: str = "utf-8") -> Path:
    if path.suffix == ".xlsx":
        book = openpyxl.Workbook()
        for number, row in enumerate(rows, 1):
            for column, value in enumerate(row, 1):
                if value:
                    book.active.cell(number, column, value)
        if not rows[0][1]:
            book.active.merge_cells("A1:B1")
        book.save(path)
    else:
        with path.open("w", encoding=encoding, newline="") as out:
            csv.writer(out, delimiter=delimiter).writerows(rows)
    return path


LAYOUTS = [
    pytest.param(name, header, titles, delimiter, encoding, id=f"{name} {delimiter} {encoding} {len(titles)} titles")
    for name, header, titles, delimiter, encoding in [
        ("a.xlsx", FIRST, TITLES, "", ""),
        ("a.xlsx", SECOND, [], "", ""),
        ("a.csv", SECOND, [], ",", "utf-8"),
        ("a.csv", SECOND, [], ";", "utf-8-sig"),
        ("a.csv", SECOND, [], ";", "cp1252"),
        ("a.csv", SECOND, [], "\t", "utf-16"),
        ("a.csv", FIRST, TITLES, ";", "utf-8"),
        ("a.csv", [name.upper() for name in FIRST], [["sep=;"]], ";", "utf-8"),
    ]
]


@pytest.mark.parametrize(("name", "header", "titles", "delimiter", "encoding"), LAYOUTS)
def test_every_layout_gives_the_same_reports(
    tmp_path: Path, name: str, header: list[str], titles: list[list[str]], delimiter: str, encoding: str
) -> None:
    rows = _table(header, titles)
    if header[0].isupper():
        rows = [*titles, header, *_table(FIRST, [])[1:]]
    reports = list(lapor.read(_write(tmp_path / name, rows, delimiter, encoding)))
    first, second = reports
    assert first.text == "Kepada Dishub Kabupaten\nDi Tempat\nLampu jalan mati, sudah lapor lewat WhatsApp"
    assert (first.tracking_id, first.received_at, first.title) == ("7000001", "2024-09-07T15:52:02", "Lampu Mati")
    assert (first.kind, first.category, first.agency) == ("pengaduan", "Penerangan Jalan", "DINAS PERHUBUNGAN Kab. X")
    assert (first.confidential, first.channel, first.status) == (True, "Android", "Ditutup oleh Sistem")
    assert (second.agency, second.confidential, second.text) == ("", False, "lampu jalan mati")
    assert (first.kecamatan, first.desa) == (("Sangatta Utara", "Teluk Lingga") if header == SECOND else ("", ""))
    assert second.row == first.row + 2


@pytest.mark.parametrize("name", ["a.xlsx", "a.csv"])
def test_the_reporter_is_never_read(tmp_path: Path, name: str) -> None:
    reports = list(lapor.read(_write(tmp_path / name, _table(SECOND, []))))
    assert len(reports) == 2
    assert not any("Tidak Boleh" in str(report) or "6408020202020002" in str(report) for report in reports)


@pytest.mark.parametrize(
    ("district", "village"), [("Distrik", "Kampung"), ("Kapanewon", "Kalurahan/Kelurahan"), ("Kecamatan", "Nagari")]
)
def test_an_export_tells_its_places_whatever_its_region_calls_them(tmp_path: Path, district: str, village: str) -> None:
    header = [{"Kecamatan": district, "Kelurahan": village}.get(name, name) for name in SECOND]
    first, _ = lapor.read(_write(tmp_path / "a.csv", [header, *_table(SECOND, [])[1:]], ",", "utf-8"))
    assert (first.kecamatan, first.desa) == ("Sangatta Utara", "Teluk Lingga")


def test_no_known_column_is_a_reporters() -> None:
    assert not [form for forms in lapor.COLUMNS.values() for form in forms if "pelapor" in form or "nik" in form.split()]


@pytest.mark.parametrize("name", ["a.xlsx", "a.csv"])
@pytest.mark.parametrize("titles", [TITLES, []], ids=["titles", "no titles"])
def test_the_file_comes_back_with_our_columns(tmp_path: Path, name: str, titles: list[list[str]]) -> None:
    path = _write(tmp_path / name, _table(SECOND, titles), ";")
    target = tmp_path / f"back{path.suffix}"
    answers = ((report.row, ("Dinas Perhubungan", "auto", "0,97", "=HYPERLINK()")) for report in lapor.read(path))
    assert lapor.write_back(path, target, answers) == 2
    if path.suffix == ".csv":
        before, after = (list(csv.reader(file.read_text(encoding="utf-8").splitlines(), delimiter=";")) for file in (path, target))
    else:
        before, after = (
            [
                ["" if cell is None else str(cell) for cell in row]
                for row in openpyxl.load_workbook(file).active.iter_rows(values_only=True)
            ]
            for file in (path, target)
        )
    start = len(titles)
    assert [row[: len(old)] for row, old in zip(after, before, strict=True)] == before
    assert after[start][-4:] == list(lapor.OURS)
    assert after[start + 1][-4:] == after[start + 3][-4:] == ["Dinas Perhubungan", "auto", "0,97", "'=HYPERLINK()"]
    with pytest.raises(InvalidData, match="has our columns already"):
        lapor.write_back(target, tmp_path / "again", [])
    assert [report.tracking_id for report in lapor.read(target)] == ["7000001", "7000002"]


def test_what_is_no_export_is_refused(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.csv", [["nama", "harga"], ["beras", "15000"]])
    assert not lapor.is_export(path)
    with pytest.raises(InvalidData, match=r"no LAPOR! export: no header with Tracking Id, Judul Laporan, Isi Laporan Awal"):
        list(lapor.read(path))
    with pytest.raises(InvalidData, match="no LAPOR! export"):
        lapor.write_back(path, tmp_path / "b.csv", [])


def test_more_reports_than_allowed_are_refused(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.csv", _table(SECOND, []))
    with pytest.raises(InvalidData, match=r"a\.csv:4: more than 1 reports"):
        list(lapor.read(path, 1))


@pytest.mark.parametrize(
    ("date", "clock", "expected"),
    [
        ("7 Sep 2024", "15:52:02", "2024-09-07T15:52:02"),
        ("4 Agu 2021", "", "2021-08-04"),
        ("Senin, 17 Agustus 2023", "08.15", "2023-08-17T08:15:00"),
        ("2024-09-07", "", "2024-09-07"),
        ("2024-09-07 03:04", "", "2024-09-07T03:04:00"),
        ("2024-09-07T03:04:05", "", "2024-09-07T03:04:05"),
        ("07/09/2024", "", "2024-09-07"),
        ("13-02-2024 08.15 WITA", "", "2024-02-13T08:15:00+08:00"),
        ("7 Sep 2024", "15:52 WIB", "2024-09-07T15:52:00+07:00"),
        ("2024-09-07T03:04:05+07:00", "", "2024-09-07T03:04:05+07:00"),
        ("2024-09-07T03:04:05.678Z", "", "2024-09-07T03:04:05+00:00"),
        ("2/13/2024 1:15:00 PM", "", "2024-02-13T13:15:00"),
        ("7 Sep 2024", "12:30 AM", "2024-09-07T00:30:00"),
        ("45542", "0.34375", "2024-09-07T08:15:00"),
        ("2024-09-07 03:04", "-", "2024-09-07T03:04:00"),
        ("02/13/2024", "", "2024-02-13"),
        ("45542", "15:52", "2024-09-07T15:52:00"),
        ("45542.5", "", "2024-09-07T12:00:00"),
        ("31/02/2024", "", ""),
        ("kemarin", "", ""),
        ("", "15:52", ""),
        ("7 Sep 2024", "25:99", ""),
    ],
)
def test_dates_of_every_spelling_become_iso(date: str, clock: str, expected: str) -> None:
    assert lapor.parse_date(date, clock) == expected


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("Pengaduan Tidak Berkadar Pengawasan", "pengaduan"),
        ("PENGADUAN", "pengaduan"),
        ("Aspirasi", "aspirasi"),
        ("Permintaan Informasi", "permintaan-informasi"),
        ("permintaan-informasi", "permintaan-informasi"),
        ("", ""),
        ("Lainnya", ""),
    ],
)
def test_a_classification_becomes_a_kind(written: str, kind: str) -> None:
    assert lapor.kind_of(written) == kind


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("7000001", "7000001"),
        ("#7000001", "7000001"),
        ("'0700001", "0700001"),
        ('="7000001"', "7000001"),
        ("7000001.0", "7000001"),
        ("v1.0", "v1.0"),
        ("7e12", "7e12"),
        ("1.23457E+11", ""),
        ("1,23457E+11", ""),
        ("1.234567890123457e+17", ""),
        ("-", ""),
        ("", ""),
    ],
)
def test_an_id_is_a_reports_own(written: str, expected: str) -> None:
    assert lapor.tracking_id_of(written) == expected


def test_lost_line_breaks_come_back_and_names_stay_whole() -> None:
    assert lapor.mend_line_breaks("BandungDi TempatDengan hormat") == "Bandung\nDi Tempat\nDengan hormat"
    assert lapor.mend_line_breaks("WhatsApp IndiHome MyPertamina SMPNegeri") == "WhatsApp IndiHome MyPertamina SMPNegeri"


@pytest.mark.skipif(not EXPORT.is_file(), reason=f"no real export at {EXPORT}")
def test_a_real_export_is_read_whole_and_comes_back(tmp_path: Path) -> None:
    reports = list(lapor.read(EXPORT))
    assert len(reports) > 1_000
    assert all(report.text and report.tracking_id and report.received_at for report in reports)
    assert sum(not report.agency for report in reports) < len(reports) / 5
    target = tmp_path / "back.xlsx"
    assert lapor.write_back(EXPORT, target, ((report.row, ("a", "b", "c", "d")) for report in reports)) == len(reports)
    assert list(lapor.read(target)) == reports
