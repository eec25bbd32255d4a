"""evaluate, compare, replay, next, drift: what a model is worth, and what it should learn next."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from itertools import compress
from pathlib import Path
from typing import TypeVar

import click
import joblib
from tqdm import tqdm

from model.faults import Fault, InvalidData
from model.labelled import LabelledComplaint
from model.ledger import Event
from model.register import FILES as REGISTER_FILES
from model.registry import Registry
from model.router import Router
from model.rules import load_region
from training import config as configs
from training import replay
from training.commands.options import CONFIG, DATA, FILE, FOLDER, JSON, MODELS, REGISTER, TRANSFER, Number, moment, say, show, user
from training.judging import compare, evaluate
from training.reading import outputs, records
from training.reports import plots, report
from training.rows import dataset, training_set
from training.rows.seen import Seen
from training.watching import drift, next_labels

_T = TypeVar("_T")


@click.command("evaluate")
@click.argument("model")
@DATA
@MODELS
@click.option("--report", "report_dir", type=FOLDER, help="Write report.html, figures.json and MODEL_CARD.md there.")
@JSON
def evaluate_(model: str, data: tuple[Path, ...], models: Path, report_dir: Path | None, as_json: bool) -> None:
    """Judge MODEL (a version, a path, or `current`) on complaints that it has not seen."""
    folder = Registry(models).resolve(model)
    router = Router.load(folder)
    rows = dataset.load_known(router.register, data)
    if report_dir:
        outputs.check_outside(report_dir, folder)
        outputs.check_folder(report_dir)
    current = dataset.to_current(_distinct(rows), router.register, moment()[:10])
    judged = dataset.testable(current)
    say(f"judging {len(judged):,} complaints")
    found = evaluate.evaluate(router, judged, Seen.load(folder))
    if report_dir:
        report.write(report_dir, found, router.manifest)
    click.echo(json.dumps(found, ensure_ascii=False) if as_json else evaluate.table(found))


def _distinct(rows: Iterable[dataset.Row]) -> list[LabelledComplaint]:
    """Keep each text once, and of nearly the same ones the latest: a copy is no more evidence than the first."""
    found = dataset.deduplicate([row.complaint for row in rows])
    if found.dropped:
        say(f"{found.dropped:,} duplicates are left out")
    kept = list(compress(found.kept, dataset.one_of_each(found.kept)))
    if len(kept) < len(found.kept):
        say(f"{len(found.kept) - len(kept):,} that nearly repeat another are left out")
    return kept


def _shown(items: Sequence[_T]) -> Iterable[_T]:
    """Tell whoever watches at a terminal how far it is."""
    bar: Iterable[_T] = tqdm(items, unit=" complaints", disable=not sys.stderr.isatty(), file=sys.stderr)
    return bar


@click.command("compare")
@click.argument("champion")
@click.argument("challenger")
@DATA
@MODELS
@click.option("--texts", is_flag=True, help="Show the text of changed complaints, masked.")
@JSON
def compare_(champion: str, challenger: str, data: tuple[Path, ...], models: Path, texts: bool, as_json: bool) -> None:
    """Compare two models on complaints that neither has seen; the ledger keeps the verdict."""
    registry = Registry(models)
    folders = registry.resolve(champion), registry.resolve(challenger)
    before, after = map(Router.load, folders)
    rows = dataset.load_known(after.register, data)
    if before.version == after.version:  # the ledger would say that it is no worse than itself
        raise InvalidData([Fault(before.version, 0, "is both champion and challenger: there is nothing to compare")])
    seen = {router.version: Seen.load(folder) for router, folder in zip((before, after), folders, strict=True)}
    found = compare.compare(before, after, _distinct(rows), seen=seen, today=moment()[:10], texts=texts, say=say)
    if all(folder.parent == registry.folder for folder in folders):
        versions = {"version": after.version, "previous": before.version}
        registry.record(Event.COMPARED, **versions, at=moment(), who=user(), why=found.why, figures=found.summary)
    show(found, as_json)


@click.command("replay")
@REGISTER
@DATA
@TRANSFER
@CONFIG
@click.option("--every", type=click.Choice(["week", "month"]), default="week", show_default=True, help="How often to train anew.")
@click.option(
    "--audit",
    type=Number(0.0, 1.0),
    default=0.05,
    show_default=True,
    help="Share of automatic routings that is audited blind.",
)
@click.option(
    "--draws",
    type=click.IntRange(1, 100),
    default=1,
    show_default=True,
    help="Run it with so many draws of the audit, beside each other: one draw alone may flatter or wrong.",
)
@click.option("--jobs", type=click.IntRange(1, 512), help="Draws at once, about a gigabyte each.  [default: one a core]")
@click.option("--minutes", type=Number(0.0), default=3.0, show_default=True, help="Minutes that one review costs.")
@click.option("--frozen", is_flag=True, help="Train once, on the first part, and never again: what retraining is worth.")
@click.option("--plot", type=FILE, help="Write a plot there, as SVG.")
@JSON
def replay_(
    register_dir: Path,
    data: tuple[Path, ...],
    transfer: tuple[Path, ...],
    config_file: Path | None,
    every: str,
    audit: float,
    draws: int,
    jobs: int | None,
    minutes: float,
    frozen: bool,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Run the past step by step, knowing only what the desk would have known: what may be claimed."""
    register, _ = load_region(register_dir)
    given = training_set.load(
        register, data, transfer, "", allow_unseen=True
    )  # in the agencies of then: the replay has its own today
    chosen = configs.load(config_file) if config_file else configs.TrainingConfig()
    if plot:
        outputs.check_file(plot, *data, *transfer, config_file, *map(register_dir.joinpath, REGISTER_FILES))
    plan = replay.Plan(every=every, audit=audit, minutes_per_review=minutes, frozen=frozen)
    if draws == 1:
        found, told = replay.summarise(replay.replay(register, given.own, chosen, plan, say, given.other)), {}
    else:
        several = replay.over_draws(register, given.own, chosen, plan, draws, jobs or joblib.cpu_count(), say, given.other)
        found, told = several[0], replay.together(several)
    if plot:
        plot.write_text(plots.replayed(found).svg, encoding="utf-8")
    if as_json:
        click.echo(json.dumps(found | ({"over_draws": told} if told else {}), ensure_ascii=False))
    else:
        click.echo("\n".join([replay.table(found), *(["", replay.together_table(told)] if told else [])]))


