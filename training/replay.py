"""Simulates a desk over past complaints, step by step, with only the labels that it would have had.

All complaints of the first FIRST_DAYS are labelled. Each later step trains on what is known, sets thresholds, routes the next
days, and learns the verdicts of what was reviewed or drawn for the blind audit. Automatic routings that were not audited stay
unlabelled, as in reality; their labels are used for the figures alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np
from joblib import delayed, parallel_config
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from model.faults import Fault, InvalidData
from model.labelled import LabelledComplaint
from model.policy import Threshold
from model.reader import Reader
from model.register import Register
from model.reliability import Reliability
from training.config import TrainingConfig
from training.fitting.calibrate import OutOfFold, fit_pipeline, fit_temperature, out_of_fold, widen
from training.measures import figures
from training.promises import trust
from training.promises.judge import Judged, judge
from training.promises.keeping import TRAFFIC_DAYS
from training.rows import dataset
from training.rows.data import AUDIT_SHARE, MAX_AUDIT_WEIGHT, Data, agencies_of, read, read_others
from training.rows.seen import digest
from training.rows.split import forward, judged_on
from training.workers import workers

Array = NDArray[Any]
FIRST_DAYS = 90
"""Days at the beginning that people labelled whole: the first quarter. Monthly steps begin with the month in which they end."""
ENOUGH_SENT = 100
"""Complaints sent in a month from which on its error says something."""

Say = Callable[[str], object]


@dataclass(frozen=True)
class Plan:
    """How a replay is run."""

    every: str = "week"
    audit: float = AUDIT_SHARE
    minutes_per_review: float = 3.0
    frozen: bool = False
    """Train once, on the first part, and never again: what retraining is worth shows in the difference."""
    draw: int = 0
    """Which draw of the blind audit: few are drawn, and who they are moves all that follows."""


@dataclass(frozen=True)
class Step:
    """One step: what was known, what was sent, how it went. `wrong` counts against labels that the desk never saw."""

    start: str
    end: str
    rows: int
    known: int
    accuracy: float
    threshold: float
    sent: int
    wrong: int
    audited: int

    @property
    def coverage(self) -> float:
        """Share that went out by itself."""
        return self.sent / self.rows if self.rows else 0.0

    @property
    def error(self) -> float:
        """Share of that which went to the wrong agency."""
        return self.wrong / self.sent if self.sent else 0.0


@dataclass(frozen=True)
class Replayed:
    """All steps, and the answers behind them: (rows,) each, in order of time."""

    plan: Plan
    steps: Sequence[Step]
    months: Array
    judged: Judged
    sent: Array
    target_error: float


@dataclass
class _Desk:
    """A desk on its way through the past: its complaints, and what it has learnt of them so far."""

    data: Data
    others: Data
    agencies: Array
    reader: Reader
    config: TrainingConfig
    plan: Plan
    known: Array
    """(rows,) whether the row has a verdict."""
    audited: Array
    """(rows,) whether it has one from the blind audit alone."""
    cases: list[tuple[date, Array, Array]] = field(default_factory=list)
    """(day of the step, row numbers, scores of these rows): every answer given so far, seen by people or not."""

    def calibrate_first(self, before: Array, start: date) -> None:
        """Answer the first part itself, each block scored by what came before it: the cases of the first step."""
        first = self.data.take(before)
        folds = judged_on(forward([row.received_at for row in first.rows], self.config.folds), dataset.judging(first.rows))
        if not folds:
            few = "fewer than two days with complaints before the first step: too little to begin with"
            raise InvalidData([Fault("data", 0, few)])
        answers = out_of_fold(self.config, first, self.others, self.reader, folds)
        self.cases.append((start, before[answers.rows], widen(answers.scores, answers.agencies, self.agencies)))

    def calibrate(self, start: date) -> _Calibration:
        """Fit temperature and curve on all answers whose verdict is known; set the threshold for the last weeks' traffic."""
        numbers = np.concatenate([rows for _, rows, _ in self.cases])
        scores = np.concatenate([part for _, _, part in self.cases])
        age = np.concatenate([np.full(len(rows), (start - day).days) for day, rows, _ in self.cases])
        known, recent = self.known[numbers], age <= TRAFFIC_DAYS
        temperature = fit_temperature(scores[known], np.searchsorted(self.agencies, self.data.labels[numbers[known]]))
        raw = judge(OutOfFold(numbers, self.agencies, scores, temperature), self.data, self.reader)
        audited_rows = self.audited[numbers[known]] if len(self.cases) > 1 else None  # the first part was seen whole
        learnt = trust.learn(raw.sureness[known], raw.said[known], raw.right[known], age[known], audited_rows)
        confidence = 1 - self.config.delta
        cut = learnt.threshold(raw.sureness[recent], raw.said[recent], self.config.target_error, confidence)
        return _Calibration(temperature, learnt.reliability, cut)

    def fit(self, past: Array, temperature: float) -> Pipeline:
        """Train on the verdicts that are known; one of the blind audit stands for those that nobody saw."""
        audited_weight = 1 / max(self.plan.audit, 1 / MAX_AUDIT_WEIGHT)
        taught = replace(self.data.take(past), weights=np.where(self.audited[past], audited_weight, 1.0))
        return fit_pipeline(self.config, taught + self.others, self.reader, temperature)

    def route(self, start: date, now: Array, model: Pipeline, calibration: _Calibration) -> _Routed:
        """Answer the rows of a step; what was reviewed or drawn for the audit gets its verdict."""
        scores = widen(model.decision_function(self.data.take(now).words), model.classes_, self.agencies)
        answers = OutOfFold(now, self.agencies, scores, calibration.temperature)
        judged = judge(answers, self.data, self.reader, calibration.reliability)
        sent = judged.sureness >= calibration.threshold.value
        rows = [self.data.rows[number] for number in now.tolist()]
        drawn = np.array([audited(row.id or digest(row), self.plan.audit, self.plan.draw) for row in rows])
        self.known[now[~sent | drawn]] = True
        self.audited[now] = sent & drawn
        self.cases.append((start, now, scores))
        return _Routed([row.received_at[:7] for row in rows], judged, sent, drawn)


