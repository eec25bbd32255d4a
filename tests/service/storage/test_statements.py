"""Statements that go straight to the driver: they say and raise what SQLAlchemy would."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import bindparam, insert, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from service.clock import now
from service.storage.database import Database
from service.storage.statements import Statement
from service.storage.tables import idempotency
from service.web.problems import is_busy

BOTH = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
VALUES = {"name": "budi", "full_name": "Budi", "password_hash": "x", "role": "kepala", "active": True, "epoch": 0}
INSERT = Statement(
    text(
        "INSERT INTO account (name, full_name, password_hash, role, active, epoch, must_change_password, created_at) "
        "VALUES (:name, :full_name, :password_hash, :role, :active, :epoch, :active, CURRENT_TIMESTAMP)"
    )
)
NAMES = Statement(text("SELECT name, role FROM account WHERE role = :role ORDER BY name"))


@BOTH
def test_rows_are_written_and_read(database: Database) -> None:
    with database.write() as connection:
        INSERT.run(connection, VALUES)
        INSERT.run_each(connection, [VALUES | {"name": name, "role": "petugas"} for name in ("cici", "ani")])
    with database.read() as connection:
        assert [tuple(row) for row in NAMES.rows(connection, {"role": "petugas"})] == [("ani", "petugas"), ("cici", "petugas")]
        assert list(NAMES.rows(connection, {"role": "pengelola"})) == []


@BOTH
def test_what_breaks_a_constraint_is_told_as_sqlalchemy_tells_it_and_without_values(database: Database) -> None:
    with pytest.raises(IntegrityError) as refused, database.write() as connection:
        INSERT.run_each(connection, [VALUES | {"full_name": "Rahasia"}] * 2)
    assert "Rahasia" not in str(refused.value.params)
    with database.read() as connection:
        assert list(NAMES.rows(connection, {"role": "kepala"})) == []


@BOTH
def test_values_are_made_the_drivers_own(database: Database) -> None:
    columns = ["source", "key", "digest", "complaint_id", "created_at"]
    moment = now().astimezone(dt.timezone(dt.timedelta(hours=8)))
    add = Statement(insert(idempotency), columns)
    found = Statement(select(idempotency.c.key).where(idempotency.c.created_at == bindparam("at"), idempotency.c.source != "b"))
    with database.write() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")  # there is no such complaint
        else:
            connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        add.run(connection, dict(zip(columns, ("a", "kunci", "d", 1, moment), strict=True)))
        assert [row[0] for row in found.rows(connection, {"at": moment})] == ["kunci"]
        connection.rollback()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_connection_that_broke_is_told_as_busy_and_not_used_again(database: Database) -> None:
    with database.engine.connect() as connection, database.write() as other:
        process = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        other.exec_driver_sql(f"SELECT pg_terminate_backend({process})")
        with pytest.raises(OperationalError) as broken:
            NAMES.rows(connection, {"role": "kepala"})
    assert is_busy(broken.value)
    for _ in range(3):
        with database.read() as connection:
            assert list(NAMES.rows(connection, {"role": "kepala"})) == []


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_connection_that_died_while_it_lay_idle_is_replaced(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with database.write() as other:
        with database.read() as connection:
            process = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        other.exec_driver_sql(f"SELECT pg_terminate_backend({process})")
    monkeypatch.setattr("service.storage.database.FRESH_SECONDS", 0.0)
    with database.read() as first, database.read() as second:
        assert list(NAMES.rows(first, {"role": "kepala"})) == list(NAMES.rows(second, {"role": "kepala"})) == []
