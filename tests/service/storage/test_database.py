"""The memory: made by its migrations on both databases, guarded by its constraints."""

from __future__ import annotations

import datetime as dt
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from flask import Flask
from sqlalchemy import Connection, event, insert, select, text
from sqlalchemy.exc import IntegrityError, SQLAlchemyError, StatementError

from service import cli
from service.complaints import labels
from service.security import accounts
from service.settings import Settings
from service.storage import database
from service.storage.database import Database
from service.storage.migrating import revisions
from service.storage.tables import REVISION, account, breaker, metadata
from service.web.problems import is_busy
from tests.patience import wait_until

if TYPE_CHECKING:
    from tests.service.conftest import Api

BOTH = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
_READ_WHOLE = text(
    "SELECT sum(seq_tup_read), sum(n_tup_ins) FILTER (WHERE relname = 'complaint') FROM pg_stat_user_tables"
    " WHERE schemaname = current_schema() AND relname IN ('complaint', 'routing')"
)
"""Rows that were read by walking over a whole table, and how many complaints were ever added."""
MOMENT = dt.datetime(2026, 3, 1, 8, 0, tzinfo=dt.timezone(dt.timedelta(hours=8)))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without a table."""
    url = f"sqlite:///{tmp_path / 'kosong.db'}" if request.param == "sqlite" else str(request.getfixturevalue("postgres_schema"))
    made = Database(url)
    made.downgrade("base")
    yield made
    made.migrate()
    made.dispose()


def test_the_migrations_make_exactly_the_tables(empty: Database) -> None:
    assert empty.revision() is None
    assert not empty.is_current()
    empty.migrate()
    assert empty.is_current()
    with empty.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_every_revision_goes_up_and_down_and_keeps_what_was_there(empty: Database) -> None:
    empty.migrate(revisions()[0])
    with empty.write() as connection:
        accounts.add(connection, "ani", "pengelola", "katak-melompat-7x")
    for below, above in zip(revisions(), revisions()[1:], strict=False):
        empty.migrate(above)
        empty.downgrade(below)
        assert empty.revision() == below
        empty.migrate(above)
    with empty.read() as connection:
        assert [person.name for person in accounts.everyone(connection)] == ["ani"]
        assert connection.execute(text("SELECT position FROM feed_head")).scalar_one() == 0
    empty.downgrade("base")
    assert empty.revision() is None


def test_the_code_knows_the_newest_revision() -> None:
    assert revisions()[-1] == REVISION


def test_migrating_twice_changes_nothing(empty: Database) -> None:
    empty.migrate()
    empty.migrate()
    assert empty.is_current()


@BOTH
def test_moments_come_back_aware_and_in_utc(database: Database) -> None:
    with database.write() as connection:
        connection.execute(insert(breaker).values(agency="dlh", why="uji", model_version="v1", opened_at=MOMENT))
        kept = connection.execute(select(breaker.c.opened_at)).scalar_one()
    assert kept == MOMENT
    assert kept.tzinfo == dt.UTC


@BOTH
def test_a_moment_without_its_zone_is_refused(database: Database) -> None:
    with database.write() as connection, pytest.raises(StatementError, match="time zone"):
        connection.execute(insert(breaker).values(agency="dlh", why="uji", model_version="v1", opened_at=dt.datetime(2026, 3, 1)))


@BOTH
def test_an_agency_has_one_open_breaker(database: Database) -> None:
    row = {"agency": "dlh", "model_version": "v1", "why": "uji", "opened_at": MOMENT}
    with pytest.raises(IntegrityError), database.write() as connection:
        connection.execute(insert(breaker), [row, row])
    with database.write() as connection:
        connection.execute(
            insert(breaker), [row | {"closed_at": MOMENT, "closed_why": "beres"}, row | {"closed_at": None, "closed_why": None}]
        )
        assert len(connection.execute(select(breaker)).all()) == 2


@BOTH
@pytest.mark.parametrize("role", ["raja", ""])
def test_states_that_do_not_exist_are_refused_by_the_database(database: Database, role: str) -> None:
    row = {"name": "x", "full_name": "x", "password_hash": "x", "role": role, "active": True, "epoch": 0}
    with pytest.raises(IntegrityError), database.write() as connection:
        connection.execute(insert(account).values(**row, must_change_password=False, created_at=MOMENT))


@BOTH
def test_what_raises_is_not_kept(database: Database) -> None:
    with pytest.raises(RuntimeError), database.write() as connection:  # noqa: PT012 -- the failing block is the thing under test
        accounts.add(connection, "ani", "pengelola", "katak-melompat-7x")
        raise RuntimeError
    with database.read() as connection:
        assert accounts.everyone(connection) == []


@pytest.mark.parametrize("same_process", [True, False])
def test_a_locked_sqlite_gives_up_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, same_process: bool) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.2)
    made = Database(f"sqlite:///{tmp_path / 'sibuk.db'}")
    other = made if same_process else Database(f"sqlite:///{tmp_path / 'sibuk.db'}")
    held, release = threading.Event(), threading.Event()
    done = []

    def one(_: Connection) -> int:
        done.append(1)
        return 1

    def hold() -> None:
        with made.write():
            held.set()
            release.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(5)
    with pytest.raises(SQLAlchemyError) as refused, other.write():
        pass
    assert is_busy(refused.value)
    with pytest.raises(SQLAlchemyError) as refused:
        other.store(one)
    assert is_busy(refused.value)
    release.set()
    holder.join()
    assert made.store(one) == 1
    assert done == [1]  # what was refused is not done later
    for each in (made, other):
        each.dispose()


def test_no_statement_tells_its_values_in_an_error(tmp_path: Path) -> None:
    made = Database(f"sqlite:///{tmp_path / 'x.db'}")
    made.migrate()
    with pytest.raises(IntegrityError) as refused, made.write() as connection:
        connection.execute(insert(account).values(name="Joko Rahasia"))
    assert "Joko" not in str(refused.value)
    made.dispose()


def in_line(made: Database, count: int) -> None:
    """Wait until so many wait for their turn to write."""
    wait_until(lambda: len(made._turns) >= count)


def test_whoever_waits_to_write_is_never_overtaken_by_who_wrote_last(database: Database) -> None:
    order: list[str] = []

    def write(name: str) -> None:
        with database.write():
            order.append(name)

    waiting = [threading.Thread(target=write, args=(name,)) for name in "bcd"]
    with database.write():
        for count, thread in enumerate(waiting, 1):
            thread.start()
            in_line(database, count)
    write("a")  # at once: with a lock that goes to whoever runs just then, the others see no turn while this goes on
    write("a")
    for thread in waiting:
        thread.join()
    assert order == ["b", "c", "d", "a", "a"]


def test_whose_work_was_done_waits_for_no_further_turn(database: Database) -> None:
    answered = {name: threading.Event() for name in ("ani", "budi")}
    held, release = threading.Event(), threading.Event()

    def store(name: str) -> None:
        database.store(add(name))
        answered[name].set()

    def hold() -> None:
        with database.write():
            held.set()
            release.wait(10)

    threads = [threading.Thread(target=store, args=(name,)) for name in answered]
    threads.append(threading.Thread(target=hold))
    with database.write():
        for count, thread in enumerate(threads, 1):
            thread.start()
            in_line(database, count)
    assert held.wait(5)
    assert all(each.wait(5) for each in answered.values())  # while somebody else has the turn
    release.set()
    for thread in threads:
        thread.join()


def test_nobody_believes_work_kept_that_a_stopped_thread_had_taken_over(database: Database) -> None:
    def stop(connection: Connection) -> int:
        raise KeyboardInterrupt

    results = together(database, [stop, add("ani")])
    assert [type(result).__name__ for result in results] == ["KeyboardInterrupt", "TimeoutError"]
    assert database.store(add("ani"))  # and the turn was passed on


def together(made: Database, works: list[Callable[[Connection], int]]) -> list[int | BaseException]:
    """Do pieces of work at once, in one transaction where the database can: while one holds the turn, the others gather."""
    results: dict[int, int | BaseException] = {}
    held, release = threading.Event(), threading.Event()

    def hold(connection: Connection) -> int:
        held.set()
        release.wait(10)
        return 0

    def run(number: int, work: Callable[[Connection], int]) -> None:
        try:
            results[number] = made.store(work)
        except BaseException as error:  # told by the test, not by the thread
            results[number] = error

    holder = threading.Thread(target=run, args=(-1, hold))
    holder.start()
    assert held.wait(5)
    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for count, thread in enumerate(threads, 1):
        thread.start()
        in_line(made, count)
    release.set()
    for thread in (holder, *threads):
        thread.join()
    return [results[number] for number in range(len(works))]


def add(name: str) -> Callable[[Connection], int]:
    return lambda connection: accounts.add(connection, name, "petugas", "katak-melompat-7x")


def fail(connection: Connection) -> int:
    accounts.add(connection, "gagal", "petugas", "katak-melompat-7x")
    raise RuntimeError("this one alone")


def test_work_done_together_is_kept_or_fails_each_by_itself(database: Database) -> None:
    results = together(database, [add("ani"), fail, add("budi"), add("ani"), add("cici")])
    assert [type(result).__name__ for result in results] == ["int", "RuntimeError", "int", "InvalidAccount", "int"]
    with database.read() as connection:
        assert [person.name for person in accounts.everyone(connection)] == ["ani", "budi", "cici"]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_work_done_together_is_all_told_that_the_connection_was_lost(database: Database) -> None:
    def lose(connection: Connection) -> int:
        return int(connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())::int")).scalar_one())

    errors = database.store_each([add("ani"), lose, add("budi")])
    assert [isinstance(error, Exception) and is_busy(error) for error in errors] == [True, True, True]
    with database.read() as connection:
        assert accounts.everyone(connection) == []


def test_work_done_together_is_not_kept_where_the_commit_fails(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(connection: Connection) -> None:
        raise OSError("disk full")

    event.listen(database.engine, "commit", refuse)
    results = together(database, [add("ani"), add("budi")])
    assert [type(result).__name__ for result in results] == ["OSError", "OSError"]
    with database.read() as connection:
        assert accounts.everyone(connection) == []


def test_every_revision_goes_up_and_down_over_the_rows_of_an_import(empty: Database) -> None:
    """SQLite makes a table anew to change it, and `import_row` refers to the one that goes."""
    empty.migrate(revisions()[0])
    job = (
        "INSERT INTO import_job (id, file_name, digest, path, source, state, options, counts, error, created_at) "
        "VALUES (1, 'a.csv', '', '', 'lapor', 'done', '{}', '{}', '', '2026-03-01 08:00:00+00:00')"
    )
    with empty.write() as connection:
        connection.execute(text(job))
        connection.execute(text("INSERT INTO import_row (job_id, \"row\", status, detail) VALUES (1, 1, 'stored', '')"))
    empty.migrate()
    empty.downgrade(revisions()[0])
    empty.migrate()
    with empty.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM import_row JOIN import_job ON id = job_id")).scalar_one() == 1
    with pytest.raises(IntegrityError), empty.write() as connection:
        connection.execute(text("INSERT INTO import_row (job_id, \"row\", status, detail) VALUES (2, 1, 'stored', '')"))
    empty.downgrade("base")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_either_end_that_vanished_is_given_up_before_the_kernel_would(database_url: str) -> None:
    made = Database(database_url)
    with made.read() as connection:
        ours = connection.connection.dbapi_connection.info.get_parameters()  # type: ignore[union-attr]
        theirs = connection.execute(text("SHOW tcp_keepalives_idle")).scalar_one()
    assert (ours["keepalives_idle"], ours["tcp_user_timeout"]) == ("30", "30000")
    assert theirs == "30", "a host that lost its power in a transaction holds its locks no longer"
    made.dispose()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_no_complaint_walks_over_those_before_it_where_postgresql_made_its_plans_when_there_were_few(
    app: Flask, api: Api, database: Database
) -> None:
    def send(numbers: range) -> None:
        for number in numbers:
            words = " ".join(f"kata{number}{letter}" for letter in "abcdefgh")
            assert api.post("/complaints", json={"id": f"B-{number}", "text": f"banjir {words}"}).status_code == 201

    def walked(complaints: int) -> int:
        app.extensions["salur"].database.dispose()  # a connection tells what it read when it ends, a moment later
        for _ in range(200):
            with database.read() as connection:
                rows, added = connection.execute(_READ_WHOLE).one()
            if added - before[1] >= complaints:
                return int(rows - before[0])
            time.sleep(0.05)
        raise AssertionError("PostgreSQL has not told of all that was stored")

    with database.read() as connection:
        before = connection.execute(_READ_WHOLE).one()
    send(range(60))
    with database.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("ANALYZE complaint, routing, sketch"))  # as PostgreSQL does itself, once there are fifty rows
    send(range(60, 160))
    assert walked(160) < 100 * 60, "each of the last hundred read all that were there before it"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_page_is_let_wait_only_so_long_and_a_command_as_long_as_it_needs(database: Database, settings: Settings) -> None:
    def limit(of: Database) -> object:
        with of.read() as connection:
            return connection.execute(text("SHOW statement_timeout")).scalar_one()

    with cli._database(settings) as commands:
        assert (limit(database), limit(commands)) == ("15s", "0")


def test_sqlite_gives_labels_one_by_one_and_sorts_no_million_of_them_in_memory(database: Database) -> None:
    asked: list[tuple[str, tuple[str, ...]]] = []
    event.listen(database.engine, "before_cursor_execute", lambda *told: asked.append((told[2], told[3])))
    with database.read() as connection:
        assert list(labels.labelled(connection, 0.1, lambda _: None, dt.UTC)) == []
        (query,) = [told for told in asked if "verdict" in told[0]]
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query[0]}", query[1]).all()
    assert [step for *_, step in plan if step.startswith("SCAN")] == ["SCAN verdict"]
    assert [step for *_, step in plan if "TEMP B-TREE" in step] == []


def test_a_copy_as_the_readme_makes_it_is_whole_and_read_by_its_owner_alone(tmp_path: Path) -> None:
    told = Path("README.md").read_text(encoding="utf-8").partition("* **Backups**")[2].partition("* **Back from a copy**")
    umask, program = re.findall(r"`(umask \d+)`", told[0]), re.findall(r"python -c \"(.+?)\"`", told[0])
    assert "`salur.db-wal`" in told[2]
    made = Database(f"sqlite:///{tmp_path / 'var' / 'salur.db'}")
    made.migrate()  # while it is open, all of it stands in its log
    subprocess.run(["sh", "-c", f'{umask[0]} && exec "$0" -c "{program[0]}"', sys.executable], cwd=tmp_path, check=True, timeout=60)
    copy = Database(f"sqlite:///{tmp_path / 'COPY'}")
    assert copy.is_current()
    assert (tmp_path / "COPY").stat().st_mode & 0o077 == 0
    made.dispose()
    copy.dispose()
