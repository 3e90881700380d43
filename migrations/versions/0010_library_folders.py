"""Remember folders, corrections and daily sizes of the library"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "library_folder",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("root_id", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("is_link", sa.Boolean(), nullable=False),
        sa.Column("is_mount", sa.Boolean(), nullable=False),
        sa.Column("poster", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["root_id"], ["library_root.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("root_id", "path"),
    )
    op.create_table(
        "library_override",
        sa.Column("root_id", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["root_id"], ["library_root.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("root_id", "path"),
    )
    op.create_table(
        "library_day",
        sa.Column("root_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["root_id"], ["library_root.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("root_id", "day"),
    )
    op.create_index("ix_library_file_kind", "library_file", ["kind", "root_id", "path"])
    with op.batch_alter_table("library_root") as batch:
        batch.add_column(sa.Column("full_scan_at", sa.DateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("rules", sa.Integer(), server_default="1", nullable=False))
    with op.batch_alter_table("library_scan") as batch:
        batch.add_column(sa.Column("full", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch.add_column(sa.Column("accept_missing", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("library_scan") as batch:
        batch.drop_column("accept_missing")
        batch.drop_column("full")
    with op.batch_alter_table("library_root") as batch:
        batch.drop_column("rules")
        batch.drop_column("full_scan_at")
    op.drop_index("ix_library_file_kind", table_name="library_file")
    op.drop_table("library_day")
    op.drop_table("library_override")
    op.drop_table("library_folder")
