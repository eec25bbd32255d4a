"""The ledger of a registry: what was trained, compared, put live and taken back; when, by whom and why.

One line of JSON an event, only ever added to. `History` says what follows from it: which versions were live, and in which order.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, Self

from model.faults import Fault

MAX_LINE = 1_000_000
"""Bytes of one line that are read."""


class Event(StrEnum):
    """What the ledger tells of."""

    TRAINED = "trained"
    COMPARED = "compared"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled-back"
    REFUSED = "refused"
    SHADOWED = "shadowed"
    SHADOW_ENDED = "shadow-ended"


MOVES = (Event.PROMOTED, Event.ROLLED_BACK, Event.SHADOWED, Event.SHADOW_ENDED)
"""What moves a pointer."""


class Verdict(StrEnum):
    """What a comparison of a challenger with the champion came to."""

    PROMOTE = "promote"
    HOLD = "hold"
    NOT_ENOUGH_DATA = "not-enough-data"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger. `previous` is the version that was live, or compared with; `figures` are plain JSON values."""

    what: Event
    version: str
    when: str
    who: str
    why: str
    previous: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as the line is written."""
        row: dict[str, Any] = {"when": self.when, "what": str(self.what), "version": self.version, "who": self.who, "why": self.why}
        return row | ({"from": self.previous} if self.previous else {}) | ({"figures": dict(self.figures)} if self.figures else {})

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Self:
        """Read a line back. Raises ValueError saying what is wrong with it."""
        texts = {name: row.get(name, "") for name in ("version", "when", "who", "why", "from")}
        if wrong := [name for name, value in texts.items() if not isinstance(value, str)]:
            raise ValueError(f"{', '.join(wrong)} must be text")
        figures = row.get("figures", {})
        if not isinstance(figures, dict):
            raise ValueError("figures must be an object")
        return cls(Event(row.get("what", "")), previous=texts.pop("from"), figures=figures, **texts)


@dataclass(frozen=True)
class History:
    """The ledger, oldest first, and the lines of it that cannot be read: one torn by a crash, or changed by hand."""

    entries: Sequence[Entry]
    faults: Sequence[Fault] = ()

    @property
    def live(self) -> Sequence[str]:
        """The versions that rolling back goes through, the live one last: a promotion adds one, a rollback goes back to one."""
        live: list[str] = []
        for entry in self.entries:
            if entry.what is Event.PROMOTED:
                if entry.previous in live:  # what came after that was cut off before the pointer moved
                    live = _up_to(live, entry.previous)
                if live[-1:] != [entry.version]:
                    live.append(entry.version)
            elif entry.what is Event.ROLLED_BACK:
                live = _up_to(live, entry.version)
        return live

    def before(self, current: str | None) -> str | None:
        """Find the version that was live before `current`; None where none was.

        The pointer has the last word: a promotion that it does not show was cut off, and one that the ledger does not
        show was made by hand.
        """
        earlier = _up_to(self.live, current)[:-1] if current in self.live else self.live
        return earlier[-1] if earlier else None

    def comparison(self, champion: str, challenger: str) -> Entry | None:
        """Find the latest comparison of these two; None where there is none."""
        wanted = (Event.COMPARED, challenger, champion)
        return next((entry for entry in reversed(self.entries) if (entry.what, entry.version, entry.previous) == wanted), None)


def _up_to(live: Sequence[str], version: str | None) -> list[str]:
    """Leave out what came after the last time that a version was live."""
    last = max((place for place, name in enumerate(live) if name == version), default=-1)
    return [*live[: last + 1]]


def read_history(path: Path) -> History:
    """Read a ledger; one that is not there is empty."""
    entries, faults = [], []
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(iter(lambda: lines.readline(MAX_LINE), b""), 1):
                if not line.strip():
                    continue
                try:
                    entries.append(_entry(line))
                except (ValueError, RecursionError) as error:
                    faults.append(Fault(str(path), number, str(error)))
    except FileNotFoundError:
        return History(())
    return History(entries, faults)


def _entry(line: bytes) -> Entry:
    """Read one line. Raises ValueError saying what is wrong with it."""
    if not line.endswith(b"\n"):
        raise ValueError("torn: the line does not end")
    row = json.loads(line)
    if not isinstance(row, dict):
        raise ValueError("not a JSON object")
    return Entry.from_dict(row)


def append(ledger: BinaryIO, entry: Entry) -> None:
    """Add a line, on the disk once this returns. Whoever calls it holds the ledger's lock."""
    end = ledger.seek(0, os.SEEK_END)
    ledger.seek(max(0, end - 1))
    torn = end and ledger.read(1) != b"\n"  # somebody died while writing: their half line must not spoil ours
    line = json.dumps(entry.to_dict(), ensure_ascii=False, allow_nan=False).encode() + b"\n"
    line = b"\n" + line if torn else line
    if ledger.write(line) != len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fsync(ledger.fileno())
