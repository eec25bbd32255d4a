"""Route complaints by the million: the same format comes back, in order, in constant memory, and a killed run goes on.

Whatever the format, records go in chunks to the workers, here or on a cluster, and their answers into a journal, from
which the output is made: so order, resuming and the bound on memory are one thing for all. A record that cannot be read
is answered by its error.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, CancelledError
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import joblib
import orjson
from tqdm import tqdm

from model import lapor, table
from model.artifact import read_manifest
from model.faults import Fault, InvalidData, SalurError
from training.bulk.answering import COLUMNS, Answers, Chunk, Work, answer, router_of
from training.bulk.journal import Journal
from training.reading import outputs, records, sources
from training.reading.records import Form, Record

CHUNK_RECORDS = 250
CHUNK_BYTES = 200_000
"""A chunk ends at whichever comes first: some 50 ms of work."""
CHUNKS_AHEAD = 24
MAX_CHUNKS_AHEAD = 480
"""Chunks for each worker, and for all, that are handed out before their answers are waited for: the bound on memory."""
FEW_CHUNKS = 8
"""Fewer are answered here sooner than workers are up."""
CONNECT_SECONDS = 5
WATCH_SECONDS = 1.0
"""How often a worker looks whether its run is still there."""
_BLANK = ("",) * len(lapor.OURS)

RunChunks = Callable[[Iterable[Chunk]], Iterable[Answers]]


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of a run; `errors` of the records could not be read, and an earlier run had come through `resumed` of them."""

    output: str
    records: int
    errors: int
    resumed: int

    def __str__(self) -> str:
        """Write one line."""
        unread = f", {self.errors:,} could not be read" if self.errors else ""
        again = f"; {self.resumed:,} of the {self.records:,} were done before" if self.resumed else ""
        return f"{self.output}: {self.records - self.errors:,} complaints answered{unread}{again}"


class UnreadRecords(SalurError):
    """The output is whole, but some records have an error in it instead of an answer."""


def predict(
    model: Path,
    source: Path | None = None,
    target: Path | None = None,
    *,
    evidence: bool = False,
    jobs: int = 1,
    dask: str = "",
    resume: bool = False,
) -> Summary:
    """Route every complaint of a file, or of standard input, and write the answers in the same format.

    JSON Lines give JSON Lines; a LAPOR! export or a plain table gives a copy with our columns beside theirs. `dask` is the
    address of a cluster whose workers find the model under the same path: one that dies is done without, and where none is
    left the run waits until there is one again. Else `jobs` processes work here. Without
    `evidence` the words that decided are left out. Raises SalurError; then a `target` is not there, or as it was.
    """
    form = records.form_of(source) if source else Form.LINES
    if target is not None:
        outputs.check_outside(target, model)
        _check_target(source, target, form)
    if source and form is not Form.LINES:
        _check_columns(source, form)
        if target is None:
            raise SalurError(f"{source}: a table cannot go to standard output: name a file by --output")
    if target is None and resume:
        raise SalurError("standard output cannot be resumed: name a file by --output")
    work = Work(str(model.resolve()), str(read_manifest(model).get("version")), form, evidence)
    router_of(work.model, work.version)  # a model that cannot be used is told before anything is begun
    with ExitStack() as stack:
        given = stack.enter_context(records.opened(source, form) if source else nullcontext(records.from_lines(sys.stdin.buffer)))
        journal = stack.enter_context(_journal(target, work, resume=resume)) if target else None
        prefix = _Prefix(given)
        chunks = _chunks(_unanswered(prefix, journal, str(source or "standard input")) if journal else iter(prefix))
        first = list(islice(chunks, FEW_CHUNKS))
        resumed = journal.lines if journal else 0
        bar = stack.enter_context(_bar(source if form is Form.LINES else None, resumed))
        run_chunks, ahead = stack.enter_context(_workers(work, jobs if len(first) == FEW_CHUNKS else 1, dask))
        errors = 0
        chunks = chain(first, chunks)
        while ahead_now := list(islice(chunks, ahead)):
            if journal:
                journal.announce(prefix.count, prefix.digest.hexdigest())
            for (numbers, _), (lines, wrong) in zip(ahead_now, run_chunks(ahead_now), strict=True):
                errors += wrong
                if journal:
                    journal.write(lines, len(numbers), wrong)
                else:
                    sys.stdout.buffer.write(lines)
                bar.update(len(numbers))
        if journal is None or target is None:
            sys.stdout.buffer.flush()
            return Summary("standard output", prefix.count, errors, 0)
        if source and form is not Form.LINES:
            _write_table(source, target, form, journal)
        journal.finish(target if form is Form.LINES else None)
        return Summary(str(target), journal.lines, journal.errors, resumed)


