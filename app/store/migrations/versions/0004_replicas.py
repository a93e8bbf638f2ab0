"""Several apps on one database: who lives, who has taken what, and what only one of them can do."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nobody lives yet: what an older version had taken is released by the first start."""
    op.add_column("outbox", sa.Column("place", sa.String(), server_default="", nullable=False))
    op.add_column("outbox", sa.Column("taken_by", sa.String(), server_default="", nullable=False))
    op.create_index(op.f("ix_tasks_status"), "tasks", ["status"], unique=False)
    op.create_table(
        "replicas",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("joined_at", sa.Float(), nullable=False),
        sa.Column("seen_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    """One app again."""
    op.drop_table("replicas")
    op.drop_index(op.f("ix_tasks_status"), table_name="tasks")
    op.drop_column("outbox", "taken_by")
    op.drop_column("outbox", "place")
