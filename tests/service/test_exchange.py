"""A file of LAPOR! goes in, is confirmed by a person, and comes back with our columns; nothing is taken in twice or half."""

from __future__ import annotations

import csv
import datetime as dt
import errno
import io
import os
import stat
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from flask import Flask
from openpyxl import Workbook, load_workbook
from sqlalchemy import Connection, func, select, update
from sqlalchemy.exc import OperationalError
from werkzeug.http import parse_options_header

from model import lapor
from model.faults import Fault, InvalidData
from model.lapor import OURS, Report
from model.register import Agency, Place, Register
from service import accounts, cases, exchange, import_jobs, import_page, import_worker, name_mapping, retention, review, uploads
from service.clock import now
from service.database import Database
from service.import_jobs import Job, LostLease
from service.import_worker import ImportWorker, explain
from service.name_mapping import LEFT, OPEN, Targets
from service.parts import Parts
from service.review import Choice
from service.tables import audit_log, complaint, decision, import_job, import_row, standing, verdict
from service.tables import name_mapping as mapping_table

if TYPE_CHECKING:
    from tests.service.conftest import Api, Person

HEADER = (
    "Tracking ID", "Tanggal Laporan Masuk", "Judul Laporan", "Isi Laporan Awal", "Kategori", "Tipe Laporan (Anonim/Rahasia)",
    "Instansi Terdisposisi", "Status Laporan", "Kecamatan", "Nama Pelapor",
)  # fmt: skip
Line = Sequence[Any]
WAKE = ImportWorker.wake


def line(number: object, text: str, agency: str = "", **more: str) -> Line:
    """One row of an export that nobody wrote."""
    day = more.get("day", "2026-03-02")
    kind, status = more.get("kind", ""), more.get("status", "Belum Terverifikasi")
    topic, kecamatan = more.get("topic", ""), more.get("kecamatan", "Sangatta Utara")
    return (number, day, f"Judul {number}", text, topic, kind, agency, status, kecamatan, "Budi Rahasia Sekali")


def workbook(*lines: Line, header: Line = HEADER) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["LAPORAN RINGKAS"])
    for row in (header, *lines):
        sheet.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def as_csv(*lines: Line, delimiter: str = ";") -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows([HEADER, *lines])
    return out.getvalue().encode()


@pytest.fixture
def parts(app: Flask) -> Parts:
    """The parts of the app whose worker only works when a test says so."""
    found: Parts = app.extensions["salur"]
    return found


@pytest.fixture(autouse=True)
def no_threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test decide when work is done, unless it asks for the thread itself."""
    if "thread" not in request.fixturenames:
        monkeypatch.setattr(ImportWorker, "wake", lambda _self: None)


@pytest.fixture
def thread() -> None:
    """Ask for the worker's own thread."""


class Imports:
    """Somebody who imports files through the pages."""

    def __init__(self, person: Person, app: Flask) -> None:
        self.person, self.app = person, app
        self.parts: Parts = app.extensions["salur"]
        self.worker: ImportWorker = app.extensions["salur-imports"]

    def upload(self, content: bytes, name: str = "ekspor.xlsx") -> Any:
        data = {"csrf_token": self.person.token("/impor"), "berkas": (io.BytesIO(content), name)}
        return self.person.client.post("/impor", data=data, content_type="multipart/form-data")

    def begin(self, content: bytes, name: str = "ekspor.xlsx") -> int:
        answer = self.upload(content, name)
        assert answer.status_code == 303, answer.text
        self.worker.work_off()
        return int(answer.headers["Location"].rpartition("/")[2])

    def page(self, number: int, query: str = "") -> str:
        return self.person.client.get(f"/impor/{number}{query}").text

    def go(self, number: int, take: bool = True, names: Mapping[str, str] = MappingProxyType({})) -> Job:
        choices = {"putusan": "ya"} if take else {}
        answer = self.person.send(f"/impor/{number}/proses", f"/impor/{number}", **choices, **names)
        assert answer.status_code == 303, answer.text
        self.worker.work_off()
        return self.job(number)

    def run(
        self, content: bytes, name: str = "ekspor.xlsx", take: bool = True, names: Mapping[str, str] = MappingProxyType({})
    ) -> Job:
        return self.go(self.begin(content, name), take, names)

    def job(self, number: int) -> Job:
        with self.parts.database.read() as connection:
            found = import_jobs.find(connection, number)
        assert found is not None
        return found

    def fetch(self, number: int) -> bytes:
        answer = self.person.send(f"/impor/{number}/berkas", "/impor")
        assert answer.status_code == 200, answer.headers
        content: bytes = answer.data
        return content

    def count(self, table: Any, *where: Any) -> int:
        with self.parts.database.read() as connection:
            return int(connection.execute(select(func.count()).select_from(table).where(*where)).scalar_one())


@pytest.fixture
def imports(app: Flask, petugas: Person) -> Imports:
    """An officer who imports."""
    return Imports(petugas, app)


