"""An import's work can be taken over: its steps as states, a lease, and when its file was handed back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NEW = ("uploaded", "surveyed", "confirmed", "processed", "done", "failed", "cancelled")
_OLD = ("uploaded", "running", "done", "failed")


def upgrade() -> None:
    """Add the columns, and let the state name every step."""
    with op.batch_alter_table("import_job") as table:
        table.add_column(sa.Column("lease", sa.String(length=40), nullable=True))
        table.add_column(sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True))
        table.add_column(sa.Column("handed_back_at", sa.DateTime(timezone=True), nullable=True))
        table.drop_constraint(op.f("ck_import_job_state"), type_="check")
    op.execute("UPDATE import_job SET state = 'confirmed' WHERE state = 'running'")
    with op.batch_alter_table("import_job") as table:
        table.create_check_constraint(op.f("ck_import_job_state"), _one_of(_NEW))


def downgrade() -> None:
    """Take them back; a step that the old states do not know is an import that failed."""
    with op.batch_alter_table("import_job") as table:
        table.drop_constraint(op.f("ck_import_job_state"), type_="check")
    op.execute(f"UPDATE import_job SET state = 'failed' WHERE NOT ({_one_of(_OLD)})")  # noqa: S608 -- names of our own
    with op.batch_alter_table("import_job") as table:
        table.create_check_constraint(op.f("ck_import_job_state"), _one_of(_OLD))
        table.drop_column("handed_back_at")
        table.drop_column("lease_until")
        table.drop_column("lease")


def _one_of(states: tuple[str, ...]) -> str:
    return f"state IN ({', '.join(repr(state) for state in states)})"
