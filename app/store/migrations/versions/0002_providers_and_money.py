"""Pauses of a model's provider, what attempts cost, and what they measured."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds what is searched for over all repositories."""
    op.add_column("tasks", sa.Column("not_before", sa.Float(), nullable=True))
    op.create_index(op.f("ix_tasks_not_before"), "tasks", ["not_before"], unique=False)
    op.add_column("attempts", sa.Column("probe", sa.Boolean(), server_default="0", nullable=False))
    op.add_column("attempts", sa.Column("day", sa.String(), server_default="", nullable=False))
    op.add_column("attempts", sa.Column("cost_usd", sa.Float(), server_default="0", nullable=False))
    op.create_index(op.f("ix_attempts_day"), "attempts", ["day"], unique=False)
    op.create_table(
        "measured",
        sa.Column("attempt", sa.String(), nullable=False),
        sa.Column("repository_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("minutes", sa.Float(), nullable=False),
        sa.Column("memory_mib", sa.Float(), nullable=False),
        sa.Column("cost_usd", sa.Float(), nullable=True),
        sa.Column("ended_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["repository_id"], ["repositories.id"]),
        sa.PrimaryKeyConstraint("attempt"),
    )
    op.create_index("measured_latest", "measured", ["repository_id", "ended_at"], unique=False)


def downgrade() -> None:
    """Takes it away again."""
    op.drop_index("measured_latest", table_name="measured")
    op.drop_table("measured")
    op.drop_index(op.f("ix_attempts_day"), table_name="attempts")
    op.drop_column("attempts", "cost_usd")
    op.drop_column("attempts", "day")
    op.drop_column("attempts", "probe")
    op.drop_index(op.f("ix_tasks_not_before"), table_name="tasks")
    op.drop_column("tasks", "not_before")
