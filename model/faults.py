"""The errors of the shared language: what is wrong, in which file, on which line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


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
    """A file, or several, cannot be used. Carries every fault found, not only the first."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        """Keep the faults; raises nothing itself."""
        self.faults: Sequence[Fault] = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))

    def __reduce__(self) -> tuple[type[InvalidData], tuple[Sequence[Fault]]]:
        """Come back whole from another process: an exception would be made anew from its text."""
        return type(self), (self.faults,)
