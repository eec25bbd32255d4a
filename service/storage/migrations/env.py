"""Alembic's entry: runs the migrations over the connection that `service.storage.database` hands in."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from service.storage.tables import metadata

connection: Connection = context.config.attributes["connection"]
# SQLite cannot alter a column; batch mode copies the table instead.
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, compare_type=True)
context.run_migrations()
