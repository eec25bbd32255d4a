"""What the rules of competence are worth: each alone and all together, on candidates that never saw the label.

Run `python -P tests/benchmarks/authority.py [--data DIR] [--seeds N] [--json]`. The project's own pipeline, fitted on the
other folds of the region's complaints, gives the candidates; every seed folds anew and counts once more. Rules were
written and mended on four fifths of the complaints, by a hash of their id; the last fifth is held out. "right" is the
first candidate without and with the rule, where it fired; a rule that asks for a person leaves it as it is.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from sklearn.model_selection import StratifiedKFold

from model.authority import apply, lint
from model.labelled import LabelledComplaint, load
from model.reader import Reader
from model.register import Register
from model.routing import Candidate
from model.rules import load_region
from training.config import TrainingConfig
from training.fitting.fit import pipeline
from training.measures.rule_figures import Case, RuleFigures, measure_rules

KEPT = 10
"""Candidates of a complaint that are looked at."""


def is_held_out(row: LabelledComplaint) -> bool:
    return int(hashlib.sha256(row.id.encode()).hexdigest(), 16) % 5 == 0


def out_of_fold(register: Register, rows: Sequence[LabelledComplaint], seed: int) -> list[Case]:
    """Every complaint with candidates of a pipeline that was fitted without its fold."""
    reader = Reader(register)
    readings = [reader.read(row.complaint) for row in rows]
    words = [reading.matter for reading in readings]
    labels = np.array([row.agency for row in rows])
    cases: list[Case | None] = [None] * len(rows)
    for train, test in StratifiedKFold(5, shuffle=True, random_state=seed).split(words, labels):
        fitted = pipeline(TrainingConfig(seed=seed)).fit([words[i] for i in train], labels[train])
        classes = fitted["classifier"].classes_
        for index, row in zip(test, fitted.predict_proba([words[i] for i in test]), strict=True):
            best = row.argsort()[::-1][:KEPT]
            candidates = [Candidate(str(classes[i]), float(row[i])) for i in best]
            reading = readings[index]
            cases[index] = Case(candidates, reading.words, reading.place, reading.found, rows[index].agency)
    return [case for case in cases if case is not None]


def added(figures: Sequence[Sequence[RuleFigures]]) -> list[RuleFigures]:
    """The figures of several seeds, rule by rule, summed."""
    return [
        dataclasses.replace(
            same[0],
            fired=sum(one.fired for one in same),
            right_without=sum(one.right_without for one in same),
            right_with=sum(one.right_with for one in same),
        )
        for same in zip(*figures, strict=True)
    ]


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True), default=Path("data/kutai-timur"), show_default=True)
@click.option("--seeds", type=click.IntRange(1, 20), default=3, show_default=True, help="How many times to fold.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(data: Path, seeds: int, as_json: bool) -> None:
    """Measure each rule of a region's rules.toml on its own complaints."""
    register, rules = load_region(data)
    rows = [row for row in load(data / "complaints.jsonl") if row.agency]
    held_out = [is_held_out(row) for row in rows]
    parts: dict[str, list[Sequence[RuleFigures]]] = {"tuned": [], "held out": []}
    sizes = {"tuned": held_out.count(False), "held out": held_out.count(True)}
    right = dict.fromkeys(parts, 0)
    for seed in range(seeds):
        cases = out_of_fold(register, rows, seed)
        for name, wanted in (("tuned", False), ("held out", True)):
            part = [case for case, out in zip(cases, held_out, strict=True) if out == wanted]
            parts[name].append(measure_rules(rules, part))
            right[name] += sum(case.candidates[0].agency == case.agency for case in part)
    figures = {name: added(several) for name, several in parts.items()}
    findings = [str(fault) for fault in lint(rules, [(case.words, case.place, case.found) for case in cases])]
    taken = []
    for _ in range(7):
        began = time.process_time()
        for case in cases:
            apply(rules, case.candidates, case.words, case.place, case.found)
        taken.append(time.process_time() - began)
    speed = round(statistics.median(taken) / len(cases) * 1e6, 1)
    accuracy = {
        name: {
            "complaints": sizes[name],
            "without": round(right[name] / (seeds * sizes[name]), 4),
            "with": round((right[name] + figures[name][-1].gain) / (seeds * sizes[name]), 4),
        }
        for name in parts
    }
    if as_json:
        rules_found = {name: [dataclasses.asdict(one) for one in part] for name, part in figures.items()}
        click.echo(
            json.dumps({"seeds": seeds, "accuracy": accuracy, "us per complaint": speed, "lint": findings, "rules": rules_found})
        )
        return
    click.echo(f"{'':<30}{'':<5}{'tuned on 4/5':>22}{'held out 1/5':>24}   (sums over {seeds} foldings)")
    click.echo(f"{'rule':<30}{'':<5}{'fired':>6}{'right':>11}{'gain':>6}{'fired':>8}{'right':>11}{'gain':>6}")
    for tuned, held in zip(figures["tuned"], figures["held out"], strict=True):
        state = "" if not tuned.on else "on" if tuned.moves else "asks"
        cells = [
            f"{one.fired:>{width}}{f'{one.right_without} -> {one.right_with}':>11}{one.gain:>+6}"
            for one, width in ((tuned, 6), (held, 8))
        ]
        click.echo(f"{tuned.id:<30}{state:<5}{''.join(cells)}")
    for name, values in accuracy.items():
        click.echo(
            f"accuracy, {name}: {values['without']:.4f} without rules, {values['with']:.4f} with, {values['complaints']} complaints"
        )
    click.echo(f"{speed} us per complaint")
    for finding in findings:
        click.echo(finding)


if __name__ == "__main__":
    main()
