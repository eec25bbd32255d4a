"""predict: complaints by the million."""

from __future__ import annotations

from pathlib import Path

import click
import joblib

from model.registry import Registry
from training.bulk import predict
from training.commands.options import MODELS

INPUT = click.Path(dir_okay=False, allow_dash=True, path_type=Path)


@click.command("predict")
@click.argument("model")
@click.option(
    "--input", "source", type=INPUT, default="-", show_default=True, help="JSON Lines, a LAPOR! export, or a table with a header."
)
@click.option("--output", "target", type=INPUT, default="-", show_default=True, help="The same format; a table needs a file.")
@MODELS
@click.option("--jobs", type=click.IntRange(1, 512), help="Processes here.  [default: one a core]")
@click.option("--dask", default="", metavar="ADDRESS", help="A Dask scheduler whose workers find MODEL under the same path.")
@click.option("--evidence", is_flag=True, help="With the words that decided (JSON Lines only); takes about a third longer.")
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
