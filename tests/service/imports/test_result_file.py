"""The file that goes back: as things stand here, whole or not at all, and only to whoever may have it."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.http import parse_options_header

from model import lapor
from model.lapor import OURS
from service.complaints import review
from service.complaints.review import Choice
from service.storage.tables import complaint, import_row, standing
from tests.service.conftest import both
from tests.service.importing import Imports, as_csv, line, rows_of, workbook

if TYPE_CHECKING:
    from tests.service.conftest import Person


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


def test_the_file_does_not_tell_what_the_model_said_of_a_blind_case(
    make_app: Callable[..., Flask], petugas: Person, no_threads: None
) -> None:
    imports = Imports(petugas, make_app(audit_share=1.0))
    job = imports.run(workbook(line("L1", "pasti lampu mati")))
    row = rows_of(imports.fetch(job.id))[0]
    assert row[OURS[0]] == ""
    assert row[OURS[2]] == ""
    assert row[OURS[3]] == "Terpilih untuk pemeriksaan acak"


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


def test_the_file_goes_back_only_to_whoever_uploaded_it_or_reads_what_is_confidential(
    imports: Imports, somebody: Callable[..., Person]
) -> None:
    job = imports.run(workbook(line("L1", "lampu mati")))
    other, head = somebody("petugas", "budi"), somebody("kepala")
    assert "Ambil berkas hasil" not in other.client.get(f"/impor/{job.id}").text
    assert other.send(f"/impor/{job.id}/berkas", "/impor").status_code == 403
    assert "Ambil berkas hasil" in head.client.get(f"/impor/{job.id}").text
    assert head.send(f"/impor/{job.id}/berkas", "/impor").data.startswith(b"PK")


def test_a_colleague_with_the_same_file_gets_a_result_of_their_own(
    imports: Imports, app: Flask, somebody: Callable[..., Person]
) -> None:
    content = workbook(line("L1", "lampu mati"))
    mine = imports.begin(content)
    other = Imports(somebody("petugas", "budi"), app)
    theirs = other.begin(content)
    assert mine != theirs
    assert [one.go(number).state for one, number in ((imports, mine), (other, theirs))] == ["done", "done"]
    assert other.fetch(theirs)
    assert imports.count(complaint) == 1
