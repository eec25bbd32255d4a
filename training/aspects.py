"""Fit the aspects: kind, alleged wrongdoing, what is missing, and what is no complaint at all.

Two steps. Each aspect first gets a linear machine over the scorer's features: its column. Then a logistic regression
joins the columns, as machines gave them that had not seen the row, with the facts and with what complaints to the
likely agencies usually lack or are. Thresholds are chosen on out-of-fold answers, and the figures come from rows that
had no part in any of it. Where the lexicon of cues was written with the rows in sight, that would flatter: so in
cross-validation a cue that stands in no training row counts for nothing.

Officers at a desk decide which agency is responsible, or that a text is no complaint, but never its kind. So rows without
a kind teach and test NOT_A_COMPLAINT only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import delayed
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits

from model.aspects import (
    ASPECTS,
    FACTS,
    HERE,
    NEAR,
    NOT_A_COMPLAINT,
    OVERSIGHT,
    Aspects,
    Cues,
    Facts,
    Findings,
    Head,
    load_cues,
    measure,
)
from model.labelled import KINDS, MISSING, LabelledComplaint
from model.reader import Reader, Reading
from model.text import stand
from training.calibrate import JOBS, OutOfFold, workers
from training.config import TrainingConfig

Array = NDArray[Any]
Figures = dict[str, Any]
Read = tuple[LabelledComplaint, Reading]

COLUMN_C = 0.2
KIND_C, ALLEGATION_C, OTHER_C = 0.1, 0.3, 0.03
"""LinearSVC's C for the columns, LogisticRegression's for what joins them; each on a plateau."""
ALLEGATION_FACTS = (
    "misuse",
    "official",
    "money",
    "demand",
    "secrecy",
    "probe",
    "inform",
    "wish",
    "want",
    *(f"{one} near {other}" for one, other, _ in NEAR),
    "agency sure",
)
"""With a hundred allegations to learn from, all facts at once teach chance; these and the aspect's own column do not."""
LENGTH_FACTS = ("words", "under 14 words")
"""Not for telling what is no complaint: where people write three words, three words are a complaint."""
RATE_PRIOR = 10.0
"""Complaints at the overall rate that every agency is given beside its own, so that a rare one's rate is no accident."""
FOLDS = 5
MIN_POSITIVES = 20
"""Rows that an aspect must hold for; with fewer, nothing about it can be measured."""
OVERSIGHT_PRECISION = 0.63
"""At least this share of those held for allegations must be ones; out-of-fold figures come out 2 points above new ones."""
HELD_BACK = 0.007
"""Most real complaints, as a share, that may be held back as none; under the promised 1 %, as other regions write differently."""
MIN_PRECISION = 0.4
"""A question to the reporter that is needless more often than this is left out."""
FURTHER = 4_000
"""Routed rows without a kind, the newest, that stand against those that are no complaint: as many as the default corpus has."""
_GRID = [round(0.1 * step, 1) for step in range(-30, 21)]
_TINY = 1e-6


@dataclass(frozen=True)
class FittedAspects:
    """What goes into the artifact.

    `coef` (columns, features) and `bias` (columns,) are the scorer's further columns; `figures` are cross-validated.
    """

    coef: Array
    bias: Array
    aspects: Aspects
    figures: Figures


@dataclass(frozen=True)
class Rows:
    """Labelled rows column by column: features, facts, (rows,) truth of each aspect, and the strata of folds.

    `kinded` (rows,): whether a row has a kind; of the others only NOT_A_COMPLAINT is known.
    """

    X: csr_matrix
    facts: Sequence[Facts]
    truth: Mapping[str, Array]
    strata: Array
    kinded: Array

    def __len__(self) -> int:
        """How many rows."""
        return len(self.facts)

    @property
    def probabilities(self) -> Array:
        """(rows, agencies), as the facts have them."""
        return np.array([fact.probabilities for fact in self.facts])

    def known(self, name: str) -> Array:
        """(rows,) whether a row tells of an aspect."""
        return np.ones(len(self), dtype=bool) if name == NOT_A_COMPLAINT else self.kinded

    def take(self, numbers: Array) -> Rows:
        """Take the rows of these numbers."""
        truth = {name: values[numbers] for name, values in self.truth.items()}
        facts = [self.facts[number] for number in numbers]
        return Rows(self.X[numbers], facts, truth, self.strata[numbers], self.kinded[numbers])


