"""Many complaints in one call: NDJSON in, NDJSON out, each line with its own status, in bounded memory.

The body is put on disk before the first line is answered: a sender that reads nothing until it has sent everything, as most do,
would otherwise wait for us while we wait for it.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from typing import IO, Any

from service.complaints import intake
from service.complaints.intake import Prepared, Receipt
from service.parts import Parts
from service.telemetry import metrics
from service.web import bodies
from service.web.problems import Problem, from_exception
from service.web.schemas import ID_PATTERN, ComplaintIn

MAX_LINE = 300_000
"""Bytes of a line: a complaint of the greatest length, each of its 21,000 characters escaped as two surrogates, in 12 bytes, and
room to spare."""
MAX_BYTES = 200_000_000
AT_ONCE = 32
"""Lines of one transaction; other writers wait for no more than that."""
_IN_MEMORY = 1_000_000
_NOT_TRIED = "Not tried: the database did not answer for a line before. Please send it again."
_CHUNK = 65_536
_ID = re.compile(ID_PATTERN.replace("$", r"\Z"))  # which ends where pydantic's does, before no line break


def spool(stream: IO[bytes]) -> IO[bytes]:
    """Take the body in, on disk where it is large. Raises the problem `too-large` beyond MAX_BYTES."""
    kept = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 -- `answer` closes it
    size = 0
    while chunk := stream.read(_CHUNK):
        size += len(chunk)
        if size > MAX_BYTES:
            kept.close()
            raise Problem("too-large", f"A batch may have {MAX_BYTES:,} bytes; send the rest in another.")
        kept.write(chunk)
    kept.seek(0)
    return kept


def answer(parts: Parts, source: str, body: IO[bytes]) -> Iterator[bytes]:
    """Take in each line and yield its answer. A line that is wrong does not keep the next from being taken."""
    busy = False
    with body:
        numbered = _lines(body)
        while lines := list(islice(numbered, AT_ONCE)):
            given = [_decoded(line) for _, line in lines]
            answers = [Problem("busy", _NOT_TRIED) for _ in lines] if busy else _take(parts, source, given)
            for (number, _), asked, told in zip(lines, given, answers, strict=True):
                known = _id_of(asked)
                if isinstance(told, Receipt):
                    yield b'{"line": %d, %b"status": %d, "answer": %b}\n' % (number, known, 201 if told.new else 200, told.body)
                    continue
                problem = from_exception(told)
                busy = busy or problem.kind == "busy"
                document = json.dumps(problem.document(), ensure_ascii=False).encode()
                yield b'{"line": %d, %b"status": %d, "problem": %b}\n' % (number, known, problem.status, document)


def _decoded(line: bytes | None) -> Any:
    """Decode a line, or answer the problem that it is."""
    if line is None:
        return Problem("too-large", f"A line may have {MAX_LINE:,} bytes.")
    try:
        return bodies.decode(line)
    except Problem as problem:
        return problem


def _id_of(asked: Any) -> bytes:
    """Write the sender's own id as a member of the answer; nothing where there is none, or none that could be one."""
    known = asked.get("id") if isinstance(asked, dict) else None
    return b'"id": "%b", ' % known.encode() if isinstance(known, str) and _ID.match(known) else b""


def _take(parts: Parts, source: str, given: Sequence[Any]) -> Sequence[Receipt | Exception]:
    """Take lines in, all that can be in one transaction: one wait for the disk, and each line's fate its own."""
    prepared = [_prepare(parts, source, asked) for asked in given]
    wanted = [one for one in prepared if isinstance(one, Prepared)]
    try:
        kept = iter(parts.database.store_each([partial(intake.keep, parts, prepared=one) for one in wanted]))
    except Exception as error:  # not even its turn came
        kept = iter([error] * len(wanted))
    answers = [next(kept) if isinstance(one, Prepared) else one for one in prepared]
    for told in answers:
        if isinstance(told, Receipt) and told.new:
            metrics.count_stored(told.decision)
    return answers


def _prepare(parts: Parts, source: str, asked: Any) -> Prepared | Exception:
    if isinstance(asked, Problem):
        return asked
    try:
        return intake.prepare(parts, source, bodies.check(ComplaintIn, asked))
    except Exception as error:  # told on its own line
        return error


def _lines(body: IO[bytes]) -> Iterator[tuple[int, bytes | None]]:
    """Yield (number, line) of the lines that are not blank; None for one that is too long."""
    number = 0
    while line := body.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE and not line.endswith(b"\n"):
            while (rest := body.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                pass
            yield number, None
        elif line := line.strip():  # without its end: a fault would be told "at line 2" of it
            yield number, line
