"""A routing may tell of an emergency; a program from before, which still runs beside this one, tells of none."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, which is false for all that was routed before."""
    op.add_column("routing", sa.Column("emergency", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    """Take it away."""
    op.drop_column("routing", "emergency")
