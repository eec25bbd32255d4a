"""salur-training: from complaints to a promoted model, one command a step."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import click
import joblib
from tqdm import tqdm

from model import artifact as artifacts
from model.faults import SalurError
from model.register import Register
from model.registry import Registry
from model.router import Router
from training import (
    compare,
    dataset,
    drift,
    evaluate,
    next_labels,
    plots,
    predict,
    records,
    replay,
    report,
    retrain,
    sources,
    suspects,
    train,
)
from training import config as configs
from training.seen import Seen

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)
INPUT = click.Path(dir_okay=False, allow_dash=True, path_type=Path)
MODELS = click.option(
    "--models", type=FOLDER, default=Path("var/models"), envvar="SALUR_MODELS", show_default=True, help="The registry."
)
REGISTER = click.option("--register", "register_dir", type=FOLDER, required=True, help="The region's folder.")
DATA = click.option(
    "--data", type=FILE, multiple=True, required=True, help="Labelled complaints of this region, JSON Lines. May be repeated."
)
TRANSFER = click.option(
    "--transfer", type=FILE, multiple=True, help="Labelled complaints of other regions: learnt from, never judged by."
)
CONFIG = click.option("--config", "config_file", type=FILE, help="A TrainingConfig in TOML.")
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run the command line: 0, or 2 with one line for each fault on standard error."""
    try:
        commands.main(args=args, prog_name="salur-training", standalone_mode=False)
    except SalurError as error:
        click.echo(f"salur-training: {error}", err=True)
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except click.Abort:
        click.echo("salur-training: stopped", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
    except OSError as error:
        click.echo(f"salur-training: {error.filename or ''}: {error.strerror or error}", err=True)
        sys.exit(2)
    sys.exit(0)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def commands() -> None:
    """Train, judge and promote models that say which agency is responsible."""


@commands.command("import")
@click.argument("export", type=FILE)
@REGISTER
@click.option("--crosswalk", type=FILE, help="Names of the source -> agencies here; without it the register's own names hold.")
@click.option("--out", type=FILE, required=True, help="Where the JSON Lines go.")
@click.option("--column", "columns", multiple=True, metavar="OURS=THEIRS", help="What a plain table calls a column.")
@click.option("--source", default="", help="Name of the source, as weights refer to it; else the crosswalk's.")
@click.option("--strict", is_flag=True, help="Refuse where a name is not mapped or a crosswalk row matches nothing.")
@JSON
def import_(
    export: Path,
    register_dir: Path,
    crosswalk: Path | None,
    out: Path,
    columns: tuple[str, ...],
    source: str,
    strict: bool,
    as_json: bool,
) -> None:
    """Make labelled complaints of EXPORT: a LAPOR! export, a table (.csv, .xlsx) or JSON Lines."""
    pairs = [column.partition("=") for column in columns]
    if bad := [ours for ours, equals, theirs in pairs if not (ours and equals and theirs)]:
        raise click.BadParameter(f"{bad[0]!r}: write OURS=THEIRS", param_hint="--column")
    named = {ours: theirs for ours, _, theirs in pairs}
    done = sources.import_export(
        export, out, Register.load(register_dir), crosswalk, columns=named or None, source=source, strict=strict
    )
    click.echo(json.dumps(done.to_dict(), ensure_ascii=False) if as_json else str(done))


@commands.command("train")
@REGISTER
@DATA
@TRANSFER
@MODELS
@CONFIG
@click.option("--allow-unseen", is_flag=True, help="Agencies of the register may have no complaint.")
@click.option("--promote", is_flag=True, help="Put it live at once; only where no model is live yet.")
@click.option("--why", default="", help="The reason that the ledger keeps.")
def train_(
    register_dir: Path,
    data: tuple[Path, ...],
    transfer: tuple[Path, ...],
    models: Path,
    config_file: Path | None,
    allow_unseen: bool,
    promote: bool,
    why: str,
) -> None:
    """Train a new version. Prints its name."""
    now = _now()
    register = Register.load(register_dir)
    given = train.load(register, data, transfer, now[:10], allow_unseen=allow_unseen)
    chosen = configs.load(config_file) if config_file else configs.TrainingConfig()
    registry = Registry(models)
    version = train.version_name(now, given, register, chosen)
    click.echo(
        f"{len(given.own):,} complaints of this region, {len(given.other):,} of others; {given.dropped:,} duplicates", err=True
    )
    with tqdm(total=chosen.folds + 5, desc=version, file=sys.stderr, disable=None, bar_format="{desc}: {bar} {elapsed}") as bar:

        def say(step: str) -> None:
            bar.update()
            if bar.disable:
                click.echo(f"  {step}", err=True)
            else:
                bar.set_description(f"{version}: {step}")

        artifact, judged = train.train(register, given, chosen, now, say)
    artifacts.save(models / version, artifact, report.files(artifact, judged) | train.seen_file(given))
    registry.record("trained", version=version, at=now, who=_who(), why=why, figures=artifact.manifest["figures"]["out_of_fold"])
    if promote:
        registry.promote(version, at=now, who=_who(), why=why or "first model", register=register)
    click.echo(version)


@commands.command("evaluate")
@click.argument("model")
@DATA
@MODELS
@click.option("--report", "report_dir", type=FOLDER, help="Write report.html and figures.json there.")
@JSON
def evaluate_(model: str, data: tuple[Path, ...], models: Path, report_dir: Path | None, as_json: bool) -> None:
    """Judge MODEL (a version, a path, or `current`) on complaints that it has not seen."""
    folder = Registry(models).resolve(model)
    router = Router.load(folder)
    rows = dataset.load(*data)
    dataset.check(rows, router.register, every_agency=False)
    found = evaluate.evaluate(router, dataset.testable(row.complaint for row in rows), Seen.load(folder))
    if report_dir:
        report.write(report_dir, found)
    click.echo(json.dumps(found, ensure_ascii=False) if as_json else evaluate.table(found))


@commands.command("replay")
@REGISTER
@DATA
@CONFIG
@click.option("--every", type=click.Choice(["week", "month"]), default="week", show_default=True, help="How often to train anew.")
@click.option(
    "--audit",
    type=click.FloatRange(0.0, 1.0),
    default=0.05,
    show_default=True,
    help="Share of automatic routings that is audited blind.",
)
@click.option("--minutes", type=click.FloatRange(0.0), default=3.0, show_default=True, help="Minutes that one review costs.")
@click.option("--frozen", is_flag=True, help="Train once, on the first part, and never again: what retraining is worth.")
@click.option("--plot", type=FILE, help="Write a plot there, as SVG.")
@JSON
def replay_(
    register_dir: Path,
    data: tuple[Path, ...],
    config_file: Path | None,
    every: str,
    audit: float,
    minutes: float,
    frozen: bool,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Run the past step by step, knowing only what the desk would have known: what may be claimed."""
    register = Register.load(register_dir)
    rows = dataset.load(*data)
    dataset.check(rows, register, every_agency=False)
    kept = dataset.deduplicate([row.complaint for row in rows]).kept
    chosen = configs.load(config_file) if config_file else configs.TrainingConfig()
    plan = replay.Plan(every=every, audit=audit, minutes_per_review=minutes, frozen=frozen)
    found = replay.summarise(replay.replay(register, kept, chosen, plan, _say))
    if plot:
        plot.write_text(plots.replayed(found).svg, encoding="utf-8")
    click.echo(json.dumps(found, ensure_ascii=False) if as_json else replay.table(found))


@commands.command("compare")
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
    found = _compare(registry, folders, data, texts)
    _print(found, as_json)


@commands.command("suspects")
@click.argument("model")
@DATA
@MODELS
@click.option("--out", type=FILE, help="Write them as JSON Lines, a queue for the desk.")
@click.option("--most", type=click.IntRange(1), default=500, show_default=True, help="How many at most.")
@JSON
def suspects_(model: str, data: tuple[Path, ...], models: Path, out: Path | None, most: int, as_json: bool) -> None:
    """Find labels that are probably wrong, with the likely one; judged with MODEL's register and configuration."""
    router = Router.load(Registry(models).resolve(model))
    rows = dataset.load(*data)
    dataset.check(rows, router.register, every_agency=False)
    chosen = configs.of_manifest(router.manifest)
    found = suspects.find([row.complaint for row in rows], router.reader, chosen, most=most, say=_say)
    if out:
        found.write(out)
    _print(found, as_json)


@commands.command("predict")
@click.argument("model")
@click.option(
    "--input", "source", type=INPUT, default="-", show_default=True, help="JSON Lines, a LAPOR! export, or a table with a header."
)
@click.option("--output", "target", type=INPUT, default="-", show_default=True, help="The same format; a table needs a file.")
@MODELS
@click.option("--jobs", type=click.IntRange(1, 512), help="Processes here.  [default: one a core]")
@click.option("--dask", default="", metavar="ADDRESS", help="A Dask scheduler whose workers find MODEL under the same path.")
@click.option("--evidence", is_flag=True, help="With the words that decided (JSON Lines only); about half as fast.")
@click.option("--resume", is_flag=True, help="Go on where a run of the same input and model stopped.")
def predict_(
    model: str, source: Path, target: Path, models: Path, jobs: int | None, dask: str, evidence: bool, resume: bool
) -> None:
    """Route complaints with MODEL, by the million: the same format comes back, in the same order.

    A record that cannot be read gets its error and its line number instead of an answer; the others are answered, the output
    is written, and the exit code is 2. Until all are answered, the output is OUTPUT.part.
    """
    if jobs and dask:
        raise click.UsageError("--jobs or --dask, not both")
    done = predict.predict(
        Registry(models).resolve(model),
        None if str(source) == "-" else source,
        None if str(target) == "-" else target,
        evidence=evidence,
        jobs=jobs or joblib.cpu_count(),
        dask=dask,
        resume=resume,
    )
    click.echo(str(done), err=True)
    if done.errors:
        raise predict.UnreadRecords(
            f"{done.errors:,} of {done.records:,} records could not be read: they have an error in the output"
        )


@commands.command("next")
@click.argument("model")
@click.option("--input", "source", type=FILE, required=True, help="Complaints without a label, JSON Lines.")
@MODELS
@click.option("--most", type=click.IntRange(1), default=100, show_default=True, help="How many to choose.")
@JSON
def next_(model: str, source: Path, models: Path, most: int, as_json: bool) -> None:
    """Choose the complaints whose labels would teach most: uncertain, and unlike each other."""
    router = Router.load(Registry(models).resolve(model))
    _print(next_labels.choose(router, records.read_complaints(source), most), as_json)


@commands.command("drift")
@click.argument("model")
@DATA
@MODELS
@JSON
def drift_(model: str, data: tuple[Path, ...], models: Path, as_json: bool) -> None:
    """Watch what comes in, week by week: class mix, unknown words, errors; alarms at most once a year where nothing changes."""
    router = Router.load(Registry(models).resolve(model))
    rows = dataset.load(*data)
    dataset.check(rows, router.register, every_agency=False)
    _print(drift.watch(drift.count(drift.cases_of(router, [row.complaint for row in rows]))), as_json)


@commands.group("models")
def models_() -> None:
    """Versions: what there is, what is live, what was."""


@models_.command("list")
@MODELS
def list_(models: Path) -> None:
    """List the versions; the live one has a star."""
    registry = Registry(models)
    live = registry.current()
    for version in registry.versions():
        figures = registry.manifest(version)["figures"]["out_of_fold"]
        click.echo(f"{'*' if version == live else ' '} {version}  out-of-fold accuracy {figures['accuracy']:.3f}")


@models_.command("show")
@click.argument("version")
@MODELS
def show_(version: str, models: Path) -> None:
    """Print the model card of a version."""
    click.echo((Registry(models).resolve(version) / "MODEL_CARD.md").read_text(encoding="utf-8"))


@models_.command("promote")
@click.argument("version")
@MODELS
@click.option("--why", required=True, help="The reason that the ledger keeps.")
@click.option("--force-why", default="", help="Why it goes live although it was not compared, or came out worse.")
@click.option("--register", "register_dir", type=FOLDER, help="The region's folder; else the live version's register holds.")
def promote_(version: str, models: Path, why: str, force_why: str, register_dir: Path | None) -> None:
    """Put a version live. Refused unless a comparison with the live one says `promote`, or --force-why says why not.

    Its agencies must be those of --register; without it, none that the live version knows may be missing.
    """
    register = Register.load(register_dir) if register_dir else None
    done = Registry(models).promote(version, why=why, force_why=force_why, who=_who(), at=_now(), register=register)
    click.echo(f"live: {done.version}" + (f" (before: {done.previous})" if done.previous else ""))


@models_.command("rollback")
@MODELS
@click.option("--why", required=True, help="The reason that the ledger keeps.")
def rollback_(models: Path, why: str) -> None:
    """Put the version live that was live before."""
    done = Registry(models).rollback(why=why, who=_who(), at=_now())
    click.echo(f"live: {done.version} (before: {done.previous})")


@models_.command("shadow")
@click.argument("version", required=False)
@MODELS
@click.option("--stop", is_flag=True, help="Let none run beside the live version any more.")
@click.option("--why", required=True, help="The reason that the ledger keeps.")
def shadow_(version: str | None, models: Path, stop: bool, why: str) -> None:
    """Let VERSION run beside the live one: what it says of each complaint is kept, never given, and compared on /model."""
    if bool(version) == stop:
        raise click.UsageError("name a version, or --stop")
    registry = Registry(models)
    if version:
        done = registry.start_shadow(version, why=why, who=_who(), at=_now())
        click.echo(f"beside {done.previous or 'nothing'}: {done.version}")
    else:
        click.echo(f"ended: {registry.stop_shadow(why=why, who=_who(), at=_now()).version}")


@models_.command("history")
@MODELS
@JSON
def history_(models: Path, as_json: bool) -> None:
    """Tell what was trained, compared, promoted, rolled back and refused: when, by whom and why."""
    history = Registry(models).history()
    for entry in history.entries:
        row = entry.to_dict()
        click.echo(
            json.dumps(row, ensure_ascii=False)
            if as_json
            else "  ".join(str(row.get(key, "")) for key in ("when", "what", "version", "who", "why"))
        )
    for fault in history.faults:
        click.echo(f"salur-training: {fault}", err=True)


@commands.command("retrain")
@REGISTER
@DATA
@TRANSFER
@MODELS
@CONFIG
@click.option(
    "--test",
    "test",
    type=click.FloatRange(0.05, 0.5),
    default=0.2,
    show_default=True,
    help="Share of the complaints new since the live model, the newest, that judges both.",
)
@click.option("--promote-if-better", is_flag=True, help="Put the new version live where the comparison says so.")
@click.option("--why", default="retrained", show_default=True, help="The reason that the ledger keeps.")
def retrain_(
    register_dir: Path,
    data: tuple[Path, ...],
    transfer: tuple[Path, ...],
    models: Path,
    config_file: Path | None,
    test: float,
    promote_if_better: bool,
    why: str,
) -> None:
    """Train on everything, compare with the live model, and put the new one live where it is better.

    Skips where nothing changed since the live model. The comparison is fair to both: the newest complaints that the live
    model has not seen are kept from the new one too, and judge them.
    """
    register, chosen, registry = (
        Register.load(register_dir),
        configs.load(config_file) if config_file else configs.TrainingConfig(),
        Registry(models),
    )
    now = _now()
    given = train.load(register, data, transfer, now[:10], allow_unseen=True)
    done = retrain.retrain(
        registry, register, given, chosen, test=test, at=now, who=_who(), why=why, promote=promote_if_better, say=_say
    )
    click.echo(str(done))


def _compare(registry: Registry, folders: tuple[Path, Path], data: Sequence[Path], texts: bool) -> compare.Comparison:
    champion, challenger = map(Router.load, folders)
    rows = dataset.load(*data)
    dataset.check(rows, challenger.register, every_agency=False)
    seen = {router.version: Seen.load(folder) for router, folder in zip((champion, challenger), folders, strict=True)}
    found = compare.compare(
        champion, challenger, [row.complaint for row in rows], seen=seen, today=_now()[:10], texts=texts, say=_say
    )
    if all(folder.parent == registry.folder for folder in folders):
        registry.record(
            "compared",
            version=challenger.version,
            previous=champion.version,
            at=_now(),
            who=_who(),
            why=found.why,
            figures=found.summary,
        )
    return found


def _say(step: str) -> None:
    click.echo(step, err=True)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _who() -> str:
    return getpass.getuser()


def _print(found: Any, as_json: bool) -> None:
    click.echo(json.dumps(found.to_dict(), ensure_ascii=False) if as_json else str(found))
