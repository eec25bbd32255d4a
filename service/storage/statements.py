"""Statements that are compiled once and then go straight to the database's driver.

At every call SQLAlchemy looks a statement up, binds its values and wraps its answer anew, which costs more than the statement
itself. For a page that is nothing; for storing a complaint it is half of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Dialect
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.base import Executable

_Convert = Callable[[Any], Any] | None


@dataclass(frozen=True, slots=True)
class _Compiled:
    """What a driver is given: SQL, the names of its values in order, each with its conversion for the driver, and options."""

    sql: str
    order: Sequence[tuple[str, _Convert]]
    constants: Mapping[str, Any]
    options: Mapping[str, Any]

    def values(self, given: Mapping[str, Any]) -> tuple[Any, ...]:
        """Put values in order."""
        if self.constants:
            given = {**self.constants, **given}
        return tuple([convert(given[name]) if convert else given[name] for name, convert in self.order])


class Statement:
    """A statement of SQLAlchemy's, run without it. Answers come as the driver gives them: for text and whole numbers."""

    def __init__(self, statement: Executable, columns: Sequence[str] | None = None, *, growing: bool = False) -> None:
        """Take a statement; `columns` are those of an insert that are given.

        `growing` tables have PostgreSQL plan it anew at each call, for 0.1 ms. A connection otherwise keeps a plan until the tables
        are analysed again: one made when they were nearly empty reads them whole.
        """
        self._statement = statement
        self._columns = columns
        self._growing = growing
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, connection: Connection, given: Mapping[str, Any]) -> Sequence[tuple[Any, ...]]:
        """Run it in the transaction of a connection, and answer its rows. Raises SQLAlchemy's errors."""
        with self._cursor(connection) as (cursor, compiled):
            cursor.execute(compiled.sql, compiled.values(given), **compiled.options)
            found: Sequence[tuple[Any, ...]] = cursor.fetchall()
            return found

    def run(self, connection: Connection, given: Mapping[str, Any]) -> None:
        """Run it where it has no rows to answer."""
        with self._cursor(connection) as (cursor, compiled):
            cursor.execute(compiled.sql, compiled.values(given))

    def run_each(self, connection: Connection, several: Sequence[Mapping[str, Any]]) -> None:
        """Run it with several sets of values."""
        with self._cursor(connection) as (cursor, compiled):
            cursor.executemany(compiled.sql, [compiled.values(given) for given in several])

    @contextmanager
    def _cursor(self, connection: Connection) -> Iterator[tuple[Any, _Compiled]]:
        compiled = self._compiled.get(connection.dialect.name) or self._compile(connection.dialect)
        try:
            cursor = connection.connection.cursor()
            try:
                yield cursor, compiled
            finally:
                cursor.close()
        except connection.dialect.loaded_dbapi.Error as error:
            raise _as_sqlalchemys(connection, error) from error

    def _compile(self, dialect: Dialect) -> _Compiled:
        # Values by their place: drivers take them so without reading the statement again.
        by_place = psycopg.dialect(paramstyle="format") if dialect.name == "postgresql" else dialect  # type: ignore[no-untyped-call]
        compiled = self._statement.compile(dialect=by_place, column_keys=self._columns)  # type: ignore[attr-defined]
        types = {name: compiled.binds[name].type.dialect_impl(by_place) for name in compiled.positiontup}
        order = [(name, types[name].bind_processor(by_place)) for name in compiled.positiontup]
        constants = {name: bind.value for name, bind in compiled.binds.items() if bind.value is not None}
        options = {"prepare": False} if self._growing and dialect.name == "postgresql" else {}
        made = self._compiled[dialect.name] = _Compiled(str(compiled), order, constants, options)
        return made


def _as_sqlalchemys(connection: Connection, error: Exception) -> Exception:
    """Answer the error that SQLAlchemy would have raised; a connection that is broken is not used again."""
    dialect = connection.dialect
    broken = dialect.is_disconnect(error, connection.connection.dbapi_connection, None)  # type: ignore[arg-type]
    if broken:
        connection.invalidate(error)
    return DBAPIError.instance(
        None, None, error, dialect.loaded_dbapi.Error, hide_parameters=True, connection_invalidated=broken, dialect=dialect
    )
