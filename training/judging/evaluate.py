"""What a model is worth: figures over rows that it has not seen, each with its interval."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.authority import lint
from model.labelled import LabelledComplaint
from model.router import Router
from model.routing import Decision, Routing
from training.measures import figures, slices, tables
from training.measures.rule_figures import Case, measure_rules
from training.rows.data import stands_for

Array = NDArray[Any]

_SALUTATION = re.compile(
    r"\b(?:kepada\s+)?(?:yth|yang\s+terhormat|ytc)\b\.?,?[^.,;:!\n]{0,80}[.,;:!\n]?"
    r"|\b(?:assalamu?\W{0,2}ala?ikum\w*|ass?\s?wr\s?wb)\b[^.,;:!\n]{0,40}[.,;:!\n]?",
    re.IGNORECASE,
)
"""Greetings, with the office that they name: "Yth. Dinas Perhubungan, ..."."""


@dataclass(frozen=True)
class Answers:
    """A model's routings of rows, and whether each was right."""

    rows: Sequence[LabelledComplaint]
    routings: Sequence[Routing]

    @property
    def truth(self) -> list[str]:
        """The agencies that people decided on."""
        return [row.agency for row in self.rows]

    @property
    def said(self) -> list[str]:
        """The first candidates."""
        return [routing.candidates[0].agency for routing in self.routings]

    @property
    def right(self) -> Array:
        """(rows,) whether the first candidate is the agency decided on."""
        return np.array([a == b for a, b in zip(self.truth, self.said, strict=True)], dtype=bool)

    def among(self, counts: Iterable[int]) -> list[bool]:
        """Tell of each row whether the agency decided on is among its first `counts` candidates."""
        return [
            row.agency in [candidate.agency for candidate in routing.candidates[:count]]
            for row, routing, count in zip(self.rows, self.routings, counts, strict=True)
        ]

    @property
    def sureness(self) -> Array:
        """(rows,) how sure the model was of its first candidate."""
        return np.array([routing.candidates[0].probability for routing in self.routings])


def route(router: Router, rows: Iterable[LabelledComplaint]) -> Answers:
    """Route every row that has an agency."""
    kept = [row for row in rows if row.agency]
    return Answers(kept, [router.route(row.complaint) for row in kept])


def without_title(row: LabelledComplaint) -> LabelledComplaint:
    """Take the title away: in an export it is often the operator's, and leaks the answer."""
    return replace(row, title="")


def without_salutation(row: LabelledComplaint) -> LabelledComplaint:
    """Take greetings away, with the office that they name; a text that is nothing else stays."""
    text = _SALUTATION.sub(" ", row.text)
    return replace(row, text=text if text.strip() else row.text, title=_SALUTATION.sub(" ", row.title))


def evaluate(
    router: Router, rows: Sequence[LabelledComplaint], known: Container[LabelledComplaint] | None = None
) -> dict[str, Any]:
    """Judge a model on rows: the object that `salur-training evaluate --json` prints.

    `known` are the complaints that it was trained on, where that can be told; `seen` counts them.
    """
    answers = route(router, rows)
    table = summarise(answers, router.policy.target_error, router.policy.confidence)
    table["taken_away"] = {
        "without title": _accuracy(route(router, map(without_title, rows))),
        "without salutation": _accuracy(route(router, map(without_salutation, rows))),
    }
    table["rules"], table["rules_silent"] = rule_effects(router, answers.rows)
    table["seen"] = None if known is None else sum(row in known for row in answers.rows)
    table["policy"] = router.policy.to_dict()
    table["agencies"] = {agency: router.register.by_id[agency].name for agency in table["per_agency"]}
    return {"model": router.version, **table}


