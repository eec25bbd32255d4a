"""The whole training: from files of labelled complaints to a new version in the registry's folder."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from model.artifact import Artifact
from model.cues import load_cues
from model.faults import Fault, InvalidData
from model.labelled import EMERGENCIES, LabelledComplaint
from model.reader import Reader, Reading, protected_words
from model.register import Register
from model.rules import load_region
from model.text import Analyzer
from training import aspects, dataset, slices
from training.calibrate import fit_pipeline, out_of_fold
from training.config import TrainingConfig
from training.data import MAX_AUDIT_WEIGHT, read, read_others, stands_for, weigh, without_labels
from training.fit import compile_arrays
from training.judge import Judged
from training.keeping import keep
from training.seen import FILE as SEEN
from training.seen import Seen
from training.sources import read_unlabelled
from training.split import Fold, forward, grouped, judged_on
from training.workers import dismiss_workers

LIBRARIES = ("numpy", "scikit-learn", "scipy", "PySastrawi")
STEPS = 6
"""Steps that `train` tells of, besides one for each fold."""
MIN_DATED = 0.5
"""Share of own rows with a date from which folds follow time."""

Say = Callable[[str], object]


@dataclass(frozen=True)
class Examples:
    """Another region's complaints that teach the aspects alone, without an agency; the register tells the places in them."""

    rows: Sequence[LabelledComplaint]
    register: Register


@dataclass(frozen=True)
class Sources:
    """What a training is given: this region's own complaints, and other regions' to learn from."""

    own: Sequence[LabelledComplaint]
    other: Sequence[LabelledComplaint] = ()
    examples: Examples | None = None
    unlabelled: Sequence[LabelledComplaint] = ()
    """This region's complaints of which no person has said whose they are (`training.self_training`)."""
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
) -> Sources:
    """Read, check, bring labels up to date and deduplicate. Raises InvalidData with every fault of every file.

    What repeats an own row is dropped from the other regions': `other` teaches every fold and every challenger, so an own row
    would be judged by a model that has seen it. `examples` is the folder of another region, for the aspects. `unlabelled` are
    sources as an import reads them; what repeats an own row is dropped from them too.
    """
    faults: list[Fault] = []
    own_rows, other_rows = (dataset.read(paths, faults) for paths in (own, other))
    texts: list[LabelledComplaint] = []
    for path in unlabelled:
        try:
            texts += read_unlabelled(path, say)
        except InvalidData as error:
            faults += error.faults
    dataset.check([*own_rows, *other_rows], register, faults, every_agency=not allow_unseen, today=today)
    mine = dataset.deduplicate(dataset.to_current([row.complaint for row in own_rows], register, today))
    theirs = dataset.deduplicate(dataset.to_current([row.complaint for row in other_rows], register, today))
    further = dataset.without_repeats(theirs.kept, mine.kept)
    dropped = mine.dropped + theirs.dropped + len(theirs.kept) - len(further)
    shown = _load_examples(examples, [*mine.kept, *further]) if examples else None
    unknown = dataset.without_repeats(dataset.deduplicate(texts).kept, mine.kept)
    dropped += len(texts) - len(unknown)
    return Sources(mine.kept, further, shown, unknown, dropped, len(mine.conflicts) + len(theirs.conflicts))


def _load_examples(folder: Path, known: Sequence[LabelledComplaint]) -> Examples | None:
    """Read another region's complaints that say a kind, and its emergencies; None where all repeat known ones, as its own do."""
    register, _ = load_region(folder)
    rows = [row.complaint for row in dataset.load_known(register, [folder / "complaints.jsonl"])]
    telling = [replace(row, agency="", unit="") for row in rows if row.kind or row.use == EMERGENCIES]
    told = dataset.deduplicate(telling).kept
    new = dataset.without_repeats(told, known)
    return Examples(new, register) if new else None


def folds_of(rows: Sequence[LabelledComplaint], config: TrainingConfig) -> list[Fold]:
    """Folds that follow time where most rows have a date; else random ones, near-duplicates together.

    Rows that only teach (`dataset.only_teaches`) are in no test: neither the promise nor the figures are made of them. Nor, in
    random folds, are copies: of nearly the same texts the latest alone.
    """
    return judged_on(_folds(rows, config), dataset.judging(rows))


def _folds(rows: Sequence[LabelledComplaint], config: TrainingConfig) -> list[Fold]:
    dated = np.array([bool(row.received_at) for row in rows])
    if rows and dated.mean() >= MIN_DATED:
        numbers = np.flatnonzero(dated)
        always = np.flatnonzero(~dated)
        by_time = forward([rows[n].received_at for n in numbers.tolist()], config.folds)
        if by_time:
            return [Fold(np.concatenate([always, numbers[fold.train]]), numbers[fold.test]) for fold in by_time]
    groups = dataset.near_duplicate_groups(rows)
    # The exact bound of the promise counts cases, and copies of one complaint are one.
    return judged_on(grouped([row.agency for row in rows], groups, config.folds, config.seed), dataset.one_of_each(rows))


