"""Parts of the complaints by what they are like (short ones, a channel, a place, a language), to see whom a model serves worse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import false_discovery_control, hypergeom

from model.labelled import LabelledComplaint
from training.measures import figures
from training.measures.language import leaning

Array = NDArray[Any]

MIN_SHOWN = 20
"""Rows from which on a slice's own figures say something."""
CHANCE = 0.05
"""Of the slices that are called worse than the rest, the share expected to be so by chance alone (Benjamini and Hochberg 1995)."""
MAX_NAME = 30
_LENGTHS = ((10, "under 10 words"), (25, "10 to 24 words"), (60, "25 to 59 words"), (10**9, "60 words and more"))


def kinds(rows: Sequence[LabelledComplaint], kecamatan: Sequence[str]) -> dict[str, list[str]]:
    """Name the slice of every row, by kind of slice; kinds of which all rows are one slice are left out.

    `kecamatan` (rows,) is what text and form say of the place, empty where they say nothing.
    """
    named = {
        "channel": [_name(row.extra.get("channel") or row.source) for row in rows],
        "length": [next(name for most, name in _LENGTHS if len(row.text.split()) < most) for row in rows],
        "place": [_name(name) for name in kecamatan],
        "month": [_name(row.received_at[:7]) for row in rows],
        "language": [leaning(f"{row.title} {row.text}") for row in rows],
        "style": [_name(row.extra.get("style")) for row in rows],
    }
    return {kind: names for kind, names in named.items() if len(set(names)) > 1}


def _name(told: object) -> str:
    """Write for a terminal what a file tells, whoever wrote it: short, and nothing that a terminal would obey."""
    return "".join(char if char.isprintable() else " " for char in str(told or "unknown")[:MAX_NAME])


def measure(
    named: Mapping[str, Sequence[str]],
    right: Array,
    sent: Array,
    target_error: float,
    confidence: float,
    stands_for: Array | None = None,
) -> list[dict[str, Any]]:
    """Give the figures of each slice of at least MIN_SHOWN rows; `named` as `kinds` answers it, the rest as `figures.automatic`.

    `worse`: more of its rows are wrong than chance would make so if it were like all others (Fisher's exact test, one-sided).
    The promise is made over all complaints, not for each slice.
    """
    found: list[dict[str, Any]] = []
    chances: list[float] = []
    for kind, names in named.items():
        found_names, place, sizes = np.unique(names, return_inverse=True, return_counts=True)
        for number in np.flatnonzero(sizes >= MIN_SHOWN):
            rows = place == number
            size, hits = int(sizes[number]), int(right[rows].sum())
            each = None if stands_for is None else stands_for[rows]
            found.append(
                {
                    "kind": kind,
                    "name": str(found_names[number]),
                    "rows": size,
                    "accuracy": hits / size,
                    "accuracy_interval": figures.wilson(hits, size),
                    "auto": figures.automatic(sent[rows], right[rows], target_error, confidence, each),
                }
            )
            chances.append(float(hypergeom.sf(size - hits - 1, len(right), int((~right).sum()), size)))
    surprising = false_discovery_control(chances) <= CHANCE if chances else []
    return [one | {"worse": bool(worse)} for one, worse in zip(found, surprising, strict=True)]
