"""Hold numbers to rules, and remember each time one was broken"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OPEN = sa.text("status IN ('pending', 'firing')")

# Metric, threshold, clear at, for minutes, priority.
DEFAULTS = (
    ("disk_usage", 95, 92, 5, "high"),
    ("disk_full_in_days", 7, 10, 60, "normal"),
    ("cpu_usage", 95, 80, 15, "normal"),
    ("memory_usage", 95, 90, 10, "normal"),
    ("temperature_c", 90, 80, 5, "high"),
    ("source_down", 1, 0, 5, "high"),
    ("queue_overdue_s", 600, 60, 5, "high"),
)


def upgrade() -> None:
    rules = op.create_table(
        "alert_rule",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=True),
        sa.Column("metric", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=True),
        sa.Column("threshold", sa.Double(), nullable=False),
        sa.Column("clear_at", sa.Double(), nullable=False),
        sa.Column("for_minutes", sa.Integer(), nullable=False),
        sa.Column("clear_minutes", sa.Integer(), nullable=False),
        sa.Column("priority", sa.String(length=16), nullable=False),
        sa.Column("channels", sa.JSON(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_rule")),
    )
    op.create_table(
        "alert",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("rule_id", sa.Integer(), nullable=True),
        sa.Column("metric", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("threshold", sa.Double(), nullable=False),
        sa.Column("held_s", sa.Double(), nullable=True),
        sa.Column("seen_at", TIME, nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("fired_at", TIME, nullable=True),
        sa.Column("resolved_at", TIME, nullable=True),
        sa.Column("resolved_why", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["rule_id"], ["alert_rule.id"], name=op.f("fk_alert_rule_id_alert_rule"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_alert_open",
        "alert",
        ["rule_id", "subject"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    op.create_index("ix_alert_status", "alert", ["status", "id"])
    op.bulk_insert(rules, [_rule(*default) for default in DEFAULTS])


def downgrade() -> None:
    op.drop_table("alert")
    op.drop_table("alert_rule")


def _rule(metric, threshold, clear_at, for_minutes, priority):
    now = datetime.now(UTC)
    return {
        "metric": metric,
        "threshold": threshold,
        "clear_at": clear_at,
        "for_minutes": for_minutes,
        "clear_minutes": 60 if metric == "disk_full_in_days" else 2,
        "priority": priority,
        "channels": [],
        "enabled": True,
        "created_at": now,
        "updated_at": now,
    }
