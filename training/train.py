"""The whole training: from labelled complaints to the artifact of a new version."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from model.artifact import Artifact
from model.cues import load_cues
from model.labelled import LabelledComplaint
from model.reader import Reader, Reading, protected_words
from model.register import Register
from model.text import Analyzer
from training.config import TrainingConfig
from training.fitting import aspects
from training.fitting.aspects import Read
from training.fitting.calibrate import fit_pipeline, out_of_fold
from training.fitting.fit import compile_arrays
from training.measures import slices
from training.promises.judge import Judged
from training.promises.keeping import keep
from training.rows import dataset
from training.rows.data import MAX_AUDIT_WEIGHT, Data, read, read_others, stands_for, weigh, without_labels
from training.rows.seen import FILE as SEEN
from training.rows.seen import Seen
from training.rows.split import Fold, forward, grouped, judged_on
from training.rows.training_set import Examples, TrainingSet
from training.workers import dismiss_workers

LIBRARIES = ("numpy", "scikit-learn", "scipy", "PySastrawi")
STEPS = 6
"""Steps that `train` tells of, besides one for each fold."""
MIN_DATED = 0.5
"""Share of own rows with a date from which folds follow time."""

Say = Callable[[str], object]


def folds_of(rows: Sequence[LabelledComplaint], config: TrainingConfig) -> list[Fold]:
    """Folds that follow time where most rows have a date; else random ones, near-duplicates together.

    Rows that only teach (`dataset.only_teaches`) are in no test: neither the promise nor the figures are made of them. In random
    folds copies are in none either: of nearly the same texts only the latest is tested.
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
    register: Register, given: TrainingSet, config: TrainingConfig, created: str, say: Say = lambda _: None
) -> tuple[Artifact, Judged]:
    """Fit everything and answer the artifact and the out-of-fold answers that its report is made of, nothing written yet.

    `created` is an ISO time; the same data, configuration and time give the same artifact. `say` tells each step.
    """
    reader = Reader(register)
    say("reading the words")
    routed = [row for row in given.own if row.agency]
    own = read(routed, reader, weigh(routed, config, 1.0) * np.minimum(stands_for(routed), MAX_AUDIT_WEIGHT))
    other = read_others(given.other, reader, config, created[:10])
    unlabelled = without_labels(given.unlabelled, reader, config.unlabelled_weight)
    folds = folds_of(routed, config)
    say(f"out-of-fold answers for {sum(len(fold.test) for fold in folds):,} of {len(routed):,} complaints")
    answers = out_of_fold(config, own, other, reader, folds, lambda: say("  a fold is done"), unlabelled=unlabelled)
    dismiss_workers()
    say("thresholds that keep the promise")
    kept = keep(answers, own, reader, config)
    say(f"fitting on {len(own) + len(other) + len(given.unlabelled):,} rows")
    fitted = fit_pipeline(config, own + other, reader, answers.temperature, unlabelled)
    named = slices.kinds([routed[n] for n in answers.rows], [own.readings[n].place.kecamatan for n in answers.rows])
    examples = _read_examples(given.examples) if given.examples else ()
    fit = partial(fit_pipeline, config, reader=reader, temperature=answers.temperature, unlabelled=unlabelled)
    said = unseen_answers(fitted, examples, own, other, fit)
    del own, other, unlabelled, fit  # their words are a good part of the memory, and what comes now takes much of its own
    say("kind, oversight, what is missing, and emergencies")
    heads = aspects.fit_from(fitted, given.own, reader, answers, config, examples, said)
    dismiss_workers()
    figures = kept.judged.figures(kept.policy, kept.stands_for)
    sent = kept.judged.sent(kept.policy)
    parts = slices.measure(named, kept.judged.right, sent, config.target_error, 1 - config.delta, kept.stands_for)
    say(promised(figures["auto"]))
    vocabulary, arrays = compile_arrays(fitted, heads.coef, heads.bias)
    manifest = {
        "version": version_name(created, given, register, config),
        "created": created,
        "agencies": [str(agency) for agency in fitted.classes_],
        "python": platform.python_version(),
        **made_with(register),
        "data": given.to_dict(),
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


def unseen_answers(
    fitted: Pipeline, examples: Sequence[Read], own: Data, other: Data, fit: Callable[[Data], Pipeline]
) -> NDArray[np.float64]:
    """Answer (examples, agencies) with pipelines that did not learn from them who is responsible.

    That is the fitted one, but for examples that are among the `other` rows it learnt from: these are answered in two halves,
    each by one that `fit` fits without that half. Where a model has seen the answer it is surer than it will be in service.
    """
    texts = [reading.matter for _, reading in examples]
    if not texts:
        return np.zeros((0, len(fitted.classes_)))
    said: NDArray[np.float64] = fitted.predict_proba(texts)
    groups = np.array(dataset.near_duplicate_groups([*other.rows, *(row for row, _ in examples)]))
    taught, asked = groups[: len(other)], groups[len(other) :]
    for half in (0, 1):
        held = np.flatnonzero(np.isin(asked, taught) & (asked % 2 == half))
        if held.size:
            without = fit(own + other.take(np.flatnonzero(taught % 2 != half)))
            said[held] = 0.0
            columns = np.searchsorted(fitted.classes_, without.classes_)
            said[np.ix_(held, columns)] = without.predict_proba([texts[n] for n in held])
    return said


def _read_examples(examples: Examples) -> list[tuple[LabelledComplaint, Reading]]:
    reader = Reader(examples.register)
    return [(row, reader.read(row.complaint)) for row in examples.rows]


def version_name(created: str, given: TrainingSet, register: Register, config: TrainingConfig) -> str:
    """Name a version by its day and what went into it: the same inputs on the same day have the same name."""
    inputs = "".join((created, given.digest, register.digest, json.dumps(config.to_dict(), sort_keys=True)))
    return f"{created[:10]}-{hashlib.sha256(inputs.encode()).hexdigest()[:8]}"


def made_with(register: Register) -> dict[str, Any]:
    """Answer what decides a version besides data, configuration and time, under the names that a manifest gives it."""
    return {
        "libraries": {name: importlib.metadata.version(name) for name in LIBRARIES},
        "stemmer": stemmer_digest(register),
        "cues": load_cues().digest,
        "register": register.digest,
    }


def seen_file(given: TrainingSet) -> dict[str, str]:
    """Give the digests of what a version was trained on, as a file of its artifact: nobody is to judge it by those."""
    return {SEEN: Seen.of([*given.own, *given.other], given.unlabelled).to_text()}


def stemmer_digest(register: Register) -> str:
    """Answer what decides a stem in this program and this region."""
    return Analyzer(protected_words(register)).stemmer.digest
