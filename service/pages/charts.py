"""The geometry of small plots: numbers in, coordinates out. A template draws them as SVG; all words stand beside it in HTML.

The drawing is stretched to whatever width there is, so it holds shapes only. Coordinates run to WIDTH and, downwards, to HEIGHT.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 1000.0
HEIGHT = 200.0
_GAP = 0.2
"""Share of a column's room that stays empty."""


@dataclass(frozen=True, slots=True)
class Rectangle:
    """One part of a column; `kind` becomes its class."""

    kind: str
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Column:
    """One stacked column, and what it says when pointed at."""

    x: float
    width: float
    parts: Sequence[Rectangle]
    title: str


@dataclass(frozen=True, slots=True)
class Columns:
    """Stacked columns below an axis that ends at `top`."""

    columns: Sequence[Column]
    top: float


def columns(values: Sequence[Sequence[tuple[str, float]]], titles: Sequence[str]) -> Columns:
    """Stack each column's parts (kind, value) from the ground up."""
    top = nice_top(max((sum(value for _, value in parts) for parts in values), default=0))
    room = WIDTH / max(len(values), 1)
    drawn = []
    for index, (parts, title) in enumerate(zip(values, titles, strict=True)):
        ground = HEIGHT
        rectangles = []
        for kind, value in parts:
            height = HEIGHT * value / top
            if height:
                ground -= height
                rectangles.append(Rectangle(kind, round(ground, 2), round(height, 2)))
        drawn.append(Column(round(room * (index + _GAP / 2), 2), round(room * (1 - _GAP), 2), rectangles, title))
    return Columns(drawn, top)


def line(shares: Sequence[float | None]) -> list[str]:
    """Draw shares from 0 to 1 as runs of points through the middle of each column's room; a missing share ends a run.

    A share alone among missing ones becomes a short stroke.
    """
    room = WIDTH / max(len(shares), 1)
    runs: list[list[tuple[float, float]]] = [[]]
    for index, share in enumerate(shares):
        if share is None:
            runs.append([])
        else:
            runs[-1].append((room * (index + 0.5), HEIGHT * (1 - share)))
    drawn = []
    for run in filter(None, runs):
        if len(run) == 1:
            (x, y), half = run[0], room * (1 - _GAP) / 2
            run = [(x - half, y), (x + half, y)]
        drawn.append(" ".join(f"{x:.1f},{y:.1f}" for x, y in run))
    return drawn


def nice_top(most: float) -> float:
    """Answer the end of an axis: the first of 1, 2, 4, 5, 8, 10, ... times a power of ten that is not below `most`."""
    if most <= 4:
        return 4.0
    power = 10 ** math.floor(math.log10(most))
    return float(next(step * power for step in (1, 2, 4, 5, 8, 10) if step * power >= most))
