"""models: versions, what is live, what was."""

from __future__ import annotations

import json
from pathlib import Path

import click

from model.faults import Fault, InvalidData, SalurError
from model.register import Register
from model.registry import Registry
from training.commands.options import FOLDER, MODELS, moment, user


@click.group("models")
def models_() -> None:
    """Versions: what there is, what is live, what was."""


@models_.command("list")
@MODELS
def list_(models: Path) -> None:
    """List the versions; the live one has a star. One that cannot be read, such as one of an earlier format, says why."""
    registry = _there(models)
    live = registry.current()
    for version in registry.versions():
        click.echo(f"{'*' if version == live else ' '} {version}  {_accuracy(registry, version)}")


def _there(models: Path) -> Registry:
    """Open a registry whose folder is there: of a mistyped one nothing would be told, as of one that is empty."""
    if not models.is_dir():
        raise InvalidData([Fault(str(models), 0, "no such folder")])
    return Registry(models)


def _accuracy(registry: Registry, version: str) -> str:
    try:
        return f"out-of-fold accuracy {registry.manifest(version)['figures']['out_of_fold']['accuracy']:.3f}"
    except SalurError as error:
        return str(error)
    except (KeyError, TypeError, ValueError):
        return "its manifest has no figures"


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
    done = Registry(models).promote(version, why=why, force_why=force_why, who=user(), at=moment(), register=register)
    click.echo(f"live: {done.version}" + (f" (before: {done.previous})" if done.previous else ""))


@models_.command("rollback")
@MODELS
@click.option("--why", required=True, help="The reason that the ledger keeps.")
def rollback_(models: Path, why: str) -> None:
    """Put the version live that was live before."""
    done = Registry(models).rollback(why=why, who=user(), at=moment())
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
        done = registry.start_shadow(version, why=why, who=user(), at=moment())
        click.echo(f"beside {done.previous or 'nothing'}: {done.version}")
    else:
        click.echo(f"ended: {registry.stop_shadow(why=why, who=user(), at=moment()).version}")


@models_.command("history")
@MODELS
@click.option("--json", "as_json", is_flag=True, help="JSON Lines instead of a table: the ledger's entries.")
def history_(models: Path, as_json: bool) -> None:
    """Tell what was trained, compared, promoted, rolled back and refused: when, by whom and why."""
    history = _there(models).history()
    for entry in history.entries:
        row = entry.to_dict()
        click.echo(
            json.dumps(row, ensure_ascii=False)
            if as_json
            else "  ".join(str(row.get(key, "")) for key in ("when", "what", "version", "who", "why"))
        )
    for fault in history.faults:
        click.echo(f"salur-training: {fault}", err=True)
