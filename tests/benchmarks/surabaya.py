"""Surabaya's past, as several benchmarks judge by it: real complaints that are no part of this project."""

from __future__ import annotations

import sys
from pathlib import Path

from model.labelled import LabelledComplaint
from model.register import Register
from training.rows import dataset


def past(real: Path) -> tuple[Register, list[LabelledComplaint]]:
    """Answer Surabaya's register and its complaints without duplicates. Ends the program in one line where they are not there."""
    folder = real / "surabaya"
    if not folder.is_dir():
        sys.exit(f"{folder}: not here; nothing measured")
    rows = dataset.load(folder / "complaints.jsonl")
    return Register.load(folder), dataset.deduplicate([row.complaint for row in rows]).kept
