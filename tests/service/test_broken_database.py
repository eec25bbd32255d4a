"""A database that is full, read-only or gone: the intake is told to come again, and nothing is kept by half."""

from __future__ import annotations

import errno
import json
import tempfile
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from sqlalchemy import event, text

from service.database import Database
from service.parts import Parts

if TYPE_CHECKING:
    from tests.service.conftest import Api

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


def test_a_batch_that_finds_no_room_on_disk_is_told_to_come_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", full)
    answer = api.post("/complaints/batch", data=b'{"text": "lampu"}', content_type="application/x-ndjson")
    assert answer.status_code == 503
    assert json.loads(answer.data)["type"] == "/api/docs#problem-busy"
