"""The tables made and changed by Alembic, over a connection of ours. Apart from `service.database`: no server need load it."""

from __future__ import annotations

from importlib import resources

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text


def upgrade(connection: Connection, revision: str) -> None:
    """Bring the tables up to a revision, in the caller's transaction."""
    command.upgrade(_over(connection), revision)


def downgrade(connection: Connection, revision: str) -> None:
    """Take the tables back to a revision, in the caller's transaction."""
    command.downgrade(_over(connection), revision)


def revisions() -> list[str]:
    """Answer every revision, oldest first."""
    script = ScriptDirectory.from_config(_config())
    return [revision.revision for revision in reversed(list(script.walk_revisions()))]


def _over(connection: Connection) -> Config:
    if connection.dialect.name == "postgresql":
        # Two servers that start at once migrate one after the other, and a large table may take its time.
        connection.execute(text("SELECT pg_advisory_xact_lock(727258)"))
        connection.execute(text("SET LOCAL statement_timeout = 0"))
    config = _config()
    config.attributes["connection"] = connection
    return config


def _config() -> Config:
    config = Config()
    with resources.as_file(resources.files("service") / "migrations") as folder:
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
