"""The errors of the shared language: what is wrong, in which file, on which line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

ALIKE = 10
"""Faults of one file and one reason that are told line by line: thousands would hide the others."""


class SalurError(Exception):
    """Base of every error that a person can act on; its text is one line they can read."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in one place. `line` counts from 1; 0 means the file as a whole."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        """Say `file:line: reason`, the form that editors turn into a link."""
        return f"{self.file}:{self.line}: {self.reason}" if self.line else f"{self.file}: {self.reason}"


class InvalidData(SalurError):
    """A file, or several, cannot be used. Carries every fault found, not only the first.

    Its text has a line for each. Of a fault that a file has over and over it tells the first ALIKE, and how many more there are.
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        """Keep the faults; raises nothing itself."""
        self.faults: Sequence[Fault] = tuple(faults)
        super().__init__("\n".join(_lines(self.faults)))

    def __reduce__(self) -> tuple[type[InvalidData], tuple[Sequence[Fault]]]:
        """Come back whole from another process: an exception would be made anew from its text."""
        return type(self), (self.faults,)


def _lines(faults: Sequence[Fault]) -> Iterator[str]:
    many = Counter((fault.file, fault.reason) for fault in faults)
    told: Counter[tuple[str, str]] = Counter()
    for fault in faults:
        kind = fault.file, fault.reason
        told[kind] += 1
        if told[kind] <= ALIKE:
            yield str(fault)
            if told[kind] == ALIKE < many[kind]:
                yield f"{fault.file}: the same on {many[kind] - ALIKE:,} more lines that were read: {fault.reason}"
