"""What a version promises, and why that may be believed: its curve of reliability and its thresholds, from out-of-fold answers.

Labels without a date are taken for a sample of what comes: the bound of `training.promise` holds for them. Dated verdicts of a
desk are a stream that drifts, and what went out by itself is among them only where the blind audit drew it: they go through
`training.trust`, as each step of the replay does, so that a version sends what the replay says it would.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.policy import Policy
from model.reader import Reader
from model.reliability import Reliability
from training import promise, trust
from training.calibrate import OutOfFold
from training.config import TrainingConfig
from training.data import MAX_AUDIT_WEIGHT, Data, stands_for
from training.judge import Judged, judge

Array = NDArray[Any]
TRAFFIC_DAYS = 180
"""Expected errors are averaged over the traffic of these last days."""
LIST_COVERAGE = 0.95


@dataclass(frozen=True)
class Kept:
    """The curve, the policy, and the answers as they are under both; `stands_for` (rows,) as for `data.stands_for`."""

    reliability: Reliability
    policy: Policy
    judged: Judged
    stands_for: Array


def policy_of(judged: Judged, config: TrainingConfig) -> Policy:
    """Fit the policy on answers that are a sample of what comes, calibrated already."""
    return promise.policy(judged.sureness, judged.said, judged.right, judged.truth_probability, config)


def keep(answers: OutOfFold, own: Data, reader: Reader, config: TrainingConfig) -> Kept:
    """Fit curve and policy on out-of-fold answers: by time where all their rows have a date, else as one sample."""
    raw = judge(answers, own, reader)
    rows = [own.rows[number] for number in answers.rows]
    each = stands_for(rows)
    if not all(row.received_at for row in rows):
        reliability = trust.fit(raw.sureness, raw.right)
        judged = judge(answers, own, reader, reliability)
        return Kept(reliability, policy_of(judged, config), judged, each)
    days = np.array([date.fromisoformat(row.received_at[:10]).toordinal() for row in rows])
    age = days.max() - days
    learnt = trust.learn(raw.sureness, raw.said, raw.right, age, np.minimum(each, MAX_AUDIT_WEIGHT))
    recent = age <= TRAFFIC_DAYS
    cut = learnt.threshold(raw.sureness[recent], raw.said[recent], config.target_error, 1 - config.delta, each[recent])
    judged = judge(answers, own, reader, learnt.reliability)
    found = Policy(
        target_error=config.target_error,
        confidence=1 - config.delta,
        overall=cut,
        per_agency={},
        list_cut=promise.list_cut(judged.truth_probability, LIST_COVERAGE, each),
        list_coverage=LIST_COVERAGE,
    )
    return Kept(learnt.reliability, found, judged, each)
