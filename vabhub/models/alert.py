"""Rules that numbers are held to (alert rule), and each time one was broken (alert)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from vabhub.models.base import Base, BigId, UtcDateTime

_OPEN = text("status IN ('pending', 'firing')")


class AlertRule(Base):
    """A metric, a limit, for how long, and where hysteresis ends."""

    __tablename__ = "alert_rule"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None] = mapped_column(String(100))  # null: called by its metric
    metric: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str | None] = mapped_column(String(200))  # null: every disk, sensor, client, channel
    threshold: Mapped[float]
    clear_at: Mapped[float]
    for_minutes: Mapped[int]
    clear_minutes: Mapped[int]
    priority: Mapped[str] = mapped_column(String(16))
    channels: Mapped[list[str]] = mapped_column(JSON)  # empty: the inbox and the channels that take alerts
    enabled: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Alert(Base):
    """One time that a rule was broken by one subject; changed only by a conditional UPDATE on `version`."""

    __tablename__ = "alert"
    __table_args__ = (
        Index(
            "uq_alert_open",
            "rule_id",
            "subject",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index("ix_alert_status", "status", "id"),
        # An id is part of an idempotency key: that of a dropped alert must not come again.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    rule_id: Mapped[int | None] = mapped_column(ForeignKey("alert_rule.id", ondelete="SET NULL"))
    metric: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(200))
    status: Mapped[str] = mapped_column(String(16))  # pending, firing, resolved
    version: Mapped[int] = mapped_column(default=0)
    value: Mapped[float]  # at the last change
    threshold: Mapped[float]
    held_s: Mapped[float | None]  # how long it is known to be broken or, when firing, clear; null: not clear
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    fired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    resolved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    resolved_why: Mapped[str | None] = mapped_column(
        String(16)
    )  # cleared, or rule: it was changed or deleted
