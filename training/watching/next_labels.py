"""Which complaints to have labelled next: those that the model is unsure of, that stand for many, and that are unlike each other.

The least sure make a pool (margin sampling: Scheffer, Decomain and Wrobel 2001). To avoid oddities, doubt in the pool is weighed by
how much a complaint is like all others (information density: Settles and Craven 2008). Greedy farthest-first traversal (Gonzalez
1985; Sener and Savarese 2018 for labels) then asks about each kind of doubt once.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer

from model.complaint import Complaint
from model.features import stem_grams
from model.files import whole
from model.router import Router
from model.table import safe_cell
from model.text import Word
from training.rows.dataset import text_key

Array = NDArray[Any]
Watch = Callable[[Sequence[int]], Iterable[int]]
POOL = 3
"""The pool holds this many times as many as are picked."""
TOLD = ("id", "received_at", "title", "text", "kecamatan", "desa")
"""What a sheet tells of a complaint, under the names that an import knows."""


@dataclass(frozen=True, slots=True)
class Pick:
    """A complaint to have labelled: the two agencies that the model wavers between, and by how much the first leads."""

    number: int
    id: str
    first: str
    second: str
    margin: float


@dataclass(frozen=True)
class Picks:
    """What to have labelled next, in the order of choice."""

    complaints: int
    picks: Sequence[Pick]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for --json."""
        return {"complaints": self.complaints, "picks": [asdict(pick) for pick in self.picks]}

    def write(self, path: Path, complaints: Sequence[Complaint]) -> None:
        """Write a sheet to be labelled, whole or not at all: its column `agency` is empty, and an import reads it filled in.

        It has semicolons and a byte order mark, so that a spreadsheet in Indonesia shows its columns and letters right.
        """
        with whole(path) as out:
            out.write("\ufeff")
            sheet = csv.writer(out, delimiter=";")  # its rows end with a carriage return, so it quotes one that a text holds
            sheet.writerow((*TOLD, "first", "second", "agency"))
            for pick in self.picks:
                told = (getattr(complaints[pick.number], name) for name in TOLD)
                sheet.writerow((*map(safe_cell, told), pick.first, pick.second, ""))

    def __str__(self) -> str:
        """Lay it out as a table, with the pairs that most picks waver between."""
        lines = [f"{len(self.picks):,} of {self.complaints:,} complaints to have labelled next"]
        lines += [f"  {'id':<24} {'first':<26} {'second':<26} {'lead':>6}"]
        named = [pick.id or f"no. {pick.number + 1} of the input" for pick in self.picks]
        lines += [
            f"  {name[:24]:<24} {pick.first[:26]:<26} {pick.second[:26]:<26} {pick.margin:>6.1%}"
            for name, pick in zip(named, self.picks, strict=True)
        ]
        pairs = Counter(" | ".join(sorted((pick.first, pick.second))) for pick in self.picks)
        return "\n".join([*lines, "most wavered between:", *(f"  {pair:<54} {count:>4}" for pair, count in pairs.most_common(5))])


def choose(router: Router, complaints: Sequence[Complaint], count: int, watched: Watch = iter) -> Picks:
    """Choose `count` complaints that nobody has labelled; fewer where fewer have any words.

    `watched` is asked for the numbers of those that are read, and may tell how far that is. Where a text came several times only
    the first can be chosen: its label is the others' too. What is confidential is never chosen: a sheet goes from hand to hand.
    """
    distinct: dict[str, int] = {}
    for number, complaint in enumerate(complaints):
        if not complaint.confidential:
            distinct.setdefault(text_key(complaint), number)
    numbers: list[int] = []
    judged: list[Array] = []

    def each_read() -> Iterator[Sequence[Word]]:
        # One after the other: the words of a complaint take ten times the memory of what is kept of it.
        for number in watched(list(distinct.values())):
            if words := router.reader.read(complaints[number]).matter:
                numbers.append(number)
                judged.append(router.scorer.probabilities(words))
                yield words

    readings = each_read()
    if (first := next(readings, None)) is None:
        return Picks(len(complaints), ())
    matrix = TfidfVectorizer(analyzer=stem_grams, sublinear_tf=True).fit_transform(chain([first], readings))
    probabilities = np.array(judged)
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :2]
    margins = margins_of(probabilities)
    picks = []
    for place in pick(margins, csr_matrix(matrix), count):
        number, (first, second) = numbers[place], (router.scorer.agencies[column] for column in best[place])
        picks.append(Pick(number, complaints[number].id, first, second, round(float(margins[place]), 6)))
    return Picks(len(complaints), picks)


def margins_of(probabilities: Array) -> Array:
    """(rows,) lead of the likeliest of (rows, agencies) over the next."""
    top = np.sort(probabilities, axis=1)[:, -2:]
    lead: Array = top[:, 1] - top[:, 0]
    return lead


def pick(margins: Array, matrix: csr_matrix, count: int) -> list[int]:
    """Pick row numbers, each time the one of most worth: doubt, times likeness to all, times distance from those picked.

    `matrix` (rows, features) has rows of length 1, so that products are cosines.
    """
    pool = np.argsort(margins, kind="stable")[: count * POOL]
    rows = matrix[pool]
    density = np.asarray(rows @ np.asarray(matrix.mean(axis=0)).ravel())
    base = (1 - margins[pool]) * density
    nearest = np.zeros(len(pool))
    picked: list[int] = []
    worth = base.copy()
    for _ in range(min(count, len(pool))):
        best = int(np.argmax(worth))
        picked.append(best)
        nearest = np.maximum(nearest, (rows @ rows[best].T).toarray().ravel())
        worth = base * (1 - nearest)
        worth[picked] = -1
    return [int(pool[number]) for number in picked]