class _Calibration(NamedTuple):
    """What a step's scores are read by."""

    temperature: float
    reliability: Reliability
    threshold: Threshold


class _Routed(NamedTuple):
    """The rows of a step: their months, the answers, what went out by itself, and what the audit drew."""

    months: Sequence[str]
    judged: Judged
    sent: Array
    drawn: Array


def edges(days: Sequence[date], every: str) -> Iterator[tuple[date, date]]:
    """Yield (start, end) of the steps after the first part; `end` is not in it."""
    start = min(days) + timedelta(days=FIRST_DAYS)
    if every == "month":
        start = date(start.year, start.month, 1)
    while start <= max(days):
        next_month = date(start.year + start.month // 12, start.month % 12 + 1, 1)
        end = next_month if every == "month" else start + timedelta(days=7)
        yield start, end
        start = end


def _days(rows: Sequence[LabelledComplaint]) -> list[date]:
    """Answer the day of each row. Raises InvalidData where one is none, or where they span less than the first part."""
    days, faults = [], []
    for row in rows:
        try:
            days.append(date.fromisoformat(row.received_at[:10]))
        except ValueError:
            faults.append(
                Fault("data", 0, f"{row.id}: received_at {row.received_at[:20]!r} is no date as YYYY-MM-DD".removeprefix(": "))
            )
    if not faults and (not days or (max(days) - min(days)).days < FIRST_DAYS):
        faults.append(Fault("data", 0, f"complaints with a date and an agency span less than {FIRST_DAYS} days: nothing to replay"))
    if faults:
        raise InvalidData(faults)
    return days


def audited(complaint_id: str, rate: float, draw: int = 0) -> bool:
    """Draw a complaint for the blind audit: by a hash of its id, so that a replay draws the same."""
    name = f"audit:{draw}:{complaint_id}" if draw else f"audit:{complaint_id}"
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) / 2**64 < rate