class _Prefix:
    """Records as they are taken, with the number and the digest of those taken so far."""

    def __init__(self, given: Iterator[Record]) -> None:
        self._given = given
        self.count = 0
        self.digest = hashlib.sha256()

    def __iter__(self) -> Iterator[Record]:
        for record in self._given:
            self.count += 1
            self.digest.update(record[1])
            self.digest.update(b"\n")
            yield record


def _check_target(source: Path | None, target: Path, form: Form) -> None:
    """Raise InvalidData where the output would take the input's place, or is called what it is not: told at once."""
    outputs.check_file(target, source)
    ours = sources.LINES_SUFFIXES if source is None or form is Form.LINES else (source.suffix.lower(),)
    if target.suffix.lower() not in ours:
        raise InvalidData([Fault(str(target), 0, f"the same format comes back, {form}: name a file that ends in {ours[0]!r}")])


def _check_columns(source: Path, form: Form) -> None:
    """Raise InvalidData where a table has our columns already: told at once, not after hours."""
    opened, ours = (lapor.open_export, lapor.OURS) if form is Form.EXPORT else (records.opened_table, COLUMNS)
    with opened(source) as (_, header, _):
        if any(lapor.plain(name) in header.names for name in ours):
            raise InvalidData([Fault(str(source), header.row, f"has our columns already ({ours[0]}): give the table without them")])


def _journal(target: Path, work: Work, *, resume: bool) -> Journal:
    # A table is written from its journal, by way of a .part of its own.
    name = target.name if work.form is Form.LINES else f"{target.name}.answers"
    run: Mapping[str, Any] = {"model": work.version, "input": work.form.value, "evidence": work.evidence}
    return Journal(target.with_name(f"{name}.part"), target.with_name(f"{target.name}.state"), run, resume=resume)


def _unanswered(prefix: _Prefix, journal: Journal, name: str) -> Iterator[Record]:
    """Step over the records that were answered before. Raises InvalidData where they are not these."""
    given = iter(prefix)
    for _ in islice(given, journal.lines):
        pass
    announced = list(islice(given, journal.records - journal.lines))
    if journal.records and prefix.digest.hexdigest() != journal.digest:  # what was left out of it is missed there too
        raise InvalidData([Fault(name, 0, f"not the input that {journal.part} was begun with: delete that to begin anew")])
    return chain(announced, given)


def _chunks(given: Iterator[Record]) -> Iterator[Chunk]:
    numbers: list[int] = []
    chunk: list[bytes] = []
    size = 0
    for number, record in given:
        numbers.append(number)
        chunk.append(record)
        size += len(record)
        if len(numbers) == CHUNK_RECORDS or size >= CHUNK_BYTES:
            yield tuple(numbers), b"\n".join(chunk)
            numbers, chunk, size = [], [], 0
    if numbers:
        yield tuple(numbers), b"\n".join(chunk)


