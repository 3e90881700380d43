"""Remember what was seen of each download"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "download_seen",
        sa.Column("instance", sa.String(64), nullable=False),
        sa.Column("item_id", sa.String(128), nullable=False),
        sa.Column("phase", sa.String(64), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_at", sa.String(40), nullable=True),
        sa.Column("added_told", sa.Boolean(), nullable=False),
        sa.Column("failed_told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stalled_told_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("instance", "item_id", name="pk_download_seen"),
    )


def downgrade() -> None:
    op.drop_table("download_seen")
