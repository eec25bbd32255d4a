"""How long the queue's page takes with many complaints stored: python tests/benchmarks/queue_page.py [--stored N] [--postgres URL].

The texts are the default corpus, over and over; the worst case is that everything stored also waits, so both cases are measured.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import logging
import random
import secrets
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import structlog
from flask.testing import FlaskClient
from sqlalchemy import insert, text

from model import labelled
from service import create_app
from service.complaints import urgency
from service.security import accounts
from service.settings import Settings
from service.storage.database import Database
from service.storage.tables import complaint, routing, routing_reason, standing
from tests.served import schema

CORPUS = Path(__file__).parents[2] / "data" / "kutai-timur" / "complaints.jsonl"
PASSWORD = "katak-melompat-7x"  # noqa: S105
REASONS = ("low-confidence", "small-margin", "place-needed", "unknown-words", "place-conflict", "several-matters")
_QUEUES = ("review", "review", "review", "ask", "audit")


def fill(database: Database, stored: int, waiting: int, due_in: int = 5, seed: int = 1) -> None:
    """Store so many complaints, of which the newest wait, due so many days after they came; the rest went out by itself."""
    chance = random.Random(seed)  # noqa: S311
    rows = [row for row in labelled.load(CORPUS) if row.agency]
    numbered = enumerate(islice(cycle(rows), stored), 1)
    while batch := list(islice(numbered, 5_000)):
        made = [_made(number, row, number > stored - waiting, due_in, chance) for number, row in batch]
        with database.write() as connection:
            for table in (complaint, routing, routing_reason, standing):
                values = [value for one in made for value in one[table.name]]
                if values:
                    connection.execute(insert(table), values)
    with database.write() as connection:  # numbers were given by hand: the sequences must go on behind them
        if connection.dialect.name == "postgresql":
            for name in ("complaint", "routing"):
                connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), {stored})"))
        connection.execute(text("ANALYZE"))


def _made(
    number: int, row: labelled.LabelledComplaint, waits: bool, due_in: int, chance: random.Random
) -> dict[str, list[dict[str, Any]]]:
    at = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=chance.randrange(1, 10_000))
    due = at.date() + dt.timedelta(days=due_in)
    queue = chance.choice(_QUEUES) if waits else ""
    sure = 0.95 if queue in ("", "audit") else chance.uniform(0.2, 0.7)
    others = sorted(
        {chance.choice(("dpupr", "dishub", "dlh", "perkim", "dinsos", "kecamatan", "pln", "disdikbud")) for _ in range(5)}
    )
    listed = [{"agency": row.agency, "probability": sure}]
    listed += [{"agency": other, "probability": (1 - sure) / 6} for other in others if other != row.agency]
    decision = {"ask": "ask", "review": "review"}.get(queue, "auto")
    body = {
        "decision": decision,
        "agency": row.agency,
        "unit": row.unit,
        "candidates": listed,
        "reasons": [],
        "missing": ["lokasi"] if queue == "ask" else [],
        "kind": row.kind or "pengaduan",
        "oversight": row.oversight,
        "kecamatan": row.kecamatan,
        "desa": row.desa,
        "places": [],
        "rules": [],
        "evidence": [],
        "guarantee": None,
        "model_version": "ukur-1",
    }
    place = {"kecamatan": row.kecamatan, "desa": row.desa}
    days = {"verify_by": due, "follow_up_by": due + dt.timedelta(days=2), "finish_by": due + dt.timedelta(days=14)}
    said = {"agency": row.agency, "unit": row.unit}
    return {
        "complaint": [
            {"id": number, "source": "ukur", "client_id": f"u-{number}", "digest": "", "channel": "web", "title": row.title}
            | {"text": row.text, "confidential": False, "received_at": at, "stored_at": at}
            | place
            | days
        ],
        "routing": [
            {"id": number, "complaint_id": number, "model_version": "ukur-1", "decision": decision, "probability": sure}
            | {"oversight": row.oversight, "kind": body["kind"], "body": json.dumps(body), "routed_at": at}
            | place
            | said
        ],
        "routing_reason": [
            {"complaint_id": number, "reason": reason, "place": order}
            for order, reason in enumerate(chance.sample(REASONS, chance.choice((1, 1, 2))) if waits else ())
        ],
        "standing": [
            {"complaint_id": number, "state": "waiting" if waits else "sent", "queue": queue, "kecamatan": row.kecamatan}
            | {"routing_id": number, "received_at": at, "due": due, "rank": urgency.rank(due, sure, queue, oversight=row.oversight)}
            | said
        ],
    }


def measure(url: str, folder: Path, stored: int, waiting: int) -> Iterator[tuple[str, float, float]]:
    """Yield what was asked for, the median time, and this process's share of it, both in milliseconds."""
    database = Database(url)
    database.migrate()
    fill(database, stored, waiting)
    with database.write() as connection:
        accounts.add(connection, "ukur", "petugas", PASSWORD, must_change=False)
    (folder / "secret").write_text(secrets.token_hex(32))
    settings = {"SALUR_DATABASE": url, "SALUR_SECRET_FILE": str(folder / "secret"), "SALUR_MODELS": str(folder / "models")}
    app = create_app(Settings.from_environment(settings), lambda _: None)  # type: ignore[arg-type, return-value]
    client = app.test_client()
    page = client.get("/masuk", base_url="https://localhost").text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    form = {"csrf_token": token, "nama": "ukur", "sandi": PASSWORD}
    client.post("/masuk", data=form, base_url="https://localhost", headers={"Referer": "https://localhost/masuk"})
    first = client.get("/antrean", base_url="https://localhost")
    after = first.text.split("setelah=")[1].split('"')[0].split("&")[0]
    asked = {
        "first page": "/antrean",
        "next page": f"/antrean?setelah={after}",
        "agency": "/antrean?instansi=dpupr",
        "reason": "/antrean?alasan=place-conflict",
        "place": "/antrean?kecamatan=Busang",
        "age": "/antrean?umur=3-hari",
        "overdue": "/antrean?umur=terlambat",
    }
    for name, path in asked.items():
        times, worked = [], []
        for _ in range(15):
            began, working = time.perf_counter(), time.process_time()
            answer = client.get(path, base_url="https://localhost")
            times.append((time.perf_counter() - began) * 1000)
            worked.append((time.process_time() - working) * 1000)
            if answer.status_code != 200:
                raise RuntimeError(f"{path} answered {answer.status_code}")
        yield name, statistics.median(times), statistics.median(worked)
    yield _decide(client)
    database.dispose()
    app.extensions["salur"].database.dispose()


