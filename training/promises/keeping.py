"""The reliability curve and the thresholds of a version, fitted on answers to complaints that the model had not seen.

These answers are out-of-fold, or those that the service gave, where the label tells them. Two cases:

* Labels without dates are taken for a random sample of what will come, so the finite-sample bound of `promises.promise` applies.
* Dated verdicts of a desk drift over time, and automatic routings are among them only where the blind audit drew them. They go
  through `promises.trust`, as each step of the replay does, so that a version sends about what the replay predicts. From
  ENOUGH_DATED of them on they alone decide, because a corpus written by hand says nothing about the complaints to come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.labelled import LabelledComplaint
from model.policy import Policy
from model.reader import Reader
from model.reliability import Reliability
from training.config import TrainingConfig
from training.fitting.calibrate import OutOfFold
from training.promises import promise, trust
from training.promises.judge import Judged, judge
from training.rows.data import Data, stands_for

Array = NDArray[Any]
TRAFFIC_DAYS = 180
"""Expected errors are averaged over the traffic of these last days."""
ENOUGH_DATED = 500
"""Dated answers from which on they alone decide. A curve fitted to a handful of right answers would be overconfident; with fewer,
the exact bound is applied to all answers, and it promises nothing where those are too few."""


@dataclass(frozen=True)
class Kept:
    """The curve, the policy, and the answers as they are under both.

    `stands_for` (rows,) as for `data.stands_for`, and 0 for those that decided nothing.
    """

    reliability: Reliability
    policy: Policy
    judged: Judged
    stands_for: Array


def policy_of(judged: Judged, config: TrainingConfig) -> Policy:
    """Fit the policy on answers that are a sample of what comes, calibrated already."""
    return promise.policy(judged.sureness, judged.said, judged.right, judged.truth_probability, config)


def keep(answers: OutOfFold, own: Data, reader: Reader, config: TrainingConfig) -> Kept:
    """Fit curve and policy: on the dated answers where there are ENOUGH_DATED of them, else on all."""
    raw = judge(answers, own, reader)
    each = stands_for(own.rows)
    known = _known(raw, answers.rows, own)
    dated = known.there & np.array([bool(row.received_at) for row in own.rows])
    if dated.sum() < ENOUGH_DATED:
        reliability = trust.fit(raw.sureness, raw.right)
        judged = judge(answers, own, reader, reliability)
        return Kept(reliability, policy_of(judged, config), judged, each[answers.rows])
    numbers = np.flatnonzero(dated)
    days = np.array([date.fromisoformat(own.rows[number].received_at[:10]).toordinal() for number in numbers.tolist()])
    age, stands, sureness, said = days.max() - days, each[numbers], known.sureness[numbers], known.said[numbers]
    right = own.labels[numbers] == said
    learnt = trust.learn(sureness, said, right, age, _audited([own.rows[number] for number in numbers.tolist()]))
    recent = age <= TRAFFIC_DAYS
    cut = learnt.threshold(sureness[recent], said[recent], config.target_error, 1 - config.delta, stands[recent])
    judged = judge(answers, own, reader, learnt.reliability)
    counted = np.where(dated, each, 0.0)[answers.rows]
    found = Policy(
        target_error=config.target_error,
        confidence=1 - config.delta,
        overall=cut,
        per_agency={},
        list_cut=promise.list_cut(judged.truth_probability[counted > 0], promise.LIST_COVERAGE, counted[counted > 0]),
        list_coverage=promise.LIST_COVERAGE,
    )
    return Kept(learnt.reliability, found, judged, counted)


def _audited(rows: Sequence[LabelledComplaint]) -> Array | None:
    """(rows,) which verdicts come from the blind audit; None where no row ever passed through a service."""
    blind = np.array([row.blind for row in rows])
    return blind if blind.any() or any(row.answered for row in rows) else None


class _Known(NamedTuple):
    """(rows,) each, of all own rows: whether there is an answer, the agency it says, and how sure it is before any curve."""

    there: Array
    said: Array
    sureness: Array


def _known(raw: Judged, judged_rows: Array, own: Data) -> _Known:
    """Take each row's answer as the service gave it, where the label tells it; else the out-of-fold answer.

    Which complaints have a verdict depends on the answer given at the time: given that answer, verdicts are missing at random;
    given a new one, of a model that has seen less, they are not.
    """
    there, sureness = np.zeros(len(own), dtype=bool), np.zeros(len(own))
    said = np.full(len(own), "", dtype=object)
    there[judged_rows], said[judged_rows], sureness[judged_rows] = True, raw.said, raw.sureness
    for number, row in enumerate(own.rows):
        if given := row.answered:
            there[number], said[number], sureness[number] = True, given.agency, given.sureness
    return _Known(there, said, sureness)