@dataclass(frozen=True)
class Machines:
    """The columns, (columns, features) and (columns,), and the logarithms of the agencies' rates, (columns, agencies)."""

    coef: Array
    bias: Array
    needs: Array

    def columns(self, rows: Rows) -> Array:
        """(rows, columns) scores."""
        scores: Array = np.asarray(rows.X @ self.coef.T) + self.bias
        return scores


def fit(
    X: csr_matrix,
    rows: Sequence[LabelledComplaint],
    facts: Sequence[Facts],
    config: TrainingConfig,
    agencies: Sequence[str],
    cues: Cues | None = None,
    repeats: int = 1,
) -> FittedAspects:
    """Fit on labelled rows; of an aspect that too few of them tell of, nothing is said of any complaint.

    `X` (rows, features) as the scorer sees them; the `probabilities` in `facts`, in the order of `agencies`, must be
    out-of-fold. The figures are from `repeats` cross-validations, each with other folds.
    """
    data = prepare(X, rows, facts)
    names = [name for name in ASPECTS if np.bincount(data.truth[name][data.known(name)], minlength=2).min() >= MIN_POSITIVES]
    if not names:
        none = Aspects(agencies, (), Cues({}), {}, {})
        return FittedAspects(
            np.zeros((0, X.shape[1])), np.zeros(0), none, {"rows": int(data.kinded.sum()), "left_out": list(ASPECTS)}
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
) -> FittedAspects:
    """Fit on the features and agencies of a fitted pipeline, whose further columns these become.

    `answers` are out-of-fold, and count the rows that have an agency. A row without one took no part in fitting the
    pipeline, which may say itself what it thinks of it. Rows that no fold tested are left out. `examples` are further such
    rows, read with the register of the region that they come from.
    """
    X, chosen, facts = facts_from(fitted, rows, reader, answers, examples)
    return fit(X, chosen, facts, config, [str(agency) for agency in answers.agencies])


def facts_from(
    fitted: Pipeline, rows: Sequence[LabelledComplaint], reader: Reader, answers: OutOfFold, examples: Sequence[Read] = ()
) -> tuple[csr_matrix, list[LabelledComplaint], list[Facts]]:
    """Answer features, rows and facts of the rows that teach and whose probabilities are honest; as for `fit_from`."""
    place = {int(row): at for at, row in enumerate(answers.rows)}
    routed = np.cumsum([bool(row.agency) for row in rows]) - 1
    numbers = teaching(rows, [n for n, row in enumerate(rows) if not row.agency or int(routed[n]) in place])
    read = [(rows[number], reader.read(rows[number].complaint)) for number in numbers]
    read += examples
    chosen, readings = [row for row, _ in read], [reading for _, reading in read]
    if not chosen:
        return csr_matrix((0, fitted["classifier"].coef_.shape[1])), [], []
    X = fitted["features"].transform([reading.words for reading in readings]).tocsr()
    probabilities = fitted["classifier"].predict_proba(X)
    known = [at for at, row in enumerate(chosen) if row.agency]
    probabilities[known] = answers.probabilities[[place[int(routed[numbers[at]])] for at in known]]
    facts = [
        Facts(reading.complaint, reading.words, reading.found, reading.place, said)
        for reading, said in zip(readings, probabilities, strict=True)
    ]
    return X, chosen, facts


def teaching(rows: Sequence[LabelledComplaint], numbers: Sequence[int]) -> list[int]:
    """Choose of these row numbers, in their order, those that teach: all that say a kind, and what a desk decided without one.

    Routed rows without a kind are taken only where there are also rows without a kind that are no complaint, and then at most
    FURTHER of them: alone they would teach that every text in this desk's style is a complaint.
    """
    further = [number for number in numbers if not rows[number].kind]
    none = {number for number in further if rows[number].expect == "review"}
    real = sorted((number for number in further if number not in none), key=lambda number: (rows[number].received_at, number))
    taken = none.union(real[-FURTHER:] if none else ())
    return [number for number in numbers if rows[number].kind or number in taken]


