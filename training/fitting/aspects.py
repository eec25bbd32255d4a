"""Fit the aspects: kind, alleged wrongdoing, what is missing, what is no complaint at all, and what is an emergency.

This module chooses which rows teach; `fitting.heads` fits to them. The figures come from rows that had no part in fitting or in
choosing thresholds. A lexicon of cues that was written with the rows in sight would flatter, so in cross-validation a cue that
stands in no training row counts for nothing.

Officers at a desk decide which agency is responsible, or that a text is no complaint, but never its kind. So rows without
a kind teach and test NOT_A_COMPLAINT only; and rows that were written for EMERGENCY, it alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import delayed
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from model.aspect_facts import Case
from model.aspects import ASPECTS, EMERGENCY, NOT_A_COMPLAINT, OVERSIGHT, Aspects, Findings
from model.cues import HERE, Cues, load_cues
from model.labelled import EMERGENCIES, KINDS, MISSING, LabelledComplaint
from model.reader import Reader, Reading
from model.text import stand
from training.config import TrainingConfig
from training.fitting.aspect_figures import judge, summary
from training.fitting.calibrate import OutOfFold
from training.fitting.heads import Rows, fit_heads, folds
from training.workers import JOBS, workers

Array = NDArray[Any]
Figures = dict[str, Any]
Read = tuple[LabelledComplaint, Reading]

MIN_POSITIVES = 20
"""Rows that an aspect must hold for, and as many that it must not: with fewer, nothing about it can be measured."""
MIN_PRECISION = 0.4
"""A question to the reporter that is needless more often than this is left out."""
FURTHER = 4_000
"""Routed rows without a kind, the newest, that stand against those that are no complaint: as many as the default corpus has."""


@dataclass(frozen=True)
class FittedAspects:
    """What goes into the artifact.

    `coef` (columns, features) and `bias` (columns,) are the scorer's further columns; `figures` are cross-validated.
    """

    coef: Array
    bias: Array
    aspects: Aspects
    figures: Figures


def fit(
    X: csr_matrix,
    rows: Sequence[LabelledComplaint],
    cases: Sequence[Case],
    config: TrainingConfig,
    agencies: Sequence[str],
    cues: Cues | None = None,
    repeats: int = 1,
) -> FittedAspects:
    """Fit on labelled rows. An aspect that they tell too little of (MIN_POSITIVES, MIN_PRECISION) is left out.

    `X` (rows, features) as the scorer sees them; the `probabilities` in `cases`, in the order of `agencies`, must be
    out-of-fold. The figures are from `repeats` cross-validations, each with other folds.
    """
    data = prepare(X, rows, cases)
    names = [name for name in ASPECTS if np.bincount(data.truth[name][data.known[name]], minlength=2).min() >= MIN_POSITIVES]
    if not names:
        none = Aspects(agencies, (), Cues({}), {}, {})
        return FittedAspects(
            np.zeros((0, X.shape[1])), np.zeros(0), none, {"rows": int(data.known[KINDS[1]].sum()), "left_out": list(ASPECTS)}
        )
    lexicon = load_cues() if cues is None else cues
    figures = cross_validate(data, names, lexicon, agencies, config.seed, repeats)
    useless = [name for name in names if name in MISSING and figures[name]["precision"] < MIN_PRECISION]
    figures["left_out"] = [name for name in ASPECTS if name not in names or name in useless]
    kept = [name for name in names if name not in useless]
    with threadpool_limits(limits=1, user_api="blas"):  # its matrices are small: more threads wait for each other
        machines, aspects = fit_heads(data, names, lexicon, agencies, config.seed, kept)
    return FittedAspects(machines.coef, machines.bias, aspects, figures)


def fit_from(
    fitted: Pipeline,
    rows: Sequence[LabelledComplaint],
    reader: Reader,
    answers: OutOfFold,
    config: TrainingConfig,
    examples: Sequence[Read] = (),
    said: Array | None = None,
) -> FittedAspects:
    """Fit on the features and agencies of a fitted pipeline, whose further columns these become.

    `answers` are out-of-fold; their numbers count the rows that have an agency. A row without one took no part in fitting the
    pipeline, so for such a row the pipeline's own answer is honest. Rows that no fold tested are left out. `examples` are
    further rows without an agency, read with the register of the region that they come from; `said` (examples, agencies) is what
    a pipeline answers that has not seen them.
    """
    X, chosen, cases = cases_from(fitted, rows, reader, answers, examples, said)
    return fit(X, chosen, cases, config, [str(agency) for agency in answers.agencies])


def cases_from(
    fitted: Pipeline,
    rows: Sequence[LabelledComplaint],
    reader: Reader,
    answers: OutOfFold,
    examples: Sequence[Read] = (),
    said: Array | None = None,
) -> tuple[csr_matrix, list[LabelledComplaint], list[Case]]:
    """Answer features, rows and cases of the rows that teach and whose probabilities are honest; as for `fit_from`."""
    place = {int(row): at for at, row in enumerate(answers.rows)}
    routed = np.cumsum([bool(row.agency) for row in rows]) - 1
    numbers = teaching(rows, [n for n, row in enumerate(rows) if not row.agency or int(routed[n]) in place])
    read = [(rows[number], reader.read(rows[number].complaint)) for number in numbers]
    read += examples
    chosen, readings = [row for row, _ in read], [reading for _, reading in read]
    if not chosen:
        return csr_matrix((0, fitted["classifier"].coef_.shape[1])), [], []
    X = fitted["features"].transform([reading.matter for reading in readings]).tocsr()
    probabilities = fitted["classifier"].predict_proba(X)
    if said is not None and len(examples):
        probabilities[-len(examples) :] = said
    known = [at for at, row in enumerate(chosen) if row.agency]
    probabilities[known] = answers.probabilities[[place[int(routed[numbers[at]])] for at in known]]
    cases = [
        Case(reading.complaint, reading.words, reading.found, reading.place, answer)
        for reading, answer in zip(readings, probabilities, strict=True)
    ]
    return X, chosen, cases


def teaching(rows: Sequence[LabelledComplaint], numbers: Sequence[int]) -> list[int]:
    """Choose of these row numbers, in their order, those that teach.

    All do that say a kind, or are there for EMERGENCIES. Of the others, which a desk decided, those that are no complaint do;
    routed ones only beside such, and then at most FURTHER of them: alone they would teach that every text in this desk's style
    is a complaint.
    """
    whole = {number for number in numbers if rows[number].kind or rows[number].use == EMERGENCIES}
    further = [number for number in numbers if number not in whole]
    none = {number for number in further if rows[number].expect == "review"}
    real = sorted((number for number in further if number not in none), key=lambda number: (rows[number].received_at, number))
    taken = none.union(real[-FURTHER:] if none else ())
    return [number for number in numbers if number in whole or number in taken]


def prepare(X: csr_matrix, rows: Sequence[LabelledComplaint], cases: Sequence[Case]) -> Rows:
    """Join rows, as `cases_from` answers them, with the truth of every aspect."""
    truth: dict[str, Array] = {kind: np.array([row.kind == kind for row in rows], dtype=bool) for kind in KINDS[1:]}
    truth[OVERSIGHT] = np.array([row.oversight for row in rows], dtype=bool)
    truth |= {item: np.array([item in row.missing for row in rows], dtype=bool) for item in MISSING}
    truth[NOT_A_COMPLAINT] = np.array([row.expect == "review" for row in rows], dtype=bool)
    truth[EMERGENCY] = np.array([row.emergency for row in rows], dtype=bool)
    kinded = np.array([bool(row.kind) for row in rows], dtype=bool)
    alarms = np.array([row.use == EMERGENCIES for row in rows], dtype=bool)
    known = dict.fromkeys(ASPECTS, kinded) | {NOT_A_COMPLAINT: ~alarms, EMERGENCY: kinded | alarms}
    strata = np.array([f"{row.kind} {row.oversight} {row.expect} {row.emergency} {row.use}" for row in rows])
    return Rows(X, cases, truth, known, strata)


def cross_validate(
    data: Rows,
    names: Sequence[str],
    cues: Cues,
    agencies: Sequence[str],
    seed: int,
    repeats: int,
    *,
    only_met: bool = True,
) -> Figures:
    """Fit without each fold in turn, read the fold, and answer the figures: means over the repeats, and their ranges.

    `only_met`: a cue that stands in no training row counts for nothing.
    """
    plan = [(repeat, *fold) for repeat in range(repeats) for fold in folds(data.strata, seed + repeat)]
    tasks = (
        delayed(_read_fold)(data.take(train), data.take(test), names, cues, agencies, seed, only_met) for _, train, test in plan
    )
    rounds: list[list[Findings]] = [[Findings()] * len(data) for _ in range(repeats)]
    for (repeat, _, test), found in zip(plan, workers(JOBS)(tasks), strict=True):
        for number, finding in zip(test, found, strict=True):
            rounds[repeat][number] = finding
    judged = [judge(data.truth, findings, data.known) for findings in rounds]
    kinded = int(data.known[KINDS[1]].sum())
    head = {"rows": kinded, "without_kind": len(data) - kinded, "repeats": repeats}
    return head | {name: summary([one[name] for one in judged]) for name in judged[0]}


def _read_fold(
    part: Rows, held: Rows, names: Sequence[str], cues: Cues, agencies: Sequence[str], seed: int, only_met: bool
) -> list[Findings]:
    """Fit on one part and read what was held out."""
    known = met(cues, part.cases) if only_met else cues
    machines, aspects = fit_heads(part, names, known, agencies, seed, names)
    return [aspects.read(columns, case) for columns, case in zip(machines.columns(held), held.cases, strict=True)]


def met(cues: Cues, cases: Sequence[Case]) -> Cues:
    """Keep the cues that stand in these complaints at all, and the words of HERE, which are no evidence."""
    waiting: dict[str, set[tuple[str, tuple[str, ...]]]] = {}
    for group, phrases in cues.phrases.items():
        for phrase in phrases if group != HERE else ():
            first, *rest = phrase.split()
            waiting.setdefault(first, set()).add((phrase, tuple(rest)))
    found: set[str] = set()
    for case in cases:
        for at, word in enumerate(case.words):
            for form in (word.text, word.stem):
                if form in waiting:
                    seen = {item for item in waiting[form] if stand(case.words, at + 1, item[1])}
                    found |= {phrase for phrase, _ in seen}
                    waiting[form] -= seen
    return Cues({group: [item for item in items if group == HERE or item in found] for group, items in cues.phrases.items()})
