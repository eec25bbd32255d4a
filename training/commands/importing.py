"""import: somebody's export becomes labelled complaints."""

from __future__ import annotations

import json
from pathlib import Path

import click

from model.register import FILES as REGISTER_FILES
from model.rules import load_region
from training.commands.options import FILE, JSON, REGISTER
from training.reading import importing, outputs


@click.command("import")
@click.argument("export", type=FILE)
@REGISTER
@click.option("--crosswalk", type=FILE, help="Names of the source -> agencies here; without it the register's own names hold.")
@click.option("--out", type=FILE, required=True, help="Where the JSON Lines go.")
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="OURS=THEIRS",
    help="What a plain table calls a column, or JSON Lines a key. May be repeated.",
)
@click.option("--source", default="", help="Name of the source, as weights refer to it; else the crosswalk's.")
@click.option("--strict", is_flag=True, help="Refuse where a name is not mapped or a crosswalk row matches nothing.")
@click.option(
    "--allow-missing", is_flag=True, help="Crosswalk rows may name agencies that the register lacks: drop what they match."
)
@click.option("--no-confidential", is_flag=True, help="Drop what is marked as Rahasia.")
@JSON
def import_(
    export: Path,
    register_dir: Path,
    crosswalk: Path | None,
    out: Path,
    columns: tuple[str, ...],
    source: str,
    strict: bool,
    allow_missing: bool,
    no_confidential: bool,
    as_json: bool,
) -> None:
    """Make labelled complaints of EXPORT: a LAPOR! export, a table (.csv, .xlsx) or JSON Lines."""
    pairs = [column.partition("=") for column in columns]
    if bad := [ours for ours, equals, theirs in pairs if not (ours and equals and theirs)]:
        raise click.BadParameter(f"{bad[0]!r}: write OURS=THEIRS", param_hint="--column")
    named = {ours: theirs for ours, _, theirs in pairs}
    register, _ = load_region(register_dir)
    outputs.check_file(out, *map(register_dir.joinpath, REGISTER_FILES))
    done = importing.import_export(
        export,
        out,
        register,
        crosswalk,
        columns=named or None,
        source=source,
        strict=strict,
        confidential=not no_confidential,
        allow_missing=allow_missing,
    )
    click.echo(json.dumps(done.to_dict(), ensure_ascii=False) if as_json else str(done))
