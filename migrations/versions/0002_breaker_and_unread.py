"""Count a channel's failures; an index that counts what is unread by itself"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

UNREAD = sa.text("read_at IS NULL AND inbox_at IS NOT NULL AND deleted_at IS NULL")
BEFORE = sa.text("read_at IS NULL")


def upgrade() -> None:
    op.add_column("channel", sa.Column("failures", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("channel", sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True))
    op.drop_index("ix_notification_unread", "notification")
    op.create_index(
        "ix_notification_unread", "notification", ["inbox_at"], sqlite_where=UNREAD, postgresql_where=UNREAD
    )


def downgrade() -> None:
    op.drop_index("ix_notification_unread", "notification")
    op.create_index(
        "ix_notification_unread", "notification", ["inbox_at"], sqlite_where=BEFORE, postgresql_where=BEFORE
    )
    op.drop_column("channel", "opened_at")
    op.drop_column("channel", "failures")
