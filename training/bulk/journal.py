"""A long output, written line by line, that a killed run can go on with: no line lost, none twice.

Lines go to a `.part` file that becomes the output once all are there. Beside it a small `.state` file says which run this
is and, always before the lines themselves are written, how many records of the input they will answer at most, and the
digest of those records. So whatever moment a run is killed at, the whole lines of the `.part` are answers to the first
records of an input that can be recognised.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Self

from model.faults import SalurError
from model.files import for_us_alone

ERROR = b'{"error":'
"""How a line opens that says why there is no answer."""


class JournalError(SalurError):
    """An unfinished output that this run must not touch; the text says why, and what to do."""


class Journal:
    """The lines written so far, and what they answer. Use it as a context manager; only `finish` removes the files."""

    def __init__(self, part: Path, state: Path, run: Mapping[str, Any], *, resume: bool = False) -> None:
        """Begin a journal, or with `resume` go on with one where it is there.

        `run` is what must be the same for two runs to give the same lines. Raises JournalError where a journal is there that
        is not to be resumed, is another run's, or is being written.
        """
        self.part, self._state, self._run = part, state, dict(run)
        self.lines = self.errors = 0
        """Whole lines that are there, and how many of them are errors."""
        self.records, self.digest = 0, ""
        """How many records of the input were announced, and the digest of these."""
        self._file = open(part, "a+b", opener=for_us_alone)  # noqa: SIM115
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if part.stat().st_size:
                if not resume:
                    raise JournalError(f"{part}: left by a run that did not end: go on with it by --resume, or delete it")
                self._resume()
        except BlockingIOError as error:
            self._file.close()
            raise JournalError(f"{part}: another run is writing it") from error
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        """Give the journal."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file. It stays where it is, to be resumed, unless nothing was announced yet."""
        if not self._file.closed:
            if not self.records:
                self.part.unlink(missing_ok=True)
            self._file.close()

    def announce(self, records: int, digest: str) -> None:
        """Say that lines up to this record of the input follow; `digest` is that of all records up to it."""
        self.records, self.digest = records, digest
        draft = self._state.with_name(self._state.name + ".new")
        draft.write_text(json.dumps({"run": self._run, "records": records, "digest": digest}), encoding="utf-8")
        draft.replace(self._state)

    def write(self, lines: bytes, count: int, errors: int) -> None:
        """Add whole lines."""
        self._file.write(lines)
        self._file.flush()
        self.lines += count
        self.errors += errors

    def read(self) -> IO[bytes]:
        """Open the lines for reading."""
        return self.part.open("rb")

    def finish(self, target: Path | None) -> None:
        """Make the lines the output, whole at once; without a `target` they are thrown away."""
        os.fsync(self._file.fileno())
        if target is None:
            self.part.unlink()
        else:
            self.part.replace(target)
        self._state.unlink(missing_ok=True)
        self._file.close()

    def _resume(self) -> None:
        try:
            state = json.loads(self._state.read_text(encoding="utf-8"))
            run, self.records, self.digest = state["run"], int(state["records"]), str(state["digest"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise JournalError(f"{self._state}: missing or unreadable: {self.part} cannot be resumed, delete it") from error
        for name, value in self._run.items():
            if run.get(name) != value:
                raise JournalError(f"{self.part}: begun with {name} {run.get(name)!r}, not {value!r}: delete it to begin anew")
        self._file.seek(0)
        whole = 0
        for line in self._file:  # ours: no line is longer than an answer
            if not line.endswith(b"\n"):
                break
            whole += len(line)
            self.lines += 1
            self.errors += line.startswith(ERROR)
        if self.lines > self.records:
            raise JournalError(
                f"{self.part}: {self.lines:,} lines, but {self._state} knows of {self.records:,}: delete it to begin anew"
            )
        self._file.truncate(whole)
