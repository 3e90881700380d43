"""An index of words for the search, and indexes for the filters of the history"""

import sqlalchemy as sa
from alembic import op

from vabhub.notify import search_index

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

UNREAD = sa.text("read_at IS NULL AND inbox_at IS NOT NULL AND deleted_at IS NULL")
UNSETTLED = sa.text("state <> 'delivered'")
UNSENT = sa.text("status <> 'sent'")


def upgrade() -> None:
    op.drop_index("ix_notification_unread", "notification")
    _create("notification", "unread", ["id"], UNREAD)
    _create("notification", "unsent", ["status", "id"], UNSENT)
    _create("delivery", "unsettled", ["id", "state"], UNSETTLED)
    op.create_index("ix_notification_type", "notification", ["type", "id"])
    op.create_index("ix_notification_priority", "notification", ["priority", "id"])
    op.create_index("ix_delivery_channel", "delivery", ["channel", "id"])
    search_index.build(op.get_bind())


def downgrade() -> None:
    search_index.drop(op.get_bind())
    for name in ("channel", "unsettled"):
        op.drop_index(f"ix_delivery_{name}", "delivery")
    for name in ("priority", "type", "unsent", "unread"):
        op.drop_index(f"ix_notification_{name}", "notification")
    _create("notification", "unread", ["inbox_at"], UNREAD)


def _create(table: str, name: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(f"ix_{table}_{name}", table, columns, sqlite_where=where, postgresql_where=where)