@click.command("next")
@click.argument("model")
@click.option(
    "--input", "source", type=FILE, required=True, help="Complaints without a label: JSON Lines, a LAPOR! export, or a table."
)
@MODELS
@click.option("--out", type=FILE, help="Write them as CSV with an empty column `agency`, to fill in and import.")
@click.option("--most", type=click.IntRange(1), default=100, show_default=True, help="How many to choose.")
@JSON
def next_(model: str, source: Path, models: Path, out: Path | None, most: int, as_json: bool) -> None:
    """Choose the complaints whose labels would teach most: uncertain, and unlike each other; none that is marked Rahasia."""
    folder = Registry(models).resolve(model)
    router = Router.load(folder)
    complaints = records.read_complaints(source)
    if out:
        outputs.check_outside(out, folder)
        outputs.check_file(out, source)
    if left_out := sum(complaint.confidential for complaint in complaints):
        say(f"{source}: {left_out:,} marked Rahasia are left out")
    found = next_labels.choose(router, complaints, most, _shown)
    if out:
        found.write(out, complaints)
    show(found, as_json)


@click.command("drift")
@click.argument("model")
@DATA
@MODELS
@JSON
def drift_(model: str, data: tuple[Path, ...], models: Path, as_json: bool) -> None:
    """Watch what comes in, week by week: class mix, unknown words, errors; alarms at most once a year where nothing changes.

    Complaints that MODEL was trained on count for class mix and words alone.
    """
    folder = Registry(models).resolve(model)
    router = Router.load(folder)
    rows = dataset.load_known(router.register, data)
    current = dataset.to_current((row.complaint for row in rows), router.register, moment()[:10])
    cases = drift.cases_of(router, _shown(current), Seen.load(folder))
    show(drift.watch(drift.count(cases)), as_json)
