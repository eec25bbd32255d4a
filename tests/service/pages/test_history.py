"""What came in can be found again, by whoever may see it, on the page and as a file."""

from __future__ import annotations

import csv
import datetime as dt
import io
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import select, update

from service.clock import now
from service.complaints import intake, review
from service.complaints.review import Choice
from service.pages import history, history_page
from service.pages.history import Filters
from service.parts import Parts
from service.storage.database import Database
from service.storage.tables import audit_log, complaint, standing
from service.web import spreadsheets
from service.web.schemas import ComplaintIn
from tests.service.conftest import both

if TYPE_CHECKING:
    from tests.service.conftest import Person

EVIL = '=HYPERLINK("http://contoh.example") <script>alert(1)</script>'


class Past:
    """Complaints that came in, with their ids."""

    def __init__(self, app: Flask) -> None:
        self.parts: Parts = app.extensions["salur"]

    def add(self, name: str, text: str, days: float = 0, decided: str = "", by: int | None = None, **more: Any) -> int:
        moment = now() - dt.timedelta(days=days, minutes=1)
        asked = ComplaintIn(text=text, id=name, received_at=moment, **more)
        number = intake.take_in(self.parts, "uji", asked).number
        if decided:
            with self.parts.database.write() as connection:
                row = connection.execute(select(standing).where(standing.c.complaint_id == number)).one()
                review.record(connection, row, Choice(decided), origin="desk", account_id=by)
        return number

    def ids(self, *, confidential: bool = False, **asked: Any) -> list[str]:
        with self.parts.database.read() as connection:
            found = history.find(connection, Filters(**asked), self.parts.calendar.zone, confidential=confidential)
        return [row.client_id for row in found.rows]


@pytest.fixture
def past(app: Flask) -> Past:
    return Past(app)


@both
def test_the_newest_come_first_and_filters_narrow(past: Past, petugas: Person) -> None:
    past.add("a", "lampu jalan mati", days=5, kecamatan="Bengalon")
    past.add("b", "pasti sampah menumpuk", days=3)
    past.add("c", "parkir liar", days=1, decided="dpupr", by=1)
    assert past.ids() == ["c", "b", "a"]
    assert past.ids(words="SAMPAH menumpuk") == ["b"]
    assert past.ids(decision="auto") == ["b"]
    assert past.ids(state="decided") == ["c"]
    assert past.ids(agency="dpupr") == ["c", "a"]
    assert past.ids(proposed="dishub") == ["c"]
    assert past.ids(reason="low-confidence") == ["c", "a"]
    assert past.ids(kecamatan="Bengalon") == ["a"]
    assert past.ids(by="petugas") == ["c"]
    assert past.ids(by="~model") == ["b"]
    assert past.ids(by="~impor") == past.ids(by="~instansi") == []
    today = past.parts.calendar.today()
    assert past.ids(day_from=today - dt.timedelta(days=4), day_to=today - dt.timedelta(days=3)) == ["b"]


@both
def test_an_id_or_a_number_finds_its_complaint(past: Past) -> None:
    past.add("LP9165816", "lampu mati")
    number = past.add("x", "sampah di nomor LP-lain")
    assert past.ids(words="LP9165816") == ["LP9165816"]
    assert past.ids(words="#LP9165816") == ["LP9165816"]
    assert past.ids(words=str(number)) == ["x"]


def test_signs_that_a_database_knows_are_only_letters_here(past: Past) -> None:
    past.add("a", "diskon 100% lampu")
    past.add("b", "lampu 1000 watt")
    assert past.ids(words="100%") == ["a"]
    assert past.ids(words="la_pu") == []
    assert past.ids(words="'; DROP TABLE complaint; --") == []


@both
def test_pages_follow_each_other_without_gap_or_repetition(past: Past) -> None:
    moment = now() - dt.timedelta(hours=1)
    for n in range(7):
        past.add(f"n{n}", f"lampu mati nomor {n}")
    with past.parts.database.write() as connection:  # several of one instant
        connection.execute(update(standing).values(received_at=moment))
    seen: list[str] = []
    after = ""
    while True:
        with past.parts.database.read() as connection:
            found = history.find(connection, Filters(), past.parts.calendar.zone, confidential=True, after=after, limit=3)
        seen += [row.client_id for row in found.rows]
        after = found.next
        if not after:
            break
    assert sorted(seen) == [f"n{n}" for n in range(7)]


def test_a_cursor_that_somebody_made_up_begins_at_the_top(past: Past, petugas: Person) -> None:
    past.add("a", "lampu mati")
    for cursor in ("x", "2026-01-01~1", "2026-99-99T99:99:99.000000~1", "9" * 5_000):
        answer = petugas.client.get("/riwayat", query_string={"sebelum": cursor})
        assert answer.status_code == 200
        assert "lampu mati" in answer.text


def test_nonsense_in_filters_is_left_out(petugas: Person, past: Past) -> None:
    past.add("a", "lampu mati")
    answer = petugas.client.get("/riwayat?keputusan=x&keadaan=y&alasan=z&dari=kemarin&sampai=9999-99-99&oleh=%00&cari=%00")
    assert answer.status_code == 200
    assert "lampu mati" in answer.text