def rows_of(content: bytes) -> list[dict[str, str]]:
    sheet = load_workbook(io.BytesIO(content)).active
    assert sheet is not None
    values = [["" if cell is None else str(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]
    header = next(row for row in values if "Tracking ID" in row)
    return [dict(zip(header, row, strict=False)) for row in values[values.index(header) + 1 :]]


# the way of a file


both = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)


@both
def test_open_rows_enter_the_queue_and_the_file_comes_back_with_proposals(imports: Imports) -> None:
    job = imports.run(workbook(line("L1", "lampu jalan mati"), line("L2", "pasti sampah menumpuk", day="2026-03-03")))
    assert job.state == "done"
    assert (job.counts["did_new"], job.counts["did_review"], job.counts["did_auto"]) == (2, 1, 1)
    with imports.parts.database.read() as connection:
        states = {
            row[0]: row[1]
            for row in connection.execute(
                select(complaint.c.client_id, standing.c.state).join(standing, standing.c.complaint_id == complaint.c.id)
            )
        }
    assert states == {"L1": "waiting", "L2": "sent"}
    first, second = rows_of(imports.fetch(job.id))
    assert [first[name] for name in OURS] == [
        "Dinas Pekerjaan Umum",
        "Perlu ditinjau petugas",
        "40%",
        "Belum cukup yakin untuk diteruskan sendiri",
    ]
    assert [second[name] for name in OURS] == ["Dinas Lingkungan Hidup", "Diteruskan otomatis", "90%", ""]
    assert first["Nama Pelapor"] == "Budi Rahasia Sekali"


def test_a_file_that_is_far_too_large_is_refused_with_the_form_and_what_to_do(imports: Imports) -> None:
    data = {"csrf_token": imports.person.token("/impor"), "berkas": (io.BytesIO(b"x"), "ekspor.xlsx")}
    told = {"CONTENT_LENGTH": str(import_page.MAX_BODY + 1)}
    refused = imports.person.client.post("/impor", data=data, content_type="multipart/form-data", environ_overrides=told)
    assert refused.status_code == 413
    assert "Berkas lebih dari" in refused.text
    assert 'name="berkas"' in refused.text
    assert imports.count(import_job) == 0


def test_a_csv_goes_the_same_way(imports: Imports) -> None:
    job = imports.run(as_csv(line("L1", "lampu mati"), line("L2", "parkir liar")), "ekspor.csv")
    text = imports.fetch(job.id).decode()
    assert job.counts["did_new"] == 2
    assert text.splitlines()[0].endswith(";".join(f'"{name}"' for name in OURS))
    assert "Dinas Perhubungan" in text.splitlines()[1]


@both
def test_the_same_export_next_week_adds_only_what_is_new(imports: Imports) -> None:
    old = line("L1", "lampu mati di jalan")
    imports.run(workbook(old))
    job = imports.run(workbook(old, line("L2", "sampah menumpuk")))
    assert (job.counts["did_known"], job.counts["did_new"]) == (1, 1)
    assert imports.count(complaint) == 2


def test_a_title_that_the_operator_mended_is_still_the_same_complaint(imports: Imports) -> None:
    imports.run(workbook(line("L1", "lampu mati di jalan")))
    changed = list(line("L1", "lampu mati di jalan"))
    changed[2] = "Judul yang dirapikan"
    job = imports.run(workbook(changed))
    assert job.counts["did_known"] == 1
    assert job.state == "done"


def test_what_another_system_brought_under_the_same_id_is_another_complaint(imports: Imports, api: Api) -> None:
    api.post("/complaints", json={"id": "L1", "text": "sampah menumpuk"})
    job = imports.run(workbook(line("L1", "lampu mati", kind="Rahasia")))
    assert (job.counts["did_new"], job.counts.get("did_known", 0)) == (1, 0)
    assert imports.count(complaint, complaint.c.confidential) == 1
    assert imports.count(complaint) == 2


def test_a_row_that_stands_twice_is_taken_in_once(imports: Imports) -> None:
    job = imports.run(workbook(line("L1", "lampu mati"), line("L1", "lampu mati")))
    assert (job.counts["did_new"], job.counts["did_known"]) == (1, 1)


def test_rows_without_an_id_are_known_again_by_what_they_say(imports: Imports) -> None:
    nameless = line("", "lampu mati di depan pasar")
    imports.run(workbook(nameless))
    job = imports.run(workbook(nameless))
    assert job.counts["did_known"] == 1


def test_rows_without_an_id_that_differ_in_day_title_or_text_are_several(imports: Imports) -> None:
    first = list(line("", "lampu mati di depan pasar"))
    others = [
        [*first[:1], "2026-03-05", *first[2:]],
        [*first[:2], "Judul lain", *first[3:]],
        [*first[:3], "lampu padam", *first[4:]],
    ]
    assert imports.run(workbook(first, *others)).counts["did_new"] == 4


def test_an_id_that_none_can_be_made_of_does_not_lose_its_row(imports: Imports) -> None:
    content = workbook(line("###", "lampu mati"), line("??", "jalan rusak"))
    assert imports.run(content).counts["did_new"] == 2
    assert imports.run(content).counts["did_known"] == 2


@pytest.mark.parametrize("number", ["-", "1,23457E+11"])
def test_reports_whose_id_is_none_are_not_taken_for_one(imports: Imports, number: str) -> None:
    content = as_csv(line(number, "lampu mati"), line(number, "jalan rusak"))
    assert imports.run(content, "ekspor.csv").counts["did_new"] == 2
    assert imports.run(content, "ekspor.csv").counts["did_known"] == 2


def test_what_is_personal_is_masked_and_the_reporter_is_never_stored(imports: Imports) -> None:
    imports.run(workbook(line("L1", "lampu mati, hubungi saya di 081234567890")))
    with imports.parts.database.read() as connection:
        row = connection.execute(select(complaint)).one()
    assert "081234567890" not in row.text
    assert "Budi" not in str(tuple(row))


def test_the_time_of_a_report_is_that_of_the_region(imports: Imports) -> None:
    imports.run(workbook(line("L1", "lampu mati", day="02/03/2026")))
    with imports.parts.database.read() as connection:
        received = connection.execute(select(complaint.c.received_at)).scalar_one()
    assert received == dt.datetime(2026, 3, 1, 16, tzinfo=dt.UTC)


def test_a_time_that_says_its_zone_is_that_of_the_zone(imports: Imports) -> None:
    imports.run(workbook(line("L1", "lampu mati", day="2026-03-02T23:30:00 WIB")))
    with imports.parts.database.read() as connection:
        received = connection.execute(select(complaint.c.received_at)).scalar_one()
    assert received == dt.datetime(2026, 3, 2, 16, 30, tzinfo=dt.UTC)


def test_a_date_that_cannot_be_is_taken_as_now(imports: Imports) -> None:
    imports.run(
        workbook(
            line("L1", "lampu mati", day="kemarin sore"),
            line("L2", "sampah", day="1890-01-01"),
            line("L3", "parkir", day="2099-01-01"),
        )
    )
    with imports.parts.database.read() as connection:
        moments = connection.execute(select(complaint.c.received_at)).scalars().all()
    assert all(abs(now() - moment) < dt.timedelta(minutes=5) for moment in moments)


def test_dates_that_cannot_be_read_or_may_be_turned_round_are_told_before_anything_is_taken_in(imports: Imports) -> None:
    lines = [
        line(f"L{n}", "lampu mati", day=day) for n, day in enumerate(("kemarin", "", "2099-01-01", "02/13/2026", "02/03/2026"))
    ]
    page = imports.page(imports.begin(workbook(*lines)))
    assert "<b>3</b> <span>tanpa tanggal yang terbaca" in page
    assert "1 tanggal di berkas ini hanya dapat dibaca dengan bulan di depan" in page
    imports.run(workbook(*lines))
    page = imports.page(imports.begin(workbook(*lines, line("L9", "sampah"))))
    assert "tanpa tanggal yang terbaca" not in page  # they are here already, as they were received


@both
def test_what_became_confidential_since_an_earlier_export_is_nobodys_neighbour_any_more(imports: Imports) -> None:
    said = "sampah menumpuk di belakang pasar induk sudah seminggu tidak diangkut petugas"
    imports.run(workbook(line("L1", said), line("L2", f"{said} ya"), line("L3", f"{said} pak")))
    with imports.parts.database.read() as connection:
        first, *others = connection.execute(select(complaint.c.id).order_by(complaint.c.id)).scalars()
        assert cases.members(connection, others[0]), "they are one matter"
    imports.run(workbook(line("L1", said, kind="Rahasia"), line("L2", f"{said} ya")))
    with imports.parts.database.read() as connection:
        closed = connection.execute(select(complaint.c.id).where(complaint.c.confidential)).scalars().all()
        assert closed == [first]
        assert not [member for other in others for member in cases.members(connection, other) if member.id == first]
    imports.run(workbook(line("L4", f"{said} bu")))
    with imports.parts.database.read() as connection:
        newest = connection.execute(select(complaint.c.id).order_by(complaint.c.id.desc()).limit(1)).scalar_one()
        assert first not in [member.id for member in cases.members(connection, newest)]


def test_what_became_confidential_leaves_other_matters_as_they_were(imports: Imports) -> None:
    said, other = "sampah menumpuk di belakang pasar induk sudah seminggu", "lampu jalan poros dekat jembatan lama padam semalam"
    imports.run(workbook(line("L1", said), line("L2", f"{said} ya"), line("L3", other)))
    imports.run(workbook(line("L3", other, kind="Rahasia"), line("L4", f"{said} pak")))
    with imports.parts.database.read() as connection:
        numbers = {row.client_id: row.id for row in connection.execute(select(complaint.c.client_id, complaint.c.id))}
        members = cases.members(connection, numbers["L4"])
    assert {member.id for member in members} == {numbers["L1"], numbers["L2"]}


def test_of_a_matter_what_became_confidential_since_is_left_out_and_the_others_stay_one(imports: Imports) -> None:
    said = "sampah menumpuk di belakang pasar induk sudah seminggu tidak diangkut petugas"
    imports.run(workbook(line("L1", said), line("L2", f"{said} ya"), line("L3", f"{said} pak")))
    imports.run(workbook(line("L2", f"{said} ya", kind="Rahasia")))
    with imports.parts.database.read() as connection:
        numbers = {row.client_id: row.id for row in connection.execute(select(complaint.c.client_id, complaint.c.id))}
        assert {member.id for member in cases.members(connection, numbers["L3"])} == {numbers["L1"]}
        assert not cases.members(connection, numbers["L2"])
        firsts = {name: review.first_of(connection, number) for name, number in numbers.items()}
        assert firsts["L1"] == firsts["L3"] != firsts["L2"], "no verdict on it serves the others, nor theirs it"


def test_confidential_rows_never_go_out_by_themselves(imports: Imports) -> None:
    job = imports.run(workbook(line("L1", "pasti lampu mati", kind="Rahasia")))
    assert job.counts["did_review"] == 1


def test_what_is_over_without_a_disposition_is_left_alone(imports: Imports) -> None:
    job = imports.run(workbook(line("L1", "lampu mati", status="Diarsipkan"), line("L2", "sampah", status="Selesai")))
    assert job.counts["did_closed"] == 2
    assert imports.count(complaint) == 0


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("Ditutup oleh Sistem", "closed"),
        ("Diarsipkan oleh Admin", "closed"),
        ("Konten Terblokir", "closed"),
        ("Diblokir", "closed"),
        ("Selesai Otomatis", "closed"),
        ("Dihapus", "closed"),
        ("Belum Selesai", "open"),
        ("Belum  Selesai", "open"),
        ("Belum diselesaikan", "open"),
        ("Tidak Ditutup", "open"),
        ("Menunggu Kelengkapan Informasi", "open"),
        ("Belum Terverifikasi", "open"),
        ("", "open"),
    ],
)
def test_a_status_tells_whether_anybody_still_waits(status: str, kind: str) -> None:
    assert exchange.kind_of(Report(2, "lampu mati", status=status), Targets()) == kind


def test_rows_that_say_nothing_are_named_and_the_others_go_on(imports: Imports) -> None:
    job = imports.run(workbook(("L1", "2026-03-02", "", "", "", "", "", "", "", ""), line("L2", "sampah menumpuk")))
    assert (job.counts["did_unreadable"], job.counts["did_new"]) == (1, 1)
    assert "Baris 3: tidak ada uraian yang dapat dibaca" in imports.page(job.id)


def test_a_text_longer_than_we_keep_is_cut(imports: Imports) -> None:
    job = imports.run(workbook(line("L1", "lampu mati " * 2_500)))
    assert job.counts["did_new"] == 1


