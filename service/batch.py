"""Many complaints in one call: NDJSON in, NDJSON out, each line with its own status, in bounded memory.

The body is put on disk before the first line is answered: a sender that reads nothing until it has sent everything, as most do,
would otherwise wait for us while we wait for it.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from typing import IO

from service import bodies, intake
from service.parts import Parts
from service.problems import Problem, from_exception
from service.schemas import ComplaintIn

MAX_LINE = 200_000
"""Bytes of a line: a complaint of the greatest length, with every character escaped, and room to spare."""
MAX_BYTES = 500_000_000
_IN_MEMORY = 1_000_000
_CHUNK = 65_536


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
        for number, line in _lines(body):
            try:
                if busy:  # the database does not answer: waiting for it again on every line would help nobody
                    raise Problem("busy", "Not tried: the database did not answer for a line before. Please send it again.")
                if line is None:
                    raise Problem("too-large", f"A line may have {MAX_LINE:,} bytes.")
                receipt = intake.take_in(parts, source, bodies.check(ComplaintIn, bodies.decode(line)))
            except Exception as error:  # told on its own line
                problem = from_exception(error)
                busy = busy or problem.kind == "busy"
                told = {"line": number, "status": problem.status, "problem": problem.document()}
                yield json.dumps(told, ensure_ascii=False).encode() + b"\n"
            else:
                yield b'{"line": %d, "status": %d, "answer": %b}\n' % (number, 201 if receipt.new else 200, receipt.body)


def _lines(body: IO[bytes]) -> Iterator[tuple[int, bytes | None]]:
    """Yield (number, line) of the lines that are not blank; None for one that is too long."""
    number = 0
    while line := body.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE and not line.endswith(b"\n"):
            while (rest := body.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                pass
            yield number, None
        elif line.strip():
            yield number, line
