"""Templates, and what a channel tells: its language, its last error, whether it hears of others' faults"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "template",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(length=100), nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=False, server_default=""),
        sa.Column("language", sa.String(length=8), nullable=False, server_default=""),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("markdown", sa.Text(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("failed_at", TIME, nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_template")),
        sa.UniqueConstraint("event", "channel", "language", name=op.f("uq_template_event_channel_language")),
    )
    op.add_column("attempt", sa.Column("template_error", sa.Text(), nullable=True))
    op.add_column("channel", sa.Column("last_error", sa.Text(), nullable=True))
    op.add_column("channel", sa.Column("language", sa.String(length=8), nullable=True))
    op.add_column("channel", sa.Column("alerts", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    for column in ("alerts", "language", "last_error"):
        op.drop_column("channel", column)
    op.drop_column("attempt", "template_error")
    op.drop_table("template")