def test_other_fields_longer_than_we_keep_are_cut_and_none_is_left_out(imports: Imports) -> None:
    header = (*HEADER[:9], "Kelurahan", "Sumber Laporan")
    long = [*line("L1", "lampu mati")[:9], "Teluk Lingga " * 50, "Telepon " * 50]
    long[2], long[8] = "Judul " * 200, "Sangatta Utara " * 50
    short = [*line("L2", "lampu mati lagi")[:9], "Teluk Lingga", "Telepon"]
    assert imports.run(workbook(long, short, header=header)).counts["did_new"] == 2
    with imports.parts.database.read() as connection:
        kept = connection.execute(select(complaint).where(complaint.c.client_id == "L2")).one()
    assert (kept.kecamatan, kept.desa, kept.channel) == ("Sangatta Utara", "Teluk Lingga", "Telepon")


@pytest.mark.parametrize("words", ["", "-", "." * 30_000 + "lampu mati"])
def test_a_row_whose_title_says_it_all_is_taken_in_by_its_title(imports: Imports, words: str) -> None:
    only_title = list(line("L1", words))
    only_title[2] = "Lampu jalan mati"
    assert imports.run(as_csv(only_title), "ekspor.csv").counts["did_new"] == 1
    with imports.parts.database.read() as connection:
        assert connection.execute(select(complaint.c.text)).scalar_one() == "Lampu jalan mati"


# dispositions as verdicts


@both
def test_a_disposition_becomes_a_verdict_by_the_mapping(imports: Imports) -> None:
    content = workbook(
        line("L1", "lampu mati", "DINAS PERHUBUNGAN"), line("L2", "sampah menumpuk", "Dinas Perhubungan Kabupaten Kutai Timur")
    )
    number = imports.begin(content)
    assert '<option value="dishub" selected>' in imports.page(number)
    job = imports.go(number, names={"nama-0": "dishub", "nama-1": "dishub"})
    assert (job.counts["did_confirmed"], job.counts["did_changed"]) == (1, 1)
    with imports.parts.database.read() as connection:
        rows = connection.execute(select(verdict.c.origin, verdict.c.agency, verdict.c.outcome).order_by(verdict.c.id)).all()
    assert [tuple(row) for row in rows] == [("import", "dishub", "confirmed"), ("import", "dishub", "changed")]
    told = [(row[OURS[1]], row[OURS[3]]) for row in rows_of(imports.fetch(job.id))]
    assert told == [("Sudah didisposisi di SP4N-LAPOR!", "")] * 2


def test_what_was_decided_elsewhere_is_never_told_to_have_gone_out_by_itself(imports: Imports) -> None:
    imports.run(workbook(line("L1", "pasti lampu mati", "Dishub")), names={"nama-0": "dishub"})
    assert imports.count(decision, decision.c.decided_by == "model") == 0
    assert imports.count(decision, decision.c.decided_by == "person") == 1
    counts = imports.job(1).counts
    assert (counts["did_settled"], counts.get("did_auto", 0)) == (1, 0)


@both
def test_a_complaint_that_waits_here_is_decided_by_next_weeks_disposition(imports: Imports) -> None:
    imports.run(workbook(line("L1", "lampu mati")))
    job = imports.run(workbook(line("L1", "lampu mati", "Dishub")), names={"nama-0": "dishub"})
    assert job.counts["did_confirmed"] == 1
    assert imports.count(standing, standing.c.state == "waiting") == 0


@both
def test_a_complaint_that_was_passed_on_since_is_the_newer_dispositions(imports: Imports) -> None:
    imports.run(workbook(line("L1", "lampu mati", "Dishub")), names={"nama-0": "dishub"})
    newer = workbook(line("L1", "lampu mati", "PUPR"), line("L1", "lampu mati", "Dishub"))
    job = imports.run(newer, names={"nama-0": "dishub", "nama-1": "dpupr"})
    assert (job.counts["did_changed"], job.counts["did_decided"]) == (1, 1)  # of two in one file the first counts
    assert imports.count(standing, standing.c.agency == "dpupr", standing.c.state == "decided") == 1
    assert imports.run(newer).counts["did_decided"] == 2
    assert imports.count(verdict) == 2


def test_of_two_offices_that_one_file_names_the_first_counts_however_far_apart(
    imports: Imports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "CHUNK", 1)
    twice = workbook(line("L1", "lampu mati", "Dishub"), line("L1", "lampu mati", "PUPR"))
    for _ in range(2):
        assert imports.run(twice, names={"nama-0": "dishub", "nama-1": "dpupr"}).counts["did_decided"] >= 1
    with imports.parts.database.read() as connection:
        given = connection.execute(select(verdict.c.agency, verdict.c.account_id)).all()
    assert [tuple(row) for row in given] == [("dishub", 1)], "and it is told who let the file in"


def test_a_complaint_that_was_purged_is_decided_no_more(imports: Imports) -> None:
    imports.run(workbook(line("L1", "pasti lampu mati"), line("L2", "lampu mati", "Dishub")), names={"nama-0": "dishub"})
    retention.purge(imports.parts.database, now() + dt.timedelta(days=1))
    both_named = workbook(line("L1", "pasti lampu mati", "PUPR"), line("L2", "lampu mati", "PUPR"))
    assert imports.run(both_named, names={"nama-0": "dpupr"}).counts["did_known"] == 2
    assert imports.count(verdict) == 1
    assert imports.count(complaint, complaint.c.text != "") == 0


def test_what_our_own_people_decided_stays_decided(imports: Imports) -> None:
    imports.run(workbook(line("L1", "lampu mati")))
    with imports.parts.database.write() as connection:
        row = connection.execute(select(standing)).one()
        review.record(connection, row, Choice("dpupr"), origin="desk", account_id=1)
    job = imports.run(workbook(line("L1", "lampu mati", "Dishub")), names={"nama-0": "dishub"})
    assert job.counts["did_decided"] == 1
    assert imports.count(verdict) == 1
    assert rows_of(imports.fetch(job.id))[0][OURS[1]] == "Diputuskan petugas"


def test_what_our_own_people_closed_stays_closed(imports: Imports) -> None:
    imports.run(workbook(line("L1", "lampu mati")))
    with imports.parts.database.write() as connection:
        row = connection.execute(select(standing)).one()
        review.record(connection, row, Choice(outcome="not-a-complaint"), origin="desk", account_id=1)
    assert imports.run(workbook(line("L1", "lampu mati", "Dishub")), names={"nama-0": "dishub"}).counts["did_decided"] == 1
    assert imports.count(standing, standing.c.state == "closed") == 1


@pytest.mark.parametrize("outcome", ["needs-info", "returned"])
def test_what_still_waits_for_somebody_here_is_settled_by_a_disposition_elsewhere(imports: Imports, outcome: str) -> None:
    imports.run(workbook(line("L1", "lampu mati")))
    with imports.parts.database.write() as connection:
        row = connection.execute(select(standing)).one()
        review.record(connection, row, Choice(outcome=outcome), origin="desk", account_id=1)
    job = imports.run(workbook(line("L1", "lampu mati", "Dishub")), names={"nama-0": "dishub"})
    assert job.counts["did_confirmed"] == 1
    assert imports.count(standing, standing.c.state == "decided", standing.c.agency == "dishub") == 1


def test_a_complaint_that_somebody_had_open_once_is_not_left_for_ever(imports: Imports) -> None:
    imports.run(workbook(line("L1", "lampu mati")))
    with imports.parts.database.write() as connection:
        connection.execute(update(standing).values(claimed_by=1, claimed_until=now() - dt.timedelta(seconds=1)))
    assert imports.run(workbook(line("L1", "lampu mati", "Dishub")), names={"nama-0": "dishub"}).counts["did_confirmed"] == 1


def test_a_complaint_that_somebody_has_open_is_left_to_them(imports: Imports) -> None:
    imports.run(workbook(line("L1", "lampu mati")))
    with imports.parts.database.write() as connection:
        connection.execute(update(standing).values(claimed_by=1, claimed_until=now() + dt.timedelta(minutes=5)))
    job = imports.run(workbook(line("L1", "lampu mati", "Dishub")), names={"nama-0": "dishub"})
    assert job.counts["did_held"] == 1
    assert imports.count(verdict) == 0


