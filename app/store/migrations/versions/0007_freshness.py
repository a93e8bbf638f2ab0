"""When a check run or comment was written last, and what news it told."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What was written before counts as long ago."""
    op.add_column("documents", sa.Column("news", sa.String(), nullable=False, server_default=""))
    op.add_column("documents", sa.Column("written_at", sa.Float(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Forgets both."""
    op.drop_column("documents", "written_at")
    op.drop_column("documents", "news")
