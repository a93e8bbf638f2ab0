"""What tasks wait for, what attempts hold, how many a pressed machine allows, and how good predictions were."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_HELD = ("created_at", "memory_mib", "cpu")
_LEARNED = ("cpu", "predicted_minutes", "predicted_memory_mib")


def upgrade() -> None:
    """Attempts from before hold nothing but their slot."""
    op.add_column("tasks", sa.Column("ready_since", sa.Float(), nullable=True))
    op.add_column("tasks", sa.Column("lacks", sa.String(), server_default="", nullable=False))
    op.create_index(op.f("ix_tasks_lacks"), "tasks", ["lacks"], unique=False)
    for name in _HELD:
        op.add_column("attempts", sa.Column(name, sa.Float(), server_default="0", nullable=False))
    for name in _LEARNED:
        op.add_column("measured", sa.Column(name, sa.Float(), server_default="0", nullable=False))
    op.create_table(
        "throttles",
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("host"),
    )


def downgrade() -> None:
    """Takes it away again."""
    op.drop_table("throttles")
    for name in reversed(_LEARNED):
        op.drop_column("measured", name)
    for name in reversed(_HELD):
        op.drop_column("attempts", name)
    op.drop_index(op.f("ix_tasks_lacks"), table_name="tasks")
    op.drop_column("tasks", "lacks")
    op.drop_column("tasks", "ready_since")
