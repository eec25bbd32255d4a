"""How long the pages take with much stored: python -P tests/benchmarks/pages.py [--stored N] [--postgres URL].

Everything arrived within a week and half of it was decided by people: more than any desk sees. The longest answers are measured.
"""

from __future__ import annotations

import argparse
import logging
import secrets
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import structlog
from sqlalchemy import text

from model.register import Register
from service import create_app
from service.security import accounts
from service.settings import Settings
from service.storage.database import Database
from tests.benchmarks import queue_page
from tests.served import schema

HERE = Path(__file__).parent
PASSWORD = "katak-melompat-7x"  # noqa: S105
ASKED = {
    "history, newest": "/riwayat",
    "history, an id": "/riwayat?cari=u-77",
    "history, a common word": "/riwayat?cari=jalan",
    "history, a word that is nowhere": "/riwayat?cari=zzzxxy",
    "history, agency and reason": "/riwayat?instansi=dpupr&alasan=place-conflict",
    "statistics, 7 days": "/statistik?masa=7",
    "statistics, 12 months": "/statistik?masa=365",
    "agencies": "/instansi",
    "an agency": "/instansi/dpupr",
    "export, CSV of one agency": "/riwayat/ekspor.csv?instansi=dlh",
    "export, CSV of everything": "/riwayat/ekspor.csv",
}
_DECIDED = """
INSERT INTO verdict (complaint_id, outcome, origin, agency, unit, also, missing, note, question, seconds, blind,
                     account_id, decided_at)
SELECT complaint_id, CASE WHEN complaint_id % 10 = 0 THEN 'changed' ELSE 'confirmed' END, 'desk',
       CASE WHEN complaint_id % 10 = 0 THEN 'dishub' ELSE agency END, '', '[]', '[]', '', '', 7, {false}, 1, received_at
FROM standing WHERE complaint_id % 2 = 0
"""
_STANDS = """
UPDATE standing SET state = 'decided', queue = '',
                    verdict_id = (SELECT v.id FROM verdict v WHERE v.complaint_id = standing.complaint_id)
WHERE complaint_id % 2 = 0
"""
_TOLD = """
INSERT INTO decision (complaint_id, source, decided_by, outcome, agency, unit, also, missing, model_version, decided_at)
SELECT complaint_id, 'ukur', 'model', 'auto', agency, '', '[]', '[]', '', received_at FROM standing
"""


class _NoRouter:
    """A model of which only the register is asked."""

    version = "ukur-1"

    def __init__(self) -> None:
        self.register = Register.load(HERE.parents[1] / "data" / "kutai-timur")
        self.manifest: Mapping[str, object] = {}

    def route(self, complaint: object) -> None:
        """Answer nothing: nobody asks but for a trial."""


def measure(url: str, folder: Path, stored: int) -> Iterator[tuple[str, float, float, int]]:
    """Yield what was asked for, the median time and this process's share of it in milliseconds, and the bytes of the answer."""
    database = Database(url)
    database.migrate()
    with database.write() as connection:
        accounts.add(connection, "ukur", "pengelola", PASSWORD, must_change=False)
    queue_page.fill(database, stored, stored // 20)
    with database.write() as connection:
        false = "false" if connection.dialect.name == "postgresql" else "0"
        for statement in (_DECIDED.format(false=false), _STANDS, _TOLD, "ANALYZE"):
            connection.execute(text(statement))
    database.dispose()
    (folder / "secret").write_text(secrets.token_hex(32))
    (folder / "models" / "ukur-1").mkdir(parents=True)
    (folder / "models" / "current").write_text("ukur-1\n")
    given = {"DATABASE": url, "SECRET_FILE": str(folder / "secret"), "MODELS": str(folder / "models"), "SECURE_COOKIES": "no"}
    given["UPLOADS"] = str(folder / "uploads")
    settings = Settings.from_environment({f"SALUR_{name}": value for name, value in given.items()})
    app = create_app(settings, lambda _: _NoRouter())  # type: ignore[arg-type, return-value]
    client = app.test_client()
    token = client.get("/masuk").text.split('name="csrf_token" value="')[1].split('"')[0]
    client.post("/masuk", data={"csrf_token": token, "nama": "ukur", "sandi": PASSWORD})
    for name, path in ASKED.items():
        times, worked, size = [], [], 0
        for _ in range(1 if "everything" in name else 5):
            began, working = time.perf_counter(), time.process_time()
            answer = client.get(path)
            size = len(answer.data)
            times.append((time.perf_counter() - began) * 1000)
            worked.append((time.process_time() - working) * 1000)
            if answer.status_code != 200:
                raise RuntimeError(f"{path} answered {answer.status_code}")
        yield name, statistics.median(times), statistics.median(worked), size
    app.extensions["salur"].database.dispose()


def main() -> None:
    """Measure, and print a table for each database."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--stored", type=int, default=100_000)
    asked.add_argument("--postgres", default="", help="URL of a database in which a schema may be made and dropped")
    given = asked.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with tempfile.TemporaryDirectory() as name:
        _show("SQLite", given.stored, measure(f"sqlite:///{name}/salur.db", Path(name), given.stored))
    if given.postgres:
        with tempfile.TemporaryDirectory() as name, schema(given.postgres) as url:
            _show("PostgreSQL", given.stored, measure(url, Path(name), given.stored))


def _show(kind: str, stored: int, measured: Iterator[tuple[str, float, float, int]]) -> None:
    print(f"{kind}, {stored:,} stored")
    for name, milliseconds, worked, size in measured:
        print(f"  {name:<32} {milliseconds:9.1f} ms, of which {worked:9.1f} ms of this process; {size:>12,} bytes")


if __name__ == "__main__":
    main()