def prepare(X: csr_matrix, rows: Sequence[LabelledComplaint], facts: Sequence[Facts]) -> Rows:
    """Join rows, as `facts_from` answers them, with the truth of every aspect."""
    truth: dict[str, Array] = {kind: np.array([row.kind == kind for row in rows], dtype=bool) for kind in KINDS[1:]}
    truth[OVERSIGHT] = np.array([row.oversight for row in rows], dtype=bool)
    truth |= {item: np.array([item in row.missing for row in rows], dtype=bool) for item in MISSING}
    truth[NOT_A_COMPLAINT] = np.array([row.expect == "review" for row in rows], dtype=bool)
    strata = np.array([f"{row.kind} {row.oversight} {row.expect}" for row in rows])
    return Rows(X, facts, truth, strata, np.array([bool(row.kind) for row in rows], dtype=bool))


def cross_validate(
    data: Rows,
    names: Sequence[str],
    cues: Cues,
    agencies: Sequence[str],
    seed: int,
    repeats: int = 1,
    *,
    only_met: bool = True,
) -> Figures:
    """Fit without each fold in turn, read the fold, and answer the figures: means over the repeats, and their ranges.

    `only_met`: a cue that stands in no training row counts for nothing.
    """
    plan = [(repeat, *fold) for repeat in range(repeats) for fold in folds(data.strata, FOLDS, seed + repeat)]
    tasks = (
        delayed(_read_fold)(data.take(train), data.take(test), names, cues, agencies, seed, only_met) for _, train, test in plan
    )
    rounds: list[list[Findings]] = [[Findings()] * len(data) for _ in range(repeats)]
    for (repeat, _, test), found in zip(plan, workers(JOBS)(tasks), strict=True):
        for number, finding in zip(test, found, strict=True):
            rounds[repeat][number] = finding
    judged = [judge(data.truth, findings, data.kinded) for findings in rounds]
    kinded = int(data.kinded.sum())
    head = {"rows": kinded, "without_kind": len(data) - kinded, "repeats": repeats}
    return head | {name: summary([one[name] for one in judged]) for name in judged[0]}


def _read_fold(
    part: Rows, held: Rows, names: Sequence[str], cues: Cues, agencies: Sequence[str], seed: int, only_met: bool
) -> list[Findings]:
    """Fit on one part and read what was held out."""
    known = met(cues, part.facts) if only_met else cues
    machines, aspects = fit_heads(part, names, known, agencies, seed, names)
    return [aspects.read(columns, fact) for columns, fact in zip(machines.columns(held), held.facts, strict=True)]


def judge(truth: Mapping[str, Array], findings: Sequence[Findings], kinded: Array | None = None) -> dict[str, dict[str, float]]:
    """Compare findings with the truth: precision, recall and F1 of each aspect, macro-F1 over the kinds.

    `held_back` of not-a-complaint is the share of real complaints that it stops. Where some rows say no kind, only `kinded`
    ones count for all else.
    """
    said = {kind: np.array([finding.kind == kind for finding in findings]) for kind in KINDS}
    said[OVERSIGHT] = np.array([finding.oversight for finding in findings])
    said |= {item: np.array([item in finding.missing for finding in findings]) for item in MISSING}
    said[NOT_A_COMPLAINT] = np.array([not finding.is_complaint for finding in findings])
    is_pengaduan = ~np.any([truth[kind] for kind in KINDS[1:]], axis=0)
    known = np.ones(len(findings), dtype=bool) if kinded is None else kinded
    figures = {
        name: _scores(flags[known], (is_pengaduan if name == KINDS[0] else truth[name])[known]) for name, flags in said.items()
    }
    figures[NOT_A_COMPLAINT] = _scores(said[NOT_A_COMPLAINT], truth[NOT_A_COMPLAINT])
    real = ~truth[NOT_A_COMPLAINT]
    figures[NOT_A_COMPLAINT]["held_back"] = float(said[NOT_A_COMPLAINT][real].mean()) if real.any() else 0.0
    return {"kind": {"macro_f1": float(np.mean([figures[kind]["f1"] for kind in KINDS]))}} | figures


def _scores(said: Array, truth: Array) -> dict[str, float]:
    right = int((said & truth).sum())
    precision, recall = right / max(int(said.sum()), 1), right / max(int(truth.sum()), 1)
    return {
        "rows": int(truth.sum()),
        "precision": precision,
        "recall": recall,
        "f1": 2 * right / max(int(said.sum() + truth.sum()), 1),
    }


