"""From one database into another, row by row: a desk that began with SQLite goes on with PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlalchemy import Connection, Table, delete, func, insert, select, text

from model.faults import SalurError
from service.storage.database import Database
from service.storage.tables import feed_head, metadata

_AT_ONCE = 500


class CannotCopy(SalurError):
    """A database cannot be copied; the text says why."""


def copy(source: Database, target: Database, progress: Callable[[int, int], object] = lambda *_: None) -> int:
    """Copy every row, under its own number, into a database that holds none, whole or not at all; answers how many.

    `progress` is called now and then with how many are copied, and how many there are. Nobody else may write to either meanwhile.
    Raises CannotCopy.
    """
    if not source.is_current():
        raise CannotCopy("what is to be copied has not the tables of this version: is it the right one, and migrated?")
    target.migrate()
    with source.read() as old, target.write() as new:
        new.execute(delete(feed_head))  # the migrations made its one row
        for table in metadata.sorted_tables:
            if new.execute(select(table).limit(1)).first() is not None:
                raise CannotCopy(f"the database to copy into holds rows already, in {table.name}: it must be empty")
        rows = sum(old.execute(select(func.count()).select_from(table)).scalar_one() for table in metadata.sorted_tables)
        copied = 0
        for table in metadata.sorted_tables:
            for part in _copy(old, new, table):
                copied += part
                progress(copied, rows)
    target.survey()
    return copied


def _copy(old: Connection, new: Connection, table: Table) -> Iterator[int]:
    """Copy a table part by part, yielding the rows of each."""
    key = list(table.primary_key)
    in_order = select(table).order_by(*key).execution_options(yield_per=_AT_ONCE)  # what a row refers to comes before it
    for part in old.execute(in_order).mappings().partitions():
        new.execute(insert(table), [dict(row) for row in part])
        yield len(part)
    counts = new.dialect.name == "postgresql" and table.autoincrement_column is not None
    if counts and (last := new.execute(select(func.max(key[0]))).scalar_one()) is not None:
        # Numbers that were given with the row do not move PostgreSQL's own counter.
        move = text("SELECT setval(pg_get_serial_sequence(:name, :column), :last)")
        new.execute(move, {"name": table.name, "column": key[0].name, "last": last})
