"""Keep cached values that outlive a restart"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cache_entry",
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("prefix", sa.String(255), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("built_at", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("kept_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_cache_entry"),
    )
    op.create_index("ix_cache_entry_prefix", "cache_entry", ["prefix"])
    op.create_index("ix_cache_entry_kept_until", "cache_entry", ["kept_until"])


def downgrade() -> None:
    op.drop_table("cache_entry")