def _decide(client: FlaskClient) -> tuple[str, float, float]:
    """Decide complaints as the script does, each answer bringing the next one."""
    address = client.get("/antrean/berikutnya", base_url="https://localhost").headers["Location"]
    page = client.get(address, base_url="https://localhost").text
    times, worked = [], []
    for _ in range(15):
        form = {"csrf_token": page.split('name="csrf_token" value="')[1].split('"')[0], "keadaan": "0", "aksi": "bukan-aduan"}
        headers = {"Referer": "https://localhost/", "X-Salur": "meja"}
        began, working = time.perf_counter(), time.process_time()
        answer = client.post(address, data=form, base_url="https://localhost", headers=headers)
        times.append((time.perf_counter() - began) * 1000)
        worked.append((time.process_time() - working) * 1000)
        if answer.status_code != 200 or answer.headers["X-Salur-Alamat"] == address:
            raise RuntimeError(f"{address} was not decided: {answer.status_code}")
        address, page = answer.headers["X-Salur-Alamat"], answer.text
    return "decide, next", statistics.median(times), statistics.median(worked)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure both databases, with some and with all complaints waiting, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stored", type=int, default=100_000)
    parser.add_argument("--postgres", default="", help="URL of a PostgreSQL database; a schema of its own is made and dropped")
    options = parser.parse_args(arguments)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    for waiting in (options.stored // 20, options.stored):
        with tempfile.TemporaryDirectory() as name:
            _show("SQLite", options.stored, waiting, measure(f"sqlite:///{name}/salur.db", Path(name), options.stored, waiting))
        if options.postgres:
            with schema(options.postgres) as url, tempfile.TemporaryDirectory() as name:
                _show("PostgreSQL", options.stored, waiting, measure(url, Path(name), options.stored, waiting))


def _show(kind: str, stored: int, waiting: int, measured: Iterator[tuple[str, float, float]]) -> None:
    print(f"{kind}, {stored:,} stored, {waiting:,} waiting")
    for name, milliseconds, worked in measured:
        print(f"  {name:<12} {milliseconds:7.1f} ms, of which {worked:6.1f} ms of this process")


if __name__ == "__main__":
    main()
