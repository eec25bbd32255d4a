"""From labelled complaints to the columns that are fitted: words, labels, weights."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.labelled import LabelledComplaint
from model.reader import Reader, Reading
from model.register import Agency, Register
from model.text import Word
from training.config import TrainingConfig

Array = NDArray[Any]
HOME = ""
"""The origin of this region's own complaints."""
UNLABELLED = "unlabelled"
"""The origin of those whose agency no person has said."""
AUDIT_SHARE = 0.05
"""Share of automatic routings that is drawn for the blind audit, where a verdict does not say of how many it was drawn."""
MAX_AUDIT_WEIGHT = 4.0
"""Most that an audited row weighs when the classifier is fitted; in figures it counts for 1 / share rows."""
_NOT_HERE = re.compile(r"\b(?:bukan|kecuali)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Data:
    """Complaints to fit, column by column, all of one length."""

    rows: Sequence[LabelledComplaint]
    readings: Sequence[Reading]
    weights: Array
    origins: Array
    """(rows,) the region that a row comes from: HOME, the name of another region's source, or UNLABELLED."""

    def __len__(self) -> int:
        """How many rows."""
        return len(self.rows)

    @property
    def labels(self) -> Array:
        """(rows,) agency ids."""
        return np.array([row.agency for row in self.rows])

    @property
    def words(self) -> list[Sequence[Word]]:
        """What the features are made of."""
        return [reading.matter for reading in self.readings]

    def take(self, numbers: Array) -> Data:
        """Take the rows of these numbers."""
        chosen = numbers.tolist()
        return Data(
            [self.rows[n] for n in chosen], [self.readings[n] for n in chosen], self.weights[numbers], self.origins[numbers]
        )

    def __add__(self, other: Data) -> Data:
        """Both, one after the other."""
        return Data(
            [*self.rows, *other.rows],
            [*self.readings, *other.readings],
            np.concatenate([self.weights, other.weights]),
            np.concatenate([self.origins, other.origins]),
        )


def own_words(register: Register, today: str = "") -> Iterator[LabelledComplaint]:
    """Read the register's own words as complaints: each name with its aliases, and each matter.

    So an agency with few complaints, or none, is known at least by what it is there for. On an ISO date (`today`), what an agency
    that ended was there for is its successor's; where it has none, nobody's.
    """
    for agency in register.agencies:
        now = register.by_id[register.current(agency.id, today)]
        if today and now.valid_until and now.valid_until < today:
            continue
        for text in _texts(agency):
            yield LabelledComplaint(text=text, agency=now.id, source="register")


def _texts(agency: Agency) -> Iterator[str]:
    yield " ".join((agency.name, *agency.aliases))
    for part in re.split(r"[;,.]", agency.matters):
        if part.strip() and not _NOT_HERE.search(part):
            yield part.strip()


def with_topics(data: Data, reader: Reader, weight: float) -> Data:
    """Add the names of the rows' categories, each read as a complaint to the agency that most of its rows went to.

    A category's name is the plainest complaint of its kind there is. It is needed in training only.
    """
    counts: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    for row, origin in zip(data.rows, data.origins.tolist(), strict=True):
        if row.category and row.agency:
            counts[row.source, row.category, origin][row.agency] += 1
    if not counts:
        return data
    named = [
        LabelledComplaint(text=category, agency=min(agencies, key=lambda agency: (-agencies[agency], agency)), source=source)
        for (source, category, _), agencies in sorted(counts.items())
    ]
    origins = np.array([origin for _, _, origin in sorted(counts)], dtype=object)
    return data + replace(read(named, reader, np.full(len(named), weight)), origins=origins)


def read(rows: Sequence[LabelledComplaint], reader: Reader, weights: Array, *, elsewhere: bool = False) -> Data:
    """Read every complaint's words and places; `elsewhere` where they are other regions', which their source names."""
    origins = np.array([(row.source or "elsewhere") if elsewhere else HOME for row in rows], dtype=object)
    return Data(rows, [reader.read(row.complaint) for row in rows], weights, origins)


def read_others(rows: Sequence[LabelledComplaint], reader: Reader, config: TrainingConfig, today: str = "") -> Data:
    """Read what teaches beside a region's own complaints, at its weights: other regions' rows, and the register's own words.

    Rows without an agency, or of a family (`Agency.per`), are left out. `today` is as for `own_words`.
    """
    kept = [row for row in rows if row.agency and not reader.register.by_id[row.agency].per]
    others = read(kept, reader, weigh(kept, config, config.transfer_weight), elsewhere=True)
    words = list(own_words(reader.register, today)) if config.matters_weight else []
    return others + read(words, reader, np.full(len(words), config.matters_weight))


def agencies_of(*parts: Data) -> Array:
    """List the agencies of several sets of rows, each once, in order."""
    return np.unique([row.agency for part in parts for row in part.rows])


def without_labels(rows: Sequence[LabelledComplaint], reader: Reader, weight: float) -> Data:
    """Read complaints as an origin of their own, without their labels, whoever gave them."""
    kept = [replace(row, agency="", category="") for row in rows]
    return replace(read(kept, reader, np.full(len(kept), weight)), origins=np.full(len(kept), UNLABELLED, dtype=object))


def stands_for(rows: Sequence[LabelledComplaint]) -> Array:
    """(rows,) how many complaints each verdict represents (inverse sampling probability).

    Automatic routings get a verdict only where the blind audit drew them (`blind`): a share `audit_share` of them.
    """
    shares = (row.audit_share or AUDIT_SHARE if row.blind else 1.0 for row in rows)
    return np.array([1 / min(max(share, 0.001), 1.0) for share in shares])


def weigh(rows: Sequence[LabelledComplaint], config: TrainingConfig, otherwise: float) -> Array:
    """(rows,) weight by source, `otherwise` where the configuration names none."""
    return np.array([config.weights.get(row.source, otherwise) for row in rows], dtype=float)
