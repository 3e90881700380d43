"""Number the series of the history, and note how far each tier is filled"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "metric_series",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_metric_series")),
        sa.UniqueConstraint("name", name=op.f("uq_metric_series_name")),
    )
    op.create_table(
        "metric_tier",
        sa.Column("tier_s", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rolled_until", sa.BigInteger(), nullable=False),
        sa.Column("pruned_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tier_s", name=op.f("pk_metric_tier")),
    )
    op.create_table("metric_point_new", *_columns("series_id", sa.Integer()), sqlite_with_rowid=False)
    op.execute(
        "INSERT INTO metric_series (name, last_at) SELECT series, max(at) FROM metric_point GROUP BY series"
    )
    op.execute(
        "INSERT INTO metric_tier (tier_s, rolled_until, pruned_until) "
        "SELECT tier_s, max(at) + tier_s, 0 FROM metric_point WHERE tier_s > 2 GROUP BY tier_s"
    )
    op.execute(
        "INSERT INTO metric_point_new (tier_s, at, series_id, min, avg, max, n) "
        "SELECT p.tier_s, p.at, s.id, p.min, p.avg, p.max, p.n "
        "FROM metric_point p JOIN metric_series s ON s.name = p.series"
    )
    _replace()


def downgrade() -> None:
    op.create_table("metric_point_new", *_columns("series", sa.String(length=100)), sqlite_with_rowid=False)
    op.execute(
        "INSERT INTO metric_point_new (series, tier_s, at, min, avg, max, n) "
        "SELECT s.name, p.tier_s, p.at, p.min, p.avg, p.max, p.n "
        "FROM metric_point p JOIN metric_series s ON s.id = p.series_id WHERE length(s.name) <= 100"
    )
    _replace()
    op.drop_table("metric_tier")
    op.drop_table("metric_series")


def _columns(series, kind):
    key = ("tier_s", "at", series) if series == "series_id" else (series, "tier_s", "at")
    return (
        sa.Column("tier_s", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column(series, kind, nullable=False),
        sa.Column("min", sa.Double(), nullable=False),
        sa.Column("avg", sa.Double(), nullable=False),
        sa.Column("max", sa.Double(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(*key, name="pk_metric_point_new"),
    )


def _replace() -> None:
    op.drop_table("metric_point")
    op.rename_table("metric_point_new", "metric_point")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER INDEX pk_metric_point_new RENAME TO pk_metric_point")
