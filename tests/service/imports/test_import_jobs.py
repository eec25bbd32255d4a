"""An import goes on where it was cut off, whoever dies or waits; nothing of it is taken in twice or half."""

from __future__ import annotations

import datetime as dt
import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import suppress
from typing import Any

import psycopg
import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from model import lapor
from service.clock import now
from service.imports import exchange, import_jobs, import_worker, result_file
from service.imports.import_jobs import LostLease
from service.imports.import_worker import ImportWorker
from service.parts import Parts
from service.storage.tables import audit_log, complaint, import_job, import_row
from tests.patience import wait_until
from tests.service.conftest import both, postgresql
from tests.service.importing import Imports, as_csv, line, rows_of, workbook

WAKE = ImportWorker.wake


@pytest.fixture
def thread(imports: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the worker's own thread do the work after all."""
    monkeypatch.setattr(ImportWorker, "wake", WAKE)


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
from service import create_app
from service.imports import exchange
from service.settings import Settings
import os
router = runpy.run_path("tests/service/conftest.py")["FakeRouter"]
take_in = exchange._take_in
exchange._take_in = lambda *args: time.sleep(0.05) or take_in(*args)  # so that it is met in the middle
create_app(Settings.from_environment(os.environ), router.load).extensions["salur-imports"].work_off()
"""


@both
def test_a_process_that_is_killed_loses_and_doubles_nothing(imports: Imports) -> None:
    rows = 900
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
    for stop in (1, 150, 400):
        other = subprocess.Popen([sys.executable, "-c", _ANOTHER_PROCESS], env={**os.environ, **given}, stdout=subprocess.DEVNULL)
        wait_until(lambda stop=stop: imports.job(number).counts.get("did_rows", 0) >= stop, 300)  # type: ignore[misc]
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


def test_the_file_of_a_job_that_is_given_up_stays_until_that_is_kept(imports: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    number = imports.begin(workbook(line("L1", "lampu mati")))
    with imports.parts.database.write() as connection:
        import_jobs.confirm(connection, number, take=True, by=1)
        options = {"take": True, "by": 1, "attempts": import_jobs.MAX_ATTEMPTS}
        connection.execute(update(import_job).values(options=options))

    def full(_connection: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(imports.parts.database.engine.dialect, "do_commit", full)
        with pytest.raises(OperationalError):
            import_jobs.claim(imports.parts)
    assert [path.name for path in imports.parts.settings.uploads.iterdir()] == [imports.job(number).path]
    assert import_jobs.claim(imports.parts) is None
    assert imports.job(number).state == "failed"
    assert list(imports.parts.settings.uploads.iterdir()) == []


@pytest.mark.parametrize("times", [1, 2 * import_jobs.MAX_ATTEMPTS])
def test_a_database_that_is_busy_only_delays_a_job_however_often(
    imports: Imports, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    number = imports.begin(workbook(line("L1", "lampu mati")))
    monkeypatch.setattr(import_worker, "PAUSE_SECONDS", 0.0)
    whole, calls = exchange._process, []

    def busy(*args: Any) -> None:
        calls.append(1)
        if len(calls) <= times:
            raise OperationalError("INSERT", {}, Exception("database is locked"))
        whole(*args)

    monkeypatch.setattr(exchange, "_process", busy)
    assert imports.go(number).state == "done"
    assert len(calls) == times + 1


@pytest.mark.parametrize(
    ("module", "step", "told"),
    [
        (exchange, "_take_in", "1 baris pertama sudah masuk"),
        (result_file, "write", "Semua laporan sudah masuk dan tetap tersimpan"),
    ],
)
def test_a_full_disk_ends_a_job_with_a_reason(
    imports: Imports, monkeypatch: pytest.MonkeyPatch, module: Any, step: str, told: str
) -> None:
    number = imports.begin(workbook(line("L1", "lampu mati"), line("L2", "sampah")))
    done = getattr(module, step)

    def full(*given: Any) -> Any:
        if step == "_take_in" and given[-1][0].report.tracking_id == "L1":
            return done(*given)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exchange, "CHUNK", 1)
    monkeypatch.setattr(module, step, full)
    job = imports.go(number)
    assert job.state == "failed"
    assert "Penyimpanan server penuh" in job.error
    assert told in job.error


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
    wait_until(lambda: imports.job(number).state == "surveyed")
    imports.person.send(f"/impor/{number}/proses", f"/impor/{number}", putusan="ya")
    wait_until(lambda: imports.job(number).state == "done")
    told = imports.person.client.get(f"/impor/{number}/keadaan").get_json()
    assert told == {"state": "done", "rows": 1, "done": 1}


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
    wait_until(lambda: imports.count(import_job, import_job.c.state == "surveyed") == 1)


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


@postgresql
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


@postgresql
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
