"""How the command `salur-service` speaks: what is wrong in one line, how far it is, and a password or key this once."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click
from sqlalchemy.exc import SQLAlchemyError

from model.faults import SalurError
from service.storage.database import cause

_WAIT = "somebody else works in it, perhaps a migration or a dump: try again when that is over"
_OWN = "does it belong to somebody else, or a file beside it that ends in -wal or -shm?"
_REMEDIES = {"SQLITE_BUSY": _WAIT, "LockNotAvailable": _WAIT, "SQLITE_READONLY": _OWN}


class Refused(SalurError):
    """What was asked cannot be done."""


class Group(click.Group):
    """Ends with one line and exit code 2, never with a traceback, where the caller can correct what is wrong."""

    def make_context(self, *args: Any, **options: Any) -> click.Context:
        try:
            return super().make_context(*args, **options)
        except click.UsageError as error:
            raise _told(error) from error

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            raise _told(error) from error
        except SalurError as error:
            for line in str(error).splitlines():
                click.echo(f"salur-service: {line}", err=True)
        except SQLAlchemyError as error:
            why = cause(error)
            remedy = _REMEDIES.get(why, "is it there, and its disk not full?")
            click.echo(f"salur-service: the database cannot be used ({why}); {remedy}", err=True)
        except BrokenPipeError:
            raise  # whoever read has read enough, as `head` does: click ends in silence
        except OSError as error:
            reason = error.strerror or type(error).__name__
            click.echo(f"salur-service: {error.filename}: {reason}" if error.filename else f"salur-service: {reason}", err=True)
        return ctx.exit(2)


def _told(error: click.UsageError) -> Exception:
    """Tell in one line what was called wrongly, where click takes three, and answer what ends the command."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return error
    at = error.ctx.command_path if error.ctx else "salur-service"
    click.echo(f"{at}: {' '.join(error.format_message().split()).rstrip('.')}; --help tells more", err=True)
    return click.exceptions.Exit(2)


@contextmanager
def progress(done: str) -> Iterator[Callable[[int, int], None]]:
    """Give what tells whoever watches at a terminal how far a long command is, on a line that is ended however the command ends."""
    begun = False

    def tell(so_far: int, rows: int) -> None:
        nonlocal begun
        if sys.stderr.isatty():
            click.echo(f"\r{done} {so_far:,} of {rows:,}", nl=False, err=True)
            begun = True

    try:
        yield tell
    finally:
        if begun:
            click.echo(err=True)


def show_once(title: str, body: str, advice: str) -> None:
    """Show a password or key before it is kept: a disk may be full or a terminal gone, and what nobody saw must not be there."""
    click.echo(f"{title}, shown only now:\n\n{body}\n\n{advice}")
