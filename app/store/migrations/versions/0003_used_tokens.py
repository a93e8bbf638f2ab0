"""Tokens that proved which run of GitHub Actions a runner is."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Each is accepted once."""
    op.create_table(
        "used_tokens",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_used_tokens_expires_at"), "used_tokens", ["expires_at"], unique=False)


def downgrade() -> None:
    """Forgets them."""
    op.drop_table("used_tokens")
