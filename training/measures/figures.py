"""The figures that judge a model: accuracy with intervals, calibration, risk against coverage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, binom, norm

Array = NDArray[Any]
TAIL = (1 - 0.95) / 2
"""What lies on each side of a 95 % interval."""
BINS = 15
"""Bins of the calibration error and of the reliability diagram."""
RESAMPLES = 300


def wilson(right: float, rows: float) -> tuple[float, float]:
    """Compute the 95 % interval of a share (Wilson 1927); (0, 1) where there are no rows."""
    if not rows:
        return 0.0, 1.0
    z = float(norm.ppf(1 - TAIL))
    share = right / rows
    middle = (share + z * z / (2 * rows)) / (1 + z * z / rows)
    half = z / (1 + z * z / rows) * np.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows))
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def clopper_pearson(wrong: int, rows: int) -> tuple[float, float]:
    """Compute the exact 95 % binomial interval of a share (Clopper and Pearson 1934); (0, 1) where there are no rows."""
    low = float(beta.ppf(TAIL, wrong, rows - wrong + 1)) if wrong else 0.0
    high = float(beta.ppf(1 - TAIL, wrong + 1, rows - wrong)) if wrong < rows else 1.0
    return low, high


def kept(error: float, cases: int, target: float, confidence: float) -> bool | None:
    """Tell whether a promise of at most `target` wrong is kept, or broken; None where `cases` are too few to tell.

    Kept is said where so few wrong, broken where so many, would come by chance in at most 1 - `confidence` of samples, if just
    `target` of all went wrong.
    """
    wrong, doubt = round(error * cases), 1 - confidence
    if binom.sf(wrong - 1, cases, target) < doubt:
        return False
    return True if binom.cdf(wrong, cases, target) <= doubt else None


def expected_calibration_error(sureness: Array, right: Array) -> float:
    """Compute the mean gap between sureness and accuracy over BINS bins of equally many rows."""
    parts = _bins(sureness)
    return float(sum(len(part) * abs(sureness[part].mean() - right[part].mean()) for part in parts) / max(1, len(sureness)))


def reliability(sureness: Array, right: Array) -> list[dict[str, Any]]:
    """Describe the bins of `expected_calibration_error`: rows, mean sureness, and the share that was right, with its interval."""
    return [
        {
            "rows": len(part),
            "confidence": float(sureness[part].mean()),
            "accuracy": float(right[part].mean()),
            "accuracy_interval": wilson(int(right[part].sum()), len(part)),
        }
        for part in _bins(sureness)
    ]


def _bins(sureness: Array) -> list[Array]:
    return [part for part in np.array_split(np.argsort(sureness, kind="stable"), BINS) if len(part)]


def risk_coverage(sureness: Array, right: Array) -> tuple[Array, Array]:
    """Share of rows sent, most certain first, and the share of those that is wrong: two arrays (rows,)."""
    order = np.argsort(-sureness, kind="stable")
    sent = np.arange(1, len(order) + 1)
    return sent / len(order), np.cumsum(~right[order].astype(bool)) / sent


def risk_coverage_points(sureness: Array, right: Array) -> list[dict[str, float]]:
    """Take at most 100 points of the curve for drawing: coverage, risk, and the sureness from which so much is sent."""
    if not len(right):
        return []
    coverage, risk = risk_coverage(sureness, right)
    sure = np.sort(sureness)[::-1]
    places = np.unique(np.linspace(0, len(sure) - 1, 100).round().astype(int))
    ends = np.unique(np.searchsorted(-sure, -sure[places], side="right") - 1)  # rows of one sureness are sent together
    return [{"coverage": float(coverage[n]), "risk": float(risk[n]), "confidence": float(sure[n])} for n in ends]


def aurc(sureness: Array, right: Array) -> float:
    """Area under the risk-coverage curve (Geifman and El-Yaniv 2017); lower is better."""
    return float(risk_coverage(sureness, right)[1].mean()) if len(right) else 0.0


def augrc(sureness: Array, right: Array) -> float:
    """Area under the generalised risk-coverage curve (Traub et al. 2024): the mean share of failures sent unseen."""
    if not len(right):
        return 0.0
    coverage, risk = risk_coverage(sureness, right)
    return float((risk * coverage).mean())


def automatic(sent: Array, right: Array, target_error: float, confidence: float, stands_for: Array | None = None) -> dict[str, Any]:
    """Set what went out by itself beside the promise about it; `sent` and `right` are (rows,).

    `stands_for` (rows,): how many complaints each row stands for, 0 where it does not count. Shares are of these complaints,
    the `traffic`. Rows that stand for several tell less than so many rows would. So the error's interval is that of fewer
    rows, the `cases` (Kish 1965), and the coverage's that of rows whose mean varies as much (linearised).
    """
    each = np.ones(len(sent)) if stands_for is None else stands_for
    wrong, counted = sent & ~right, each > 0
    total, out, bad = float(each.sum()), float(each[sent].sum()), float(each[wrong].sum())
    coverage, error = out / total if total else 0.0, bad / out if out else 0.0
    variance = float((each**2 * (sent - coverage) ** 2).sum()) / total**2 if total else 0.0
    as_varied = coverage * (1 - coverage) / variance if variance else float(counted.sum())
    cases = out**2 / float((each[sent] ** 2).sum()) if out else 0.0
    return {
        "target_error": target_error,
        "confidence": confidence,
        "coverage": coverage,
        "coverage_interval": wilson(coverage * as_varied, as_varied),
        "traffic": round(total),
        "traffic_sent": round(out),
        "sent": int((sent & counted).sum()),
        "wrong": int((wrong & counted).sum()),
        "error": error,
        "error_interval": clopper_pearson(round(error * cases), round(cases)),
        "cases": round(cases),
    }


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


def confused_pairs(truth: Sequence[str], said: Sequence[str]) -> list[dict[str, Any]]:
    """Name the 15 pairs of agencies that are taken for each other most often, in either direction.

    `agencies` are the two; `wrong` counts complaints of the first that were given to the second, and the reverse;
    `right` counts those of each that were given to it.
    """
    counts = Counter(zip(truth, said, strict=True))
    pairs = {(min(pair), max(pair)) for pair in counts if pair[0] != pair[1]}
    ranked = sorted(pairs, key=lambda pair: (-counts[pair] - counts[pair[::-1]], pair))[:15]
    return [
        {
            "agencies": [first, second],
            "wrong": [counts[first, second], counts[second, first]],
            "right": [counts[first, first], counts[second, second]],
        }
        for first, second in ranked
    ]


def confusions(truth: Sequence[str], said: Sequence[str]) -> list[dict[str, Any]]:
    """Name the 30 commonest mistakes: truth, what was said, how often."""
    pairs = Counter((real, answer) for real, answer in zip(truth, said, strict=True) if real != answer)
    ranked = sorted(pairs.items(), key=lambda item: (-item[1], item[0]))[:30]
    return [{"truth": real, "said": answer, "rows": rows} for (real, answer), rows in ranked]


def bootstrap(truth: Sequence[str], said: Sequence[str], sureness: Array) -> dict[str, Any]:
    """Compute 95 % intervals of macro-F1 and AURC, which have no closed form: percentile bootstrap over rows."""
    if not len(truth):
        return {"macro_f1_interval": (0.0, 1.0), "aurc_interval": (0.0, 1.0)}
    names, codes = np.unique(np.concatenate([np.asarray(truth), np.asarray(said)]), return_inverse=True)
    real, answer = np.split(codes, 2)
    random = np.random.default_rng(0)
    f1s, areas = [], []
    for _ in range(RESAMPLES):
        drawn = random.integers(0, len(real), len(real))
        hit = real[drawn] == answer[drawn]
        hits = np.bincount(real[drawn][hit], minlength=len(names))
        total = np.bincount(real[drawn], minlength=len(names)) + np.bincount(answer[drawn], minlength=len(names))
        f1s.append(float((2 * hits[total > 0] / total[total > 0]).mean()))
        areas.append(aurc(sureness[drawn], hit))
    low, high = np.quantile([f1s, areas], [0.025, 0.975], axis=1).tolist()
    return {"macro_f1_interval": (low[0], high[0]), "aurc_interval": (low[1], high[1])}
