"""A file is taken or refused with a reason; it is private while it is here, and gone after a day."""

from __future__ import annotations

import datetime as dt
import io
import os
import stat
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from model.faults import Fault, InvalidData
from model.lapor import OURS
from service.clock import now
from service.complaints import retention
from service.imports import import_jobs, import_page, import_worker, uploads
from service.imports.import_jobs import Job
from service.imports.import_worker import ImportWorker, explain
from service.storage.tables import complaint, import_job
from tests.patience import wait_until
from tests.service.conftest import both, postgresql
from tests.service.importing import HEADER, Imports, as_csv, line, workbook

if TYPE_CHECKING:
    from tests.service.conftest import Person

WAKE = ImportWorker.wake


def test_a_file_that_is_far_too_large_is_refused_with_the_form_and_what_to_do(imports: Imports) -> None:
    data = {"csrf_token": imports.person.token("/impor"), "berkas": (io.BytesIO(b"x"), "ekspor.xlsx")}
    told = {"CONTENT_LENGTH": str(import_page.MAX_BODY + 1)}
    refused = imports.person.client.post("/impor", data=data, content_type="multipart/form-data", environ_overrides=told)
    assert refused.status_code == 413
    assert "Berkas lebih dari" in refused.text
    assert 'name="berkas"' in refused.text
    assert imports.count(import_job) == 0


def test_an_upload_beyond_the_limit_is_refused(imports: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_BYTES", 1_000)
    refused = imports.upload(b"x" * 2_000, "besar.csv")
    assert refused.status_code == 422
    assert list(imports.parts.settings.uploads.iterdir()) == []


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


def test_every_fault_of_a_file_has_words_for_an_officer() -> None:
    others = ("over 100 MB", "no such file", "part 'x' is encrypted", "not CSV: x", "more than 50,000 reports: x")
    for reason in (*others, "not CSV: a quotation mark of this record is never closed"):
        told = explain(InvalidData([Fault("/rahasia/x", 7, reason)]))
        assert "/rahasia" not in told
        assert reason not in told
        assert told.endswith("(baris 7)")
    assert "Tanda kutip" in told


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


def test_importing_asks_for_a_role_that_may(somebody: Callable[..., Person]) -> None:
    reader = somebody("peninjau-saja")
    assert reader.client.get("/impor").status_code == 403
    refused = reader.client.post(
        "/impor", data={"csrf_token": reader.token("/sandi"), "berkas": (io.BytesIO(b"x" * 100_000), "a.csv")}
    )
    assert refused.status_code == 403


def test_an_import_that_is_not_there_is_said_so(imports: Imports) -> None:
    missing = imports.person.client.get("/impor/999")
    assert missing.status_code == 404
    assert "Impor itu tidak ada" in missing.text


def test_nobody_else_can_read_the_folder(imports: Imports) -> None:
    imports.upload(workbook(line("L1", "lampu mati")))
    folder = imports.parts.settings.uploads
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    imports.worker.work_off()
    assert imports.go(1).state == "done"
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_what_else_lies_in_the_folder_of_uploads_stays(tmp_path: Path) -> None:
    for name in ("secret", "salur.db", "laporan.xlsx", "0" * 31 + ".csv", "0" * 32 + ".csv.bak"):
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, (time.time() - 90_000,) * 2)
    assert uploads.sweep(tmp_path, (), time.time()) == 0
    assert len(list(tmp_path.iterdir())) == 5


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


def test_files_leave_a_server_that_nobody_calls(imports: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_worker, "LOOK_SECONDS", 0.05)
    number = imports.run(workbook(line("L1", "lampu mati"))).id
    folder, expire, looked = imports.parts.settings.uploads, import_jobs.expire, list[int]()

    def look(*given: Any) -> int:
        looked.append(expire(*given))
        return looked[-1]

    monkeypatch.setattr(import_jobs, "expire", look)
    monkeypatch.setattr(ImportWorker, "wake", WAKE)
    imports.worker.keep_watch()
    wait_until(lambda: looked)
    assert [path.name for path in folder.iterdir()] == [imports.job(number).path], "its day is not over"
    with imports.parts.database.write() as connection:
        connection.execute(update(import_job).values(created_at=now() - dt.timedelta(hours=25)))
    wait_until(lambda: not list(folder.iterdir()))
    imports.worker.stop()


@postgresql
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
