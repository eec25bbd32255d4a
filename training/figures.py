"""The figures that judge a model: accuracy with intervals, calibration, risk against coverage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, norm

Array = NDArray[Any]


def wilson(right: int, rows: int, confidence: float = 0.95) -> tuple[float, float]:
    """Interval of a share (Wilson 1927); (0, 1) where there are no rows."""
    if not rows:
        return 0.0, 1.0
    z = float(norm.ppf((1 + confidence) / 2))
    share = right / rows
    middle = (share + z * z / (2 * rows)) / (1 + z * z / rows)
    half = z / (1 + z * z / rows) * np.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows))
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def clopper_pearson(wrong: int, rows: int, confidence: float = 0.95) -> tuple[float, float]:
    """Exact binomial interval of a share (Clopper and Pearson 1934); (0, 1) where there are no rows."""
    tail = (1 - confidence) / 2
    low = float(beta.ppf(tail, wrong, rows - wrong + 1)) if wrong else 0.0
    high = float(beta.ppf(1 - tail, wrong + 1, rows - wrong)) if wrong < rows else 1.0
    return low, high


def expected_calibration_error(confidence: Array, right: Array, bins: int = 15) -> float:
    """Mean gap between confidence and accuracy over `bins` bins of equally many rows."""
    if not len(confidence):
        return 0.0
    order = np.argsort(confidence, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return float(sum(len(part) * abs(confidence[part].mean() - right[part].mean()) for part in parts) / len(order))


def risk_coverage(confidence: Array, right: Array) -> tuple[Array, Array]:
    """Share of rows sent, most certain first, and the share of those that is wrong: two arrays (rows,)."""
    order = np.argsort(-confidence, kind="stable")
    sent = np.arange(1, len(order) + 1)
    return sent / len(order), np.cumsum(~right[order].astype(bool)) / sent


def aurc(confidence: Array, right: Array) -> float:
    """Area under the risk-coverage curve (Geifman and El-Yaniv 2017); lower is better."""
    return float(risk_coverage(confidence, right)[1].mean()) if len(right) else 0.0


def augrc(confidence: Array, right: Array) -> float:
    """Area under the generalised risk-coverage curve (Traub et al. 2024): the mean share of failures sent unseen."""
    if not len(right):
        return 0.0
    coverage, risk = risk_coverage(confidence, right)
    return float((risk * coverage).mean())


def per_agency(truth: Sequence[str], said: Sequence[str]) -> dict[str, dict[str, float]]:
    """Rows, precision, recall and F1 of every agency that occurs in either."""
    real, answer = np.asarray(truth), np.asarray(said)
    table = {}
    for agency in sorted({*truth, *said}):
        hits = int(((real == agency) & (answer == agency)).sum())
        rows, named = int((real == agency).sum()), int((answer == agency).sum())
        precision, recall = hits / named if named else 0.0, hits / rows if rows else 0.0
        f1 = 2 * hits / (rows + named)
        table[agency] = {"rows": rows, "named": named, "precision": precision, "recall": recall, "f1": f1}
    return table


def macro_f1(truth: Sequence[str], said: Sequence[str]) -> float:
    """Mean F1 over every agency that occurs in truth or answers, as scikit-learn's `average="macro"`."""
    table = per_agency(truth, said)
    return float(np.mean([row["f1"] for row in table.values()])) if table else 0.0
