"""What the longest import costs: python -P tests/benchmarks/imports.py [--rows N] [--csv] [--postgres URL] [--models DIR].

Two rows of five are dispositioned already and taken as verdicts; texts are mixed from the default corpus: hardly two are alike.
Without --models the router is one that knows nothing and costs nothing: what is measured is the service.
"""

from __future__ import annotations

import argparse
import csv
import json
import logging
import os
import random
import resource
import secrets
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
from openpyxl import Workbook
from sqlalchemy import select

from model import labelled
from model.complaint import Complaint
from model.register import Register
from model.routing import Candidate, Decision, Reason, Routing
from service import create_app
from service.imports import exchange, import_jobs, name_mapping, uploads
from service.imports.import_jobs import SOURCE, Job
from service.parts import Parts
from service.security import accounts
from service.settings import Settings
from service.storage.tables import complaint
from tests.served import schema

DATA = Path(__file__).parents[2] / "data" / "kutai-timur"
HEADER = (
    "Tracking ID",
    "Tanggal Laporan Masuk",
    "Judul Laporan",
    "Isi Laporan Awal",
    "Kategori",
    "Instansi Terdisposisi",
    "Status Laporan",
)


@dataclass(frozen=True)
class KnowsNothing:
    """A router whose answer costs nothing; nine in ten of its answers wait for a person."""

    register: Register
    version: str = "bench"
    manifest: Mapping[str, Any] = field(default_factory=dict)

    def route(self, asked: Complaint) -> Routing:
        """Answer the same for all."""
        sure = len(asked.text) % 10 == 0
        decided, reasons = (Decision.AUTO, ()) if sure else (Decision.REVIEW, (Reason.LOW_CONFIDENCE,))
        candidates = (Candidate("dishub", 0.9 if sure else 0.4), Candidate("dpupr", 0.05))
        place = (asked.kecamatan, asked.desa)
        return Routing(decided, "dishub", "", candidates, reasons, (), "pengaduan", False, *place, (), (), (), None, self.version)


def rows(count: int) -> Iterator[tuple[object, ...]]:
    """Yield the rows of an export that nobody wrote."""
    die = random.Random(3)  # noqa: S311
    texts = [row.text.split() for row in labelled.load(DATA / "complaints.jsonl") if len(row.text) > 60]
    for number in range(count):
        words = [word for half in die.sample(texts, 3) for word in die.sample(half, len(half) // 2)]
        agency = die.choice(("Dinas Perhubungan", "Dinas Pekerjaan Umum dan Penataan Ruang")) if number % 5 < 2 else ""
        day = f"2026-{1 + number % 9:02}-{1 + number % 28:02}"
        yield (f"B{number:07}", day, " ".join(words[:6]), " ".join(words), "Topik Lainnya", agency, "Belum Terverifikasi")


def write(path: Path, count: int) -> None:
    """Write the export."""
    if path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows((HEADER, *rows(count)))
        return
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Laporan")
    for row in (HEADER, *rows(count)):
        sheet.append(row)
    book.save(path)


def measure(folder: Path, source: Path, url: str, models: Path | None) -> dict[str, Any]:
    """Import a file, step by step; answers seconds of wall and processor time, and the greatest memory, in MB."""
    parts = _service(folder, url, models)
    figures: dict[str, Any] = {"file_mb": round(source.stat().st_size / 2**20, 1), "memory_mb_before": _memory()}
    with source.open("rb") as stream:
        upload = uploads.receive(parts.settings.uploads, stream, source.name)
    with parts.database.write() as connection:
        by = accounts.add(connection, "uji", "petugas", secrets.token_hex(10), must_change=False)
        number = import_jobs.add(connection, upload, by)
        known = {("Dinas Perhubungan", ""): "dishub", ("Dinas Pekerjaan Umum dan Penataan Ruang", ""): "dpupr"}
        name_mapping.save(connection, SOURCE, known, by)
    for step in ("survey", "take in", "write back"):
        if step == "take in":
            with parts.database.write() as connection:
                import_jobs.confirm(connection, number, take=True, by=by)
        job = import_jobs.claim(parts)
        if job is None:
            raise SystemExit(f"nothing to do at step {step}: {_find(parts, number).error}")
        wall, processor = time.perf_counter(), time.process_time()
        exchange.work(parts, job)
        figures[step] = {"seconds": round(time.perf_counter() - wall, 1), "processor": round(time.process_time() - processor, 1)}
    done = _find(parts, number)
    figures["memory_mb"] = _memory()
    figures["counts"] = {name: value for name, value in done.counts.items() if name != "names"}
    with parts.database.read() as connection:
        figures["stored"] = len(connection.execute(select(complaint.c.id)).all())
    parts.database.dispose()
    return figures


def _service(folder: Path, url: str, models: Path | None) -> Parts:
    (folder / "secret").write_text("x" * 40)
    given = {"DATABASE": url, "SECRET_FILE": str(folder / "secret"), "UPLOADS": str(folder / "uploads")}
    given["MODELS"] = str(models or folder / "models")
    settings = Settings.from_environment({f"SALUR_{name}": value for name, value in given.items()})
    if models is None:
        (folder / "models" / "bench").mkdir(parents=True)
        (folder / "models" / "current").write_text("bench\n")
        register = Register.load(DATA)
        app = create_app(settings, lambda _: KnowsNothing(register))
    else:
        app = create_app(settings)
    parts: Parts = app.extensions["salur"]
    parts.database.migrate()
    parts.models.require()
    return parts


def _find(parts: Parts, number: int) -> Job:
    with parts.database.read() as connection:
        job = import_jobs.find(connection, number)
    if job is None:
        raise SystemExit("the job is gone")
    return job


def _memory() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def main() -> None:
    """Measure, and print the figures as JSON."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rows", type=int, default=50_000)
    asked.add_argument("--csv", action="store_true")
    asked.add_argument("--postgres", default="", help="URL of a database in which a schema may be made and dropped")
    asked.add_argument("--models", type=Path, help="a registry whose current model routes")
    given = asked.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / ("ekspor.csv" if given.csv else "ekspor.xlsx")
        if pid := os.fork():  # written by a child: its memory is not ours
            os.waitpid(pid, 0)
        else:
            write(source, given.rows)
            os._exit(0)
        with schema(given.postgres) if given.postgres else nullcontext(f"sqlite:///{folder / 'salur.db'}") as url:
            figures = measure(folder, source, url, given.models)
    print(json.dumps({"rows": given.rows, "database": "PostgreSQL" if given.postgres else "SQLite", **figures}, indent=1))


if __name__ == "__main__":
    main()
