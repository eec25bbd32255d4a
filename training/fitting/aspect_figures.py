"""How well aspects are read: precision, recall and F1 of each, and the mean over several rounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.aspects import EMERGENCY, NOT_A_COMPLAINT, OVERSIGHT, Findings
from model.labelled import KINDS, MISSING

Array = NDArray[Any]


def judge(truth: Mapping[str, Array], findings: Sequence[Findings], known: Mapping[str, Array]) -> dict[str, dict[str, float]]:
    """Compare findings with the truth: precision, recall and F1 of each aspect, macro-F1 over the kinds.

    Of each aspect the `known` rows count. `held_back` of not-a-complaint is the share of real complaints that it stops,
    `false_alarms` of emergency that of ordinary ones that it takes for one.
    """
    said = {kind: np.array([finding.kind == kind for finding in findings]) for kind in KINDS}
    said[OVERSIGHT] = np.array([finding.oversight for finding in findings])
    said |= {item: np.array([item in finding.missing for finding in findings]) for item in MISSING}
    said[NOT_A_COMPLAINT] = np.array([not finding.is_complaint for finding in findings])
    said[EMERGENCY] = np.array([finding.emergency for finding in findings])
    pengaduan = KINDS[0]
    truth = {**truth, pengaduan: ~np.any([truth[kind] for kind in KINDS[1:]], axis=0)}
    known = {**known, pengaduan: known[KINDS[1]]}
    figures = {name: figures_of(flags[known[name]], truth[name][known[name]]) for name, flags in said.items()}
    for name, figure in ((NOT_A_COMPLAINT, "held_back"), (EMERGENCY, "false_alarms")):
        others = said[name][known[name] & ~truth[name]]
        figures[name][figure] = float(others.mean()) if len(others) else 0.0
    return {"kind": {"macro_f1": float(np.mean([figures[kind]["f1"] for kind in KINDS]))}} | figures


def figures_of(said: Array, truth: Array) -> dict[str, float]:
    """Compare what was said of rows with the truth, both (rows,) bool: how many are true, precision, recall and F1."""
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
    averaged: dict[str, Any] = {}
    for name in rounds[0]:
        values = [one[name] for one in rounds]
        averaged[name] = values[0] if name == "rows" else float(np.mean(values))
        if len(rounds) > 1 and name != "rows":
            averaged[f"{name}_range"] = [min(values), max(values)]
    return averaged
