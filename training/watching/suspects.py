"""Labels that are probably wrong, and what else labelled complaints lack.

Confident learning (Northcutt, Jiang and Chuang 2021, by cleanlab) on probabilities that did not see the label: three parts of
the out-of-fold model's, one part of where the nearest other complaints went, which finds more than either alone.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from numpy.typing import NDArray

from model.faults import Fault, InvalidData
from model.files import whole
from model.labelled import LabelledComplaint
from model.reader import Reader
from training.config import TrainingConfig
from training.fitting.calibrate import OutOfFold, out_of_fold
from training.rows import dataset, seen
from training.rows.data import read, read_others, weigh
from training.rows.dataset import Conflict
from training.rows.split import grouped
from training.watching.neighbours import Nearest, nearest

Array = NDArray[Any]
NEIGHBOUR_SHARE = 0.25
"""What their vote counts, beside the model's."""
SHOWN = 50
"""Suspects that the table lists; the object and the queue hold more."""
SHOWN_NEIGHBOURS = 3
STARVED = 20
"""An agency with fewer complaints than this is learnt from too little."""

Say = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A complaint much like another: cosine of their TF-IDF, and the agency that it went to."""

    id: str
    agency: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Suspect:
    """A label that is probably wrong. `score` is its probability to models that had not seen it: low is bad."""

    id: str
    digest: str
    given: str
    likely: str
    score: float
    likely_probability: float
    neighbours: tuple[Neighbour, ...] = ()


@dataclass(frozen=True)
class Suspects:
    """What is worth a second look in labelled complaints, the worst first; `found` counts the suspects that are left out too."""

    rows: int
    found: int
    suspects: Sequence[Suspect]
    conflicts: Sequence[Conflict]
    starved: Mapping[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for --json."""
        return {
            "rows": self.rows,
            "found": self.found,
            "suspects": [asdict(suspect) for suspect in self.suspects],
            "conflicts": [asdict(conflict) for conflict in self.conflicts],
            "starved": dict(self.starved),
        }

    def __str__(self) -> str:
        """Lay out a table of the first SHOWN, and the rest in numbers."""
        shown = self.suspects[:SHOWN]
        listed = f"the worst {len(shown)} are listed" if len(shown) < self.found else "the worst first"
        # Not "wrong": where a model is right in two of three, most of what it doubts is its own error.
        lines = [
            f"{self.found:,} of {self.rows:,} labels are doubted; {listed}, for the further down, the more doubts are mistaken:"
        ]
        lines += [f"  {'id':<20} {'given':<24} {'likely':<24} {'p(given)':>8}  neighbours went to"]
        for suspect in shown:
            near = ", ".join(
                f"{agency} {count}" for agency, count in Counter(near.agency for near in suspect.neighbours).most_common()
            )
            lines.append(
                f"  {suspect.id[:20]:<20} {suspect.given[:24]:<24} {suspect.likely[:24]:<24} {suspect.score:>8.4f}  {near}"
            )
        lines.append(f"{len(self.conflicts):,} texts stand under more than one agency")
        lines += [
            f"  {', '.join(filter(None, conflict.ids))[:60]:<60} {' | '.join(conflict.agencies)}"
            for conflict in self.conflicts[:20]
        ]
        lines.append(f"{len(self.starved):,} agencies have fewer than {STARVED} complaints")
        lines += [f"  {agency:<30} {count:>4}" for agency, count in self.starved.items()]
        return "\n".join(lines)

    def write(self, path: Path) -> int:
        """Write the suspects as JSON Lines, a queue for the desk, whole or not at all; answers how many."""
        with whole(path) as out:
            out.writelines(json.dumps(asdict(suspect), ensure_ascii=False) + "\n" for suspect in self.suspects)
        return len(self.suspects)


def find(
    rows: Sequence[LabelledComplaint],
    reader: Reader,
    config: TrainingConfig,
    *,
    most: int = 500,
    say: Say = lambda _: None,
) -> Suspects:
    """Find the labels that are probably wrong, and list at most `most` of them; seeded by the configuration.

    Rows of agencies with fewer rows than there are folds teach, but are not judged: no fold could know their agency.
    Raises InvalidData where fewer than two agencies have that many rows.
    """
    found = dataset.deduplicate(rows)
    routed = [row for row in found.kept if row.agency]
    counts = Counter(row.agency for row in routed)
    judged = [row for row in routed if counts[row.agency] >= config.folds]
    if len({row.agency for row in judged}) < 2:
        raise InvalidData([Fault("data", 0, f"fewer than two agencies have {config.folds} complaints: too few to judge labels by")])
    rare = [row for row in routed if counts[row.agency] < config.folds]
    own, further = (read(part, reader, weigh(part, config, 1.0)) for part in (judged, rare))
    further += read_others((), reader, config)
    say(f"out-of-fold answers for {len(own):,} complaints")
    folds = grouped(own.labels.tolist(), dataset.near_duplicate_groups(judged), config.folds, config.seed)
    answers = out_of_fold(config, own, further, reader, folds, lambda: say("  a fold is done"))
    say("near neighbours")
    near = nearest(own)
    ranked = rank(answers, own.labels, near)
    suspects = [
        Suspect(
            id=judged[number].id,
            digest=seen.digest(judged[number]),
            given=judged[number].agency,
            likely=str(agency),
            score=float(score),
            likely_probability=float(probability),
            neighbours=tuple(
                Neighbour(judged[other].id, judged[other].agency, round(float(similarity), 4))
                for other, similarity in zip(near.rows[number], near.similarities[number], strict=True)
                if similarity > 0
            )[:SHOWN_NEIGHBOURS],
        )
        for number, agency, score, probability in zip(*(column[:most] for column in ranked), strict=True)
    ]
    active = [agency.id for agency in reader.register.agencies if not agency.valid_until]
    starved = sorted((counts[agency], agency) for agency in active if counts[agency] < STARVED)
    return Suspects(len(own), len(ranked[0]), suspects, found.conflicts, {agency: count for count, agency in starved})


def rank(answers: OutOfFold, labels: Array, near: Nearest) -> tuple[Array, Array, Array, Array]:
    """Rank what cleanlab takes for label issues, the worst first: row numbers, likely agencies, scores, likely probabilities.

    `labels` (rows,) are by row number, as `answers.rows` and `near` are.
    """
    given = labels[answers.rows]
    columns = np.isin(answers.agencies, given)  # an agency without a judged row has no share of the labels
    agencies = answers.agencies[columns]
    model = answers.probabilities[:, columns]
    voted = near.votes(labels, agencies)[answers.rows]
    mixed = (1 - NEIGHBOUR_SHARE) * model + NEIGHBOUR_SHARE * np.where(voted.sum(axis=1, keepdims=True) > 0, voted, model)
    probabilities = mixed / mixed.sum(axis=1, keepdims=True)
    truth = np.searchsorted(agencies, given)
    scores = get_label_quality_scores(truth, probabilities, method="self_confidence")
    issues = find_label_issues(
        truth, probabilities, filter_by="prune_by_class", return_indices_ranked_by="self_confidence", n_jobs=1
    )
    best = probabilities[issues].argmax(axis=1)
    return answers.rows[issues], agencies[best], scores[issues], probabilities[issues, best]