def train(
    register: Register, sources: Sources, config: TrainingConfig, created: str, say: Say = lambda _: None
) -> tuple[Artifact, Judged]:
    """Fit everything and answer the artifact and the out-of-fold answers that its report is made of, nothing written yet.

    `created` is an ISO time; the same data, configuration and time give the same artifact. `say` tells each step.
    """
    reader = Reader(register)
    say("reading the words")
    routed = [row for row in sources.own if row.agency]
    own = read(routed, reader, weigh(routed, config, 1.0) * np.minimum(stands_for(routed), MAX_AUDIT_WEIGHT))
    other = read_others(sources.other, reader, config, created[:10])
    unlabelled = without_labels(sources.unlabelled, reader, config.unlabelled_weight)
    folds = folds_of(routed, config)
    say(f"out-of-fold answers for {sum(len(fold.test) for fold in folds):,} of {len(routed):,} complaints")
    answers = out_of_fold(config, own, other, reader, folds, lambda: say("  a fold is done"), unlabelled=unlabelled)
    dismiss_workers()
    say("thresholds that keep the promise")
    kept = keep(answers, own, reader, config)
    say(f"fitting on {len(own) + len(other) + len(sources.unlabelled):,} rows")
    fitted = fit_pipeline(config, own + other, reader, answers.temperature, unlabelled)
    named = slices.kinds([routed[n] for n in answers.rows], [own.readings[n].place.kecamatan for n in answers.rows])
    del own, other, unlabelled  # their words are a good part of the memory, and what comes now takes much of its own
    say("kind, oversight, what is missing, and emergencies")
    examples = _read_examples(sources.examples) if sources.examples else ()
    heads = aspects.fit_from(fitted, sources.own, reader, answers, config, examples)
    dismiss_workers()
    figures = kept.judged.figures(kept.policy, kept.stands_for)
    sent = kept.judged.sent(kept.policy)
    parts = slices.measure(named, kept.judged.right, sent, config.target_error, 1 - config.delta, kept.stands_for)
    say(promised(figures["auto"]))
    vocabulary, arrays = compile_arrays(fitted, heads.coef, heads.bias)
    manifest = {
        "version": version_name(created, sources, register, config),
        "created": created,
        "agencies": [str(agency) for agency in fitted.classes_],
        "python": platform.python_version(),
        **made_with(register),
        "data": sources.to_dict(),
        "config": config.to_dict(),
        "temperature": answers.temperature,
        "reliability": kept.reliability.to_dict(),
        "policy": kept.policy.to_dict(),
        "aspects": heads.aspects.to_dict(),
        "metrics": figures,
        "figures": {"out_of_fold": figures, "slices": parts, "aspects": heads.figures},
    }
    return Artifact(manifest, {"additions": arrays.additions, "bias": arrays.bias}, vocabulary, register), kept.judged


def promised(auto: Mapping[str, Any]) -> str:
    """Tell what a version would send by itself of complaints like those it was judged on (`figures.automatic`)."""
    if not auto["sent"]:
        return f"nothing would go out by itself: too few answers are right to promise at most {auto['target_error']:.0%} wrong"
    sent, wrong = f"{auto['coverage']:.1%} would go out by themselves", f"{auto['error']:.1%} of these wrong"
    return f"{sent}, {wrong}; promised at most {auto['target_error']:.0%}"


def _read_examples(examples: Examples) -> list[tuple[LabelledComplaint, Reading]]:
    reader = Reader(examples.register)
    return [(row, reader.read(row.complaint)) for row in examples.rows]


def version_name(created: str, sources: Sources, register: Register, config: TrainingConfig) -> str:
    """Name a version by its day and what went into it: the same inputs on the same day have the same name."""
    inputs = "".join((created, sources.digest, register.digest, json.dumps(config.to_dict(), sort_keys=True)))
    return f"{created[:10]}-{hashlib.sha256(inputs.encode()).hexdigest()[:8]}"


def made_with(register: Register) -> dict[str, Any]:
    """Answer what decides a version besides data, configuration and time, under the names that a manifest gives it."""
    return {
        "libraries": {name: importlib.metadata.version(name) for name in LIBRARIES},
        "stemmer": stemmer_digest(register),
        "cues": load_cues().digest,
        "register": register.digest,
    }


def seen_file(sources: Sources) -> dict[str, str]:
    """Give the digests of what a version was trained on, as a file of its artifact: nobody is to judge it by those."""
    return {SEEN: Seen.of([*sources.own, *sources.other], sources.unlabelled).to_text()}


def stemmer_digest(register: Register) -> str:
    """Answer what decides a stem in this program and this region."""
    return Analyzer(protected_words(register)).stemmer.digest
