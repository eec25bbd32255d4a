"""Self-training on complaints without labels, to learn how people in a region write (Yarowsky, 1995).

A model trained on people's labels labels them, and a new one is trained on both: first with the surest half, then, labelled
again, with all. They form an origin of their own (`fitting.fit`), so only the weights that they share with the other rows are
kept. Pseudo-labels never judge a model, and answers of the service are never used: a desk returns people's verdicts only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from sklearn.pipeline import Pipeline

from training.rows.data import Data

ROUNDS = (0.5, 1.0)
"""Share of the complaints, the surest, that each round learns from. Chosen on Surabaya's from August to October 2022."""


def teach(fit: Callable[[Data], Pipeline], taught: Data, unlabelled: Data) -> Pipeline:
    """Fit on what people labelled, then on it and on `unlabelled`, whose labels are the last model's answers."""
    model = fit(taught)
    for share in ROUNDS:
        model = fit(taught + pseudo_labelled(model, unlabelled, share))
    return model


def pseudo_labelled(model: Pipeline, unlabelled: Data, share: float) -> Data:
    """Label the surest `share` of complaints with the model's answers; they keep their order.

    An answer is the surer, the further the first agency's score leads the second's.
    """
    scores = model.decision_function(unlabelled.words)
    second, first = np.sort(scores, axis=1)[:, -2:].T
    surest = np.sort(np.argsort(second - first, kind="stable")[: round(share * len(unlabelled))])
    chosen = unlabelled.take(surest)
    said = model.classes_[scores[surest].argmax(axis=1)]
    return replace(chosen, rows=[replace(row, agency=str(agency)) for row, agency in zip(chosen.rows, said, strict=True)])
