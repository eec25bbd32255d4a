"""How files are written that must last, or that nobody else may read."""

from __future__ import annotations

import os
from pathlib import Path


def for_us_alone(path: str, flags: int) -> int:
    """Open a file that nobody else on the machine may read: it holds what citizens wrote. An `opener` of `open`."""
    return os.open(path, flags, 0o600)


def sync(path: Path) -> None:
    """Make what was written to a file, or renamed in a folder, last through a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
