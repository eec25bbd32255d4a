"""Exports that nobody wrote, and an officer who imports them."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from flask import Flask
from openpyxl import Workbook, load_workbook
from sqlalchemy import func, select

from service.imports import import_jobs
from service.imports.import_jobs import Job
from service.imports.import_worker import ImportWorker
from service.parts import Parts

if TYPE_CHECKING:
    from tests.service.conftest import Person

HEADER = (
    "Tracking ID", "Tanggal Laporan Masuk", "Judul Laporan", "Isi Laporan Awal", "Kategori", "Tipe Laporan (Anonim/Rahasia)",
    "Instansi Terdisposisi", "Status Laporan", "Kecamatan", "Nama Pelapor",
)  # fmt: skip
Line = Sequence[Any]


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


def as_csv(*lines: Line) -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=";").writerows([HEADER, *lines])
    return out.getvalue().encode()


class Imports:
    """Somebody who imports files through the pages, and the worker, which works when told."""

    def __init__(self, person: Person, app: Flask) -> None:
        self.person = person
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


def rows_of(content: bytes) -> list[dict[str, str]]:
    sheet = load_workbook(io.BytesIO(content)).active
    assert sheet is not None
    values = [["" if cell is None else str(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]
    header = next(row for row in values if "Tracking ID" in row)
    return [dict(zip(header, row, strict=False)) for row in values[values.index(header) + 1 :]]