def replay(
    register: Register,
    rows: Sequence[LabelledComplaint],
    config: TrainingConfig,
    plan: Plan,
    say: Say = lambda _: None,
    other: Sequence[LabelledComplaint] = (),
) -> Replayed:
    """Run the past. Rows need a date and an agency; those without are left out. `other` regions' rows teach at every step.

    An agency that had ended by the last day counts as its successor from the first, as it does in a training on that day.
    Raises InvalidData where a date is none, or where nothing comes after the first part or too little in it.
    """
    rows = sorted((row for row in rows if row.received_at and row.agency), key=lambda row: (row.received_at, row.id))
    days = np.array(_days(rows))
    last = str(max(days))
    rows, other = (dataset.to_current(some, register, last) for some in (rows, other))
    reader = Reader(register)
    data, others = read(rows, reader, np.ones(len(rows))), read_others(other, reader, config, last)
    begin, _ = next(edges(days.tolist(), plan.every))
    before, judging = np.flatnonzero(days < begin), dataset.judging(rows)
    known, audited_rows = (days < begin) | ~judging, np.zeros(len(rows), dtype=bool)
    desk = _Desk(data, others, agencies_of(data, others), reader, config, plan, known, audited_rows)
    desk.calibrate_first(before, begin)
    steps: list[Step] = []
    parts: list[_Routed] = []
    model: Pipeline | None = None
    for start, end in edges(days.tolist(), plan.every):
        now = np.flatnonzero((days >= start) & (days < end) & judging)
        if not len(now):
            continue
        past = before if plan.frozen else np.flatnonzero(desk.known & (days < start))
        calibration = desk.calibrate(start)
        if model is None or not plan.frozen:
            model = desk.fit(past, calibration.temperature)
        part = desk.route(start, now, model, calibration)
        step = Step(
            start=start.isoformat(),
            end=end.isoformat(),
            rows=len(now),
            known=len(past),
            accuracy=float(part.judged.right.mean()),
            threshold=calibration.threshold.value,
            sent=int(part.sent.sum()),
            wrong=int((part.sent & ~part.judged.right).sum()),
            audited=int((part.sent & part.drawn).sum()),
        )
        steps.append(step)
        parts.append(part)
        wrong = _share({"sent": step.sent, "error": step.error})
        say(f"{step.start}  {step.rows:>4} rows  accuracy {step.accuracy:.3f}  sent {step.coverage:.3f}  wrong {wrong}")
    months, judged, sent, _ = zip(*parts, strict=True)
    return Replayed(plan, steps, np.concatenate(months), Judged.join(judged), np.concatenate(sent), config.target_error)


def over_draws(
    register: Register,
    rows: Sequence[LabelledComplaint],
    config: TrainingConfig,
    plan: Plan,
    draws: int,
    jobs: int,
    say: Say = lambda _: None,
    other: Sequence[LabelledComplaint] = (),
) -> list[dict[str, Any]]:
    """Run the past so many times at once, each with another draw of the audit, the plan's first; answers each one's figures.

    Raises InvalidData as `replay` does.
    """
    plans = [replace(plan, draw=plan.draw + number) for number in range(draws)]
    found = []
    tasks = (delayed(_summarised)(register, rows, config, one, say, other) for one in plans)
    for figures_of in workers(min(jobs, draws))(tasks):
        found.append(figures_of)
        say(f"draw {len(found)} of {draws}: sent {figures_of['coverage']:.3f}, of it wrong {figures_of['error']:.4f}")
    return found


def _summarised(
    register: Register,
    rows: Sequence[LabelledComplaint],
    config: TrainingConfig,
    plan: Plan,
    say: Say,
    other: Sequence[LabelledComplaint],
) -> dict[str, Any]:
    # A worker's own folds would run in threads, and liblinear's numbers then depend on which comes first.
    with parallel_config(backend="sequential"):
        return summarise(replay(register, rows, config, plan, lambda step: say(f"draw {plan.draw + 1}: {step}"), other))


def summarise(found: Replayed) -> dict[str, Any]:
    """Give the honest figures: over all, by month, and how often the promise held."""
    right, sent = found.judged.right, found.sent
    wrong = sent & ~right
    months = {}
    for month in np.unique(found.months):
        here = found.months == month
        out = int((here & sent).sum())
        bad = int((here & wrong).sum())
        months[str(month)] = {
            "rows": int(here.sum()),
            "accuracy": float(right[here].mean()),
            "coverage": out / int(here.sum()),
            "sent": out,
            "wrong": bad,
            "error": bad / out if out else 0.0,
            "error_interval": figures.clopper_pearson(bad, out),
        }
    held = [step.error <= found.target_error for step in found.steps if step.sent]
    total, bad = int(sent.sum()), int(wrong.sum())
    return {
        "every": found.plan.every,
        "rows": len(right),
        "accuracy": float(right.mean()),
        "accuracy_interval": figures.wilson(int(right.sum()), len(right)),
        "macro_f1": figures.macro_f1(found.judged.truth.tolist(), found.judged.said.tolist()),
        "ece": figures.expected_calibration_error(found.judged.sureness, right),
        "aurc": figures.aurc(found.judged.sureness, right),
        "target_error": found.target_error,
        "coverage": total / len(right),
        "sent": total,
        "wrong": bad,
        "error": bad / total if total else 0.0,
        "error_interval": figures.clopper_pearson(bad, total),
        "worst_month": worst_month(months.values()),
        "steps": len(found.steps),
        "steps_within_target": float(np.mean(held)) if held else 1.0,
        "minutes_saved": total * found.plan.minutes_per_review,
        "months": months,
        "per_step": [{**vars(step), "coverage": step.coverage, "error": step.error} for step in found.steps],
    }


