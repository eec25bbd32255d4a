"""A database that is full, read-only or gone: the intake is told to come again, and nothing is kept by half."""

from __future__ import annotations

import errno
import json
import tempfile
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from service.complaints import storing
from service.parts import Parts
from service.storage.database import Database
from service.web import spreadsheets

if TYPE_CHECKING:
    from tests.service.conftest import Api, Person

LONG = {"text": "lampu pasti " + "panjang sekali " * 300}


def _counts(database: Database) -> dict[str, int]:
    with database.read() as connection:
        tables = ("complaint", "routing", "standing", "decision")
        return {table: int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()) for table in tables}  # noqa: S608


def test_on_a_full_disk_nothing_is_kept_by_half_and_all_goes_on_when_there_is_room(
    api: Api, app: Flask, database: Database
) -> None:
    parts: Parts = app.extensions["salur"]
    engine = parts.database.engine

    def limit(connection: object, *_: object) -> None:
        connection.execute("PRAGMA max_page_count = 1")  # type: ignore[attr-defined]  # none more than there are

    event.listen(engine, "checkout", limit)
    statuses = [api.post("/complaints", json={"id": f"F-{number}", **LONG}) for number in range(60)]
    refused = [answer for answer in statuses if answer.status_code != 201]
    assert {answer.status_code for answer in refused} == {503}
    assert refused[0].headers["Retry-After"] == "5"
    stored = len(statuses) - len(refused)
    assert set(_counts(database).values()) == {stored}
    assert api.post("/predictions", json=LONG).status_code == 200  # this one needs no disk
    event.remove(engine, "checkout", limit)
    event.listen(engine, "checkout", lambda connection, *_: connection.execute("PRAGMA max_page_count = 100000"))
    again = [api.post("/complaints", json={"id": f"F-{number}", **LONG}).status_code for number in range(60)]
    assert sorted(again) == [200] * stored + [201] * len(refused)
    assert set(_counts(database).values()) == {60}


def test_a_read_only_sqlite_is_told_as_busy(api: Api, app: Flask, database: Database) -> None:
    engine = app.extensions["salur"].database.engine
    event.listen(engine, "checkout", lambda connection, *_: connection.execute("PRAGMA query_only = ON"))
    answer = api.post("/complaints", json={"id": "R-1", **LONG})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert set(_counts(database).values()) == {0}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_postgresql_that_became_a_standby_is_told_as_busy(api: Api, app: Flask, database: Database) -> None:
    engine = app.extensions["salur"].database.engine

    def read_only(connection: Any, *_: object) -> None:
        connection.execute("SET default_transaction_read_only = on")
        connection.commit()

    event.listen(engine, "checkout", read_only)
    answer = api.post("/complaints", json={"id": "R-2", **LONG})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert set(_counts(database).values()) == {0}


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("away", "back"),
    [
        ("routing_reason RENAME TO gone", "gone RENAME TO routing_reason"),
        ("routing_reason RENAME COLUMN reason TO gone", "routing_reason RENAME COLUMN gone TO reason"),
    ],
)
def test_while_the_tables_are_those_of_another_version_the_sender_is_told_to_come_again(
    api: Api, database: Database, away: str, back: str
) -> None:
    with database.write() as connection:
        connection.execute(text(f"ALTER TABLE {away}"))
    answer = api.post("/complaints", json={"id": "V-1", "text": "lampu mati"})
    with database.write() as connection:
        connection.execute(text(f"ALTER TABLE {back}"))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert set(_counts(database).values()) == {0}


def test_a_batch_that_finds_no_room_on_disk_is_told_to_come_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", full)
    answer = api.post("/complaints/batch", data=b'{"text": "lampu"}', content_type="application/x-ndjson")
    assert answer.status_code == 503
    assert json.loads(answer.data)["type"] == "/api/docs#problem-busy"


def test_who_runs_it_reads_in_the_log_why_nothing_is_stored(app: Flask, api: Api) -> None:
    """Status 503 is all that a request's own line says, whether the disk is full or the server is gone."""
    engine = app.extensions["salur"].database.engine
    event.listen(engine, "checkout", lambda connection, *_: connection.execute("PRAGMA query_only = ON"))
    with capture_logs() as told:
        assert api.post("/complaints", json=LONG).status_code == 503
        assert api.post("/complaints/batch", data=json.dumps(LONG), content_type="application/x-ndjson").status_code == 200
    assert [line["why"] for line in told if line["log_level"] == "warning"] == ["SQLITE_READONLY"] * 2


def test_an_export_that_breaks_off_says_so_in_the_file() -> None:
    """Between a proxy that speaks HTTP/1.0 and us nothing else does: an answer ends where its connection ends."""

    def rows() -> Iterator[Sequence[str]]:
        yield ["1"]
        raise OperationalError("SELECT", {}, Exception("server closed the connection"))

    pieces = spreadsheets.as_csv(["Nomor"], rows())
    told = next(pieces)
    with pytest.raises(OperationalError):
        next(pieces)
    assert told.decode().split() == ["\ufeffNomor", "1", *spreadsheets.BROKEN_OFF.split()]


def test_what_may_be_stored_is_not_said_to_be_lost(api: Api, monkeypatch: pytest.MonkeyPatch, database: Database) -> None:
    """PostgreSQL keeps a complaint and goes away before it can say so."""
    whole = storing.add

    def lost(*args: Any) -> None:
        whole(*args)
        args[0].commit()
        raise OperationalError("INSERT", {}, Exception("server closed the connection"), connection_invalidated=True)

    monkeypatch.setattr(storing, "add", lost)
    answer = api.post("/complaints", json=LONG)
    assert _counts(database)["complaint"] == 1
    assert answer.status_code == 503
    assert "Nothing was stored" not in answer.text
    assert "not known" in answer.text


def test_a_key_is_not_made_where_nobody_can_be_shown_it(
    app: Flask, pengelola: Person, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page that shows it asks the database once more, and that is gone."""

    def gone(*_: object, **__: object) -> None:
        raise OperationalError("SELECT", {}, Exception("server closed the connection"))

    token = pengelola.token()
    monkeypatch.setattr("service.pages.people_page.render_template", gone)
    form = {"csrf_token": token, "nama": "Intake", "kewenangan": "intake"}
    assert pengelola.client.post("/pengguna/kunci", data=form).status_code == 503
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM api_key")).scalar_one() == 0
