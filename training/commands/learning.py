"""train, retrain, suspects: what fits a model."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click
from tqdm import tqdm

from model import artifact as artifacts
from model.aspects import EMERGENCY, OVERSIGHT
from model.ledger import Event
from model.register import Register
from model.registry import Refusal, Refused, Registry
from model.router import Router
from model.rules import Rules, load_region
from training import config as configs
from training import retrain, train
from training.commands.options import (
    CONFIG,
    DATA,
    EXAMPLES,
    FILE,
    JSON,
    MODELS,
    REGISTER,
    TRANSFER,
    UNLABELLED,
    Number,
    moment,
    say,
    show,
    user,
)
from training.reading import outputs
from training.reports import report
from training.rows import dataset, training_set
from training.watching import suspects


@click.command("train")
@REGISTER
@DATA
@TRANSFER
@UNLABELLED
@EXAMPLES
@MODELS
@CONFIG
@click.option(
    "--allow-unseen", is_flag=True, help="Agencies of the register may have no complaint: they are known by their name and matters."
)
@click.option("--promote", is_flag=True, help="Put it live at once; only where no model is live yet.")
@click.option("--why", default="", help="The reason that the ledger keeps.")
def train_(
    register_dir: Path,
    data: tuple[Path, ...],
    transfer: tuple[Path, ...],
    unlabelled: tuple[Path, ...],
    examples: Path | None,
    models: Path,
    config_file: Path | None,
    allow_unseen: bool,
    promote: bool,
    why: str,
) -> None:
    """Train a new version. Prints its name."""
    now = moment()
    registry = Registry(models)
    if promote and (live := registry.current()):  # else refused after the work: what was not there yet nobody has compared
        raise Refused(Refusal.NOT_COMPARED, f"{models}: {live} is live already: train without --promote, compare, then promote")
    register, rules = _read_region(register_dir, now)
    given = training_set.load(register, data, transfer, now[:10], examples, unlabelled, allow_unseen=allow_unseen, say=say)
    chosen = configs.load(config_file) if config_file else configs.TrainingConfig()
    outputs.check_folder(models)
    version = train.version_name(now, given, register, chosen)
    click.echo(
        f"{len(given.own):,} rows of this region, {len(given.other):,} of others, {len(given.unlabelled):,} unlabelled; "
        f"{given.dropped:,} duplicates",
        err=True,
    )
    with tqdm(
        total=chosen.folds + train.STEPS, desc=version, file=sys.stderr, disable=None, bar_format="{desc}: {bar} {elapsed}"
    ) as bar:

        def advance(step: str) -> None:
            bar.update()
            if bar.disable:
                click.echo(f"  {step}", err=True)
            else:
                bar.set_description(f"{version}: {step}")

        artifact, judged = train.train(register, given, chosen, now, advance)
    artifacts.save(models / version, artifact, report.files(artifact, judged) | train.seen_file(given))
    figures = artifact.manifest["figures"]
    registry.record(Event.TRAINED, version=version, at=now, who=user(), why=why, figures=figures["out_of_fold"])
    if promote:
        registry.promote(version, at=now, who=user(), why=why or "model pertama", register=register)
    _warn(figures["aspects"]["left_out"], rules)
    click.echo(version)


def _warn(untold: Sequence[str], rules: Rules) -> None:
    """Say which aspects the version does not tell, and what that leaves undone."""
    if untold:
        click.echo(f"not told of a complaint, for want of examples or of quality: {', '.join(untold)}", err=True)
    if OVERSIGHT in untold:
        click.echo("alleged wrongdoing is not held back for a person: see data/README.md, Another region", err=True)
    if EMERGENCY not in untold and not rules.of_emergency:
        click.echo(
            "nobody is told of an emergency, for no rule says what to do in one: see data/README.md, Another region", err=True
        )


def _read_region(folder: Path, now: str) -> tuple[Register, Rules]:
    """Read a region, and tell of rules that name agencies which have ended since they were written."""
    register, rules = load_region(folder)
    for outdated in rules.outdated(register, now[:10]):
        click.echo(f"{folder / 'rules.toml'}: {outdated}", err=True)
    return register, rules


@click.command("retrain")
@REGISTER
@DATA
@TRANSFER
@UNLABELLED
@EXAMPLES
@MODELS
@CONFIG
@click.option(
    "--test",
    "test",
    type=Number(0.05, 0.5),
    default=0.2,
    show_default=True,
    help="Share of the complaints new since the live model, the newest, that judges both; up to half where they are few.",
)
@click.option("--promote-if-better", is_flag=True, help="Put the new version live where the comparison says so.")
@click.option("--why", default="retrained", show_default=True, help="The reason that the ledger keeps.")
def retrain_(
    register_dir: Path,
    data: tuple[Path, ...],
    transfer: tuple[Path, ...],
    unlabelled: tuple[Path, ...],
    examples: Path | None,
    models: Path,
    config_file: Path | None,
    test: float,
    promote_if_better: bool,
    why: str,
) -> None:
    """Train on everything, compare with the live model, and put the new one live where it is better.

    Skips where nothing changed since the live model, or since one that was compared with it. The comparison is fair to both:
    the newest complaints that the live model has not seen are kept from the new one too, and judge them.
    """
    now = moment()
    register, _ = _read_region(register_dir, now)
    chosen = configs.load(config_file) if config_file else configs.TrainingConfig()
    registry = Registry(models)
    given = training_set.load(register, data, transfer, now[:10], examples, unlabelled, allow_unseen=True, say=say)
    outputs.check_folder(models)
    done = retrain.retrain(
        registry, register, given, chosen, test=test, at=now, who=user(), why=why, promote=promote_if_better, say=say
    )
    click.echo(str(done))


@click.command("suspects")
@click.argument("model")
@DATA
@MODELS
@click.option("--out", type=FILE, help="Write them as JSON Lines, a queue for the desk.")
@click.option("--most", type=click.IntRange(1), default=500, show_default=True, help="How many at most.")
@JSON
def suspects_(model: str, data: tuple[Path, ...], models: Path, out: Path | None, most: int, as_json: bool) -> None:
    """Find labels to look at again, each with the likely one; judged with MODEL's register and configuration."""
    folder = Registry(models).resolve(model)
    router = Router.load(folder)
    rows = dataset.load_known(router.register, data)
    if out:
        outputs.check_outside(out, folder)
        outputs.check_file(out, *data)
    chosen = configs.of_manifest(router.manifest)
    current = dataset.to_current((row.complaint for row in rows), router.register, moment()[:10])
    found = suspects.find(current, router.reader, chosen, most=most, say=say)
    if out:
        found.write(out)
    show(found, as_json)
