"""From one database into another: all of it under its own numbers, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Connection, select

from service.outbound import feed
from service.security import accounts, keys
from service.storage import copying
from service.storage.copying import CannotCopy
from service.storage.database import Database
from service.storage.tables import metadata

if TYPE_CHECKING:
    from tests.service.conftest import Api


@pytest.fixture
def postgres(postgres_schema: str) -> Iterator[Database]:
    """A database of PostgreSQL without a table."""
    made = Database(postgres_schema)
    made.downgrade("base")
    yield made
    made.downgrade("base")
    made.migrate()
    made.dispose()


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Database]:
    """A further database of SQLite without a table."""
    made = Database(f"sqlite:///{tmp_path / 'lain.db'}")
    yield made
    made.dispose()


def all_of(connection: Connection) -> dict[str, list[str]]:
    """Every row of every table; in what order text is sorted differs from one database to the other."""
    return {table.name: sorted(repr(tuple(row)) for row in connection.execute(select(table))) for table in metadata.sorted_tables}


def test_what_began_in_sqlite_goes_on_in_postgresql_and_comes_back(
    api: Api, database: Database, postgres: Database, file: Database
) -> None:
    for number in range(3):
        assert (
            api.post("/complaints", json={"id": f"A-{number}", "text": f"lampu {number} jalan poros padam pasti"}).status_code
            == 201
        )
    api.post("/complaints", json={"text": "sampah"}, headers={"Idempotency-Key": "k"})
    api.post("/complaints/A-1/outcome", json={"outcome": "bukan-wewenang", "agency": "pln"})
    api.get("/decisions")
    with database.read() as connection:
        was = all_of(connection)
    everything = sum(len(rows) for rows in was.values())
    heard: list[tuple[int, int]] = []
    assert copying.copy(database, postgres, lambda *told: heard.append(told)) == copying.copy(postgres, file) == everything
    assert heard[-1] == (everything, everything)
    for copied in (postgres, file):
        with copied.read() as connection:
            assert all_of(connection) == was
        with copied.write() as connection:  # numbers go on behind those that came along, and so does the feed
            assert keys.add(connection, "Lain", ["intake"])[0] == len(was["api_key"]) + 1
            assert feed.head(connection) == 4


def test_nothing_is_copied_over_what_is_there_nor_from_where_nothing_is(
    api: Api, database: Database, postgres: Database, file: Database
) -> None:
    api.post("/complaints", json={"text": "lampu"})
    with pytest.raises(CannotCopy, match="is it the right one, and migrated"):
        copying.copy(file, postgres)
    postgres.migrate()
    with postgres.write() as connection:
        accounts.add(connection, "ani", "pengelola", "katak-melompat-7x")
    with pytest.raises(CannotCopy, match="holds rows already, in account"):
        copying.copy(database, postgres)
    with postgres.read() as connection:
        left = all_of(connection)
    assert {name for name, rows in left.items() if rows} == {"account", "audit_log", "feed_head"}
