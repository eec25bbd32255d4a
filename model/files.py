"""How files are written that must last, or that nobody else may read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


def for_us_alone(path: str, flags: int) -> int:
    """Open a file that nobody else on the machine may read: it holds what citizens wrote. An `opener` of `open`."""
    return os.open(path, flags, 0o600)


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give a path to write to, which takes the place of `target` once all went well."""
    part = target.with_name(f"{target.name}.part")
    try:
        yield part
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def whole(path: Path) -> Iterator[TextIO]:
    """Open a file to be written whole or not at all, for us alone. A device or a pipe is written to, and stays what it is."""
    if path.exists() and not path.is_file():
        with path.open("w", encoding="utf-8") as out:
            yield out
        return
    # What a link leads to is replaced, not the link.
    with replacing(path.resolve()) as part, open(part, "w", encoding="utf-8", opener=for_us_alone) as out:
        yield out


def sync(path: Path) -> None:
    """Make what was written to a file, or renamed in a folder, last through a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