def test_what_the_model_said_of_a_blind_case_is_not_told(
    make_app: Callable[..., Flask], database: Database, petugas: Person
) -> None:
    past = Past(make_app(audit_share=1.0))
    past.add("a", "pasti lampu mati")
    page = petugas.client.get("/riwayat").text
    assert "usulan disembunyikan" in page
    assert "<b>Dinas Perhubungan" not in page
    assert past.ids(agency="dishub") == past.ids(proposed="dishub") == []
    row = _csv(petugas.client.get("/riwayat/ekspor.csv").data)[0]
    assert (row["Instansi usulan"], row["Instansi"], row["Peluang"]) == ("", "", "")


# confidential complaints


@both
def test_a_confidential_complaint_is_not_found_by_its_words(past: Past) -> None:
    past.add("a", "lampu rahasia mati", confidential=True)
    assert past.ids(words="rahasia") == []
    assert past.ids(words="rahasia", confidential=True) == ["a"]
    assert past.ids(words="a") == ["a"]


def test_a_confidential_complaint_shows_only_that_it_is_one(past: Past, petugas: Person) -> None:
    past.add("a", "lampu depan rumah pejabat mati", title="Pejabat", confidential=True)
    page = petugas.client.get("/riwayat").text
    assert "Laporan rahasia</a>" in page
    assert '<span class="badge bad">Rahasia</span>' in page
    assert "pejabat" not in page.lower()


def test_an_emergency_that_went_out_by_itself_is_marked_and_a_confidential_one_is_not(past: Past, petugas: Person) -> None:
    past.add("a", "kebakaran di pasar, pasti", kecamatan="Bengalon")
    past.add("b", "kebakaran di pasar", confidential=True)
    page = petugas.client.get("/riwayat").text
    assert page.count("Mungkin darurat</span>") == 1
    assert page.index("kebakaran di pasar, pasti") < page.index("Mungkin darurat</span>")


def test_exports_leave_confidential_complaints_out_unless_the_role_allows(
    past: Past, petugas: Person, somebody: Callable[..., Person]
) -> None:
    past.add("a", "lampu mati", confidential=True)
    past.add("b", "sampah")
    assert [row["Id"] for row in _csv(petugas.client.get("/riwayat/ekspor.csv").data)] == ["b"]
    head = somebody("kepala")
    assert [row["Id"] for row in _csv(head.client.get("/riwayat/ekspor.csv").data)] == ["b", "a"]
    assert "lampu mati" in head.client.get("/riwayat").text


@both
def test_emergencies_can_be_picked_out_of_the_past_and_confidential_ones_by_those_who_may_read_them(
    past: Past, petugas: Person
) -> None:
    past.add("a", "kebakaran di pasar, pasti")
    past.add("b", "kebakaran di pasar", confidential=True)
    past.add("c", "sampah")
    assert past.ids(reason="darurat") == ["a"]
    assert past.ids(reason="darurat", confidential=True) == ["b", "a"]
    page = petugas.client.get("/riwayat?alasan=darurat").text
    assert '<option value="darurat" selected>Mungkin darurat</option>' in page
    assert "sampah" not in page
    assert "Laporan rahasia tidak ikut dicari menurut kata atau darurat" in page
    assert [row["Id"] for row in _csv(petugas.client.get("/riwayat/ekspor.csv?alasan=darurat").data)] == ["a"]


# as a file


@both
def test_the_csv_holds_what_the_page_shows(past: Past, petugas: Person) -> None:
    past.add("a", "lampu mati", title="Gelap", decided="dpupr", by=1)
    past.add("b", "sampah")
    rows = _csv(petugas.client.get("/riwayat/ekspor.csv?instansi=dpupr").data)
    assert len(rows) == 1
    row = rows[0]
    assert len(row) == len(history_page.HEADER)
    received, decided = (dt.datetime.fromisoformat(row[f"{name} (WITA)"]) for name in ("Diterima", "Diputuskan pada"))
    assert dt.timedelta(0) <= decided - received <= dt.timedelta(minutes=5)
    assert abs(now() - decided.replace(tzinfo=ZoneInfo("Asia/Makassar"))) < dt.timedelta(minutes=5)
    assert (row["Judul"], row["Instansi usulan"], row["Instansi"]) == ("Gelap", "Dinas Perhubungan", "Dinas Pekerjaan Umum")
    assert (row["Putusan"], row["Diputuskan oleh"], row["Keadaan"]) == ("Usulan diubah", "petugas", "Sudah diputuskan")


