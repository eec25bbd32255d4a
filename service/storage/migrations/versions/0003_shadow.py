"""A challenger answers each complaint once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index the answers of challengers; there are none before this revision."""
    op.create_index(
        "uq_routing_shadow",
        "routing",
        ["model_version", "complaint_id"],
        unique=True,
        sqlite_where=sa.text("shadow"),
        postgresql_where=sa.text("shadow"),
    )


def downgrade() -> None:
    """Take the index away; what it kept apart stays."""
    op.drop_index("uq_routing_shadow", "routing")