def summary(rounds: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """Average each figure; under its name with "_range" stand the lowest and highest, where there were several rounds."""
    summary: dict[str, Any] = {}
    for name in rounds[0]:
        values = [one[name] for one in rounds]
        summary[name] = values[0] if name == "rows" else float(np.mean(values))
        if len(rounds) > 1 and name != "rows":
            summary[f"{name}_range"] = [min(values), max(values)]
    return summary


def folds(strata: Array, count: int, seed: int) -> list[tuple[Array, Array]]:
    """Row numbers to train on and to test on, each stratum spread evenly, however rare it is."""
    shuffled = np.random.default_rng(seed).permutation(len(strata))
    order = shuffled[np.argsort(strata[shuffled], kind="stable")]
    fold = np.empty(len(strata), dtype=int)
    fold[order] = np.arange(len(strata)) % count
    return [(np.flatnonzero(fold != number), np.flatnonzero(fold == number)) for number in range(count)]


def met(cues: Cues, facts: Sequence[Facts]) -> Cues:
    """Keep the cues that stand in these complaints at all, and the words of HERE, which are no evidence."""
    waiting: dict[str, set[tuple[str, tuple[str, ...]]]] = {}
    for group, phrases in cues.phrases.items():
        for phrase in phrases if group != HERE else ():
            first, *rest = phrase.split()
            waiting.setdefault(first, set()).add((phrase, tuple(rest)))
    found: set[str] = set()
    for fact in facts:
        for at, word in enumerate(fact.words):
            for form in (word.text, word.stem):
                if form in waiting:
                    seen = {item for item in waiting[form] if stand(fact.words, at + 1, item[1])}
                    found |= {phrase for phrase, _ in seen}
                    waiting[form] -= seen
    return Cues({group: [item for item in items if group == HERE or item in found] for group, items in cues.phrases.items()})


def fit_machines(data: Rows, names: Sequence[str], seed: int) -> Machines:
    """One linear machine for each aspect, and each agency's rate of it."""
    coef, bias = np.zeros((len(names), data.X.shape[1])), np.zeros(len(names))
    needs = np.zeros((len(names), data.probabilities.shape[1]))
    for place, name in enumerate(names):
        known = data.known(name)
        truth, probabilities = data.truth[name][known], data.probabilities[known]
        totals = probabilities.sum(axis=0)
        needs[place] = np.log((probabilities.T @ truth + RATE_PRIOR * truth.mean()) / (totals + RATE_PRIOR) + _TINY)
        machine = LinearSVC(C=COLUMN_C, random_state=seed).fit(data.X[known], truth)
        coef[place], bias[place] = machine.coef_[0], machine.intercept_[0]
    return Machines(coef, bias, needs)


def fit_heads(
    data: Rows, names: Sequence[str], cues: Cues, agencies: Sequence[str], seed: int, kept: Sequence[str]
) -> tuple[Machines, Aspects]:
    """Fit a column for each of `names`, and for each of `kept` a head over all columns and facts with its threshold."""
    facts = np.array([measure(cues, fact) for fact in data.facts])
    columns, needs = np.zeros((2, len(data), len(names)))
    inner = folds(data.strata, FOLDS, seed + 1)
    for train, test in inner:
        machines = fit_machines(data.take(train), names, seed)
        held = data.take(test)
        columns[test], needs[test] = machines.columns(held), held.probabilities @ machines.needs.T
    machines = fit_machines(data, names, seed)
    given = np.hstack([columns, needs, facts])
    kinds = [kind for kind in KINDS[1:] if kind in kept]
    heads = {}
    for group in filter(None, (kinds, *([name] for name in kept if name not in kinds))):
        known = data.known(group[0])
        middle, spread = given[known].mean(axis=0), given[known].std(axis=0)
        spread[spread == 0] = 1.0
        inputs = (given - middle) / spread
        target = target_of(data.truth, group)
        read = inputs_of(group, names)
        scores = np.zeros((len(data), len(group)))
        for train, test in inner:
            taught = train[known[train]]
            coef, bias = _join(inputs[taught], target[taught], read, group)
            scores[test] = inputs[test] @ coef.T + bias
        thresholds = choose_thresholds(group, scores[known], target[known])
        coef, bias = _join(inputs[known], target[known], read, group)
        coef /= spread
        for place, name in enumerate(group):
            of_columns, of_needs, of_facts = (tuple(part.tolist()) for part in np.split(coef[place], [len(names), 2 * len(names)]))
            heads[name] = Head(of_columns, of_needs, of_facts, float(bias[place] - coef[place] @ middle), thresholds[place])
    rates = {name: [float(value) for value in machines.needs[place]] for place, name in enumerate(names)}
    return machines, Aspects(agencies, names, cues, rates, heads)


def target_of(truth: Mapping[str, Array], group: Sequence[str]) -> Array:
    """(rows,) which of the aspects of a group holds, by its place; the number of them where none does."""
    target: Array = np.select([truth[name] for name in group], list(range(len(group))), len(group))
    return target


def inputs_of(group: Sequence[str], names: Sequence[str]) -> Array:
    """Which inputs the head of an aspect reads: (columns + needs + facts,)."""
    own = np.array([name in group for name in names])
    facts = np.ones(len(FACTS), dtype=bool)
    if OVERSIGHT in group:
        facts = np.isin(FACTS, ALLEGATION_FACTS)
    elif NOT_A_COMPLAINT in group:
        facts = ~np.isin(FACTS, LENGTH_FACTS)
    else:
        own[:] = True
    return np.concatenate([own, own, facts])


def _join(inputs: Array, target: Array, read: Array, group: Sequence[str]) -> tuple[Array, Array]:
    """Fit the log-odds of each class against the last, from the inputs that are read: (classes - 1, inputs) and (classes - 1,)."""
    c = KIND_C if group[0] in KINDS else ALLEGATION_C if group[0] == OVERSIGHT else OTHER_C
    model = LogisticRegression(C=c, max_iter=2000).fit(inputs[:, read], target)
    # Of two classes scikit-learn keeps the last one's coefficients alone.
    pair = len(group) == 1
    bias: Array = -model.intercept_ if pair else model.intercept_[:-1] - model.intercept_[-1]
    coef = np.zeros((len(group), inputs.shape[1]))
    coef[:, read] = -model.coef_ if pair else model.coef_[:-1] - model.coef_[-1]
    return coef, bias


def choose_thresholds(group: Sequence[str], scores: Array, target: Array) -> list[float]:
    """Choose from which score each aspect of a group holds; `scores` (rows, aspects) must be out-of-fold.

    Kinds: the highest macro-F1. Allegations: the most found at OVERSIGHT_PRECISION. What is missing: the highest F1.
    No complaint: the most found while at most HELD_BACK of the real ones are held back.
    """
    if group[0] in KINDS:
        return _kind_thresholds(scores, target)
    values, truth = scores[:, 0], target == 0
    if group[0] == NOT_A_COMPLAINT:
        real = np.sort(values[~truth])[::-1]
        return [float(real[int(HELD_BACK * len(real))])]
    return [_threshold(values, truth, OVERSIGHT_PRECISION if group[0] == OVERSIGHT else None)]


def _threshold(scores: Array, truth: Array, least_precision: float | None) -> float:
    """Find the threshold with the highest F1, or the lowest that keeps a precision; above every score if none does."""
    order = np.argsort(-scores, kind="stable")
    ranked, right = scores[order], np.cumsum(truth[order])
    said = np.arange(1, len(scores) + 1)
    if least_precision is None:
        last = int(np.argmax(2 * right / (said + truth.sum())))
    else:
        enough = np.flatnonzero(right / said >= least_precision)
        if not len(enough):
            return float(ranked[0])
        last = int(enough[-1])
    below = ranked[last + 1] if last + 1 < len(ranked) else ranked[last] - 1.0
    return float((ranked[last] + below) / 2)


def _kind_thresholds(scores: Array, target: Array) -> list[float]:
    """Thresholds that together give the highest macro-F1: each in turn, the others held, twice."""
    chosen = np.zeros(scores.shape[1])

    def macro_f1() -> float:
        margins = scores - chosen
        said = np.where(margins.max(axis=1) > 0, margins.argmax(axis=1), len(chosen))
        return float(np.mean([_scores(said == kind, target == kind)["f1"] for kind in range(len(chosen) + 1)]))

    for _ in range(2):
        for place in range(len(chosen)):
            tried = []
            for value in _GRID:
                chosen[place] = value
                tried.append(macro_f1())
            chosen[place] = _GRID[int(np.argmax(tried))]
    return [float(value) for value in chosen]
