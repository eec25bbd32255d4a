"""From labelled complaints to the columns that are fitted: words, labels, weights."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.labelled import LabelledComplaint
from model.reader import Reader, Reading
from model.register import Agency, Register
from training.config import TrainingConfig

Array = NDArray[Any]
_NOT_HERE = re.compile(r"\b(?:bukan|kecuali)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Data:
    """Complaints to fit, column by column, all of one length."""

    rows: Sequence[LabelledComplaint]
    readings: Sequence[Reading]
    weights: Array

    def __len__(self) -> int:
        """How many rows."""
        return len(self.rows)

    @property
    def labels(self) -> Array:
        """(rows,) agency ids."""
        return np.array([row.agency for row in self.rows])

    @property
    def words(self) -> list[Any]:
        """What the features are made of."""
        return [reading.words for reading in self.readings]

    def take(self, numbers: Array) -> Data:
        """Take the rows of these numbers."""
        chosen = numbers.tolist()
        return Data([self.rows[n] for n in chosen], [self.readings[n] for n in chosen], self.weights[numbers])

    def __add__(self, other: Data) -> Data:
        """Both, one after the other."""
        return Data([*self.rows, *other.rows], [*self.readings, *other.readings], np.concatenate([self.weights, other.weights]))


def matters(register: Register) -> Iterator[LabelledComplaint]:
    """Read the register's own words as complaints: each name with its aliases, and each matter.

    So an agency with few complaints, or none, is known at least by what it is there for.
    """
    for agency in register.agencies:
        for text in _texts(agency):
            yield LabelledComplaint(text=text, agency=agency.id, source="register")


def _texts(agency: Agency) -> Iterator[str]:
    yield " ".join((agency.name, *agency.aliases))
    for part in re.split(r"[;,.]", agency.matters):
        if part.strip() and not _NOT_HERE.search(part):
            yield part.strip()


def topics(rows: Sequence[LabelledComplaint]) -> Iterator[LabelledComplaint]:
    """Read the names of the rows' categories as complaints, each to the agency that most of its rows went to.

    A category's name is the plainest complaint of its kind there is. It is needed in training only.
    """
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for row in rows:
        if row.category and row.agency:
            counts[row.source, row.category][row.agency] += 1
    for (source, category), agencies in sorted(counts.items()):
        yield LabelledComplaint(text=category, agency=min(agencies, key=lambda agency: (-agencies[agency], agency)), source=source)


def read(rows: Sequence[LabelledComplaint], reader: Reader, weights: Array) -> Data:
    """Read every complaint's words and places."""
    return Data(rows, [reader.read(row.complaint) for row in rows], weights)


def weigh(rows: Sequence[LabelledComplaint], config: TrainingConfig, otherwise: float) -> Array:
    """(rows,) weight by source, `otherwise` where the configuration names none."""
    return np.array([config.weights.get(row.source, otherwise) for row in rows], dtype=float)
