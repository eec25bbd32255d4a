"""How well kind, alleged wrongdoing, what is missing, no complaint or an emergency are told, beside a plain classifier.

Run `python tests/benchmarks/aspects.py [--data DIR] [--real DIR] [--repeats 3] [--seed 0] [--nested] [--json]`: some two minutes,
with --nested three.

Cross-validated on the default corpus, means and ranges over several choices of the folds. Columns, joins and thresholds
are fitted without the fold that is judged; the agencies' probabilities are out-of-fold too. The lexicon of cues was
written after reading the corpus, so three figures stand side by side:
- plain: one linear machine an aspect over the same TF-IDF features, balanced, its threshold chosen by the same rule;
- only met: a cue that stands in no training row counts for nothing, as for a reader who never saw the fold. To quote;
- all cues: the whole lexicon, as it ships. It flatters, for some cues were taken from the very rows that are judged.
- nested, with --nested: as only met, once, but vocabulary, idf and the agencies' classifier too know nothing of the fold.

Surabaya, if the folder is there: the share of real complaints that would be held back as none, which takes every row that
an operator sent to an office for a real one (some are tests and thanks). Its first half was looked at while the heads
were built, its second half was not. `oversight` has no labels there; its share is shown by the city's own category.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.svm import LinearSVC

from model.aspect_facts import Case
from model.aspects import ASPECTS, EMERGENCY, NOT_A_COMPLAINT, Findings
from model.cues import load_cues
from model.labelled import KINDS, MISSING, LabelledComplaint, load
from model.reader import Reader
from model.register import Register
from training.config import TrainingConfig
from training.fitting import aspect_figures, aspects, heads
from training.fitting.calibrate import OutOfFold, fit_pipeline, out_of_fold
from training.rows import dataset
from training.rows.data import own_words, read, weigh
from training.rows.split import grouped

ABOUT_STAFF = ("oknum", "disiplin", "kinerja", "pelayanan petugas", "perangkat rt")
"""Parts of Surabaya's categories that speak of an official's conduct."""
Table = dict[str, dict[str, Any]]


def plain(data: heads.Rows, seed: int, repeats: int) -> Table:
    """One balanced linear machine an aspect, nothing else; thresholds from inner folds by the same rules."""
    groups = [list(KINDS[1:]), *([name] for name in ASPECTS if name not in KINDS)]
    rounds = []
    for repeat in range(repeats):
        said: dict[str, np.ndarray[Any, Any]] = {name: np.full(len(data), -1.0) for name in ASPECTS}
        for train, test in heads.folds(data.strata, seed + repeat):
            for group in groups:
                part = data.take(train[data.known[group[0]][train]])
                inner = heads.folds(part.strata, seed + 1)
                target = heads.target_of(part.truth, group)
                scores = np.zeros((len(part), len(group)))
                for place, name in enumerate(group):
                    truth = part.truth[name]
                    for one, other in inner:
                        scores[other, place] = machine(seed).fit(part.X[one], truth[one]).decision_function(part.X[other])
                for name, cut in zip(group, heads.choose_thresholds(group, scores, target), strict=True):
                    said[name][test] = machine(seed).fit(part.X, part.truth[name]).decision_function(data.X[test]) - cut
        rounds.append(aspect_figures.judge(data.truth, [findings_of(said, row) for row in range(len(data))], data.known))
    return {name: aspect_figures.summary([one[name] for one in rounds]) for name in rounds[0]}


def nested(
    rows: Sequence[LabelledComplaint], data: heads.Rows, register: Register, reader: Reader, config: TrainingConfig
) -> Table:
    """Cross-validate once, with everything fitted on the training rows alone, and read the fold as the service would."""
    cues = load_cues()
    findings = [Findings()] * len(rows)
    for train, test in heads.folds(data.strata, config.seed):
        part = [rows[number] for number in train]
        fitted, answers = fitted_on(part, register, reader, config)
        agencies = [str(agency) for agency in answers.agencies]
        X, chosen, cases = aspects.cases_from(fitted, part, reader, answers)
        known = aspects.met(cues, cases)
        machines, read_aspects = heads.fit_heads(aspects.prepare(X, chosen, cases), ASPECTS, known, agencies, config.seed, ASPECTS)
        readings = [reader.read(rows[number].complaint) for number in test]
        X = fitted["features"].transform([reading.matter for reading in readings]).tocsr()
        likely = fitted["classifier"].predict_proba(X).astype(np.float32)
        columns = (np.asarray(X @ machines.coef.T) + machines.bias).astype(np.float32)
        for number, reading, said, scores in zip(test, readings, likely, columns, strict=True):
            case = Case(reading.complaint, reading.words, reading.found, reading.place, said)
            findings[number] = read_aspects.read(scores, case)
    return aspect_figures.judge(data.truth, findings, data.known)


def machine(seed: int) -> LinearSVC:
    return LinearSVC(C=0.1, class_weight="balanced", random_state=seed)


def findings_of(said: dict[str, np.ndarray[Any, Any]], row: int) -> Findings:
    best = max(KINDS[1:], key=lambda kind: said[kind][row])
    return Findings(
        kind=best if said[best][row] > 0 else KINDS[0],
        oversight=bool(said["oversight"][row] > 0),
        missing=tuple(item for item in MISSING if said[item][row] > 0),
        is_complaint=bool(said[NOT_A_COMPLAINT][row] <= 0),
        emergency=bool(said[EMERGENCY][row] > 0),
    )


def fitted_on(
    rows: Sequence[LabelledComplaint], register: Register, reader: Reader, config: TrainingConfig
) -> tuple[Pipeline, OutOfFold]:
    """The classifier on all rows, and its out-of-fold answers, as training makes them."""
    routed = [row for row in rows if row.agency]
    own = read(routed, reader, weigh(routed, config, 1.0))
    words = list(own_words(register))
    other = read(words, reader, np.full(len(words), config.matters_weight))
    groups = dataset.near_duplicate_groups(routed)
    folds = grouped([row.agency for row in routed], groups, config.folds, config.seed)
    answers = out_of_fold(config, own, other, reader, folds)
    return fit_pipeline(config, own + other, reader, answers.temperature), answers


def elsewhere(fitted: Pipeline, heads: aspects.FittedAspects, reader: Reader, folder: Path) -> Table:
    """What the heads say of another city's complaints, with that city's places and with ours."""
    rows = load(folder / "complaints.jsonl")
    theirs = Reader(Register.load(folder))
    ours = [reader.read(row.complaint) for row in rows]
    X = fitted["features"].transform([reading.matter for reading in ours]).tocsr()
    probabilities = fitted["classifier"].predict_proba(X).astype(np.float32)
    columns = (np.asarray(X @ heads.coef.T) + heads.bias).astype(np.float32)
    half = len(rows) // 2
    table: Table = {}
    for places in ("its own places", "no place known"):
        said = []
        for row, reading, likely, scores in zip(rows, ours, probabilities, columns, strict=True):
            where = theirs.read(row.complaint) if places == "its own places" else reading
            said.append(heads.aspects.read(scores, Case(reading.complaint, reading.words, where.found, where.place, likely)))
        held = np.array([not finding.is_complaint for finding in said])
        alleged = np.array([finding.oversight for finding in said])
        staff = np.array([any(part in row.category.lower() for part in ABOUT_STAFF) for row in rows])
        table[places] = {
            "rows": len(rows),
            "held back, first half": float(held[:half].mean()),
            "held back, second half": float(held[half:].mean()),
            "oversight, categories of conduct": float(alleged[staff].mean()),
            "oversight, all others": float(alleged[~staff].mean()),
        }
    return table


def speed(heads: aspects.FittedAspects, cases: Sequence[Case]) -> dict[str, float]:
    """Microseconds of one reading of the aspects, the best of five rounds over all complaints."""
    columns = np.zeros(len(heads.bias), dtype=np.float32)
    taken = []
    for _ in range(5):
        began = time.process_time()
        for case in cases:
            heads.aspects.read(columns, case)
        taken.append(time.process_time() - began)
    return {"us per complaint": min(taken) / len(cases) * 1e6}


def shown(figures: dict[str, Any], name: str) -> str:
    if name not in figures:
        return ""
    low_high = figures.get(f"{name}_range")
    return f"{figures[name]:.3f}" + (f" ({low_high[0]:.3f}-{low_high[1]:.3f})" if low_high else "")


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True), default=Path("data/kutai-timur"), show_default=True)
@click.option(
    "--real", type=click.Path(path_type=Path), default=Path("../shared/real"), show_default=True, help="Folder with surabaya/."
)
@click.option("--repeats", type=click.IntRange(1, 20), default=3, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--nested", "with_nested", is_flag=True, help="Fit the agencies anew for every fold too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(data: Path, real: Path, repeats: int, seed: int, with_nested: bool, as_json: bool) -> None:
    """Measure the aspects."""
    config = TrainingConfig(seed=seed)
    register = Register.load(data)
    reader = Reader(register)
    rows = load(data / "complaints.jsonl")
    fitted, answers = fitted_on(rows, register, reader, config)
    agencies = [str(agency) for agency in answers.agencies]
    X, chosen, cases = aspects.cases_from(fitted, rows, reader, answers)
    prepared = aspects.prepare(X, chosen, cases)
    began = time.process_time()
    heads = aspects.fit(X, chosen, cases, config, agencies)
    seconds = time.process_time() - began
    cues = load_cues()
    tables: dict[str, Table] = {
        "plain": plain(prepared, seed, repeats),
        "only met": aspects.cross_validate(prepared, ASPECTS, cues, agencies, seed, repeats),
        "all cues": aspects.cross_validate(prepared, ASPECTS, cues, agencies, seed, repeats, only_met=False),
    }
    if with_nested:
        tables["nested"] = nested(chosen, prepared, register, reader, config)
    ways = list(tables)
    cost = {**speed(heads, cases), "s to fit, figures included": seconds}
    folder = real / "surabaya"
    if folder.is_dir():
        tables["surabaya"] = elsewhere(fitted, heads, reader, folder)
    else:
        click.echo(f"skipped Surabaya: {folder} is not there; name the folder of real data with --real", err=True)
    if as_json:
        click.echo(json.dumps({**tables, "cost": cost, "left out": heads.figures["left_out"]}))
        return
    click.echo(f"{'':<36}" + "".join(f"{way:<24}" for way in ways).rstrip())
    for name in ("kind", *KINDS, *ASPECTS[2:]):
        for figure in ("macro_f1", "precision", "recall", "f1", "held_back", "false_alarms"):
            cells = [shown(tables[way][name], figure) for way in ways]
            if cells[0]:
                click.echo(f"{name:<22}{figure:<14}" + "".join(f"{cell:<24}" for cell in cells).rstrip())
    click.echo(f"left out: {', '.join(heads.figures['left_out']) or 'nothing'}")
    for places, figures in tables.get("surabaya", {}).items():
        click.echo(
            f"surabaya, {places}: "
            + ", ".join(f"{key} {value:.4f}" if key != "rows" else f"{value} rows" for key, value in figures.items())
        )
    click.echo(", ".join(f"{key} {value:.1f}" for key, value in cost.items()))


if __name__ == "__main__":
    main()
