"""What a training is given, read from files: this region's own complaints, and others to learn from."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from model.faults import Fault, InvalidData
from model.labelled import EMERGENCIES, LabelledComplaint
from model.register import Register
from model.rules import load_region
from training.reading.sources import read_unlabelled
from training.rows import dataset

Say = Callable[[str], object]


@dataclass(frozen=True)
class Examples:
    """Another region's complaints that teach the aspects alone, without an agency; the register tells the places in them."""

    rows: Sequence[LabelledComplaint]
    register: Register


@dataclass(frozen=True)
class TrainingSet:
    """A region's own complaints, which teach and judge, and what else a model learns from."""

    own: Sequence[LabelledComplaint]
    other: Sequence[LabelledComplaint] = ()
    """Other regions' complaints: learnt from, never judged by."""
    examples: Examples | None = None
    unlabelled: Sequence[LabelledComplaint] = ()
    """This region's complaints of which no person has said whose they are (`fitting.self_training`)."""
    dropped: int = 0
    conflicts: int = 0
    given: str = ""
    """Digest of all that was given, where some of it was then held out."""

    @property
    def digest(self) -> str:
        """SHA-256 over every row in order: the data's identity in a manifest."""
        total = hashlib.sha256()
        parts = [self.own, self.other]
        if self.examples:
            parts.append(self.examples.rows)
            total.update(self.examples.register.digest.encode())
        if self.unlabelled:
            parts.append(self.unlabelled)
            total.update(b"unlabelled")
        for part in parts:
            for row in part:
                total.update(json.dumps(row.to_dict(), ensure_ascii=False, sort_keys=True).encode())
            total.update(b"\0")
        return total.hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Count what there is, for the manifest."""
        digest = self.digest
        return {
            "digest": digest,
            "given": self.given or digest,
            "own": len(self.own),
            "emergencies": sum(row.use == EMERGENCIES for row in self.own),
            "other": len(self.other),
            "examples": len(self.examples.rows) if self.examples else 0,
            "unlabelled": len(self.unlabelled),
            "dropped": self.dropped,
            "conflicts": self.conflicts,
            "per_source": dict(Counter(row.source or "own" for row in (*self.own, *self.other))),
            "per_agency": dict(sorted(Counter(row.agency for row in self.own if row.agency).items())),
        }


def load(
    register: Register,
    own: Sequence[Path],
    other: Sequence[Path],
    today: str,
    examples: Path | None = None,
    unlabelled: Sequence[Path] = (),
    *,
    allow_unseen: bool = False,
    say: Say = lambda _: None,
) -> TrainingSet:
    """Read, check, bring labels up to date and deduplicate. Raises InvalidData with every fault of every file.

    What repeats an own row is dropped from the other regions': `other` teaches every fold and every challenger, so an own row
    would be judged by a model that has seen it. `examples` is the folder of another region, for the aspects; one that is in
    `other` too teaches both. `unlabelled` are sources as an import reads them. What repeats an own row is dropped from these too.
    """
    faults: list[Fault] = []
    own_rows, other_rows = (dataset.read(paths, faults, register.namesakes) for paths in (own, other))
    texts: list[LabelledComplaint] = []
    for path in unlabelled:
        try:
            texts += read_unlabelled(path, say, register.namesakes)
        except InvalidData as error:
            faults += error.faults
    dataset.check([*own_rows, *other_rows], register, faults, every_agency=not allow_unseen, today=today)
    mine = dataset.deduplicate(dataset.to_current([row.complaint for row in own_rows], register, today))
    theirs = dataset.deduplicate(dataset.to_current([row.complaint for row in other_rows], register, today))
    further = dataset.without_repeats(theirs.kept, mine.kept)
    dropped = mine.dropped + theirs.dropped + len(theirs.kept) - len(further)
    shown = _load_examples(examples, mine.kept) if examples else None
    unknown = dataset.without_repeats(dataset.deduplicate(texts).kept, mine.kept)
    dropped += len(texts) - len(unknown)
    return TrainingSet(mine.kept, further, shown, unknown, dropped, len(mine.conflicts) + len(theirs.conflicts))


def _load_examples(folder: Path, known: Sequence[LabelledComplaint]) -> Examples | None:
    """Read another region's complaints that say a kind, and its emergencies; None where all repeat known ones, as its own do."""
    register, _ = load_region(folder)
    rows = [row.complaint for row in dataset.load_known(register, [folder / "complaints.jsonl"])]
    telling = [replace(row, agency="", unit="") for row in rows if row.kind or row.use == EMERGENCIES]
    told = dataset.deduplicate(telling).kept
    new = dataset.without_repeats(told, known)
    return Examples(new, register) if new else None
