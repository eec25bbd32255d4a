"""What several commands are given, and how they speak."""

from __future__ import annotations

import getpass
import json
import math
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import click

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)
MODELS = click.option(
    "--models",
    type=FOLDER,
    default=Path("var/models"),
    envvar="SALUR_MODELS",
    show_default=True,
    show_envvar=True,
    help="The registry.",
)
REGISTER = click.option("--register", "register_dir", type=FOLDER, required=True, help="The region's folder.")
DATA = click.option(
    "--data", type=FILE, multiple=True, required=True, help="Labelled complaints of this region, JSON Lines. May be repeated."
)
TRANSFER = click.option(
    "--transfer",
    type=FILE,
    multiple=True,
    help="Labelled complaints of other regions: learnt from, never judged by. May be repeated.",
)
UNLABELLED = click.option(
    "--unlabelled",
    type=FILE,
    multiple=True,
    help="Complaints of this region of which nobody said whose they are, as an export has them: how people write here is learnt "
    "from them, by the model's own answers. May be repeated.",
)
EXAMPLES = click.option(
    "--aspects-from",
    "examples",
    type=FOLDER,
    help="Another region's folder, whose complaints.jsonl teaches kind, alleged wrongdoing, what is missing and emergencies: "
    "no export tells them. Whose those complaints are is not read, and what repeats this region's own is left out.",
)
CONFIG = click.option("--config", "config_file", type=FILE, help="A TrainingConfig in TOML.")
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")


class Number(click.FloatRange):
    """A number within bounds. "nan" lies within any, for it is neither smaller nor larger."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read it, and refuse what is no number, or no finite one."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is no number", param, ctx)
        return number


def say(step: str) -> None:
    """Tell of a step of long work, on standard error."""
    click.echo(step, err=True)


class Shown(Protocol):
    """A result: as text a table, and plain values for --json."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""


def show(found: Shown, as_json: bool) -> None:
    """Print a result, as a table or as one JSON object."""
    click.echo(json.dumps(found.to_dict(), ensure_ascii=False) if as_json else str(found))


def moment() -> str:
    """Give the time, UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def user() -> str:
    """Give the name that the ledger writes down; the number of a user who has none, as in a container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # the latter from Python 3.13 on
        return f"uid:{os.getuid()}"
