"""The tables made and changed by Alembic, over a connection of ours. Apart from `database`: no server need load it."""

from __future__ import annotations

from importlib import resources

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from model.faults import SalurError

BASE, HEAD = "base", "head"


class CannotMigrate(SalurError):
    """The tables cannot be taken to where they are wanted."""


def upgrade(connection: Connection, revision: str) -> None:
    """Bring the tables up to a revision, in the caller's transaction. Raises CannotMigrate where that is no way up."""
    config = _over(connection)
    command.upgrade(config, _target(connection, revision, down=False))


def downgrade(connection: Connection, revision: str) -> None:
    """Take the tables back to a revision, in the caller's transaction. Raises CannotMigrate where that is no way down."""
    config = _over(connection)
    command.downgrade(config, _target(connection, revision, down=True))


def is_newer(revision: str | None) -> bool:
    """Tell whether tables at a revision are those of a newer version: this one does not know it."""
    return revision is not None and revision not in revisions()


def revisions() -> list[str]:
    """Answer every revision, oldest first."""
    script = ScriptDirectory.from_config(_config())
    return [revision.revision for revision in reversed(list(script.walk_revisions()))]


def _target(connection: Connection, wanted: str, *, down: bool) -> str:
    """Answer the revision that is meant, `-1` and `+1` being steps from here; Alembic would go the other way without a word."""
    steps = [BASE, *revisions()]
    at = MigrationContext.configure(connection).get_current_revision()
    if is_newer(at):
        raise CannotMigrate(f"the tables are those of a newer version ({at}; this one knows {steps[-1]} and earlier): install that")
    here = steps.index(at or BASE)
    if wanted[:1] in ("+", "-") and wanted[1:].isascii() and wanted[1:].isdigit():
        there = here + int(wanted)
    elif wanted == HEAD:
        there = len(steps) - 1
    else:
        there = steps.index(wanted) if wanted in steps else -1
    if not 0 <= there < len(steps):
        raise CannotMigrate(
            f"there is no revision {wanted!r} from {steps[here]}: one of {', '.join(steps)}, {HEAD}, or steps such as -1"
        )
    if down and there > here:
        raise CannotMigrate(f"{steps[there]} is later than {steps[here]}, where the tables are: leave out --down")
    if not down and (there < here or steps[there] == BASE):
        raise CannotMigrate(f"going back to {steps[there]} needs --down: what only later tables can hold is lost")
    return steps[there]


def _over(connection: Connection) -> Config:
    if connection.dialect.name == "postgresql":
        # Two servers that start at once migrate one after the other, and a large table may take its time.
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(727258)"))
        connection.execute(text("SET LOCAL lock_timeout TO DEFAULT"))  # no migration waits behind a reader for ever
    config = _config()
    config.attributes["connection"] = connection
    return config


def _config() -> Config:
    config = Config()
    with resources.as_file(resources.files("service.storage") / "migrations") as folder:
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