def test_a_complaint_that_the_api_takes_in_at_the_same_moment_is_no_new_one(
    imports: Imports, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = workbook(line("L1", "lampu mati"))
    imports.run(content)
    monkeypatch.setattr(exchange, "_known", lambda *_: {})  # looked at before it was there
    job = imports.run(content)
    assert (job.counts.get("did_new", 0), job.counts["did_known"]) == (0, 1)
    assert imports.count(complaint) == 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_group_is_decided_at_the_desk_while_an_export_decides_it(imports: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    imports.run(workbook(line("L1", "lampu jalan mati"), line("L2", "lampu jalan mati lagi")))
    database, decide = imports.parts.database, exchange._decide
    with database.write() as connection:
        connection.execute(update(complaint).where(complaint.c.id == 2).values(similar_to=1))

    def at_the_desk() -> None:
        with database.write() as connection:
            review.decide(connection, 1, Choice("dishub"), 1, None, 10, others=[2])

    with ThreadPoolExecutor(1) as pool:
        told: list[Future[None]] = []

        def decide_while_another_begins(*args: Any, **named: Any) -> str:
            found = decide(*args, **named)
            if not told:
                told.append(pool.submit(at_the_desk))
                wait(told, timeout=0.5)
            return found

        monkeypatch.setattr(exchange, "_decide", decide_while_another_begins)
        later = workbook(
            line("L2", "lampu jalan mati lagi", "Dinas Perhubungan"), line("L1", "lampu jalan mati", "Dinas Perhubungan")
        )
        imports.run(later, names={"nama-0": "dishub"})
        assert told[0].exception() is None, "the same said again is no other verdict"
    assert imports.count(verdict) == 2


def test_without_verdicts_dispositioned_rows_are_proposed_but_not_stored(imports: Imports) -> None:
    job = imports.run(workbook(line("L1", "lampu mati", "Dishub")), take=False)
    assert job.counts["did_left"] == 1
    assert imports.count(complaint) == 0
    (row,) = rows_of(imports.fetch(job.id))
    assert (row[OURS[0]], row[OURS[1]]) == ("Dinas Perhubungan", "Tidak dimasukkan")


def test_a_row_that_is_passed_over_comes_back_as_its_complaint_stands_here(imports: Imports) -> None:
    imports.run(workbook(line("L1", "lampu mati"), line("L2", "pasti lampu mati"), line("L3", "lampu redup")))
    with imports.parts.database.write() as connection:
        row = connection.execute(select(standing).where(standing.c.complaint_id == 1)).one()
        review.record(connection, row, Choice("dpupr"), origin="desk", account_id=1)
    again = workbook(
        line("L1", "lampu mati", "Dishub"), line("L2", "pasti lampu mati", "Dishub"), line("L3", "lampu redup", status="Selesai")
    )
    rows = rows_of(imports.fetch(imports.run(again, take=False).id))
    assert (rows[0][OURS[0]], rows[0][OURS[1]]) == ("Dinas Pekerjaan Umum", "Diputuskan petugas")
    assert [row[OURS[1]] for row in rows[1:]] == ["Diteruskan otomatis", "Perlu ditinjau petugas"]


def test_a_name_that_nobody_mapped_is_left_and_told(imports: Imports) -> None:
    job = imports.run(workbook(line("L1", "lampu mati", "Badan Antah Berantah")))
    assert job.counts["did_unmapped"] == 1
    assert imports.count(complaint) == 0


def test_a_proposed_agency_is_called_by_its_name_alone(imports: Imports) -> None:
    page = imports.page(imports.begin(workbook(line("L1", "lampu mati", "Dinas Perhubungan"))))
    assert '<option value="dishub" selected>Dinas Perhubungan</option>' in page


@both
def test_a_mapping_is_remembered_and_asked_no_more(imports: Imports) -> None:
    imports.run(workbook(line("L1", "lampu mati", "Kantor Lampu")), names={"nama-0": "dishub"})
    number = imports.begin(workbook(line("L2", "lampu mati lagi", "KANTOR  LAMPU")))
    assert "names" in imports.job(number).counts
    page = imports.page(number)
    assert "1 nama yang sudah dipadankan" in page
    done = imports.go(number)
    assert done.counts["did_confirmed"] == 1
    assert "names" not in done.counts, "what the file calls agencies is kept no longer than it is asked about"


def test_the_whole_government_is_nobody_in_particular(imports: Imports) -> None:
    job = imports.run(workbook(line("L1", "lampu mati", "Pemerintah Kabupaten Kutai Timur")))
    assert job.counts["did_new"] == 1
    assert imports.count(standing, standing.c.state == "waiting") == 1


def test_a_dash_for_an_agency_is_nobody(imports: Imports) -> None:
    number = imports.begin(workbook(line("L1", "lampu mati", "-"), line("L2", "sampah", "\u2013", status="Selesai")))
    assert (imports.job(number).counts["open"], imports.job(number).counts["closed"]) == (1, 1)
    assert "Nama yang belum dikenal" not in imports.page(number)
    assert imports.go(number).counts["did_new"] == 1


def test_a_topic_can_mean_another_agency_than_its_name(imports: Imports) -> None:
    content = workbook(
        line("L1", "jalan berlubang", "Dinas PU", topic="Jalan"),
        line("L2", "lampu mati", "Dinas PU", topic="Penerangan"),
        line("L3", "jalan", "Dinas PU"),
    )
    number = imports.begin(content)
    shown = imports.person.send(f"/impor/{number}/proses", f"/impor/{number}", **{"nama-0": "dpupr", "rinci": "0"})
    assert shown.status_code == 303
    page = imports.page(number, "?rinci=0")
    assert "<i>Penerangan</i>" in page
    place = next(
        str(index) for index, (topic, _) in enumerate(imports.job(number).counts["names"][0]["topics"]) if topic == "Penerangan"
    )
    job = imports.go(number, names={"nama-0": "dpupr", f"nama-0-{place}": "dishub"})
    assert job.counts["did_confirmed"] == 3


def test_looking_at_the_topics_of_a_name_keeps_what_was_chosen_about_decisions(imports: Imports) -> None:
    number = imports.begin(workbook(line("L1", "jalan", "Dinas PU", topic="Jalan"), line("L2", "lampu", "Dinas PU", topic="PJU")))
    ticked = 'name="putusan" value="ya" checked'
    assert ticked in imports.page(number)
    page = f"/impor/{number}"
    for given, kept in (({"putusan": "ya"}, True), ({}, False)):
        shown = imports.person.send(f"{page}/proses", page, **{"nama-0": "dpupr", "rinci": "0"}, **given)
        assert (ticked in imports.person.client.get(shown.headers["Location"]).text) == kept
        refused = imports.person.send(f"{page}/proses", page, **{"nama-0": "entah"}, **given)
        assert (ticked in refused.text) == kept


def test_an_unknown_agency_in_a_mapping_is_refused_and_nothing_begins(imports: Imports) -> None:
    number = imports.begin(workbook(line("L1", "lampu mati", "Kantor Lampu")))
    refused = imports.person.send(f"/impor/{number}/proses", f"/impor/{number}", **{"nama-0": "<script>alert(1)</script>"})
    assert refused.status_code == 422
    assert "Instansi tidak dikenal" in refused.text
    assert "<script>alert" not in refused.text
    assert imports.job(number).state == "surveyed"
    assert imports.count(mapping_table) == 0


def test_the_unit_of_a_family_comes_from_the_name_or_the_place(imports: Imports) -> None:
    register = imports.parts.models.require().register
    named = Report(1, "x", agency="Kecamatan Bengalon Kab. Kutai Timur", kecamatan="Sangatta Utara")
    placed = Report(1, "x", agency="Kantor Camat", kecamatan="SANGATTA UTARA")
    assert exchange.unit_of(named, "kecamatan", register) == "Bengalon"
    assert exchange.unit_of(placed, "kecamatan", register) == "Sangatta Utara"
    assert exchange.unit_of(placed, "dishub", register) == ""


@pytest.mark.parametrize("written", ["Kec. Bengalon", "KECAMATAN BENGALON", "Bengallon"])
def test_the_place_of_a_row_may_be_written_as_the_model_takes_it(imports: Imports, written: str) -> None:
    register = imports.parts.models.require().register
    assert exchange.unit_of(Report(1, "x", agency="Kantor Camat", kecamatan=written), "kecamatan", register) == "Bengalon"


VILLAGES = Register(
    agencies=(Agency("kelurahan", "Kelurahan", per="desa"),),
    places=(
        Place("Kenanga", "Kenanga", "kelurahan"),
        Place("Kenanga", "Mojo", "kelurahan"),
        Place("Kenanga", "Melati", "kelurahan"),
        Place("Anggrek", "Melati", "kelurahan"),
        Place("Anggrek", "Melati Baru", "kelurahan"),
    ),
)


@pytest.mark.parametrize(
    ("named", "kecamatan", "desa", "office"),
    [
        ("Kelurahan Mojo", "", "", "Mojo"),
        ("KELURAHAN MELATI BARU", "Kenanga", "Melati", "Melati Baru"),
        ("Kelurahan Mojokerto", "", "", ""),
        ("Kelurahan Mojo Kecamatan Kenanga", "", "", "Mojo"),  # no word of the kelurahan that the kecamatan is called after
        ("Kelurahan Kenanga Kecamatan Kenanga", "Anggrek", "Melati", "Kenanga"),
        ("Kelurahan Melati, Kec. Anggrek", "Kenanga", "Mojo", "Melati (Anggrek)"),
        ("Kelurahan Melati", "kenanga", "", "Melati (Kenanga)"),
        ("Kelurahan Melati", "", "", ""),
        ("Kantor Lurah", "Anggrek", "MELATI", "Melati (Anggrek)"),
        ("Kantor Lurah", "", "Mojo", "Mojo"),
        ("Kantor Lurah", "Kenanga", "", ""),
    ],
)
def test_an_office_of_a_desa_is_the_one_that_the_name_or_the_place_means(
    named: str, kecamatan: str, desa: str, office: str
) -> None:
    report = Report(1, "x", agency=named, kecamatan=kecamatan, desa=desa)
    assert exchange.unit_of(report, "kelurahan", VILLAGES) == office


@pytest.mark.parametrize(
    ("named", "kecamatan", "did"),
    [
        ("Kantor Camat", "Desa Entah", "did_confirmed"),  # the model says an office, the export only the family
        ("Kantor Camat", "Bengalon", "did_confirmed"),
        ("Kantor Camat Sangatta Utara", "Bengalon", "did_changed"),
    ],
)
def test_a_disposition_that_names_no_office_of_the_family_does_not_contradict_the_model(
    imports: Imports, named: str, kecamatan: str, did: str
) -> None:
    row = line("L1", "pak lurah tidak masuk", named, kecamatan=kecamatan)
    job = imports.run(workbook(row), names={"nama-0": "kecamatan"})
    assert {name for name in job.counts if name in ("did_confirmed", "did_changed")} == {did}


def test_another_office_of_the_family_is_another_disposition_but_the_family_alone_is_none(imports: Imports) -> None:
    said = "pak lurah tidak masuk"
    imports.run(workbook(line("L1", said, "Kecamatan Bengalon")), names={"nama-0": "kecamatan"})
    family = imports.run(workbook(line("L1", said, "Kantor Camat", kecamatan="")), names={"nama-0": "kecamatan"})
    assert family.counts["did_decided"] == 1
    other = imports.run(workbook(line("L1", said, "Kecamatan Sangatta Utara")), names={"nama-0": "kecamatan"})
    assert {name for name in other.counts if name in ("did_confirmed", "did_changed", "did_decided")} != {"did_decided"}
    assert imports.count(standing, standing.c.unit == "Sangatta Utara") == 1
    assert imports.count(verdict) == 2


def test_a_mapping_knows_its_special_answers() -> None:
    targets = Targets({("kantor lampu", ""): "dishub", ("kantor lampu", "sampah"): "dlh", ("pemkab contoh", ""): LEFT})
    assert targets.of("Kantor Lampu!") == "dishub"
    assert targets.of("KANTOR LAMPU", "Sampah") == "dlh"
    assert targets.of("Pemerintah Kabupaten Contoh") == OPEN
    assert targets.of("Pemkab Contoh") == LEFT
    assert targets.of("Entah") == ""


# blind cases stay blind


def test_the_file_does_not_tell_what_the_model_said_of_a_blind_case(
    make_app: Callable[..., Flask], database: Database, person: Person
) -> None:
    app = make_app(audit_share=1.0)
    imports = Imports(_officer(app, database, person), app)
    job = imports.run(workbook(line("L1", "pasti lampu mati")))
    row = rows_of(imports.fetch(job.id))[0]
    assert row[OURS[0]] == ""
    assert row[OURS[2]] == ""
    assert row[OURS[3]] == "Terpilih untuk pemeriksaan acak"


# a worker that is killed


@both
def test_a_job_that_was_cut_off_goes_on_where_it_was(imports: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "CHUNK", 2)
    number = imports.begin(workbook(*(line(f"L{n}", f"lampu mati nomor {n}") for n in range(7))))
    whole, calls = exchange._take_in, []

    def killed(*args: Any) -> Any:
        calls.append(1)
        did = whole(*args)
        if len(calls) == 3:
            raise KeyboardInterrupt  # as sudden as a kill: no handler of ours runs
        return did

    monkeypatch.setattr(exchange, "_take_in", killed)
    with pytest.raises(KeyboardInterrupt):
        imports.go(number)
    assert imports.job(number).counts["did_rows"] == 4
    assert imports.count(complaint) == 4
    assert import_jobs.claim(imports.parts) is None, "the lease of the killed one still holds"
    with imports.parts.database.write() as connection:
        connection.execute(update(import_job).values(lease_until=now() - dt.timedelta(seconds=1)))
    imports.worker.work_off()
    job = imports.job(number)
    assert (job.state, job.counts["did_rows"], job.counts["did_new"]) == ("done", 7, 7)
    assert imports.count(complaint) == 7
    assert len(rows_of(imports.fetch(number))) == 7


_ANOTHER_PROCESS = """
import runpy, sys, time
from service import create_app, exchange
from service.settings import Settings
import os
router = runpy.run_path("tests/service/conftest.py")["FakeRouter"]
take_in = exchange._take_in
exchange._take_in = lambda *args: time.sleep(0.05) or take_in(*args)  # so that it is met in the middle
create_app(Settings.from_environment(os.environ), router.load).extensions["salur-imports"].work_off()
"""


@both
def test_a_process_that_is_killed_loses_and_doubles_nothing(imports: Imports) -> None:
    rows = 1_500
    number = imports.begin(as_csv(*(line(f"L{n}", f"lampu mati nomor {n}") for n in range(rows))), "ekspor.csv")
    with imports.parts.database.write() as connection:
        import_jobs.confirm(connection, number, take=True, by=1)
    settings = imports.parts.settings
    given = {
        "SALUR_DATABASE": settings.database,
        "SALUR_SECRET_FILE": str(settings.secret_file),
        "SALUR_MODELS": str(settings.models),
        "SALUR_UPLOADS": str(settings.uploads),
    }
    for stop in (1, 150, 600):
        other = subprocess.Popen([sys.executable, "-c", _ANOTHER_PROCESS], env={**os.environ, **given}, stdout=subprocess.DEVNULL)
        _wait(lambda stop=stop: imports.job(number).counts.get("did_rows", 0) >= stop, 300)  # type: ignore[misc]
        other.kill()
        other.wait()
        with imports.parts.database.write() as connection:
            connection.execute(update(import_job).values(lease_until=now() - dt.timedelta(seconds=1)))
    assert imports.job(number).state == "confirmed", "it was killed in the middle"
    imports.worker.work_off()
    job = imports.job(number)
    assert (job.state, job.counts["did_rows"], job.counts["did_new"]) == ("done", rows, rows)
    assert imports.count(complaint) == imports.count(import_row) == rows
    assert len(imports.fetch(number).decode().splitlines()) == rows + 1


@both
def test_a_worker_that_lost_its_lease_keeps_nothing(imports: Imports) -> None:
    number = imports.begin(workbook(line("L1", "lampu mati")))
    with imports.parts.database.write() as connection:
        import_jobs.confirm(connection, number, take=True, by=1)
    mine = import_jobs.claim(imports.parts)
    assert mine is not None
    with imports.parts.database.write() as connection:
        connection.execute(update(import_job).values(lease="orang lain"))
    with pytest.raises(LostLease):
        exchange.work(imports.parts, mine)
    assert imports.count(complaint) == 0
    assert imports.count(import_row) == 0


def test_a_job_that_kills_every_worker_is_given_up(imports: Imports) -> None:
    number = imports.begin(workbook(line("L1", "lampu mati")))
    with imports.parts.database.write() as connection:
        import_jobs.confirm(connection, number, take=True, by=1)
    for _ in range(import_jobs.MAX_ATTEMPTS):
        assert import_jobs.claim(imports.parts) is not None
        with imports.parts.database.write() as connection:
            connection.execute(update(import_job).values(lease_until=now() - dt.timedelta(seconds=1)))
    assert import_jobs.claim(imports.parts) is None
    job = imports.job(number)
    assert job.state == "failed"
    assert "Belum ada aduan yang dimasukkan." in job.error
    assert list(imports.parts.settings.uploads.iterdir()) == []


def test_a_database_that_is_busy_only_delays_a_job(imports: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    number = imports.begin(workbook(line("L1", "lampu mati")))
    monkeypatch.setattr(import_worker, "PAUSE_SECONDS", 0.0)
    whole, calls = exchange._process, []

    def busy(*args: Any) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise OperationalError("INSERT", {}, Exception("database is locked"))
        whole(*args)

    monkeypatch.setattr(exchange, "_process", busy)
    assert imports.go(number).state == "done"
    assert len(calls) == 2


@pytest.mark.parametrize(
    ("step", "told"),
    [("_take_in", "1 baris pertama sudah masuk"), ("_write_back", "Semua laporan sudah masuk dan tetap tersimpan")],
)
def test_a_full_disk_ends_a_job_with_a_reason(imports: Imports, monkeypatch: pytest.MonkeyPatch, step: str, told: str) -> None:
    number = imports.begin(workbook(line("L1", "lampu mati"), line("L2", "sampah")))
    done = getattr(exchange, step)

    def full(*given: Any) -> Any:
        if step == "_take_in" and given[-1][0].report.tracking_id == "L1":
            return done(*given)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exchange, "CHUNK", 1)
    monkeypatch.setattr(exchange, step, full)
    job = imports.go(number)
    assert job.state == "failed"
    assert "Penyimpanan server penuh" in job.error
    assert told in job.error


@both
def test_a_copy_that_cannot_be_written_whole_is_told_and_leaves_no_half(imports: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_original: Path, copy: Path, _cells: object) -> None:
        copy.write_bytes(b"separuh")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(lapor, "write_back", full)
    job = imports.run(workbook(line("L1", "lampu mati")))
    assert job.state == "failed"
    assert imports.count(complaint) == 1
    assert b"separuh" not in [path.read_bytes() for path in imports.parts.settings.uploads.iterdir()]


def test_only_one_import_is_worked_on_at_a_time(imports: Imports) -> None:
    imports.upload(workbook(line("L1", "lampu mati")))
    imports.upload(workbook(line("L2", "lampu mati")))
    assert import_jobs.claim(imports.parts) is not None
    assert import_jobs.claim(imports.parts) is None


def test_a_file_on_another_host_is_left_to_it(imports: Imports) -> None:
    imports.upload(workbook(line("L1", "lampu mati")))
    next(imports.parts.settings.uploads.iterdir()).unlink()
    assert import_jobs.claim(imports.parts) is None
    assert import_jobs.is_work_left(imports.parts)


@both
@pytest.mark.usefixtures("thread")
def test_the_thread_does_the_work_beside_the_requests(imports: Imports) -> None:
    number = int(imports.upload(workbook(line("L1", "lampu mati"))).headers["Location"].rpartition("/")[2])
    _wait(lambda: imports.job(number).state == "surveyed")
    imports.person.send(f"/impor/{number}/proses", f"/impor/{number}", putusan="ya")
    _wait(lambda: imports.job(number).state == "done")
    told = imports.person.client.get(f"/impor/{number}/keadaan").get_json()
    assert told == {"state": "done", "rows": 1, "done": 1}


# files are private, and go


def test_the_file_is_deleted_once_it_was_handed_back(imports: Imports) -> None:
    job = imports.run(workbook(line("L1", "lampu mati")))
    folder = imports.parts.settings.uploads
    assert [path.name for path in folder.iterdir()] == [job.path]
    assert imports.fetch(job.id)
    assert list(folder.iterdir()) == []
    assert imports.count(import_row) == 0
    assert "sudah diambil" in imports.page(job.id)
    again = imports.person.send(f"/impor/{job.id}/berkas", "/impor")
    assert again.status_code == 303


def test_a_file_that_was_not_taken_whole_can_be_fetched_again(imports: Imports) -> None:
    job = imports.run(workbook(line("L1", "lampu mati")))
    token = imports.person.token("/impor")
    cut_off = imports.person.client.post(f"/impor/{job.id}/berkas", data={"csrf_token": token}, buffered=False)
    cut_off.close()
    assert imports.job(job.id).has_result
    assert imports.fetch(job.id)


@pytest.mark.parametrize(
    ("called", "back"),
    [
        ("Laporan \u2013 Mei.csv", "Laporan \u2013 Mei-salur.csv"),
        ("\u201claporan\u201d \U0001f600.csv", "\u201claporan\u201d \U0001f600-salur.csv"),
        ("a\x01\x1b[31m\u202eb.csv", "a[31mb-salur.csv"),
        ("../../a; filename=b.csv", "a; filename=b-salur.csv"),
    ],
)
def test_a_file_goes_back_under_its_name_in_a_header_that_any_server_takes(imports: Imports, called: str, back: str) -> None:
    job = imports.run(as_csv(line("L1", "lampu mati")), called)
    answer = imports.person.send(f"/impor/{job.id}/berkas", "/impor")
    header = answer.headers["Content-Disposition"]
    assert header.isascii()
    assert parse_options_header(header)[1]["filename"] == back


def test_the_file_goes_back_only_to_whoever_uploaded_it_or_reads_what_is_confidential(imports: Imports, app: Flask) -> None:
    job = imports.run(workbook(line("L1", "lampu mati")))
    with imports.parts.database.write() as connection:
        accounts.add(connection, "budi", "petugas", "katak-melompat-7x", must_change=False)
        accounts.add(connection, "rina", "kepala", "katak-melompat-7x", must_change=False)
    other, head = (type(imports.person)(app.test_client()) for _ in range(2))
    other.sign_in("budi")
    head.sign_in("rina")
    assert "Ambil berkas hasil" not in other.client.get(f"/impor/{job.id}").text
    assert other.send(f"/impor/{job.id}/berkas", "/impor").status_code == 403
    assert "Ambil berkas hasil" in head.client.get(f"/impor/{job.id}").text
    assert head.send(f"/impor/{job.id}/berkas", "/impor").data.startswith(b"PK")


def test_the_name_of_an_old_file_goes_with_what_was_in_it_but_not_of_one_still_under_way_or_younger(imports: Imports) -> None:
    """A file may be called by somebody's name."""
    old = imports.run(workbook(line("L1", "lampu mati")), name="rina-wati.xlsx").id
    under_way = imports.begin(workbook(line("L2", "lampu mati")), name="budi.xlsx")
    young = imports.run(workbook(line("L3", "lampu mati")), name="siti.xlsx").id
    with imports.parts.database.write() as connection:
        long_ago = update(import_job).values(created_at=now() - dt.timedelta(days=40))
        connection.execute(long_ago.where(import_job.c.id.in_((old, under_way))))
    retention.purge(imports.parts.database, now() - dt.timedelta(days=30))
    assert [imports.job(number).file_name for number in (old, under_way, young)] == ["", "budi.xlsx", "siti.xlsx"]


def test_a_second_sheet_with_reports_is_told_not_to_be_read(imports: Imports) -> None:
    book = load_workbook(io.BytesIO(workbook(line("L1", "lampu mati"))))
    for title, rows in (("Februari", [HEADER, line("L2", "sampah")]), ("Kosong", [HEADER]), ("Catatan", [("apa saja",)])):
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
    out = io.BytesIO()
    book.save(out)
    assert "memuat 1 lembar kerja lain" in imports.page(imports.begin(out.getvalue()))
    assert "lembar kerja lain" not in imports.page(imports.begin(workbook(line("L1", "lampu mati"))))


def test_an_export_of_an_empty_month_says_so_and_can_be_dropped(imports: Imports) -> None:
    number = imports.begin(workbook())
    page = imports.page(number)
    assert "tidak memuat laporan" in page
    assert "Batalkan dan hapus berkas" in page
    assert ">Proses<" not in page
    assert imports.person.send(f"/impor/{number}/batal", f"/impor/{number}").status_code == 303


def test_a_colleague_with_the_same_file_gets_a_result_of_their_own(imports: Imports, app: Flask) -> None:
    content = workbook(line("L1", "lampu mati"))
    mine = imports.begin(content)
    with imports.parts.database.write() as connection:
        accounts.add(connection, "budi", "petugas", "katak-melompat-7x", must_change=False)
    person = type(imports.person)(app.test_client())
    person.sign_in("budi")
    other = Imports(person, app)
    theirs = other.begin(content)
    assert mine != theirs
    assert [one.go(number).state for one, number in ((imports, mine), (other, theirs))] == ["done", "done"]
    assert other.fetch(theirs)
    assert imports.count(complaint) == 1


@both
def test_a_form_that_is_sent_twice_at_once_maps_a_name_once(imports: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    database = imports.parts.database
    if database.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer")
    both_looked, look = threading.Barrier(2, timeout=60), name_mapping.load

    def load(connection: Connection, source: str) -> name_mapping.Targets:
        found = look(connection, source)
        both_looked.wait()
        return found

    monkeypatch.setattr(name_mapping, "load", load)

    def save(_: int) -> int:
        with database.write() as connection:
            return name_mapping.save(connection, "lapor", {("Dinas X", ""): "dishub"}, 1)

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(save, range(2))) == [1, 1]
    monkeypatch.undo()
    with database.read() as connection:
        assert name_mapping.load(connection, "lapor").exactly("Dinas X") == "dishub"


def test_nobody_else_can_read_the_folder(imports: Imports) -> None:
    imports.upload(workbook(line("L1", "lampu mati")))
    folder = imports.parts.settings.uploads
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    imports.worker.work_off()
    assert imports.go(1).state == "done"
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


@both
def test_after_a_day_no_file_is_left(imports: Imports) -> None:
    waiting = imports.begin(workbook(line("L1", "lampu mati")))
    done = imports.run(workbook(line("L2", "sampah")))
    folder = imports.parts.settings.uploads
    for stray in ("0" * 32 + ".csv", "0" * 32 + ".xlsx.part"):
        (folder / stray).write_bytes(b"x")
        os.utime(folder / stray, (time.time() - 90_000,) * 2)
    with imports.parts.database.write() as connection:
        connection.execute(update(import_job).values(created_at=now() - dt.timedelta(hours=25)))
    assert import_jobs.expire(imports.parts.database, folder) == 2
    assert list(folder.iterdir()) == []
    assert imports.job(waiting).state == "failed"
    assert "dihapus setelah satu hari" in imports.job(waiting).error
    assert "tidak diambil dalam satu hari" in imports.page(done.id)


def test_what_else_lies_in_the_folder_of_uploads_stays(tmp_path: Path) -> None:
    for name in ("secret", "salur.db", "laporan.xlsx", "0" * 31 + ".csv", "0" * 32 + ".csv.bak"):
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, (time.time() - 90_000,) * 2)
    assert uploads.sweep(tmp_path, (), time.time()) == 0
    assert len(list(tmp_path.iterdir())) == 5


@pytest.mark.usefixtures("thread")
def test_a_file_that_comes_while_the_thread_is_ending_is_not_left_lying(imports: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    is_work_left, came = import_jobs.is_work_left, threading.Event()

    def look_and_be_overtaken(parts: Parts) -> bool:
        found = is_work_left(parts)
        if not came.is_set():
            came.set()
            imports.upload(workbook(line("L1", "lampu mati")))  # wakes the thread, which is not at its end yet
        return found

    monkeypatch.setattr(import_jobs, "is_work_left", look_and_be_overtaken)
    imports.worker.wake()
    assert came.wait(20)
    _wait(lambda: imports.count(import_job, import_job.c.state == "surveyed") == 1)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_file_is_kept_whose_job_a_worker_takes_in_that_moment(imports: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    number = imports.begin(workbook(line("L1", "lampu mati")))
    with imports.parts.database.write() as connection:
        connection.execute(update(import_job).values(created_at=now() - dt.timedelta(hours=25)))

    def take(job: Job) -> str:
        with imports.parts.database.write() as connection:
            connection.execute(update(import_job).values(lease="lain", lease_until=now() + dt.timedelta(minutes=1)))
        return ""

    monkeypatch.setattr(import_jobs, "_so_far", take)
    assert import_jobs.expire(imports.parts.database, imports.parts.settings.uploads) == 0
    assert imports.job(number).state == "surveyed"


def test_files_leave_a_server_that_nobody_calls(imports: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_worker, "LOOK_SECONDS", 0.05)
    number = imports.run(workbook(line("L1", "lampu mati"))).id
    folder = imports.parts.settings.uploads
    monkeypatch.setattr(ImportWorker, "wake", WAKE)
    imports.worker.keep_watch()
    time.sleep(0.3)
    assert [path.name for path in folder.iterdir()] == [imports.job(number).path], "its day is not over"
    with imports.parts.database.write() as connection:
        connection.execute(update(import_job).values(created_at=now() - dt.timedelta(hours=25)))
    _wait(lambda: not list(folder.iterdir()))
    imports.worker.stop()


def test_a_cancelled_import_leaves_nothing(imports: Imports) -> None:
    number = imports.begin(workbook(line("L1", "lampu mati")))
    imports.person.send(f"/impor/{number}/batal", f"/impor/{number}")
    assert imports.job(number).state == "cancelled"
    assert list(imports.parts.settings.uploads.iterdir()) == []
    assert imports.count(complaint) == 0


def test_an_import_under_way_can_no_longer_be_cancelled(imports: Imports) -> None:
    job = imports.run(workbook(line("L1", "lampu mati")))
    imports.person.send(f"/impor/{job.id}/batal", "/impor")
    assert imports.job(job.id).state == "done"


def test_the_same_file_twice_at_once_is_one_import(imports: Imports) -> None:
    content = workbook(line("L1", "lampu mati"))
    first, second = imports.upload(content), imports.upload(content)
    assert first.headers["Location"] == second.headers["Location"]
    assert len(list(imports.parts.settings.uploads.iterdir())) == 1


def test_a_form_that_was_sent_twice_processes_once(imports: Imports) -> None:
    number = imports.begin(workbook(line("L1", "lampu mati")))
    imports.go(number)
    again = imports.person.send(f"/impor/{number}/proses", "/impor", putusan="ya")
    assert again.status_code == 303
    assert "sudah diproses atau dibatalkan" in imports.page(number)
    assert imports.count(complaint) == 1


@both
@pytest.mark.parametrize("over", ["proses", "batal"])
@pytest.mark.parametrize("more", [{}, {"rinci": "0"}])
def test_a_page_of_before_changes_no_name_any_more(imports: Imports, over: str, more: dict[str, str]) -> None:
    number = imports.begin(workbook(line("L1", "lampu mati", "Kantor Lampu")))
    imports.person.send(f"/impor/{number}/{over}", "/impor", **{"nama-0": "dishub"})  # a colleague; the service has not begun yet
    before = imports.count(mapping_table)
    late = imports.person.send(f"/impor/{number}/proses", "/impor", **{"nama-0": "dlh", "putusan": "ya"}, **more)
    assert late.status_code == 303
    with imports.parts.database.read() as connection:
        targets = name_mapping.load(connection, import_jobs.SOURCE)
    assert targets.of("Kantor Lampu") == ("dishub" if over == "proses" else "")
    assert imports.count(mapping_table) == before
    assert "sudah diproses atau dibatalkan" in imports.page(number)


@both
def test_every_step_is_in_the_log(imports: Imports) -> None:
    job = imports.run(workbook(line("L1", "lampu mati", "Dishub")), names={"nama-0": "dishub"})
    imports.fetch(job.id)
    with imports.parts.database.read() as connection:
        actions = (
            connection.execute(select(audit_log.c.action).where(audit_log.c.object == f"import:{job.id}").order_by(audit_log.c.id))
            .scalars()
            .all()
        )
    assert actions == ["import-uploaded", "names-mapped", "import-started", "import-finished", "import-handed-back"]


# bad input


def _zip(**parts_of_it: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts_of_it.items():
            archive.writestr(name.replace("__", "/"), content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        (b"PK\x03\x04 this is no workbook", "rusak.xlsx", "rusak"),
        (workbook(line("L1", "lampu"))[:800], "terpotong.xlsx", "rusak"),
        (_zip(isi=b"halo"), "zip.xlsx", "rusak"),
        (_zip(**{"[Content_Types].xml": b"<x/>", "xl__worksheets__sheet1.xml": b"0" * 30_000_000}), "bom.xlsx", "terlalu besar"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 100, "lama.xlsx", ".xls lama"),
        (b"\x89PNG\r\n\x1a\n" + bytes(200), "gambar.csv", "bukan ekspor"),
        (b"nama;alamat\nBudi;Jalan\n", "lain.csv", "bukan ekspor"),
        (workbook(line("L1", "lampu"), header=(*HEADER[:9], OURS[0])), "kembali.xlsx", "hasil dari Salur"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_a_reason(imports: Imports, content: bytes, name: str, told: str) -> None:
    number = imports.begin(content, name)
    job = imports.job(number)
    assert job.state == "failed"
    assert told in job.error
    assert str(imports.parts.settings.uploads) not in imports.page(number)
    assert list(imports.parts.settings.uploads.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        (b"x", "laporan.pdf", "berakhiran .pdf"),
        (b"x", "laporan", "Pilih berkas .xlsx"),
        (b"", "kosong.csv", "kosong"),
        (b"x", "", "Pilih berkasnya"),
    ],
)
def test_a_wrong_kind_of_file_is_refused_at_once(imports: Imports, content: bytes, name: str, told: str) -> None:
    refused = imports.upload(content, name)
    assert refused.status_code == 422
    assert told in refused.text
    assert imports.count(import_job) == 0


def test_more_rows_than_allowed_are_refused_before_any_is_taken_in(imports: Imports) -> None:
    content = as_csv(*(line(f"L{n}", "lampu mati") for n in range(60_000)))
    taken = uploads.receive(imports.parts.settings.uploads, io.BytesIO(content), "besar.csv")
    with imports.parts.database.write() as connection:
        number = import_jobs.add(connection, taken, 1)
    imports.worker.work_off()
    job = imports.job(number)
    assert job.state == "failed"
    assert "lebih dari 50.000 laporan" in job.error
    assert imports.count(complaint) == 0


def test_an_upload_beyond_the_limit_is_refused(imports: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_BYTES", 1_000)
    refused = imports.upload(b"x" * 2_000, "besar.csv")
    assert refused.status_code == 422
    assert list(imports.parts.settings.uploads.iterdir()) == []


@both
def test_html_and_formulas_in_every_cell_stay_text(imports: Imports) -> None:
    evil = '=cmd|" /C calc"!A0 <script>alert(1)</script>'
    number = imports.begin(
        workbook((evil, evil, evil, f"lampu {evil}", evil, evil, evil, evil, evil, evil)), "<img src=x onerror=alert(1)>.xlsx"
    )
    page = imports.page(number)
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    job = imports.go(number, names={"nama-0": "dishub"})
    assert job.state == "done"
    assert "<script>alert" not in imports.page(number)
    assert imports.count(complaint) == 1


def test_every_fault_of_a_file_has_words_for_an_officer() -> None:
    others = ("over 100 MB", "no such file", "part 'x' is encrypted", "not CSV: x", "more than 50,000 reports: x")
    for reason in (*others, "not CSV: a quotation mark of this record is never closed"):
        told = explain(InvalidData([Fault("/rahasia/x", 7, reason)]))
        assert "/rahasia" not in told
        assert reason not in told
        assert told.endswith("(baris 7)")
    assert "Tanda kutip" in told


def test_a_locked_database_is_said_so(imports: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    token = imports.person.token("/impor")

    def locked(*_: Any, **__: Any) -> int:
        raise OperationalError("INSERT", {}, Exception("database is locked"))

    monkeypatch.setattr(import_jobs, "add", locked)
    busy = imports.person.client.post(
        "/impor",
        data={"csrf_token": token, "berkas": (io.BytesIO(as_csv(line("L1", "lampu"))), "a.csv")},
        content_type="multipart/form-data",
    )
    assert busy.status_code == 503
    assert "sibuk" in busy.text
    assert list(imports.parts.settings.uploads.iterdir()) == []


def test_importing_asks_for_a_role_that_may(app: Flask, database: Database, person: Person) -> None:
    reader = _officer(app, database, person, "peninjau-saja")
    assert reader.client.get("/impor").status_code == 403
    refused = reader.client.post(
        "/impor", data={"csrf_token": reader.token("/sandi"), "berkas": (io.BytesIO(b"x" * 100_000), "a.csv")}
    )
    assert refused.status_code == 403


def test_an_import_that_is_not_there_is_said_so(imports: Imports) -> None:
    missing = imports.person.client.get("/impor/999")
    assert missing.status_code == 404
    assert "Impor itu tidak ada" in missing.text


def test_names_beyond_those_asked_about_are_counted(imports: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "MAX_NAMES", 2)
    number = imports.begin(workbook(*(line(f"L{n}", "lampu", f"Kantor {'ABCDE'[n]}") for n in range(5))))
    assert imports.job(number).counts["more_names"] == 3
    assert "3 nama lain" in imports.page(number)


def test_only_names_that_a_page_leaves_out_are_told_to_be_left_out(imports: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_page, "SHOWN_NAMES", 2)
    known = [line(number, "lampu mati", "Dishub Kutim") for number in (1, 2)]
    imports.run(workbook(*known), names={"nama-0": "dishub"})
    others = [line(number, "lampu mati", f"Dinas Lain {number}") for number in (3, 4)]
    assert "tidak ditanyakan kali ini" not in imports.page(imports.begin(workbook(*known, *others)))
    further = line(5, "lampu mati", "Dinas Lain 5")
    assert "1 nama lain yang lebih jarang tidak ditanyakan" in imports.page(imports.begin(workbook(*known, *others, further)))


def test_saving_a_mapping_twice_changes_nothing(database: Database, petugas: Person) -> None:
    with database.write() as connection:
        assert name_mapping.save(connection, "lapor", {("Kantor Lampu", ""): "dishub"}, 1) == 1
        assert name_mapping.save(connection, "lapor", {("kantor lampu", ""): "dishub"}, 1) == 0
        assert name_mapping.save(connection, "lapor", {("kantor lampu", ""): ""}, 1) == 1
        assert name_mapping.load(connection, "lapor").of("Kantor Lampu") == ""


def _officer(app: Flask, database: Database, like: Person, role: str = "petugas") -> Person:
    person = type(like)(app.test_client())
    with database.write() as connection:
        accounts.add(connection, "lain", role, "katak-melompat-7x", must_change=False)
    assert person.sign_in("lain").status_code == 302
    return person


def _wait(ready: Callable[[], bool], seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.05)


# a commit of which nobody hears what became of it


def _lost_at_commit(parts: Parts, monkeypatch: pytest.MonkeyPatch, at: int = 1) -> None:
    """Keep what is committed, and lose the connection before the server's word of it arrives: at one commit, counted from now."""
    dialect = parts.database.engine.dialect
    commit, calls = dialect.do_commit, []

    def lost(connection: Any) -> None:
        commit(connection)
        calls.append(1)
        if len(calls) == at:
            connection.dbapi_connection.close()
            raise psycopg.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(dialect, "do_commit", lost)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_an_upload_whose_commit_was_not_heard_of_can_go_on(imports: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    content = workbook(line("L1", "lampu mati"))
    with monkeypatch.context() as patched:
        _lost_at_commit(imports.parts, patched)
        answer = imports.upload(content)
    assert answer.status_code == 503
    assert "belum pasti tersimpan" in answer.text
    again = imports.begin(content)
    assert imports.job(again).state == "surveyed"
    assert imports.count(import_job) == 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_result_whose_commit_was_not_heard_of_is_there(imports: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_worker, "PAUSE_SECONDS", 0.0)
    number = imports.begin(workbook(line("L1", "lampu mati")))
    whole = lapor.write_back

    def written(*args: Any) -> None:
        whole(*args)
        _lost_at_commit(imports.parts, monkeypatch)

    monkeypatch.setattr(lapor, "write_back", written)
    with suppress(LostLease):
        imports.go(number)
    assert imports.job(number).state == "done"
    assert len(rows_of(imports.fetch(number))) == 1


def test_a_database_that_is_often_busy_gives_no_job_up(imports: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    number = imports.begin(workbook(line("L1", "lampu mati")))
    monkeypatch.setattr(import_worker, "PAUSE_SECONDS", 0.0)
    whole, calls = exchange._process, []

    def busy(*args: Any) -> None:
        calls.append(1)
        if len(calls) <= 2 * import_jobs.MAX_ATTEMPTS:
            raise OperationalError("INSERT", {}, Exception("database is locked"))
        whole(*args)

    monkeypatch.setattr(exchange, "_process", busy)
    assert imports.go(number).state == "done"


def test_a_server_that_is_restarted_often_gives_up_no_job_that_gets_on(imports: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "CHUNK", 1)
    rows = 2 * import_jobs.MAX_ATTEMPTS
    number = imports.begin(workbook(*(line(f"L{n}", f"lampu mati nomor {n}") for n in range(rows))))
    whole, calls = exchange._take_in, []

    def stopped(*args: Any) -> Any:
        calls.append(1)
        if len(calls) % 2 == 0:
            raise KeyboardInterrupt
        return whole(*args)

    with monkeypatch.context() as patched:
        patched.setattr(exchange, "_take_in", stopped)
        with suppress(KeyboardInterrupt):
            imports.go(number)
        for _ in range(rows):
            with imports.parts.database.write() as connection:
                connection.execute(update(import_job).values(lease_until=now() - dt.timedelta(seconds=1)))
            with suppress(KeyboardInterrupt):
                imports.worker.work_off()
    assert (imports.job(number).state, imports.count(complaint)) == ("done", rows)


def test_an_id_that_is_made_up_cannot_be_tried_out_without_the_secret() -> None:
    asked = [(report, secret * 32) for secret in "ab" for report in (Report(1, "hubungi 081234567890"), Report(1, "hubungi kami"))]
    made = [exchange.client_id(*each) for each in asked]
    assert made == [exchange.client_id(*each) for each in asked]
    assert len(set(made)) == 4


def test_a_broken_cell_is_not_quoted(imports: Imports, capsys: pytest.CaptureFixture[str]) -> None:
    broken = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook(line(424_242, "lampu mati")))) as book, zipfile.ZipFile(broken, "w") as out:
        for name in book.namelist():
            out.writestr(name, book.read(name).replace(b"<v>424242</v>", b"<v>Budi Santoso 0812</v>"))
    job = imports.job(imports.begin(broken.getvalue()))
    told = capsys.readouterr()
    assert (job.state, "rusak" in job.error) == ("failed", True)
    assert "import refused" in told.out + told.err
    assert "Budi" not in told.out + told.err + job.error
