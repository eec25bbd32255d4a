"""One way to the database, SQLite or PostgreSQL: a connection to read, a transaction to write, and the migrations."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Dialect, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError, IntegrityError, OperationalError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

from service.storage.statements import Statement
from service.storage.tables import REVISION, metadata
from service.storage.turns import Job, TooManyWaiting, Turns, nothing

BUSY_SECONDS = 5
"""How long a writer waits for another before it gives up, and the caller is asked to come again."""
STATEMENT_SECONDS = 15
"""How long a caller or a page is let wait for one statement."""
_NOTICES = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
"""TCP keepalives: a peer that vanished is given up after a minute, its locks too; the kernel's default is two hours."""
_UNHEARD = {"tcp_user_timeout": 30_000}
"""Milliseconds that sent data may stay unacknowledged."""
PAGE_COST = 1.1
"""What PostgreSQL reckons for a page read out of order, where one in order costs 1: on today's disks that is hardly more. By its
default, 4, a check of a foreign key reads a table of a few pages whole, and keeps to that plan while the table grows, until it is
analysed."""
FRESH_SECONDS = 1.0
"""How long after its last use a connection is believed to live; after that it is asked first."""
_BEGIN, _BEGIN_TO_WRITE = Statement(text("BEGIN")), Statement(text("BEGIN IMMEDIATE"))
_SAVE, _TAKE_BACK, _RELEASE = (Statement(text(f"{how} job")) for how in ("SAVEPOINT", "ROLLBACK TO SAVEPOINT", "RELEASE SAVEPOINT"))
_T = TypeVar("_T")