def test_no_cell_of_an_export_is_a_formula(past: Past, petugas: Person) -> None:
    for number, start in enumerate(("=", "+", "-", "@", "\t=", "\r=")):
        past.add(f"f{number}", f"{start}1+1 lampu", title=EVIL, kecamatan=f"{start}x")
    rows = _csv(petugas.client.get("/riwayat/ekspor.csv").data)
    assert len(rows) == 6
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row.values())
    book = load_workbook(io.BytesIO(petugas.client.get("/riwayat/ekspor.xlsx").data))
    assert not any(cell.data_type == "f" for row in book.active.iter_rows() for cell in row)


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_no_cell_is_a_formula_either_where_a_spreadsheet_splits_the_export_otherwise(
    past: Past, petugas: Person, delimiter: str
) -> None:
    texts = ("aman;=1+1", "aman, tapi;@x", "aman\t+1", "aman\n=1;2", 'a;"=1"', 'a, ";\r\n ""-1"', "a;\uff1d1", "a = b; c - d")
    for number, text in enumerate(texts):
        past.add(f"f{number}", f"{text} lampu", title=text)
    exported = petugas.client.get("/riwayat/ekspor.csv").data.decode("utf-8-sig")
    found = [cell.strip(' "') for line in exported.splitlines() for cell in line.split(delimiter)]
    assert [cell for cell in found if cell.startswith(("=", "+", "-", "@", "\uff1d"))] == []
    assert "a = b; c - d lampu" in exported


def test_a_long_run_of_delimiters_is_exported_in_time() -> None:
    began = time.monotonic()
    assert sum(map(len, spreadsheets.as_csv(["Isi"], [[";\n" * 10_000 + "x"] for _ in range(20)]))) > 400_000
    assert time.monotonic() - began < 5


def test_html_in_a_complaint_stays_text(past: Past, petugas: Person) -> None:
    past.add("a", f"lampu {EVIL}", title=EVIL, kecamatan="<b>x</b>")
    page = petugas.client.get("/riwayat", query_string={"cari": EVIL, "instansi": EVIL, "oleh": EVIL, "kecamatan": EVIL}).text
    assert "<script>alert" not in page
    page = petugas.client.get("/riwayat").text
    assert "<script>alert" not in page
    assert "<b>x</b>" not in page


def test_the_workbook_holds_the_same(past: Past, petugas: Person) -> None:
    past.add("a", "lampu mati\x0b dengan tanda aneh")
    answer = petugas.client.get("/riwayat/ekspor.xlsx")
    assert answer.headers["Content-Disposition"].endswith('.xlsx"')
    sheet = load_workbook(io.BytesIO(answer.data)).active
    assert sheet is not None
    values = list(sheet.iter_rows(values_only=True))
    assert values[0] is not None
    assert values[0][3] == "Diterima (WITA)"
    assert values[1][2] == "a"
    assert values[1][11] == 0.4


def test_too_much_for_a_workbook_is_refused_with_what_to_do(past: Past, petugas: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_page, "MOST_IN_WORKBOOK", 1)
    past.add("a", "lampu")
    past.add("b", "sampah")
    refused = petugas.client.get("/riwayat/ekspor.xlsx")
    assert refused.status_code == 422
    assert "Persempit saringannya, atau ekspor sebagai CSV." in refused.text
    assert petugas.client.get("/riwayat/ekspor.csv").status_code == 200


def test_an_export_is_noted_without_what_was_searched(past: Past, petugas: Person) -> None:
    past.add("a", "lampu mati")
    petugas.client.get("/riwayat/ekspor.csv?cari=lampu&keadaan=waiting")
    with past.parts.database.read() as connection:
        detail = connection.execute(select(audit_log.c.detail).where(audit_log.c.action == "history-exported")).scalar_one()
    assert detail == {"form": "csv", "rows": 1, "filters": {"keadaan": "waiting"}}


def test_the_log_tells_an_export_in_words(past: Past, pengelola: Person) -> None:
    past.add("a", "lampu mati")
    filters = "instansi=dlh&keadaan=waiting&keputusan=review&alasan=oversight&oleh=~impor&dari=2026-03-01"
    assert pengelola.client.get(f"/riwayat/ekspor.csv?{filters}").status_code == 200
    said = pengelola.client.get("/log").text
    assert "instansi Dinas Lingkungan Hidup" in said
    assert "keadaan menunggu di antrean" in said
    assert "jawaban model perlu ditinjau petugas" in said
    assert "alasan berkadar pengawasan" in said
    assert "diputuskan oleh LAPOR!" in said
    assert "diterima dari 1 Mar 2026" in said


def test_a_reader_may_look_but_not_export(past: Past, somebody: Callable[..., Person]) -> None:
    past.add("a", "lampu mati")
    person = somebody("peninjau-saja")
    page = person.client.get("/riwayat")
    assert page.status_code == 200
    assert "/riwayat/ekspor" not in page.text
    assert person.client.get("/riwayat/ekspor.csv").status_code == 403


def test_what_was_purged_says_so(past: Past, petugas: Person) -> None:
    past.add("a", "lampu mati")
    with past.parts.database.write() as connection:
        connection.execute(update(complaint).values(title="", text="", purged_at=now()))
    assert "sudah dihapus menurut batas penyimpanan" in petugas.client.get("/riwayat").text


def test_an_empty_history_says_what_to_do(petugas: Person) -> None:
    assert "Masukkan ekspor LAPOR!" in petugas.client.get("/riwayat").text
    assert "Tidak ada aduan yang cocok" in petugas.client.get("/riwayat?cari=apa").text


def _csv(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