@contextmanager
def _workers(work: Work, jobs: int, dask: str) -> Iterator[tuple[RunChunks, int]]:
    """Give what runs chunks and answers in their order, and how many chunks to give it at a time."""
    if jobs == 1 and not dask:
        yield lambda chunks: (answer(work, *chunk) for chunk in chunks), CHUNKS_AHEAD
        return
    router_of.cache_clear()  # the workers load their own
    with _cluster(dask) if dask else _processes(jobs), _parallel() as parallel:
        workers = joblib.effective_n_jobs() if dask else jobs
        try:
            yield (
                lambda chunks: parallel(joblib.delayed(answer)(work, *chunk) for chunk in chunks),
                min(CHUNKS_AHEAD * workers, MAX_CHUNKS_AHEAD),
            )
        except BrokenExecutor as error:
            raise SalurError("a worker process died, perhaps for want of memory: go on with --resume") from error


def _processes(jobs: int) -> Any:
    return joblib.parallel_config("loky", n_jobs=jobs, initializer=_end_with, initargs=(os.getpid(),))


def _end_with(run: int) -> None:
    """Let a worker end when its run does: where that was killed, nobody else would end one that waits for work."""

    def watch() -> None:
        while os.getppid() == run:
            time.sleep(WATCH_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="salur-watch", daemon=True).start()


def _parallel() -> Any:
    return joblib.Parallel(return_as="generator", pre_dispatch="all", batch_size=1)


@contextmanager
def _cluster(address: str) -> Iterator[None]:
    try:
        distributed: Any = importlib.import_module("distributed")  # an extra that most do without
    except ImportError as error:
        raise SalurError("--dask needs the extra `dask`: pip install 'salur[dask]'") from error
    try:
        asyncio.run(_knock(address))  # a client that finds nobody cannot be closed, and says so in a traceback of its own
        client = distributed.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TypeError, RuntimeError) as error:  # the last two where TLS lacks its certificates
        raise SalurError(f"{address}: no Dask scheduler answers there: {error}") from error
    with client, joblib.parallel_config("dask", client=client, n_jobs=-1):
        try:
            yield
        except Exception as error:
            told = (distributed.KilledWorker, distributed.comm.CommClosedError, CancelledError, TimeoutError)
            # A client that gave its scheduler up between two rounds is closed, and then fails as anything does.
            if not isinstance(error, told) and client.status in ("running", "connecting"):
                raise
            raise SalurError(f"{address}: the cluster gave up: {error}; go on with --resume") from error


async def _knock(address: str) -> None:
    distributed: Any = importlib.import_module("distributed")
    secured = distributed.Security().get_connection_args("client")
    (await distributed.comm.connect(address, timeout=CONNECT_SECONDS, **secured)).abort()


@contextmanager
def _bar(lines: Path | None, started: int) -> Iterator[Any]:
    quiet = not sys.stderr.isatty()
    total = None if quiet or lines is None else _count_lines(lines)
    with tqdm(total=total, initial=started, unit=" complaints", disable=quiet, file=sys.stderr) as bar:
        yield bar


def _count_lines(path: Path) -> int:
    with path.open("rb") as stream:
        return sum(block.count(b"\n") for block in iter(lambda: stream.read(2**20), b""))


def _write_table(source: Path, target: Path, form: Form, journal: Journal) -> None:
    """Write the copy of a table from the answers in a journal."""
    with journal.read() as lines:
        if form is Form.EXPORT:
            rows = (report.row for report in lapor.read(source, table.MAX_ROWS))
            lapor.write_back(source, target, zip(rows, (_export_cells(line) for line in lines), strict=True))
            return
        with records.opened_table(source) as (sheet, header, found):
            cells = ((number, _table_cells(line)) for (number, _), line in zip(found, lines, strict=True))
            sheet.append(target, chain([(header.row, COLUMNS)], cells))


def _export_cells(line: bytes) -> Sequence[str]:
    cells = orjson.loads(line)
    return cells if isinstance(cells, list) else _BLANK


def _table_cells(line: bytes) -> Sequence[str]:
    cells = orjson.loads(line)
    return cells if isinstance(cells, list) else (*("",) * (len(COLUMNS) - 1), cells["error"])
