"""salur-training: from complaints to a promoted model, one command a step."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import click
from tqdm import tqdm

from model import artifact as artifacts
from model.faults import SalurError
from model.register import Register
from model.registry import Registry
from model.router import Router
from training import config as configs
from training import dataset, evaluate, report, sources, train

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)
MODELS = click.option("--models", type=FOLDER, default=Path("var/models"), envvar="SALUR_MODELS", show_default=True, help="The registry.")
REGISTER = click.option("--register", "register_dir", type=FOLDER, required=True, help="The region's folder.")
DATA = click.option("--data", type=FILE, multiple=True, required=True, help="Labelled complaints of this region, JSON Lines. May be repeated.")
TRANSFER = click.option("--transfer", type=FILE, multiple=True, help="Labelled complaints of other regions: learnt from, never judged by.")
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
    export: Path, register_dir: Path, crosswalk: Path | None, out: Path, columns: tuple[str, ...], source: str, strict: bool, as_json: bool
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
    click.echo(f"{len(given.own):,} complaints of this region, {len(given.other):,} of others; {given.dropped:,} duplicates", err=True)
    with tqdm(total=chosen.folds + 5, desc=version, file=sys.stderr, disable=None, bar_format="{desc}: {bar} {elapsed}") as bar:

        def say(step: str) -> None:
            bar.update()
            if bar.disable:
                click.echo(f"  {step}", err=True)
            else:
                bar.set_description(f"{version}: {step}")

        artifact, judged = train.train(register, given, chosen, now, say)
    artifacts.save(models / version, artifact, report.files(artifact, judged))
    registry.record("trained", version=version, at=now, who=_who(), why=why, figures=artifact.manifest["figures"]["out_of_fold"])
    if promote:
        registry.promote(version, at=now, who=_who(), why=why or "first model")
    click.echo(version)


@commands.command("evaluate")
@click.argument("model")
@DATA
@MODELS
@click.option("--report", "report_dir", type=FOLDER, help="Write report.html and figures.json there.")
@JSON
def evaluate_(model: str, data: tuple[Path, ...], models: Path, report_dir: Path | None, as_json: bool) -> None:
    """Judge MODEL (a version, a path, or `current`) on complaints that it has not seen."""
    router = Router.load(Registry(models).resolve(model))
    rows = dataset.load(*data)
    dataset.check(rows, router.register, every_agency=False)
    found = evaluate.evaluate(router, dataset.testable(row.complaint for row in rows))
    if report_dir:
        report.write(report_dir, found)
    click.echo(json.dumps(found, ensure_ascii=False) if as_json else evaluate.table(found))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _who() -> str:
    import getpass

    return getpass.getuser()


def _print(found: Any, as_json: bool) -> None:
    click.echo(json.dumps(found.to_dict(), ensure_ascii=False) if as_json else str(found))