class Database:
    """The service's database, to `read` and to `write`. No connection is opened before one is asked for."""

    def __init__(self, url: str, pool_size: int = 8, statement_seconds: int = STATEMENT_SECONDS) -> None:
        """Prepare the engine for a URL; `pool_size` is the number of threads that may ask at once.

        PostgreSQL gives a statement up after so many seconds; 0 sets no limit.
        """
        self.engine = _engine(url, pool_size, statement_seconds)
        self._one_writer = self.engine.dialect.name == "sqlite"
        self._at_once = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._turns = Turns()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection for reading; nothing done with it is kept.

        On SQLite all of it sees one snapshot; on PostgreSQL each statement sees what is committed by then.
        """
        with self.engine.connect() as connection:
            self._begin(connection, _BEGIN)
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a transaction: kept whole when the block ends, not at all when it raises."""
        with self._turn(), self._transaction() as connection:
            yield connection

    def store(self, work: Callable[[Connection], _T], *, at_once: bool = False) -> _T:
        """Do a piece of work in a transaction, and answer what it answers; it is kept, or it raised and is not.

        `at_once` promises that on PostgreSQL the work writes by one statement at most, so that it can run in autocommit, without
        the round trips of BEGIN and COMMIT.
        SQLite has one writer, and each commit waits for the disk: so whoever's turn it is does the work of all that wait in
        one transaction, each behind a savepoint of its own, and one wait for the disk serves them all.
        """
        if not self._one_writer:
            with self._at_once.connect() if at_once else self.write() as connection:
                return work(connection)
        job = Job(work)
        if self._wait(job):
            try:
                self._do([job, *self._turns.gather()])
            finally:
                self._turns.pass_on()
        if job.error is not None:
            raise job.error
        return cast(_T, job.value)

    def store_each(self, works: Sequence[Callable[[Connection], _T]]) -> Sequence[_T | Exception]:
        """Do several pieces of work in one transaction; each is kept and answered, or raised alone and is answered by its error."""
        jobs = [Job(work) for work in works]
        with self._turn():
            self._do(jobs)
        return [job.error or cast(_T, job.value) for job in jobs]

    def is_current(self) -> bool:
        """Tell whether the tables are those of this version of the code."""
        return self.revision() == REVISION

    def revision(self) -> str | None:
        """Answer the revision that the tables are at; None for an empty database."""
        with self.read() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
            return found

    def migrate(self, revision: str = "head") -> None:
        """Bring the tables up to a revision, "head" being this version's."""
        from service.storage import migrating  # it takes a tenth of a server's start, and no server needs it

        with self._rebuilding() as connection:
            migrating.upgrade(connection, revision)

    def downgrade(self, revision: str) -> None:
        """Take the tables back to an earlier revision; "base" removes them all."""
        from service.storage import migrating

        with self._rebuilding() as connection:
            migrating.downgrade(connection, revision)

    def survey(self) -> None:
        """Have PostgreSQL look at its tables after much was written at once: until it does so itself it plans for few rows."""
        if not self._one_writer:
            with self._at_once.connect() as connection:
                connection.execute(text(f"ANALYZE {', '.join(metadata.tables)}"))

    def empty_log(self) -> None:
        """Write SQLite's log into its file: what was purged can be read in the log until then. PostgreSQL has none such."""
        if self._one_writer:
            with self.engine.connect() as connection:
                connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))

    def dispose(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    @contextmanager
    def _rebuilding(self) -> Iterator[Connection]:
        """Give a transaction without SQLite's foreign-key checks, to rebuild tables in; all keys are checked at its end."""
        if not self._one_writer:
            with self.write() as connection:
                yield connection
            return
        with self._turn(), self.engine.connect() as connection:
            connection.execute(text("PRAGMA foreign_keys = OFF"))  # within a transaction it would do nothing
            connection.commit()
            try:
                with connection.begin():
                    self._begin(connection, _BEGIN_TO_WRITE)
                    yield connection
                    if lost := connection.execute(text("PRAGMA foreign_key_check")).all():
                        raise IntegrityError(f"{len(lost)} rows, of {lost[0][0]}, refer to nothing", None, Exception())
            finally:
                connection.execute(text("PRAGMA foreign_keys = ON"))
                connection.commit()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self.engine.begin() as connection:
            # A writer takes the lock at once: a reader that turns writer half-way cannot wait for its turn.
            self._begin(connection, _BEGIN_TO_WRITE)
            yield connection

    def _begin(self, connection: Connection, how: Statement) -> None:
        """Begin on SQLite, whose driver would do it later; not by an event of the engine: one makes every statement dearer."""
        if self._one_writer:
            how.run(connection, {})

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait for one's turn to write, in this process: SQLite's own waiting is by polling, and starves some."""
        if not self._one_writer:
            yield
            return
        self._wait(Job(nothing, exclusive=True))
        try:
            yield
        finally:
            self._turns.pass_on()

    def _wait(self, job: Job) -> bool:
        try:
            return self._turns.wait(job, BUSY_SECONDS)
        except TooManyWaiting as error:
            raise PoolTimeout("too many are waiting to write") from error

    def _do(self, jobs: Sequence[Job]) -> None:
        try:
            with self._transaction() as connection:
                for job in jobs:
                    self._do_one(connection, job, alone=len(jobs) == 1)
        except Exception as error:  # it could not begin or commit: nothing of anyone's was kept
            self._fail(jobs, error)
        except BaseException:  # this thread is being stopped, and the others must not believe that theirs was kept
            self._fail(jobs, PoolTimeout("whoever wrote was stopped"))
            raise
        finally:
            for job in jobs:
                job.finish()

    @staticmethod
    def _fail(jobs: Sequence[Job], error: Exception) -> None:
        for job in jobs:
            job.error = job.error or error

    def _do_one(self, connection: Connection, job: Job, *, alone: bool) -> None:
        if alone:
            job.value = job.work(connection)
            return
        # SQLAlchemy's own savepoints cost as much as three inserts.
        _SAVE.run(connection, {})
        try:
            job.value = job.work(connection)
        except Exception as error:
            job.error = error
            try:
                _TAKE_BACK.run(connection, {})
            except PendingRollbackError:  # the connection was lost: that is why, and not that nothing can be taken back on it
                raise error from None
        _RELEASE.run(connection, {})


def cause(error: BaseException) -> str:
    """Name why a database, or the disk, refused: `SQLITE_FULL`, `DiskFull`. Not in its words, which can quote what a citizen wrote.

    Those of a connection that could not be made, or was lost, tell of host and user alone: they are given as they are.
    """
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    if isinstance(error, PoolTimeout):
        return str(error.args[0])
    driver_error = getattr(error, "orig", None)
    if isinstance(error, OperationalError) and getattr(driver_error, "sqlstate", "") is None:
        return " ".join(str(driver_error).split())
    return getattr(driver_error, "sqlite_errorname", "") or type(driver_error or error).__name__


def _engine(text_url: str, pool_size: int, statement_seconds: int) -> Engine:
    url = make_url(text_url)
    options: dict[str, Any] = {"hide_parameters": True, "pool_size": pool_size, "max_overflow": 2, "pool_timeout": BUSY_SECONDS}
    if url.get_backend_name() == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
        limits = f"-c statement_timeout={statement_seconds * 1000} -c lock_timeout={BUSY_SECONDS * 1000} -c timezone=UTC"
        limits += f" -c random_page_cost={PAGE_COST}"
        limits += "".join(f" -c tcp_{name}={value}" for name, value in _NOTICES.items())
        notices = {name: value for name, value in (_NOTICES | _UNHEARD).items() if name not in url.query}
        options["connect_args"] = {
            **notices,
            "connect_timeout": BUSY_SECONDS,
            "options": f"{url.query.get('options', '')} {limits}".strip(),
        }
        url = url.difference_update_query(["options"])
        engine = create_engine(url, **options)
        event.listen(engine, "checkin", _note_use)
        event.listen(engine, "checkout", partial(_expect_alive, engine.dialect))
        return engine
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        Path(url.database).touch(mode=0o600)  # nobody else on the machine reads what citizens wrote
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False}, **options)
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _note_use(_connection: object, record: ConnectionPoolEntry) -> None:
    record.info["used"] = time.monotonic()


def _expect_alive(dialect: Dialect, connection: Any, record: ConnectionPoolEntry, _fairy: object) -> None:
    """Ask a connection that lay idle whether its server is still there. Where none is, the pool makes a new one.

    SQLAlchemy's own question (`pool_pre_ping`) comes at every use: under load it is one in four of all that a server is asked.
    """
    if time.monotonic() - record.info.get("used", float("inf")) > FRESH_SECONDS:
        try:
            dialect.do_ping(connection)
        except dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver must not open transactions behind our back: `Database` does, with the lock that is wanted.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # an acknowledged complaint survives a power cut
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")  # what was purged is not left in pages that are free
    connection.execute("PRAGMA cache_size = -16000")
    connection.execute("PRAGMA temp_store = MEMORY")
