"""Whose turn it is, among the threads of a process: first come, first served.

A turn is handed to the thread that has waited longest. A plain lock would go to whichever thread runs just then, on a busy machine
nearly always the one that released it, and the others would starve though nothing takes long.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection


class TooManyWaiting(Exception):
    """The turn did not come in time, and nothing was begun."""


@dataclass(slots=True, eq=False)
class Job:
    """Work that waits for a turn, and what came of it. An `exclusive` one must be done by its own thread."""

    work: Callable[[Connection], Any]
    exclusive: bool = False
    value: Any = None
    error: Exception | None = None
    done: bool = False
    told: threading.Event | None = None
    """Made where it has to wait at all: that is seldom, and to make one costs more than a turn."""

    def finish(self) -> None:
        """Tell whoever waits for it that it was done."""
        self.done = True
        self.tell()

    def tell(self) -> None:
        """Wake whoever waits for it."""
        if self.told is not None:
            self.told.set()


class Turns:
    """A line of jobs, of which the first has the turn."""

    def __init__(self) -> None:
        """Begin with nobody there."""
        self._taken = False
        self._line: deque[Job] = deque()
        self._lock = threading.Lock()

    def wait(self, job: Job, seconds: float | None = None) -> bool:
        """Wait until it is a job's turn (True), or somebody else did the job in theirs (False).

        Raises TooManyWaiting where nobody began with it in so many seconds, if a number is given; then nobody will.
        """
        with self._lock:
            if not self._taken:
                self._taken = True
                return True
            job.told = told = threading.Event()
            self._line.append(job)
        if not told.wait(seconds):
            with self._lock:
                if job in self._line:
                    self._line.remove(job)
                    raise TooManyWaiting
            told.wait()  # somebody is just doing it, and will be done
        return not job.done

    def gather(self) -> Sequence[Job]:
        """Take the jobs that are not exclusive out of the line: whoever has the turn does them too, and ends each by `finish`."""
        with self._lock:
            found = [job for job in self._line if not job.exclusive]
            self._line = deque(job for job in self._line if job.exclusive)
        return found

    def pass_on(self) -> None:
        """End one's turn."""
        with self._lock:
            if self._line:
                self._line.popleft().tell()
            else:
                self._taken = False

    def __len__(self) -> int:
        """Count those that wait."""
        return len(self._line)


class FairLock:
    """A lock that is handed to whoever waits for it longest."""

    def __init__(self) -> None:
        """Begin with nobody there."""
        self._turns = Turns()

    def __enter__(self) -> None:
        """Wait for it."""
        self._turns.wait(Job(nothing, exclusive=True))

    def __exit__(self, *_: object) -> None:
        """Hand it on."""
        self._turns.pass_on()


def nothing(connection: Connection) -> None:
    """Take the place of work that the waiting thread does itself."""