def worst_month(months: Iterable[Mapping[str, Any]]) -> float | None:
    """Answer the largest share of wrong ones among what a month sent, of months that sent ENOUGH_SENT; None where none did."""
    return max((month["error"] for month in months if month["sent"] >= ENOUGH_SENT), default=None)


def together(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Sum up several draws: mean, least and most of each figure, None where no draw has it; `each` has the figures of each draw.

    `kept` counts the draws in which no more went wrong than promised, of the `sending` ones that sent anything.
    """
    names = ("accuracy", "coverage", "error", "worst_month", "ece")
    told: dict[str, Any] = {"draws": len(found), "each": [{name: one[name] for name in names} for one in found]}
    for name in names:
        values = [float(one[name]) for one in found if one[name] is not None]  # a draw may have no month that sent enough
        told[name] = {"mean": float(np.mean(values)), "least": min(values), "most": max(values)} if values else None
    sending = [one for one in found if one["sent"]]
    return told | {"sending": len(sending), "kept": sum(one["error"] <= one["target_error"] for one in sending)}


def together_table(told: Mapping[str, Any]) -> str:
    """Write that for a terminal, under the table of the first draw."""
    names = {"accuracy": "accuracy", "coverage": "automatic", "error": "wrong", "worst_month": "worst month", "ece": "ECE"}
    lines = [f"Above: the first of {told['draws']} draws of the audit. All of them:"]
    lines += [
        f"{name:<12} {one['mean']:.4f}  ({one['least']:.4f} to {one['most']:.4f})" if (one := told[key]) else f"{name:<12} -"
        for key, name in names.items()
    ]
    return "\n".join([*lines, f"no more wrong than promised in {told['kept']} of {told['sending']} that sent anything"])


def _share(found: Mapping[str, Any], digits: int = 3) -> str:
    """Write which share of what was sent was wrong; a dash where nothing was: 0 would pass for faultless."""
    return f"{found['error']:.{digits}f}" if found["sent"] else "-"


def table(found: dict[str, Any]) -> str:
    """Write the figures for a terminal."""
    low, high = found["accuracy_interval"]
    worst, best = found["error_interval"]
    held = f"{found['steps_within_target']:.2f}" if found["sent"] else "-"
    worst_of_months = "-" if found["worst_month"] is None else f"{found['worst_month']:.3f}"
    lines = [
        f"{found['rows']:,} complaints in {found['steps']} steps ({found['every']})",
        f"accuracy   {found['accuracy']:.3f}  ({low:.3f} to {high:.3f})   macro-F1 {found['macro_f1']:.3f}",
        f"ECE        {found['ece']:.3f}   AURC {found['aurc']:.4f}",
        f"automatic  {found['coverage']:.3f}  ({found['sent']:,}; saves {found['minutes_saved'] / 60:,.0f} hours of review)",
        f"wrong      {_share(found, 4)}  ({worst:.4f} to {best:.4f}); promised at most {found['target_error']:.2f}",
        f"worst month  {worst_of_months}, of those with {ENOUGH_SENT} sent",
        f"steps within the promise: {held}, of those that sent any",
        "",
        f"{'month':<10}{'rows':>7}{'accuracy':>10}{'automatic':>11}{'wrong':>8}",
    ]
    lines += [
        f"{month:<10}{row['rows']:>7}{row['accuracy']:>10.3f}{row['coverage']:>11.3f}{_share(row):>8}"
        for month, row in found["months"].items()
    ]
    return "\n".join(lines)
