"""Out-of-fold answers as the service would have given them: rules of authority applied, and then judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.policy import Policy
from model.reader import Reader
from model.reliability import Reliability
from model.routing import Candidate
from model.scorer import MAX_RANKED
from training.fitting.calibrate import OutOfFold
from training.measures import figures
from training.rows.data import Data

Array = NDArray[Any]
PLAIN = Reliability()
"""The curve that changes nothing."""


@dataclass(frozen=True)
class Judged:
    """(rows,) each: true agency, predicted agency, probability of the prediction and of the truth, truth among the top three."""

    truth: Array
    said: Array
    sureness: Array
    truth_probability: Array
    top3: Array

    @classmethod
    def join(cls, parts: Sequence[Judged]) -> Judged:
        """Put the rows of several one behind the other."""
        return cls(*(np.concatenate([getattr(part, column.name) for part in parts]) for column in fields(cls)))

    @property
    def right(self) -> Array:
        """(rows,) whether what was said is what was decided."""
        right: Array = self.truth == self.said
        return right

    def sent(self, policy: Policy) -> Array:
        """(rows,) whether a policy is sure enough to send it; what else may keep a complaint back is not looked at."""
        sent: Array = self.sureness >= np.array([policy.threshold(agency).value for agency in self.said])
        return sent

    def figures(self, policy: Policy, stands_for: Array | None = None) -> dict[str, Any]:
        """Evaluate these answers, and what the policy would have sent; in-sample for the policy, which was fitted on them.

        `stands_for` (rows,): how many complaints each represents, as `data.stands_for`.
        """
        right, sent = self.right, self.sent(policy)
        return {
            "rows": len(right),
            "accuracy": float(right.mean()),
            "accuracy_interval": figures.wilson(int(right.sum()), len(right)),
            "top3": float(self.top3.mean()),
            "macro_f1": figures.macro_f1(self.truth.tolist(), self.said.tolist()),
            "ece": figures.expected_calibration_error(self.sureness, right),
            "aurc": figures.aurc(self.sureness, right),
            "augrc": figures.augrc(self.sureness, right),
            "auto": figures.automatic(sent, right, policy.target_error, policy.confidence, stands_for),
        }


def judge(answers: OutOfFold, own: Data, reader: Reader, reliability: Reliability = PLAIN) -> Judged:
    """Rank, apply the rules, make the probabilities honest, compare with the labels."""
    said, sure, of_truth, top3 = [], [], [], []
    order = np.argsort(-answers.probabilities, axis=1, kind="stable")[:, :MAX_RANKED]
    for number, probabilities, best in zip(answers.rows, answers.probabilities, order, strict=True):
        ranked = [Candidate(str(answers.agencies[place]), float(probabilities[place])) for place in best]
        candidates = reliability.recalibrate(reader.apply_rules(ranked, own.readings[number])[0])
        truth = own.rows[number].agency
        said.append(candidates[0].agency)
        sure.append(candidates[0].probability)
        of_truth.append(next((item.probability for item in candidates if item.agency == truth), 0.0))
        top3.append(truth in [item.agency for item in candidates[:3]])
    return Judged(own.labels[answers.rows], np.array(said), np.array(sure), np.array(of_truth), np.array(top3))