def summarise(answers: Answers, target_error: float, confidence: float) -> dict[str, Any]:
    """Figures of given answers."""
    right, sureness = answers.right, answers.sureness
    count = len(right)
    acceptable = [said == row.agency or said in row.acceptable for said, row in zip(answers.said, answers.rows, strict=True)]
    sent = np.array([routing.decision is Decision.AUTO for routing in answers.routings], dtype=bool)
    lengths = [routing.listed for routing in answers.routings]
    return {
        "rows": count,
        "accuracy": _share(right),
        "accuracy_interval": figures.wilson(int(right.sum()), count),
        "acceptable_accuracy": _share(acceptable),
        "top3": _share(answers.among([3] * count)),
        "macro_f1": figures.macro_f1(answers.truth, answers.said),
        "ece": figures.expected_calibration_error(sureness, right),
        "aurc": figures.aurc(sureness, right),
        "augrc": figures.augrc(sureness, right),
        **figures.bootstrap(answers.truth, answers.said, sureness),
        "auto": figures.automatic(sent, right, target_error, confidence, stands_for(answers.rows)),
        "list": {"coverage": _share(answers.among(lengths)), "mean_length": float(np.mean(lengths)) if lengths else 0.0},
        "slices": slices.measure(
            slices.kinds(answers.rows, [routing.kecamatan for routing in answers.routings]),
            right,
            sent,
            target_error,
            confidence,
            stands_for(answers.rows),
        ),
        "reasons": dict(Counter(str(reason) for routing in answers.routings for reason in routing.reasons).most_common()),
        "per_agency": figures.per_agency(answers.truth, answers.said),
        "confusions": figures.confusions(answers.truth, answers.said),
        "pairs": figures.confused_pairs(answers.truth, answers.said),
        "reliability": figures.reliability(sureness, right),
        "risk_coverage": figures.risk_coverage_points(sureness, right),
    }


def rule_effects(router: Router, rows: Sequence[LabelledComplaint]) -> tuple[list[dict[str, Any]], list[str]]:
    """Count, for every rule that fired, right answers without and with it, on the model's own candidates.

    Also answers which rules hold for none of the rows, whatever the candidates: their conditions may be wrong.
    """
    cases = []
    for row in rows:
        reading = router.reader.read(row.complaint)
        ranked = router.scorer.ranked(router.scorer.scores(reading.matter))
        cases.append(Case(ranked, reading.words, reading.place, reading.found, row.agency))
    rules = router.reader.rules
    fired = [dataclasses.asdict(found) for found in measure_rules(rules, cases) if found.fired]
    return fired, [str(fault) for fault in lint(rules, [(case.words, case.place, case.found) for case in cases])]


def _accuracy(answers: Answers) -> dict[str, Any]:
    right = answers.right
    return {"rows": len(right), "accuracy": _share(right), "accuracy_interval": figures.wilson(int(right.sum()), len(right))}


def _share(values: Sequence[bool] | Array) -> float:
    return float(np.mean(values)) if len(values) else 0.0


def table(found: Mapping[str, Any]) -> str:
    """Write figures for a terminal, the weightiest first."""
    rows = found["rows"]
    if not rows:
        return f"model {found['model']}: no complaint with an agency was given"
    parts = [
        ("", tables.key_figures(found)),
        ("Without what may leak the answer", tables.taken_away(found)),
        ("Complaints that fare worse than the rest, beyond chance", tables.slices(found, worse_only=True)),
        ("Rules of competence, where they fired", tables.rules(found)),
        ("Why complaints wait for a person", tables.reasons(found)),
        ("Agencies with the lowest F1", tables.agencies(found, [agency for agency, _ in tables.weakest(found, 8)], names=False)),
        ("The commonest mistakes", tables.confusions(found)),
    ]
    sections = [f"{title}\n{part.text('  ' if title else '')}".lstrip("\n") for title, part in parts if part.rows]
    if found["rules_silent"]:
        sections.append(
            "\n".join(("Rules that hold for none of the complaints judged", *(f"  {rule}" for rule in found["rules_silent"])))
        )
    head = [f"model {found['model']}", *([tables.flattered(found)] if found["seen"] else []), tables.promise_kept(found)]
    return "\n\n".join((*head, *sections))
