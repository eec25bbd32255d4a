"""Which complaints a model has seen: digests of their texts, kept beside it so that nobody judges it by them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from model.faults import Fault, InvalidData
from model.labelled import LabelledComplaint
from training.rows.dataset import text_key

FILE = "report/seen.txt"
"""Where an artifact keeps it: the newest date, then one digest a line, in order."""
_DIGITS = 16


def digest(complaint: LabelledComplaint) -> str:
    """SHA-256 of what makes two complaints the same, 64 bits of it: a text's name where the text must not stand."""
    return hashlib.sha256(text_key(complaint).encode()).hexdigest()[:_DIGITS]


@dataclass(frozen=True)
class Seen:
    """The complaints that a model was trained on. `until` is the newest of their dates, or empty."""

    digests: frozenset[str]
    until: str = ""

    @classmethod
    def of(cls, rows: Iterable[LabelledComplaint], unlabelled: Iterable[LabelledComplaint] = ()) -> Self:
        """Take the digests of rows; of what was `unlabelled` too, whose dates say nothing of what was known."""
        kept = list(rows)
        return cls(frozenset(map(digest, (*kept, *unlabelled))), max((row.received_at[:10] for row in kept), default=""))

    @classmethod
    def load(cls, folder: Path) -> Self | None:
        """Read what an artifact's folder keeps; None where it keeps nothing. Raises InvalidData where that is spoilt."""
        path = folder / FILE
        try:
            first, *digests = path.read_text(encoding="utf-8").split()
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise InvalidData([Fault(str(path), 1, "not a list of digests")]) from error
        return cls(frozenset(digests), "" if first == "-" else first)

    def to_text(self) -> str:
        """Write it as the file's text, for `artifact.save`."""
        return "".join(f"{line}\n" for line in (self.until or "-", *sorted(self.digests)))

    def __contains__(self, complaint: object) -> bool:
        """Tell whether the model has seen a complaint's text, under whatever id."""
        return isinstance(complaint, LabelledComplaint) and digest(complaint) in self.digests
